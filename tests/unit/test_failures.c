/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/failures.h"
#include "common/limits.h"
#include "common/outcome.h"
#include "tests/unit/allocation.h"

#define NOW 1700000000

static struct clock *a_clock;
static char told[1024];

static int
setup(void **state)
{
	(void)state;
	a_clock = clock_new_fake(NOW);
	failures_begin(a_clock);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	failures_end();
	failures_end(); /* safe */
	clock_free(a_clock);
	return 0;
}

static void
add(const char *domain, const char *why)
{
	failures_add(domain, &(struct failure){ .what = "probe", .why = why });
}

static void
tell(const struct failure *failure, void *arg)
{
	size_t len = strlen(told);

	assert_null(arg);
	snprintf(told + len, sizeof(told) - len, "%s%s", len == 0 ? "" : " ",
	    failure->why);
}

static const char *
failures_of(const char *domain)
{
	told[0] = '\0';
	failures_each(domain, tell, NULL);
	return told;
}

static void
the_newest_comes_first_and_the_oldest_is_forgotten(void **state)
{
	char why[16];

	(void)state;
	assert_string_equal(failures_of("a.test"), "");
	for (int i = 1; i <= LIMIT_FAILURES + 2; i++) {
		snprintf(why, sizeof(why), "%d", i);
		add("a.test", why);
	}
	add("b.test", "other");
	assert_string_equal(failures_of("a.test"), "10 9 8 7 6 5 4 3");
	assert_string_equal(failures_of("b.test"), "other");
}

static void
check_all(const struct failure *failure, void *arg)
{
	char address[ADDRESS_SIZE];

	assert_int_equal(failure->at_s, NOW + 5);
	assert_string_equal(failure->what, "session");
	assert_string_equal(failure->mx, "mx.a.test");
	assert_string_equal(failure->why, "has expired");
	assert_int_equal(failure->result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(address_format(&failure->address, address),
	    "192.0.2.1");
	++*(int *)arg;
}

static void
an_outcome_that_is_not_good_is_remembered_with_all_it_says(void **state)
{
	char mx[] = "mx.a.test", why[] = "has expired";
	struct address address;
	struct outcome o = { .kind = OUTCOME_SESSION,
		.domain = "a.test",
		.mx = mx,
		.address = &address,
		.result = RESULT_CERTIFICATE_EXPIRED,
		.why = why };
	int n = 0;

	(void)state;
	assert_true(address_parse("192.0.2.1", &address));
	clock_advance(a_clock, 5000);
	outcome_report(&o);
	memset(mx, 'x', 3);
	memset(why, 'x', 3);
	o.result = RESULT_NONE;
	o.why = "";
	outcome_report(&o); /* a good one */
	failures_each("a.test", check_all, &n);
	assert_int_equal(n, 1);
}

static void
the_domain_that_failed_longest_ago_is_forgotten(void **state)
{
	char domain[32];

	(void)state;
	for (int i = 0; i < LIMIT_FAILURE_DOMAINS; i++) {
		snprintf(domain, sizeof(domain), "d%d.test", i);
		add(domain, "old");
	}
	add("d0.test", "new");
	add("another.test", "first");
	assert_string_equal(failures_of("d0.test"), "new old");
	assert_string_equal(failures_of("d1.test"), "");
	assert_string_equal(failures_of("d2.test"), "old");
	assert_string_equal(failures_of("another.test"), "first");
}

static void
without_memory_or_a_beginning_nothing_is_remembered(void **state)
{
	bool failed = true;

	(void)state;
	for (unsigned n = 1; failed; n++) {
		allocation_fail(n);
		add("a.test", "lost");
		failed = allocation_has_failed();
		allocation_fail(0);
		assert_string_equal(failures_of("a.test"),
		    failed ? "" : "lost");
	}
	failures_end();
	add("a.test", "too late");
	assert_string_equal(failures_of("a.test"), "");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_newest_comes_first_and_the_oldest_is_forgotten),
		T(an_outcome_that_is_not_good_is_remembered_with_all_it_says),
		T(the_domain_that_failed_longest_ago_is_forgotten),
		T(without_memory_or_a_beginning_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
