/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/resolv_conf.h"
#include "tests/unit/scratch.h"

static void
expect(const char *text, const char *address, bool trusted)
{
	const char *path = scratch_write("resolv.conf", text);
	struct resolver_upstream u;
	struct address want;

	assert_true(resolv_conf_nameserver(path, &u));
	assert_true(address_parse(address, &want));
	assert_true(address_equal(&u.address, &want));
	assert_int_equal(u.port, 53);
	assert_int_equal(u.trusted_ad, trusted);
}

static void
the_first_loopback_nameserver_wins_over_the_first_one(void **state)
{
	(void)state;
	expect("nameserver 192.0.2.1\nnameserver ::1\nnameserver 127.0.0.1\n",
	    "::1", true);
	expect("nameserver 192.0.2.1\nnameserver 192.0.2.2\n", "192.0.2.1",
	    false);
}

static void
only_nameserver_lines_with_an_address_count(void **state)
{
	(void)state;
	expect("# nameserver 192.0.2.1\n;nameserver 192.0.2.2\n"
	       " nameserver 192.0.2.3\nnameserver192.0.2.4\nnameserver\n"
	       "nameserver dns.example\nnameserver fe80::1%eth0\n"
	       "search nameserver 192.0.2.5\noptions trust-ad\n"
	       "nameserver \t192.0.2.6 \r\n",
	    "192.0.2.6", false);
}

static void
a_long_line_is_one_line_and_no_address(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text),
	    "#%0255dnameserver 127.0.0.1\nnameserver 127.0.0.1%0300d\n"
	    "nameserver 192.0.2.1 127.0.0.1",
	    0, 0);
	expect(text, "192.0.2.1", false);
}

static void
without_a_nameserver_nothing_is_touched(void **state)
{
	struct resolver_upstream u = { .port = 7 };

	(void)state;
	assert_false(resolv_conf_nameserver(scratch_path("none"), &u));
	assert_false(
	    resolv_conf_nameserver(scratch_write("empty", "search x\n"), &u));
	assert_false(resolv_conf_nameserver(scratch_path("."), &u));
	assert_int_equal(u.port, 7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_first_loopback_nameserver_wins_over_the_first_one),
		cmocka_unit_test(only_nameserver_lines_with_an_address_count),
		cmocka_unit_test(a_long_line_is_one_line_and_no_address),
		cmocka_unit_test(without_a_nameserver_nothing_is_touched),
	};

	return cmocka_run_group_tests_name("resolv_conf", tests, scratch_make,
	    scratch_remove);
}
