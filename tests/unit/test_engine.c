/* SPDX-License-Identifier: ISC */
/*
 * The engine on a fake network and a fake clock: lookups, policy updates and
 * verdicts as one, from the question to the answer.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/verdict.h"
#include "tests/fake/fake_net.h"
#include "tests/unit/log_capture.h"

#define NOW 1700000000
#define POLICY(mode)                                                           \
	"version: STSv1\nmode: " mode "\nmx: mx1.example.com\n"                \
	"mx: mx2.example.com\nmax_age: 604800\n"
#define PROVEN (PROOF_ENCRYPTED | PROOF_PKIX)

struct world {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_cache *cache;
	struct engine *engine;
};

/* What a waiter was told. */
struct told {
	size_t times;
	enum verdict_action action;
	enum policy_state policy;
	char reason[VERDICT_REASON_SIZE];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	log_init("test", false, LOG_LEVEL_ERROR);
	w->clock = clock_new_fake(NOW);
	w->net = fake_net_new(w->clock);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = 30;
	w->config.unreachable = CHOICE_DEFER;
	w->config.addresses.allow_internal = true;
	snprintf(w->config.hostname, sizeof(w->config.hostname), "me.test");
	w->cache = policy_cache_new(NULL, 100);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	engine_free(w->engine);
	policy_cache_free(w->cache);
	fake_net_free(w->net); /* asserts that nothing is pending */
	clock_free(w->clock);  /* asserts that no timer is left */
	free(w);
	return 0;
}

/* example.com publishes a policy, has two MX hosts, and both are good. */
static void
publish(struct world *w, const char *id, const char *policy)
{
	char record[64];

	snprintf(record, sizeof(record), "v=STSv1; id=%s;", id);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_FOUND, record,
	    NULL);
	fake_net_dns(w->net, "mta-sts.example.com", DNS_A, DNS_FOUND,
	    "192.0.2.80", NULL);
	fake_net_policy(w->net, "example.com", policy, RESULT_NONE, NULL);
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 mx1.example.com", "20 mx2.example.com", NULL);
	fake_net_dns(w->net, "mx1.example.com", DNS_A, DNS_FOUND, "192.0.2.1",
	    NULL);
	fake_net_dns(w->net, "mx2.example.com", DNS_A, DNS_FOUND, "192.0.2.2",
	    NULL);
	fake_net_mx(w->net, "mx1.example.com", PROVEN, SMTP_STAGE_READY,
	    RESULT_NONE, "");
	fake_net_mx(w->net, "mx2.example.com", PROVEN, SMTP_STAGE_READY,
	    RESULT_NONE, "");
}

static void
mx_goes_bad(struct world *w, const char *mx)
{
	fake_net_mx(w->net, mx, PROOF_ENCRYPTED, SMTP_STAGE_TLS,
	    RESULT_CERTIFICATE_NOT_TRUSTED, "is self-signed");
}

static void
tell(const struct verdict *v, void *arg)
{
	struct told *told = arg;

	told->times++;
	told->action = v->action;
	told->policy = v->facts.sts.state;
	strcpy(told->reason, v->reason);
}

/* Asks as a front end does, and lets time pass until the answer. */
static struct told
ask(struct world *w, const char *domain)
{
	struct told told = { 0 };
	const struct verdict *kept =
	    engine_cached(w->engine, GATE_ADMISSION, domain);

	if (kept != NULL) {
		tell(kept, &told);
	} else {
		assert_non_null(
		    engine_ask(w->engine, GATE_ADMISSION, domain, tell, &told));
		assert_int_equal(told.times, 0);
		clock_advance(w->clock, 40000);
	}
	assert_int_equal(told.times, 1);
	return told;
}

static void
a_good_enforce_domain_proceeds_and_is_kept(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.policy, POLICY_FETCHED);
	assert_non_null(
	    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
	assert_int_equal(fake_net_sessions(w->net, "mx2.example.com"), 0);
	assert_true(engine_is_idle(w->engine));
}

/* RFC 8461 3.4 */
static void
with_a_smart_host_its_verdict_is_kept_for_every_domain(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	snprintf(w->config.smarthost, sizeof(w->config.smarthost),
	    "example.com");
	w->config.smarthost_port = 587;
	assert_int_equal(ask(w, "a.example").policy, POLICY_FETCHED);
	assert_non_null(engine_cached(w->engine, GATE_ADMISSION, "b.example"));
	assert_string_equal(engine_cached(w->engine, GATE_ADMISSION,
				"b.example")
				->facts.domain,
	    "example.com");
	assert_int_equal(fake_net_fetches(w->net), 1);
}

static void
a_thousand_waiters_make_one_question_and_one_fetch(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };

	publish(w, "1", POLICY("enforce"));
	for (int i = 0; i < 1000; i++)
		assert_non_null(engine_ask(w->engine, GATE_ADMISSION,
		    "example.com", tell, &told));
	assert_false(engine_is_idle(w->engine));
	clock_advance(w->clock, 1000);
	assert_int_equal(told.times, 1000);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    1);
	assert_int_equal(fake_net_fetches(w->net), 1);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
}

