/* SPDX-License-Identifier: ISC */
/*
 * A wall clock that jumps, turned by hand: what that means for policies, from
 * the jump itself to what the engine answers (architecture: a wrong clock
 * neither drops all policies at once nor makes one immortal).
 */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/clock.h"
#include "common/clock_jump.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/verdict.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/world.h"

#define HOUR_S 3600
#define HOUR_MS INT64_C(3600000)
#define DAY_S 86400
#define DAY_MS INT64_C(86400000)
#define MAX_AGE_S 604800 /* of what world_enforce() publishes */

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
jump(int64_t by_s)
{
	clock_set_wall_s(w->clock, clock_wall_s(w->clock) + by_s);
}

static bool
is_live(const char *domain)
{
	return policy_cache_get(w->cache, domain, clock_wall_s(w->clock)) !=
	    NULL;
}

static void
tell(const struct verdict *verdict, void *arg)
{
	enum policy_state *told = arg;

	*told = verdict->facts.sts.state;
}

/* Which policy is an answer based on that is asked for now? */
static enum policy_state
ask(const char *domain)
{
	const struct verdict *kept =
	    engine_cached(w->engine, GATE_ADMISSION, domain);
	enum policy_state told = POLICY_UNKNOWN;

	if (kept != NULL)
		return kept->facts.sts.state;
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, domain, tell, &told));
	clock_advance(w->clock, 1000);
	return told;
}

/* The policy host does not answer any more, the record neither. */
static void
go_dark(const char *domain)
{
	fake_net_policy(w->net, domain, NULL, RESULT_STS_POLICY_FETCH_ERROR,
	    "timeout");
}

/* The jump itself. */

static void
a_jump_is_seen_once_and_logged(void **state)
{
	struct clock_jump j = { 0 };
	const char *log;

	(void)state;
	log_init("test", false, LOG_LEVEL_WARNING);
	log_capture_start();
	clock_jump_look(&j, w->clock);
	clock_advance(w->clock, 2 * DAY_MS); /* time that passes is none */
	clock_jump_look(&j, w->clock);
	clock_suspend(w->clock, 2 * DAY_MS); /* neither is sleep */
	clock_jump_look(&j, w->clock);
	jump(LIMIT_CLOCK_JUMP_S); /* a clock that is set a little */
	clock_jump_look(&j, w->clock);
	assert_int_equal(j.n, 0);
	jump(DAY_S);
	clock_jump_look(&j, w->clock);
	clock_jump_look(&j, w->clock);
	assert_int_equal(j.n, 1);
	jump(-2 * DAY_S);
	clock_jump_look(&j, w->clock);
	assert_int_equal(j.n, 2);
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 2);
	assert_non_null(strstr(log, "jumped by +86400 s"));
	assert_non_null(strstr(log, "jumped by -172800 s"));
}

static void
the_old_time_goes_on_for_a_day_and_is_never_the_later_one(void **state)
{
	struct clock_jump j = { 0 };
	int64_t now_s = clock_wall_s(w->clock);

	(void)state;
	assert_int_equal(clock_jump_old_s(&j, w->clock, now_s), now_s);
	clock_jump_look(&j, w->clock);
	jump(30 * DAY_S);
	clock_jump_look(&j, w->clock);
	clock_advance(w->clock, DAY_MS - 1000);
	clock_jump_look(&j, w->clock);
	assert_int_equal(clock_jump_old_s(&j, w->clock, clock_wall_s(w->clock)),
	    now_s + DAY_S - 1);
	clock_advance(w->clock, 1000);
	clock_jump_look(&j, w->clock);
	assert_int_equal(clock_jump_old_s(&j, w->clock, clock_wall_s(w->clock)),
	    now_s + 31 * DAY_S);
	/* Backwards: the old time is the later one. */
	jump(-30 * DAY_S);
	clock_jump_look(&j, w->clock);
	assert_int_equal(clock_jump_old_s(&j, w->clock, clock_wall_s(w->clock)),
	    clock_wall_s(w->clock));
}

