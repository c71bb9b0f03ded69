/* SPDX-License-Identifier: ISC */
/*
 * Trials of the MX hosts of a domain in the engine: silent hosts, their number
 * at once, and the end of all when one is good.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/verdict.h"
#include "tests/unit/world.h"

static struct world *w;

struct told {
	unsigned times;
	enum verdict_action action;
	char reason[VERDICT_REASON_SIZE];
};

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	world_publish(w, "a.test",
	    "version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 604800\n",
	    true);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w); /* asserts that nothing runs on */
	return 0;
}

/* mx1 to mx4 of a.test by preference; the good one is among them, or 0. */
static void
publish_hosts(int good, const struct fake_server *others)
{
	char host[32];

	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "1 mx1.a.test",
	    "2 mx2.a.test", "3 mx3.a.test", "4 mx4.a.test", NULL);
	for (int i = 1; i <= 4; i++) {
		snprintf(host, sizeof(host), "mx%d.a.test", i);
		fake_net_dns(w->net, host, DNS_A, DNS_FOUND, "192.0.2.25",
		    NULL);
		if (i == good)
			fake_net_mx(w->net, host, PROOF_ENCRYPTED | PROOF_PKIX,
			    SMTP_STAGE_READY, RESULT_NONE, "");
		else
			fake_net_server(w->net, host, others);
	}
}

static void
note(const struct verdict *verdict, void *arg)
{
	struct told *told = arg;

	told->times++;
	told->action = verdict->action;
	snprintf(told->reason, sizeof(told->reason), "%s", verdict->reason);
}

static void
ask(struct told *told)
{
	*told = (struct told){ .times = 0 };
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "a.test", note, told));
}

static size_t
sessions(int host)
{
	char name[32];

	snprintf(name, sizeof(name), "mx%d.a.test", host);
	return fake_net_sessions(w->net, name);
}

static const struct fake_server silent = { .silent = true };
static const struct fake_server without_tls = { .offers_starttls = false };

static void
a_host_behind_silent_ones_is_found_before_the_deadline(void **state)
{
	struct told told;

	(void)state;
	publish_hosts(4, &silent);
	ask(&told);
	clock_advance(w->clock, LIMIT_PROBE_MS + 1000);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_string_equal(told.reason,
	    "mx4.a.test has shown what the policy asks for");
}

static void
the_next_begins_beside_a_silent_one(void **state)
{
	struct told told;

	(void)state;
	publish_hosts(2, &silent);
	ask(&told);
	clock_advance(w->clock, LIMIT_TRIALS_LATE_MS - 100);
	assert_int_equal(sessions(2), 0);
	clock_advance(w->clock, 200);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.times, 1);
	assert_int_equal(sessions(3), 0);
}

static void
no_more_than_three_run_at_once(void **state)
{
	struct told told;

	(void)state;
	publish_hosts(0, &silent);
	ask(&told);
	clock_advance(w->clock, 2 * LIMIT_TRIALS_LATE_MS + 500);
	assert_int_equal(sessions(3), 1);
	clock_advance(w->clock,
	    LIMIT_PROBE_MS - 2 * LIMIT_TRIALS_LATE_MS - LIMIT_PROBE_GRACE_MS -
		600);
	assert_int_equal(sessions(4), 0);
	clock_advance(w->clock, 500);
	assert_int_equal(sessions(4), 1);
	assert_int_equal(told.times, 0);
	clock_advance(w->clock, 30000);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_DEFER);
}

static void
one_that_fails_gives_its_turn_at_once(void **state)
{
	struct told told;

	(void)state;
	publish_hosts(4, &without_tls);
	ask(&told);
	clock_advance(w->clock, 1000);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_PROCEED);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(sessions(i), 1);
}

static void
one_that_failed_is_no_reason_to_leave_a_silent_one(void **state)
{
	struct told told;

	(void)state;
	publish_hosts(0, &without_tls);
	fake_net_server(w->net, "mx1.a.test", &silent);
	ask(&told);
	clock_advance(w->clock, LIMIT_TRIALS_LATE_MS + 1000);
	assert_int_equal(sessions(4), 1);
	assert_int_equal(told.times, 0);
	clock_advance(w->clock, LIMIT_PROBE_MS);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_DEFER);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_host_behind_silent_ones_is_found_before_the_deadline),
		T(the_next_begins_beside_a_silent_one),
		T(no_more_than_three_run_at_once),
		T(one_that_fails_gives_its_turn_at_once),
		T(one_that_failed_is_no_reason_to_leave_a_silent_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