/* Both gates have lookups of their own, and share the update. */
static void
both_gates_together_make_one_question_and_one_fetch(void **state)
{
	static const enum gate gates[GATES] = { GATE_ADMISSION, GATE_DELIVERY };
	struct world *w = *state;
	struct told told = { 0 };

	publish(w, "1", POLICY("enforce"));
	for (int i = 0; i < 500; i++)
		for (size_t k = 0; k < GATES; k++)
			assert_non_null(engine_ask(w->engine, gates[k],
			    "example.com", tell, &told));
	clock_advance(w->clock, 1000);
	assert_int_equal(told.times, 1000);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    1);
	assert_int_equal(fake_net_fetches(w->net), 1);
}

static void
waiters_may_leave_and_the_lookup_goes_on(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };
	struct engine_ask *asks[3];

	publish(w, "1", POLICY("enforce"));
	for (int i = 0; i < 3; i++)
		asks[i] = engine_ask(w->engine, GATE_ADMISSION, "example.com",
		    tell, &told);
	for (int i = 0; i < 3; i++)
		engine_ask_cancel(&asks[i]);
	assert_null(asks[0]);
	engine_ask_cancel(&asks[0]);
	clock_advance(w->clock, 1000);
	assert_int_equal(told.times, 0);
	assert_non_null(
	    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
}

static void
a_bad_first_mx_falls_back_to_the_second(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
	assert_int_equal(fake_net_sessions(w->net, "mx2.example.com"), 1);
}

static void
no_good_mx_defers_and_a_repaired_one_is_seen_after_a_minute(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	assert_string_equal(told.reason,
	    "451 4.7.5 MTA-STS policy of example.com: mx1.example.com is "
	    "self-signed");
	publish(w, "1", POLICY("enforce"));
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	clock_advance(w->clock, LIMIT_PROBE_BAD_S * 1000);
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
}

static void
an_mx_outside_the_policy_is_not_even_tried(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 evil.example.net", NULL);
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	assert_int_equal(fake_net_sessions(w->net, "evil.example.net"), 0);
}

static void
the_order_of_mx_hosts_is_that_of_preference(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "20 mx1.example.com", "10 mx2.example.com", NULL);
	ask(w, "example.com");
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 0);
	assert_int_equal(fake_net_sessions(w->net, "mx2.example.com"), 1);
}

static void
no_record_proceeds_and_nobody_is_probed(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.policy, POLICY_NONE);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 0);
	assert_int_equal(fake_net_fetches(w->net), 0);
}

static void
a_record_that_is_unknown_proceeds_but_is_not_remembered(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.policy, POLICY_UNKNOWN);
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
}

static void
a_cached_policy_binds_whatever_dns_says(void **state)
{
	static const enum dns_outcome gone[] = { DNS_TEMPFAIL, DNS_NO_NAME,
		DNS_NO_DATA };
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	for (size_t i = 0; i < 3; i++) {
		struct told told;

		fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, gone[i],
		    NULL);
		clock_advance(w->clock, 400000);
		told = ask(w, "example.com");
		assert_int_equal(told.action, ACTION_DEFER);
		assert_int_equal(told.policy, POLICY_CACHED);
	}
}

/* More than LIMIT_UPDATES_BEHIND domains whose records are old. */
static void
records_are_looked_at_a_few_at_a_time(void **state)
{
	enum {
		DOMAINS = LIMIT_UPDATES_BEHIND + 20
	};
	struct world *w = *state;
	struct told told = { 0 };
	char domain[32];

	for (int i = 0; i < DOMAINS; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_true(policy_cache_put(w->cache, domain, "1",
		    span_of("version: STSv1\nmode: none\nmax_age: 604800\n"),
		    NOW));
		engine_ask(w->engine, GATE_ADMISSION, domain, tell, &told);
	}
	clock_advance(w->clock, (LIMIT_RECORD_AGE_S + 1) * 1000);
	assert_int_equal(told.times, DOMAINS);
	fake_net_delay(w->net, -1, -1, -1);
	for (int i = 0; i < DOMAINS; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_non_null(
		    engine_cached(w->engine, GATE_ADMISSION, domain));
	}
	clock_advance(w->clock, 1000);
	assert_int_equal(fake_net_pending(w->net), LIMIT_UPDATES_BEHIND);
}

/* 40 s after the lookup, and then for 200 s: at 61, 122 and 183 s. */
static void
the_record_behind_a_kept_verdict_is_looked_at_each_minute(void **state)
{
	struct world *w = *state;
	size_t asked;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	asked = fake_net_dns_asked(w->net, "_mta-sts.example.com", DNS_TXT);
	for (int i = 0; i < 200; i++) {
		assert_non_null(
		    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
		clock_advance(w->clock, 1000);
	}
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    asked + 3);
}