/* A clock that jumps to and fro lets nothing wait for longer than a day. */
static void
jumps_within_a_wait_do_not_make_it_longer(void **state)
{
	struct clock_jump j = { 0 };
	int64_t now_s = clock_wall_s(w->clock);

	(void)state;
	clock_jump_look(&j, w->clock);
	jump(30 * DAY_S);
	clock_jump_look(&j, w->clock);
	clock_advance(w->clock, DAY_MS / 2);
	jump(30 * DAY_S);
	clock_jump_look(&j, w->clock);
	assert_int_equal(j.n, 2);
	assert_int_equal(clock_jump_old_s(&j, w->clock, clock_wall_s(w->clock)),
	    now_s + DAY_S / 2);
	clock_advance(w->clock, DAY_MS / 2);
	clock_jump_look(&j, w->clock);
	assert_false(j.waiting);
}

static void
back_where_it_was_nothing_is_waited_for(void **state)
{
	struct clock_jump j = { 0 };

	(void)state;
	clock_jump_look(&j, w->clock);
	jump(DAY_S);
	clock_jump_look(&j, w->clock);
	assert_true(j.waiting);
	jump(-DAY_S + 10);
	clock_jump_look(&j, w->clock);
	assert_false(j.waiting);
}

/* Policies. */

static void
a_jump_forward_drops_no_policy_that_can_be_refreshed(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	jump(30 * DAY_S); /* max_age is a week */
	assert_true(is_live("a.example"));
	clock_advance(w->clock, LIMIT_REFRESH_LOOK_MS + 1000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	/* Its life runs from the new fetch, by the new time. */
	assert_true(is_live("a.example"));
	clock_advance(w->clock, 2 * DAY_MS);
	assert_true(is_live("a.example"));
}

static void
after_a_jump_forward_a_policy_ends_with_a_refresh_that_fails(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	go_dark("a.example");
	clock_advance(w->clock, 301000); /* no verdict is kept for so long */
	jump(30 * DAY_S);
	assert_int_equal(ask("a.example"), POLICY_CACHED);
	assert_true(is_live("a.example"));
	clock_advance(w->clock, LIMIT_REFRESH_LOOK_MS + 1000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	assert_false(is_live("a.example"));
	/* The clock was wrong and is right again: so is the policy. */
	jump(-30 * DAY_S);
	assert_true(is_live("a.example"));
}

static void
a_policy_that_lives_by_both_times_outlives_a_refresh_that_fails(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	go_dark("a.example");
	jump(DAY_S);
	clock_advance(w->clock, LIMIT_REFRESH_LOOK_MS + 1000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	assert_true(is_live("a.example"));
}

/* Refreshes do not come about at all, as when none can be begun. */
static void
nothing_waits_for_longer_than_a_day(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	fake_net_delay(w->net, 0, -1, 0);
	jump(30 * DAY_S);
	clock_advance(w->clock, DAY_MS - 60000);
	assert_true(is_live("a.example"));
	clock_advance(w->clock, 120000);
	assert_false(is_live("a.example"));
}

static void
what_ends_by_the_old_time_ends(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	fake_net_delay(w->net, 0, -1, 0);
	clock_advance(w->clock, MAX_AGE_S * INT64_C(1000) - HOUR_MS);
	assert_true(is_live("a.example"));
	jump(30 * DAY_S);
	assert_true(is_live("a.example"));
	clock_advance(w->clock, HOUR_MS);
	assert_false(is_live("a.example"));
}

/* The wall clock stands a day before the fetch: its life is max_age from now,
 * once, however often that happens. */
static void
jumps_back_make_no_policy_immortal(void **state)
{
	int64_t lived_ms = 0;

	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	go_dark("a.example");
	for (int i = 0; i < 3; i++) {
		jump(-DAY_S);
		assert_true(is_live("a.example"));
	}
	while (is_live("a.example")) {
		clock_advance(w->clock, HOUR_MS);
		lived_ms += HOUR_MS;
		assert_true(lived_ms <= MAX_AGE_S * INT64_C(1000));
	}
	assert_int_equal(lived_ms, MAX_AGE_S * INT64_C(1000));
}

static void
a_day_to_and_fro_leaves_every_policy_as_it_was(void **state)
{
	static const char *const domains[] = { "a.example", "b.example",
		"c.example" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		world_enforce(w, domains[i], true);
		assert_int_equal(ask(domains[i]), POLICY_FETCHED);
		go_dark(domains[i]);
	}
	clock_advance(w->clock, 301000); /* no verdict is kept for so long */
	for (int i = 0; i < 4; i++) {
		jump(i % 2 == 0 ? DAY_S : -DAY_S);
		for (int k = 0; k < 3; k++) {
			assert_true(is_live(domains[k]));
			assert_int_equal(ask(domains[k]), POLICY_CACHED);
		}
	}
}

/* What was planned by the wrong time is done by the right one. */
static void
after_a_jump_back_refreshes_go_on(void **state)
{
	(void)state;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	jump(-30 * DAY_S);
	clock_advance(w->clock, LIMIT_REFRESH_LOOK_MS + 1000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	clock_advance(w->clock, DAY_MS);
	assert_int_equal(fake_net_fetches(w->net), 3);
}

/* A look before a refusal that lies in the future was not had. */
static void
after_a_jump_back_a_refusal_is_looked_at_again(void **state)
{
	size_t asked;

	(void)state;
	w->config.reject_on_failure = true;
	world_enforce(w, "a.example", true);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	world_enforce(w, "a.example", false);
	clock_advance(w->clock, 301000);
	assert_int_equal(ask("a.example"), POLICY_CACHED);
	jump(-DAY_S);
	clock_advance(w->clock, 61000);
	asked = fake_net_dns_asked(w->net, "_mta-sts.a.example", DNS_TXT);
	assert_int_equal(ask("a.example"), POLICY_CACHED);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.a.example",
			     DNS_TXT),
	    asked + 1);
}

/* One that was set by the administrator does not end by a jump either. */
static void
a_policy_set_here_ends_by_the_old_time(void **state)
{
	struct override set = { .domain = "a.example",
		.until_s = WORLD_NOW + 2 * HOUR_S,
		.line = 1 };

	(void)state;
	assert_true(override_add(&set, "mode", "none"));
	assert_null(override_finish(&set));
	w->config.policies = &set;
	w->config.n_policies = 1;
	world_enforce(w, "a.example", true);
	jump(DAY_S);
	assert_int_equal(ask("a.example"), POLICY_OVERRIDE);
	clock_advance(w->clock, 2 * HOUR_MS);
	assert_int_equal(ask("a.example"), POLICY_FETCHED);
	override_cleanup(&set);
}

/* The same with a store below: what is not in memory is judged alike. */
static void
policies_in_the_store_survive_a_jump_too(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct policy_cache *cache = policy_cache_new(store, 1);
	static const char body[] =
	    "version: STSv1\nmode: enforce\nmx: mx.a.example\nmax_age: 86400\n";
	char due[2][DOMAIN_SIZE];

	(void)state;
	assert_non_null(cache);
	policy_cache_watch(cache, w->clock);
	assert_true(policy_cache_put(cache, "a.example", "1", span_of(body),
	    WORLD_NOW));
	assert_true(policy_cache_put(cache, "b.example", "1", span_of(body),
	    WORLD_NOW));
	jump(7 * DAY_S);
	assert_non_null(
	    policy_cache_get(cache, "a.example", clock_wall_s(w->clock)));
	assert_int_equal(policy_cache_due(cache, clock_wall_s(w->clock), due,
			     2),
	    2);
	policy_cache_refresh_later(cache, "a.example", clock_wall_s(w->clock));
	assert_null(
	    policy_cache_get(cache, "a.example", clock_wall_s(w->clock)));
	jump(-14 * DAY_S);
	assert_int_equal(policy_cache_due(cache, clock_wall_s(w->clock), due,
			     2),
	    1);
	assert_string_equal(due[0], "b.example");
	policy_cache_free(cache);
	policy_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_jump_is_seen_once_and_logged),
		TEST(the_old_time_goes_on_for_a_day_and_is_never_the_later_one),
		TEST(jumps_within_a_wait_do_not_make_it_longer),
		TEST(back_where_it_was_nothing_is_waited_for),
		TEST(a_jump_forward_drops_no_policy_that_can_be_refreshed),
		TEST(
		    after_a_jump_forward_a_policy_ends_with_a_refresh_that_fails),
		TEST(
		    a_policy_that_lives_by_both_times_outlives_a_refresh_that_fails),
		TEST(nothing_waits_for_longer_than_a_day),
		TEST(what_ends_by_the_old_time_ends),
		TEST(jumps_back_make_no_policy_immortal),
		TEST(a_day_to_and_fro_leaves_every_policy_as_it_was),
		TEST(after_a_jump_back_refreshes_go_on),
		TEST(after_a_jump_back_a_refusal_is_looked_at_again),
		TEST(a_policy_set_here_ends_by_the_old_time),
		TEST(policies_in_the_store_survive_a_jump_too),
	};

	return cmocka_run_group_tests_name("clock_jump", tests, scratch_make,
	    scratch_remove);
}
