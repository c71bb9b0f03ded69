/* SPDX-License-Identifier: ISC */
/* The memory of failed policy fetches. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/fetch_backoff.h"
#include "common/limits.h"
#include "tests/unit/allocation.h"

#define S INT64_C(1000)
#define WAIT (LIMIT_FETCH_BACKOFF_S * S)

static struct fetch_backoff *backoff;

static int
setup(void **state)
{
	(void)state;
	backoff = fetch_backoff_new(3);
	return backoff == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	allocation_fail(0);
	fetch_backoff_free(backoff);
	return 0;
}

static bool
holds(const char *domain, const char *id, int64_t now_ms)
{
	enum result_type failure;
	const char *why;
	int64_t left_ms = fetch_backoff_left_ms(backoff, domain, id, now_ms);
	bool held =
	    fetch_backoff_holds(backoff, domain, id, now_ms, &failure, &why);

	/* It says itself for how long. */
	assert_int_equal(held, left_ms > 0);
	assert_false(fetch_backoff_holds(backoff, domain, id, now_ms + left_ms,
	    &failure, &why));
	return held;
}

static void
fails(const char *domain, const char *id, int64_t now_ms)
{
	fetch_backoff_failed(backoff, domain, id, now_ms,
	    RESULT_STS_POLICY_FETCH_ERROR, "HTTP status 404");
}

static void
nothing_holds_at_first(void **state)
{
	(void)state;
	assert_false(holds("a.test", "1", 0));
}

static void
a_failed_id_is_held_for_five_minutes(void **state)
{
	(void)state;
	assert_int_equal(WAIT, 300000);
	fails("a.test", "1", 7 * S);
	assert_true(holds("a.test", "1", 7 * S));
	assert_true(holds("a.test", "1", 7 * S + WAIT - 1));
	assert_false(holds("a.test", "1", 7 * S + WAIT));
	assert_false(holds("b.test", "1", 8 * S));
}

static void
it_holds_at_time_zero_too(void **state)
{
	(void)state;
	fails("a.test", "1", 0);
	assert_true(holds("a.test", "1", 0));
	assert_true(holds("a.test", "1", WAIT - 1));
	assert_false(holds("a.test", "1", WAIT));
}

static void
another_id_may_be_tried(void **state)
{
	(void)state;
	fails("a.test", "1", 0);
	assert_false(holds("a.test", "2", 1));
	assert_false(holds("a.test", "", 1));
	assert_false(holds("a.test", "11", 1));
}

/* A record that goes to and fro is no way around the wait. */
static void
an_id_is_held_when_another_failed_after_it(void **state)
{
	(void)state;
	fails("a.test", "1", 0);
	fails("a.test", "2", 1 * S);
	assert_true(holds("a.test", "1", 2 * S));
	assert_true(holds("a.test", "2", 2 * S));
	assert_false(holds("a.test", "1", WAIT));
	assert_true(holds("a.test", "2", WAIT));
}

static void
three_ids_hold_all_others(void **state)
{
	(void)state;
	assert_int_equal(LIMIT_FETCHES_PER_BACKOFF, 3);
	fails("a.test", "1", 0);
	fails("a.test", "2", 10 * S);
	assert_false(holds("a.test", "3", 20 * S));
	fails("a.test", "3", 20 * S);
	assert_true(holds("a.test", "4", 20 * S));
	assert_true(holds("a.test", "4", WAIT - 1));
	assert_false(holds("a.test", "4", WAIT));
	assert_false(holds("b.test", "4", 20 * S));
	/* One place is free again, not three. */
	fails("a.test", "4", WAIT);
	assert_true(holds("a.test", "5", WAIT));
	assert_true(holds("a.test", "5", WAIT + 10 * S - 1));
	assert_false(holds("a.test", "5", WAIT + 10 * S));
}