static void
a_look_that_fails_is_tried_again_behind_the_next_answer(void **state)
{
	struct world *w = *state;
	size_t asked;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	asked = fake_net_dns_asked(w->net, "_mta-sts.example.com", DNS_TXT);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	clock_advance(w->clock, (LIMIT_RECORD_AGE_S + 1) * 1000);
	for (int i = 0; i < 3; i++) {
		assert_non_null(
		    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
		clock_advance(w->clock, 1000);
	}
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    asked + 3);
}

static void
a_new_id_is_seen_behind_the_answer_and_binds_at_once(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	publish(w, "2", POLICY("none"));
	/* The kept verdict still goes out, and the record is looked at. */
	clock_advance(w->clock, LIMIT_RECORD_AGE_S * 1000 + 2000);
	assert_non_null(
	    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	clock_advance(w->clock, 1000);
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
	assert_int_equal(fake_net_fetches(w->net), 2);
}

static void
a_new_id_that_cannot_be_fetched_keeps_the_old_policy(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	publish(w, "2", POLICY("none"));
	fake_net_policy(w->net, "example.com", NULL, RESULT_STS_WEBPKI_INVALID,
	    "certificate has expired");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	clock_advance(w->clock, 400000);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	assert_int_equal(told.policy, POLICY_CACHED);
	assert_int_equal(fake_net_fetches(w->net), 2);
	/* RFC 8461 3.3: no new try for that id for five minutes. */
	clock_advance(w->clock, 100000);
	ask(w, "example.com");
	clock_advance(w->clock, 1000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	clock_advance(w->clock, LIMIT_FETCH_BACKOFF_S * 1000);
	ask(w, "example.com");
	clock_advance(w->clock, 1000);
	assert_int_equal(fake_net_fetches(w->net), 3);
}

static void
a_failed_first_fetch_proceeds_and_is_not_tried_at_once_again(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "mta-sts.example.com answered 404 instead of 200");
	fake_net_ttl(w->net, 1);
	for (int i = 0; i < 3; i++) {
		told = ask(w, "example.com");
		assert_int_equal(told.action, ACTION_PROCEED);
		assert_int_equal(told.policy, POLICY_FAILED);
		clock_advance(w->clock, 5000);
	}
	assert_int_equal(fake_net_fetches(w->net), 1);
}

static void
ids_that_change_all_the_time_do_not_make_more_fetches(void **state)
{
	struct world *w = *state;

	fake_net_ttl(w->net, 1);
	for (int i = 0; i < 20; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%d", i);
		publish(w, id, NULL);
		fake_net_policy(w->net, "example.com", "garbage", RESULT_NONE,
		    NULL);
		assert_int_equal(ask(w, "example.com").policy, POLICY_FAILED);
	}
	/* 20 asks of 40 s each: 800 s, two windows of five minutes and a bit */
	assert_in_range(fake_net_fetches(w->net), 3, 9);
}

/* RFC 8461 leaves open how often: three times in five minutes. */
static void
new_policies_all_the_time_do_not_make_more_fetches_either(void **state)
{
	struct world *w = *state;
	size_t before = 0, fetches = 0;

	fake_net_ttl(w->net, 1);
	for (int i = 0; i < 100; i++) {
		char id[8];

		snprintf(id, sizeof(id), "%d", i);
		publish(w, id, POLICY("enforce"));
		assert_true(ask(w, "example.com").policy != POLICY_FAILED);
		clock_advance(w->clock, 25000);
		if (i % 10 != 9)
			continue;
		/* Of each five minutes out of ten and more. */
		fetches = fake_net_fetches(w->net) - before;
		before += fetches;
		assert_in_range(fetches, 2, 7);
	}
	/* The last one is learned once all is quiet. */
	clock_advance(w->clock, LIMIT_FETCH_BACKOFF_S * 1000);
	ask(w, "example.com");
	clock_advance(w->clock, 1000);
	assert_string_equal(policy_cache_get(w->cache, "example.com",
				clock_wall_s(w->clock))
				->id,
	    "99");
}

/* RFC 8461 3.2: what may be used once only is fetched each time. */
static void
a_policy_that_is_never_kept_is_fetched_each_time(void **state)
{
	struct world *w = *state;

	publish(w, "1",
	    "version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 0\n");
	for (size_t i = 1; i <= 6; i++) {
		assert_int_equal(ask(w, "example.com").policy, POLICY_FETCHED);
		assert_int_equal(fake_net_fetches(w->net), i);
	}
}

static void
a_policy_host_without_address_is_a_failed_fetch(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "mta-sts.example.com", DNS_A, DNS_NO_NAME, NULL);
	told = ask(w, "example.com");
	assert_int_equal(told.policy, POLICY_FAILED);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_string_equal(told.reason,
	    "MTA-STS policy of example.com does not bind: its policy host has "
	    "no address");
}

static void
a_fetch_that_could_not_be_begun_is_unknown_not_failed(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_refuse(w->net, false, true, false);
	told = ask(w, "example.com");
	assert_int_equal(told.policy, POLICY_UNKNOWN);
	assert_int_equal(told.action, ACTION_DEFER);
}

