/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "common/stats.h"

static int
setup(void **state)
{
	(void)state;
	stats_reset();
	return 0;
}

static void
took(int64_t ms, unsigned n)
{
	struct verdict verdict = { .action = ACTION_PROCEED };

	while (n-- > 0)
		stats_lookup(&verdict, ms, 1);
}

static void
every_answer_is_counted_once_by_its_action(void **state)
{
	struct verdict good = { .action = ACTION_PROCEED };
	struct verdict bad = { .action = ACTION_DEFER };
	const struct stats *stats = stats_get();

	(void)state;
	stats_lookup(&bad, 12, 3);
	stats_hit(&bad);
	stats_lookup(&good, 5, 0); /* who asked has left */
	stats_hit(&good);
	assert_int_equal(stats->lookups, 2);
	assert_int_equal(stats->hits, 2);
	assert_int_equal(stats->waited, 3);
	assert_int_equal(stats->answers[ACTION_DEFER], 4);
	assert_int_equal(stats->answers[ACTION_PROCEED], 1);
	assert_int_equal(stats->took_ms, 17);
	assert_int_equal(stats->longest_ms, 12);
}

static void
outcomes_are_counted_by_kind_and_result(void **state)
{
	struct outcome o = { .kind = OUTCOME_PROBE,
		.domain = "a.test",
		.why = "" };
	const struct stats_outcomes *probes =
	    &stats_get()->outcomes[OUTCOME_PROBE];

	(void)state;
	outcome_report(&o);
	o.why = "did not answer in time";
	outcome_report(&o);
	o.result = RESULT_CERTIFICATE_EXPIRED;
	o.why = "has expired";
	outcome_report(&o);
	outcome_report(&o);
	assert_int_equal(probes->good, 1);
	assert_int_equal(probes->failed[RESULT_NONE], 1);
	assert_int_equal(probes->failed[RESULT_CERTIFICATE_EXPIRED], 2);
	assert_int_equal(stats_get()->outcomes[OUTCOME_FETCH].good, 0);
}

static void
a_quantile_is_the_bound_of_its_bucket_or_the_longest(void **state)
{
	const struct stats *stats = stats_get();

	(void)state;
	assert_int_equal(stats_quantile_ms(stats, 0.5), 0);
	took(2, 50);
	took(20, 49);
	took(250, 1);
	assert_int_equal(stats_quantile_ms(stats, 0.5), 3);
	assert_int_equal(stats_quantile_ms(stats, 0.9), 30);
	assert_int_equal(stats_quantile_ms(stats, 0.99), 30);
	assert_int_equal(stats_quantile_ms(stats, 1), 250);
	took(-5, 1); /* a clock that was set back */
	assert_int_equal(stats->longest_ms, 250);
	took(500000, 1000);
	assert_int_equal(stats_quantile_ms(stats, 0.99), 500000);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_answer_is_counted_once_by_its_action),
		T(outcomes_are_counted_by_kind_and_result),
		T(a_quantile_is_the_bound_of_its_bucket_or_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
