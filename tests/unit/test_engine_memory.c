/* SPDX-License-Identifier: ISC */
/*
 * The engine when memory runs out: every allocation of a lookup fails in turn,
 * alone or with all that come after it. Nobody may be left without an answer,
 * and no enforce policy that is known may be passed over.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/verdict.h"
#include "tests/unit/allocation.h"
#include "tests/unit/world.h"

#define DOMAIN "bad.test"

/* What a waiter was told. */
struct told {
	unsigned times;
	enum verdict_action action;
	enum record_state record;
	enum policy_state policy;
	char reason[VERDICT_REASON_SIZE];
};

static void
tell(const struct verdict *v, void *arg)
{
	struct told *told = arg;

	told->times++;
	told->action = v->action;
	told->record = v->facts.sts.record;
	told->policy = v->facts.sts.state;
	memcpy(told->reason, v->reason, sizeof(told->reason));
}

/* As a front end does. NULL is an answer too: it defers. */
static void
ask(struct world *w, struct told *told)
{
	const struct verdict *kept =
	    engine_cached(w->engine, GATE_ADMISSION, DOMAIN);

	if (kept != NULL)
		tell(kept, told);
	else if (engine_ask(w->engine, GATE_ADMISSION, DOMAIN, tell, told) ==
	    NULL)
		*told = (struct told){ .times = 1, .action = ACTION_DEFER };
}

/* Two ask; true when the failure that was asked for came. */
static bool
two_ask(struct world *w, struct told told[2])
{
	bool failed;

	memset(told, 0, 2 * sizeof(*told));
	ask(w, &told[0]);
	ask(w, &told[1]);
	clock_advance(w->clock, 31000);
	failed = allocation_has_failed();
	allocation_fail(0);
	assert_int_equal(told[0].times, 1);
	assert_int_equal(told[1].times, 1);
	return failed;
}

/* With memory again, the answer is the right one. */
static void
assert_recovers(struct world *w)
{
	struct told told[2];

	clock_advance(w->clock, 1000);
	(void)two_ask(w, told);
	assert_int_equal(told[0].action, ACTION_DEFER);
	assert_string_equal(told[0].reason,
	    "451 4.7.5 MTA-STS policy of bad.test: mx.bad.test has expired");
	assert_string_equal(told[1].reason, told[0].reason);
}

static void
fail_at(unsigned n, bool all_after)
{
	if (all_after)
		allocation_fail_from(n);
	else
		allocation_fail(n);
}

/* Nothing is known before: not to know of a policy is not to have one. */
static void
a_cold_enforce_domain(bool all_after)
{
	bool failed = true;
	unsigned n = 0;

	while (failed) {
		struct world *w = world_new();
		struct told told[2];

		world_enforce(w, DOMAIN, false);
		fail_at(++n, all_after);
		failed = two_ask(w, told);
		for (int i = 0; i < 2; i++)
			if (told[i].action != ACTION_DEFER)
				assert_int_equal(told[i].record,
				    RECORD_UNKNOWN);
		assert_recovers(w);
		world_free(w);
	}
	assert_in_range(n, 20, 200);
}

static void
a_cold_domain_is_answered_when_an_allocation_fails(void **state)
{
	(void)state;
	a_cold_enforce_domain(false);
}

static void
a_cold_domain_is_answered_when_memory_runs_out(void **state)
{
	(void)state;
	a_cold_enforce_domain(true);
}

/*
 * The policy is cached, its verdict has expired, and the record is gone, which
 * changes nothing (RFC 8461 5.1).
 */
static void
a_cached_enforce_policy(bool all_after)
{
	bool failed = true;
	unsigned n = 0;

	while (failed) {
		struct world *w = world_new();
		struct told told[2];

		world_enforce(w, DOMAIN, false);
		(void)two_ask(w, told);
		clock_advance(w->clock, 600000);
		fake_net_dns(w->net, "_mta-sts." DOMAIN, DNS_TXT, DNS_NO_DATA,
		    NULL);
		fail_at(++n, all_after);
		failed = two_ask(w, told);
		assert_int_equal(told[0].action, ACTION_DEFER);
		assert_int_equal(told[1].action, ACTION_DEFER);
		assert_recovers(w);
		world_free(w);
	}
	assert_in_range(n, 10, 200);
}

static void
a_cached_policy_binds_when_an_allocation_fails(void **state)
{
	(void)state;
	a_cached_enforce_policy(false);
}

static void
a_cached_policy_binds_when_memory_runs_out(void **state)
{
	(void)state;
	a_cached_enforce_policy(true);
}

/* Two failures, all pairs: what one made necessary may fail as well. */
static void
a_cached_policy_binds_when_two_allocations_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 30; n++)
		for (unsigned gap = 1; gap < 20; gap++) {
			struct world *w = world_new();
			struct told told[2];

			world_enforce(w, DOMAIN, false);
			(void)two_ask(w, told);
			clock_advance(w->clock, 600000);
			fake_net_dns(w->net, "_mta-sts." DOMAIN, DNS_TXT,
			    DNS_NO_DATA, NULL);
			allocation_fail_twice(n, gap);
			(void)two_ask(w, told);
			assert_int_equal(told[0].action, ACTION_DEFER);
			assert_int_equal(told[1].action, ACTION_DEFER);
			world_free(w);
		}
}

static void
an_engine_that_cannot_be_made_is_null(void **state)
{
	struct world *w = world_new();
	struct engine *e = NULL;

	(void)state;
	for (unsigned n = 1; e == NULL; n++) {
		assert_in_range(n, 1, 20);
		allocation_fail(n);
		e = engine_new(&w->config, &w->ports, w->cache);
		assert_int_equal(e == NULL, allocation_has_failed());
		allocation_fail(0);
	}
	engine_free(e);
	world_free(w);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_cold_domain_is_answered_when_an_allocation_fails),
		cmocka_unit_test(
		    a_cold_domain_is_answered_when_memory_runs_out),
		cmocka_unit_test(
		    a_cached_policy_binds_when_an_allocation_fails),
		cmocka_unit_test(a_cached_policy_binds_when_memory_runs_out),
		cmocka_unit_test(
		    a_cached_policy_binds_when_two_allocations_fail),
		cmocka_unit_test(an_engine_that_cannot_be_made_is_null),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