static void
questions_that_could_not_be_begun_are_unknown(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_refuse(w->net, true, false, false);
	told = ask(w, "example.com");
	assert_int_equal(told.policy, POLICY_UNKNOWN);
	assert_int_equal(told.action, ACTION_PROCEED);
	fake_net_refuse(w->net, false, false, true);
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
}

static void
a_slow_policy_host_defers_at_the_deadline_and_fills_the_cache(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };

	publish(w, "1", POLICY("enforce"));
	fake_net_delay(w->net, 1, 50000, 1);
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "example.com", tell, &told));
	clock_advance(w->clock, 29000);
	assert_int_equal(told.times, 0);
	clock_advance(w->clock, 1000);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_DEFER);
	assert_memory_equal(told.reason, "451 4.4.3 ", 10);
	assert_false(engine_is_idle(w->engine));
	clock_advance(w->clock, 25000);
	assert_true(engine_is_idle(w->engine));
	told = ask(w, "example.com");
	assert_int_equal(told.policy, POLICY_CACHED);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(fake_net_fetches(w->net), 1);
}

static void
dns_that_never_answers_ends_at_the_deadline(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };

	publish(w, "1", POLICY("enforce"));
	fake_net_delay(w->net, -1, 1, 1);
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "example.com", tell, &told));
	clock_advance(w->clock, 30000);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.policy, POLICY_UNKNOWN);
}

static void
an_unknown_mx_set_defers_under_enforce(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	assert_memory_equal(told.reason, "451 4.4.3 ", 10);
}

static void
a_host_that_could_not_be_tried_is_not_tried_without_end(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_refuse(w->net, false, false, true);
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	assert_int_equal(fake_net_dns_asked(w->net, "mx1.example.com", DNS_A),
	    1);
	assert_int_equal(fake_net_dns_asked(w->net, "mx2.example.com", DNS_A),
	    1);
}

static void
trials_hold_their_time_whatever_the_ttl_of_the_mx_records(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_ttl(w->net, 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
		assert_null(
		    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	}
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
	clock_advance(w->clock, LIMIT_PROBE_GOOD_S * 1000);
	ask(w, "example.com");
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 2);
}

static void
hosts_that_ate_up_the_deadline_are_passed_over_the_next_time(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1",
	    "version: STSv1\nmode: enforce\nmx: *.example.com\n"
	    "max_age: 604800\n");
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "1 dead1.example.com", "2 dead2.example.com", "3 dead3.example.com",
	    "4 dead4.example.com", "5 dead5.example.com", "6 dead6.example.com",
	    "7 dead7.example.com", "8 dead8.example.com", "10 mx1.example.com",
	    NULL);
	for (int i = 1; i <= 8; i++) {
		char host[32];

		snprintf(host, sizeof(host), "dead%d.example.com", i);
		fake_net_dns(w->net, host, DNS_A, DNS_FOUND, "192.0.2.11",
		    NULL);
	}
	fake_net_delay(w->net, 1, 1, -1);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	fake_net_delay(w->net, 1, 1, 1);
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
	assert_int_equal(fake_net_sessions(w->net, "dead1.example.com"), 1);
	assert_int_equal(fake_net_sessions(w->net, "dead5.example.com"), 1);
	assert_int_equal(fake_net_sessions(w->net, "dead6.example.com"), 2);
}

static void
a_null_mx_beside_hosts_is_no_host(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND, "0 ",
	    "10 evil.example.net", NULL);
	assert_string_equal(ask(w, "example.com").reason,
	    "451 4.7.5 MTA-STS policy of example.com does not list its MX "
	    "evil.example.net");
}

/* A policy as large as one can be, in memory more than on the wire. */
static struct span
large_policy(void)
{
	static char body[LIMIT_FETCH_BODY];
	size_t len = (size_t)snprintf(body, sizeof(body),
	    "version: STSv1\nmode: enforce\nmax_age: 604800\n");

	for (unsigned i = 0; len + 10 < sizeof(body); i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
		    "mx:a%u\n", i);
	return (struct span){ body, len };
}

static void
kept_verdicts_have_a_bound_in_octets(void **state)
{
	const struct span body = large_policy();
	struct world *w = *state;
	struct told told = { 0 };
	char domain[32];

	/* Kept are its patterns: more than half of the body. */
	for (unsigned i = 0; i <= 2 * LIMIT_VERDICT_BYTES / body.len; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		assert_true(policy_cache_put(w->cache, domain, "1", body, NOW));
		assert_non_null(
		    engine_ask(w->engine, GATE_ADMISSION, domain, tell, &told));
		clock_advance(w->clock, 20);
		assert_int_equal(told.policy, POLICY_CACHED);
		assert_non_null(
		    engine_cached(w->engine, GATE_ADMISSION, domain));
	}
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "d0.example"));
}

