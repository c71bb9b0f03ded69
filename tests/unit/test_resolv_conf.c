/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/resolver.h"

static char path[] = "/tmp/test_resolv_conf.XXXXXX";

static int
setup(void **state)
{
	int fd;

	(void)state;
	memset(path + sizeof(path) - 7, 'X', 6);
	fd = mkstemp(path);
	return fd == -1 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static void
expect(const char *text, const char *address, bool trusted)
{
	struct resolver_upstream upstream;
	char buf[ADDRESS_SIZE];

	write_file(text);
	assert_int_equal(resolver_from_resolv_conf(path, &upstream), 1);
	assert_string_equal(address_format(&upstream.address, buf), address);
	assert_int_equal(upstream.port, 53);
	assert_int_equal(upstream.trusted_ad, trusted);
}

static void
the_first_loopback_nameserver_wins(void **state)
{
	(void)state;
	expect("nameserver 192.0.2.1\nnameserver 127.0.0.53\n"
	       "nameserver 127.0.0.1\n",
	    "127.0.0.53", true);
	expect("nameserver 192.0.2.1\nnameserver ::1\n", "::1", true);
}

static void
else_the_first_one_and_its_ad_is_not_trusted(void **state)
{
	(void)state;
	expect("# a comment\nsearch example.com\noptions trust-ad\n"
	       "nameserver\t192.0.2.1\nnameserver 192.0.2.2\n",
	    "192.0.2.1", false);
	expect("nameserver 2001:db8::53", "2001:db8::53", false);
}

static void
lines_that_do_not_parse_are_passed_by(void **state)
{
	(void)state;
	expect("nameserver\nnameserver localhost\n#nameserver 127.0.0.1\n"
	       ";nameserver 127.0.0.1\nnameservers 127.0.0.1\n"
	       "nameserver127.0.0.1\nnameserver fe80::1%eth0\n"
	       "nameserver 192.0.2.1 # here\n",
	    "192.0.2.1", false);
}

static void
no_file_and_no_nameserver_give_none(void **state)
{
	struct resolver_upstream upstream;

	(void)state;
	write_file("search example.com\n");
	assert_int_equal(resolver_from_resolv_conf(path, &upstream), 0);
	write_file("");
	assert_int_equal(resolver_from_resolv_conf(path, &upstream), 0);
	assert_int_equal(resolver_from_resolv_conf("/nonexistent/resolv.conf",
			     &upstream),
	    0);
}

static void
a_file_without_end_is_read_to_the_bound(void **state)
{
	struct resolver_upstream upstream;

	(void)state;
	assert_int_equal(resolver_from_resolv_conf("/dev/zero", &upstream), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_first_loopback_nameserver_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    else_the_first_one_and_its_ad_is_not_trusted, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    lines_that_do_not_parse_are_passed_by, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    no_file_and_no_nameserver_give_none, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_file_without_end_is_read_to_the_bound, setup, teardown),
	};

	return cmocka_run_group_tests_name("resolv_conf", tests, NULL, NULL);
}