static void
never_more_than_three_fetches_in_five_minutes(void **state)
{
	int64_t began[1000];
	size_t n = 0;

	(void)state;
	for (int64_t now = 0; now < 10 * WAIT; now += 7 * S) {
		char id[16];

		snprintf(id, sizeof(id), "%u", (unsigned)(now / S % 23));
		if (holds("a.test", id, now))
			continue;
		began[n++] = now;
		fails("a.test", id, now);
	}
	assert_in_range(n, 25, 31);
	for (size_t i = LIMIT_FETCHES_PER_BACKOFF; i < n; i++)
		assert_true(
		    began[i] - began[i - LIMIT_FETCHES_PER_BACKOFF] >= WAIT);
}

static void
the_last_failure_is_told(void **state)
{
	enum result_type failure = RESULT_NONE;
	const char *why = NULL;
	char longest[600];

	(void)state;
	fails("a.test", "1", 0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	fetch_backoff_failed(backoff, "a.test", "2", 1,
	    RESULT_STS_POLICY_INVALID, longest);
	assert_true(
	    fetch_backoff_holds(backoff, "a.test", "2", 2, &failure, &why));
	assert_int_equal(failure, RESULT_STS_POLICY_INVALID);
	assert_in_range(strlen(why), 200, 599);
	assert_memory_equal(why, longest, strlen(why));
}

static void
success_forgets_all_of_the_domain(void **state)
{
	(void)state;
	fails("a.test", "1", 0);
	fails("a.test", "2", 0);
	fails("a.test", "3", 0);
	fails("b.test", "1", 0);
	fetch_backoff_forget(backoff, "a.test");
	assert_false(holds("a.test", "1", 1));
	assert_false(holds("a.test", "4", 1));
	assert_true(holds("b.test", "1", 1));
	fetch_backoff_forget(backoff, "a.test");
	fetch_backoff_forget(backoff, "never.test");
}

/* Room for three. */
static void
the_oldest_domain_is_forgotten_first(void **state)
{
	(void)state;
	fails("a.test", "1", 0);
	fails("b.test", "1", 1);
	fails("c.test", "1", 2);
	fails("a.test", "2", 3);
	fails("d.test", "1", 4);
	assert_true(holds("a.test", "1", 5));
	assert_false(holds("b.test", "1", 5));
	assert_true(holds("c.test", "1", 5));
	assert_true(holds("d.test", "1", 5));
}

static void
room_for_one_is_enough(void **state)
{
	struct fetch_backoff *three = backoff;

	(void)state;
	backoff = fetch_backoff_new(1);
	fails("a.test", "1", 0);
	fails("b.test", "1", 0);
	assert_false(holds("a.test", "1", 1));
	assert_true(holds("b.test", "1", 1));
	fetch_backoff_free(backoff);
	backoff = three;
}

static void
without_memory_nothing_is_held_and_nothing_lost(void **state)
{
	bool held = false;

	(void)state;
	fails("b.test", "1", 0);
	for (unsigned i = 1; !held; i++) {
		assert_in_range(i, 1, 10);
		allocation_fail(i);
		fails("a.test", "1", 0);
		held = holds("a.test", "1", 1);
		assert_int_equal(allocation_has_failed(), !held);
		assert_true(holds("b.test", "1", 1));
	}
	allocation_fail(1);
	assert_null(fetch_backoff_new(3));
	allocation_fail(0);
	fetch_backoff_free(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_holds_at_first),
		T(a_failed_id_is_held_for_five_minutes),
		T(it_holds_at_time_zero_too),
		T(another_id_may_be_tried),
		T(an_id_is_held_when_another_failed_after_it),
		T(three_ids_hold_all_others),
		T(never_more_than_three_fetches_in_five_minutes),
		T(the_last_failure_is_told),
		T(success_forgets_all_of_the_domain),
		T(the_oldest_domain_is_forgotten_first),
		T(room_for_one_is_enough),
		T(without_memory_nothing_is_held_and_nothing_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