/* RFC 8461 3.2: a server says any content type that it likes. */
static void
words_of_a_policy_host_are_quoted_in_the_log(void **state)
{
	struct world *w = *state;
	const char *log;

	publish(w, "1", POLICY("enforce"));
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "mta-sts.example.com sent a\" domain=bank.example instead of "
	    "text/plain");
	log_set_level(LOG_LEVEL_NOTICE);
	log_capture_start();
	ask(w, "example.com");
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 1);
	assert_int_equal(log_capture_count(log,
			     "domain=example.com policy not fetched: id=1 "
			     "result=sts-policy-fetch-error why=\"mta-sts."
			     "example.com sent a\\x22 domain=bank.example"),
	    1);
	clock_advance(w->clock, 400000);
	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "it says domain=bank.example");
	log_capture_start();
	engine_refresh(w->engine, "example.com");
	clock_advance(w->clock, 1000);
	log = log_capture_end();
	assert_int_equal(log_capture_count(log,
			     "result=sts-policy-fetch-error "
			     "why=\"it says domain=bank.example\""),
	    1);
}

static void
a_max_age_that_is_cut_is_warned_of(void **state)
{
	struct world *w = *state;
	const char *log;

	publish(w, "1", "version: STSv1\nmode: none\nmax_age: 31557601\n");
	log_capture_start();
	log_set_level(LOG_LEVEL_WARNING);
	ask(w, "example.com");
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 1);
	assert_int_equal(log_capture_count(log, "example.com"), 1);
	assert_int_equal(log_capture_count(log, "max_age"), 1);
}

static void
implicit_and_null_mx_are_told_apart(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_NO_DATA, NULL);
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	clock_advance(w->clock, 400000);
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND, "0 ", NULL);
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
	clock_advance(w->clock, 400000);
	publish(w, "2",
	    "version: STSv1\nmode: enforce\nmx: example.com\nmax_age: 86400\n");
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_NO_DATA, NULL);
	fake_net_dns(w->net, "example.com", DNS_A, DNS_FOUND, "192.0.2.3",
	    NULL);
	fake_net_mx(w->net, "example.com", PROVEN, SMTP_STAGE_READY,
	    RESULT_NONE, "");
	ask(w, "example.com");
	clock_advance(w->clock, 400000);
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
	assert_in_range(fake_net_sessions(w->net, "example.com"), 1, 2);
}

static void
an_expired_policy_is_as_none(void **state)
{
	struct world *w = *state;

	publish(w, "1",
	    "version: STSv1\nmode: enforce\nmx: mx1.example.com\n"
	    "max_age: 100\n");
	ask(w, "example.com");
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	clock_advance(w->clock, 100000);
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	assert_int_equal(ask(w, "example.com").policy, POLICY_NONE);
}

static void
max_age_0_is_used_once_and_not_kept(void **state)
{
	struct world *w = *state;

	publish(w, "1",
	    "version: STSv1\nmode: enforce\nmx: other.example.com\n"
	    "max_age: 0\n");
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	assert_int_equal(policy_cache_count(w->cache), 0);
}

static void
an_engine_may_end_with_everything_under_way(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };
	char domain[32];

	publish(w, "1", POLICY("enforce"));
	for (int stage = 0; stage < 6; stage++) {
		snprintf(domain, sizeof(domain), "d%d.example", stage);
		assert_non_null(
		    engine_ask(w->engine, GATE_ADMISSION, domain, tell, &told));
		assert_non_null(engine_ask(w->engine, GATE_ADMISSION,
		    "example.com", tell, &told));
		fake_net_delay(w->net, stage == 0 ? -1 : 1, stage == 1 ? -1 : 1,
		    -1);
		clock_advance(w->clock, 3);
		told.times = 0;
		engine_free(w->engine);
		assert_int_equal(told.times, 0);
		assert_int_equal(fake_net_pending(w->net), 0);
		w->engine = engine_new(&w->config, &w->ports, w->cache);
	}
}

/* A waiter that asks again from its own callback. */
struct again {
	struct world *world;
	struct told second;
	size_t times;
};

static void
ask_again(const struct verdict *v, void *arg)
{
	struct again *again = arg;

	(void)v;
	again->times++;
	assert_non_null(engine_ask(again->world->engine, GATE_ADMISSION,
	    "example.com", tell, &again->second));
}

static void
a_waiter_may_ask_again_from_its_callback(void **state)
{
	struct world *w = *state;
	struct again again = { .world = w };

	publish(w, "1", POLICY("enforce"));
	assert_non_null(engine_ask(w->engine, GATE_ADMISSION, "example.com",
	    ask_again, &again));
	clock_advance(w->clock, 5000);
	assert_int_equal(again.times, 1);
	assert_int_equal(again.second.times, 1);
	assert_int_equal(again.second.action, ACTION_PROCEED);
}

static void
let_time_pass(struct world *w, int64_t s)
{
	clock_advance(w->clock, s * 1000);
}

static void
a_policy_is_fetched_again_every_day_also_when_nobody_asks(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	let_time_pass(w, LIMIT_REFRESH_S - LIMIT_REFRESH_JITTER_S - 100);
	assert_int_equal(fake_net_fetches(w->net), 1);
	let_time_pass(w, LIMIT_REFRESH_JITTER_S + 200);
	assert_int_equal(fake_net_fetches(w->net), 2);
	/* Its life has been renewed: a week later than the first alone. */
	let_time_pass(w, 30 * 86400);
	assert_in_range(fake_net_fetches(w->net), 31, 38);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	assert_int_equal(ask(w, "example.com").policy, POLICY_CACHED);
}

static void
a_refresh_that_fails_is_tried_again_until_the_policy_ends(void **state)
{
	struct world *w = *state;
	size_t tries;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "connection refused");
	let_time_pass(w, 3 * 86400);
	tries = fake_net_fetches(w->net);
	assert_in_range(tries, 40, 60); /* hourly after the first day */
	assert_int_equal(ask(w, "example.com").policy, POLICY_CACHED);
	let_time_pass(w, 5 * 86400); /* the week of max_age is over */
	tries = fake_net_fetches(w->net);
	let_time_pass(w, 5 * 86400);
	assert_int_equal(fake_net_fetches(w->net), tries);
	assert_int_equal(ask(w, "example.com").policy, POLICY_FAILED);
}

static void
a_short_lived_policy_is_fetched_before_its_end(void **state)
{
	struct world *w = *state;

	publish(w, "1",
	    "version: STSv1\nmode: enforce\nmx: mx1.example.com\n"
	    "max_age: 3600\n");
	ask(w, "example.com");
	let_time_pass(w, 3000);
	assert_int_equal(fake_net_fetches(w->net), 2);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	let_time_pass(w, 36000);
	assert_int_equal(ask(w, "example.com").policy, POLICY_CACHED);
}

static void
publish_for_refresh(struct world *w, const char *domain)
{
	char name[DOMAIN_SIZE + 16];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	fake_net_dns(w->net, name, DNS_TXT, DNS_FOUND, "v=STSv1; id=1;", NULL);
	snprintf(name, sizeof(name), "mta-sts.%s", domain);
	fake_net_dns(w->net, name, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	fake_net_policy(w->net, domain, POLICY("enforce"), RESULT_NONE, NULL);
}

/* A million policies are more than those of a look every half minute. */
static void
when_many_are_due_the_next_look_comes_soon(void **state)
{
	enum {
		DOMAINS = 4 * LIMIT_REFRESHES
	};
	struct world *w = *state;
	char domain[DOMAIN_SIZE];

	engine_free(w->engine);
	policy_cache_free(w->cache);
	w->cache = policy_cache_new(NULL, DOMAINS);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
	for (int i = 0; i < DOMAINS; i++) {
		snprintf(domain, sizeof(domain), "d%d.test", i);
		publish_for_refresh(w, domain);
		assert_true(policy_cache_put(w->cache, domain, "1",
		    span_of(POLICY("enforce")), NOW - LIMIT_REFRESH_S));
	}
	clock_advance(w->clock, LIMIT_REFRESH_LOOK_MS + 100);
	assert_int_equal(fake_net_fetches(w->net), LIMIT_REFRESHES);
	clock_advance(w->clock, 3 * LIMIT_REFRESH_MORE_MS);
	assert_int_equal(fake_net_fetches(w->net), DOMAINS);
	clock_advance(w->clock, 10 * LIMIT_REFRESH_LOOK_MS);
	assert_int_equal(fake_net_fetches(w->net), DOMAINS);
}

static void
a_withdrawal_by_mode_none_binds_with_the_next_refresh(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	fake_net_policy(w->net, "example.com", POLICY("none"), RESULT_NONE,
	    NULL);
	let_time_pass(w, LIMIT_REFRESH_S + 100);
	assert_int_equal(ask(w, "example.com").action, ACTION_PROCEED);
}

static void
before_a_refusal_the_record_is_looked_at_and_a_new_policy_counts(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	publish(w, "2",
	    "version: STSv1\nmode: enforce\nmx: mx3.example.com\n"
	    "max_age: 86400\n");
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 mx3.example.com", NULL);
	fake_net_dns(w->net, "mx3.example.com", DNS_A, DNS_FOUND, "192.0.2.3",
	    NULL);
	fake_net_mx(w->net, "mx3.example.com", PROVEN, SMTP_STAGE_READY,
	    RESULT_NONE, "");
	/* The kept verdict ends with the MX set's TTL; no look behind yet. */
	let_time_pass(w, 301);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(told.policy, POLICY_FETCHED);
}

static void
looks_before_refusals_are_one_a_minute(void **state)
{
	struct world *w = *state;
	size_t asked;

	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	fake_net_ttl(w->net, 1);
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 evil.example.net", NULL);
	let_time_pass(w, 301);
	asked = fake_net_dns_asked(w->net, "_mta-sts.example.com", DNS_TXT);
	for (int i = 0; i < 10; i++) {
		struct told told = { 0 };

		assert_non_null(engine_ask(w->engine, GATE_ADMISSION,
		    "example.com", tell, &told));
		let_time_pass(w, 2);
		assert_int_equal(told.action, ACTION_DEFER);
	}
	assert_in_range(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			    DNS_TXT),
	    asked + 1, asked + 2);
}

static void
a_permanent_refusal_wants_a_look_that_succeeded(void **state)
{
	struct world *w = *state;
	struct told told;

	w->config.reject_on_failure = true;
	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	told = ask(w, "example.com"); /* fetched just now */
	assert_int_equal(told.action, ACTION_REJECT);
	assert_memory_equal(told.reason, "550 5.7.5 ", 10);
	let_time_pass(w, 400);
	assert_int_equal(ask(w, "example.com").action, ACTION_REJECT);
	let_time_pass(w, 400);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	told = ask(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	assert_memory_equal(told.reason, "451 4.7.5 ", 10);
	/* A new policy that cannot be had is no ground for a 5xx either. */
	let_time_pass(w, 400);
	publish(w, "2", NULL);
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "connection refused");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	/* What cannot be reached may come back. */
	let_time_pass(w, 400);
	publish(w, "1", POLICY("enforce"));
	fake_net_mx(w->net, "mx1.example.com", 0, SMTP_STAGE_CONNECT,
	    RESULT_NONE, "connection refused");
	fake_net_mx(w->net, "mx2.example.com", 0, SMTP_STAGE_CONNECT,
	    RESULT_NONE, "connection refused");
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
}

/* At delivery nothing is probed: the session that carries the mail proves. */
static struct told
ask_for_delivery(struct world *w, const char *domain)
{
	struct told told = { 0 };

	assert_non_null(
	    engine_ask(w->engine, GATE_DELIVERY, domain, tell, &told));
	clock_advance(w->clock, 40000);
	assert_int_equal(told.times, 1);
	return told;
}

static void
at_delivery_no_host_is_probed(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	told = ask_for_delivery(w, "example.com");
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 0);
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	assert_non_null(engine_cached(w->engine, GATE_DELIVERY, "example.com"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 evil.example.net", NULL);
	let_time_pass(w, 400);
	assert_int_equal(ask_for_delivery(w, "example.com").action,
	    ACTION_DEFER);
}

static void
at_delivery_null_mx_and_no_domain_are_permanent(void **state)
{
	struct world *w = *state;
	struct told told;

	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND, "0 ", NULL);
	told = ask_for_delivery(w, "example.com");
	assert_int_equal(told.action, ACTION_REJECT);
	assert_memory_equal(told.reason, "556 5.1.10 ", 11);
	told = ask_for_delivery(w, "nowhere.example");
	assert_int_equal(told.action, ACTION_REJECT);
	assert_memory_equal(told.reason, "550 5.1.2 ", 10);
}

static void
at_delivery_an_unknown_record_defers_until_patience_is_over(void **state)
{
	struct world *w = *state;
	struct told told;

	w->config.record_patience_s = 3600;
	publish(w, "1", POLICY("enforce"));
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	told = ask_for_delivery(w, "example.com");
	assert_int_equal(told.action, ACTION_DEFER);
	assert_memory_equal(told.reason, "451 4.4.3 ", 10);
	let_time_pass(w, 3500);
	assert_int_equal(ask_for_delivery(w, "example.com").action,
	    ACTION_DEFER);
	let_time_pass(w, 100);
	assert_int_equal(ask_for_delivery(w, "example.com").action,
	    ACTION_PROCEED);
	/* Once it was looked up, patience begins anew. */
	publish(w, "1", NULL);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	let_time_pass(w, 400);
	assert_int_equal(ask_for_delivery(w, "example.com").action,
	    ACTION_PROCEED);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	let_time_pass(w, 400);
	assert_int_equal(ask_for_delivery(w, "example.com").action,
	    ACTION_DEFER);
}

static void
who_is_about_to_refuse_gets_a_look_past_the_cache_once_a_minute(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };
	size_t asked;

	publish(w, "1", POLICY("enforce"));
	ask_for_delivery(w, "example.com");
	asked = fake_net_dns_asked(w->net, "_mta-sts.example.com", DNS_TXT);
	publish(w, "2", POLICY("testing"));
	let_time_pass(w, 10);
	for (int i = 0; i < 3; i++) {
		assert_non_null(engine_ask_again(w->engine, GATE_DELIVERY,
		    "example.com", tell, &told));
		let_time_pass(w, 1);
	}
	assert_int_equal(told.times, 3);
	assert_int_equal(told.action, ACTION_PROCEED);
	assert_int_equal(fake_net_fetches(w->net), 2);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    asked + 1);
}

static void
a_look_that_meets_a_running_update_is_made_anew(void **state)
{
	struct world *w = *state;
	struct told told = { 0 };
	size_t asked;

	w->config.reject_on_failure = true;
	publish(w, "1", POLICY("enforce"));
	ask(w, "example.com");
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	let_time_pass(w, 400);
	asked = fake_net_dns_asked(w->net, "_mta-sts.example.com", DNS_TXT);
	/* A refresh has asked the cache when the refusal wants its look. */
	fake_net_policy(w->net, "example.com", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "connection refused");
	fake_net_delay(w->net, 20, 1, 1);
	engine_refresh(w->engine, "example.com");
	clock_advance(w->clock, 30);
	fake_net_delay(w->net, 1, 5000, 1);
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "example.com", tell, &told));
	let_time_pass(w, 65);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.action, ACTION_REJECT);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    asked + 2);
}

static void
a_host_that_is_named_twice_is_one_and_equal_ones_keep_their_order(void **state)
{
	struct world *w = *state;

	publish(w, "1", POLICY("enforce"));
	mx_goes_bad(w, "mx1.example.com");
	mx_goes_bad(w, "mx2.example.com");
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 mx2.example.com", "10 mx1.example.com", "5 mx2.example.com",
	    "10 mx2.example.com", NULL);
	assert_int_equal(ask(w, "example.com").action, ACTION_DEFER);
	assert_int_equal(fake_net_sessions(w->net, "mx2.example.com"), 1);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_enforce_domain_proceeds_and_is_kept),
		T(with_a_smart_host_its_verdict_is_kept_for_every_domain),
		T(a_thousand_waiters_make_one_question_and_one_fetch),
		T(both_gates_together_make_one_question_and_one_fetch),
		T(waiters_may_leave_and_the_lookup_goes_on),
		T(a_bad_first_mx_falls_back_to_the_second),
		T(no_good_mx_defers_and_a_repaired_one_is_seen_after_a_minute),
		T(an_mx_outside_the_policy_is_not_even_tried),
		T(the_order_of_mx_hosts_is_that_of_preference),
		T(no_record_proceeds_and_nobody_is_probed),
		T(a_record_that_is_unknown_proceeds_but_is_not_remembered),
		T(a_cached_policy_binds_whatever_dns_says),
		T(records_are_looked_at_a_few_at_a_time),
		T(the_record_behind_a_kept_verdict_is_looked_at_each_minute),
		T(a_look_that_fails_is_tried_again_behind_the_next_answer),
		T(a_new_id_is_seen_behind_the_answer_and_binds_at_once),
		T(a_new_id_that_cannot_be_fetched_keeps_the_old_policy),
		T(a_failed_first_fetch_proceeds_and_is_not_tried_at_once_again),
		T(ids_that_change_all_the_time_do_not_make_more_fetches),
		T(new_policies_all_the_time_do_not_make_more_fetches_either),
		T(a_policy_that_is_never_kept_is_fetched_each_time),
		T(a_policy_host_without_address_is_a_failed_fetch),
		T(a_fetch_that_could_not_be_begun_is_unknown_not_failed),
		T(questions_that_could_not_be_begun_are_unknown),
		T(a_slow_policy_host_defers_at_the_deadline_and_fills_the_cache),
		T(dns_that_never_answers_ends_at_the_deadline),
		T(an_unknown_mx_set_defers_under_enforce),
		T(a_host_that_could_not_be_tried_is_not_tried_without_end),
		T(trials_hold_their_time_whatever_the_ttl_of_the_mx_records),
		T(hosts_that_ate_up_the_deadline_are_passed_over_the_next_time),
		T(a_null_mx_beside_hosts_is_no_host),
		T(kept_verdicts_have_a_bound_in_octets),
		T(words_of_a_policy_host_are_quoted_in_the_log),
		T(a_max_age_that_is_cut_is_warned_of),
		T(implicit_and_null_mx_are_told_apart),
		T(an_expired_policy_is_as_none),
		T(max_age_0_is_used_once_and_not_kept),
		T(an_engine_may_end_with_everything_under_way),
		T(a_waiter_may_ask_again_from_its_callback),
		T(a_policy_is_fetched_again_every_day_also_when_nobody_asks),
		T(a_refresh_that_fails_is_tried_again_until_the_policy_ends),
		T(a_short_lived_policy_is_fetched_before_its_end),
		T(when_many_are_due_the_next_look_comes_soon),
		T(a_withdrawal_by_mode_none_binds_with_the_next_refresh),
		T(before_a_refusal_the_record_is_looked_at_and_a_new_policy_counts),
		T(looks_before_refusals_are_one_a_minute),
		T(a_permanent_refusal_wants_a_look_that_succeeded),
		T(at_delivery_no_host_is_probed),
		T(at_delivery_null_mx_and_no_domain_are_permanent),
		T(at_delivery_an_unknown_record_defers_until_patience_is_over),
		T(who_is_about_to_refuse_gets_a_look_past_the_cache_once_a_minute),
		T(a_look_that_meets_a_running_update_is_made_anew),
		T(a_host_that_is_named_twice_is_one_and_equal_ones_keep_their_order),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
