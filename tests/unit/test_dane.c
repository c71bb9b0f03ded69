/* SPDX-License-Identifier: ISC */
/*
 * DANE in the engine, on a fake network: what is asked, in how many round
 * trips, what admission makes of it, and what happens when DNSSEC goes away.
 * The rules of delivery are played by tests/scenario/cases/dane*.json.
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
#include "common/override.h"
#include "common/policy_cache.h"
#include "common/tlsa_set.h"
#include "common/verdict.h"
#include "tests/fake/fake_net.h"
#include "tests/unit/world.h"

#define GOOD_RECORD "\x03\x01\x01mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
#define BAD_RECORD "\x03\x01\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define PKIX_RECORD "\x01\x01\x01mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"

static struct world *w;
static size_t questions[64]; /* by type */

/* What the last asker was told. */
static struct {
	size_t times;
	struct verdict *verdict;
} t;

static bool
fits(const struct tlsa_record *record)
{
	return record->association.p[0] == 'm';
}

/* Known to no CA: only DANE can take it. */
static const struct fake_server own = { .offers_starttls = true,
	.certificate = RESULT_CERTIFICATE_NOT_TRUSTED,
	.certificate_why = "is self-signed",
	.tlsa_fits = fits };

static void
watch(const struct fake_event *event, void *arg)
{
	(void)arg;
	if (event->kind == FAKE_DNS)
		questions[event->type]++;
}

/* Another engine, with the configuration as it is now. */
static void
engine_again(void)
{
	engine_free(w->engine);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
}

static int
set_up(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	w->config.dane = true;
	w->config.addresses.allow_internal = true;
	w->config.resolver.n_upstreams = 1;
	w->config.resolver.upstreams[0].trusted_ad = true;
	engine_again();
	fake_net_watch(w->net, watch, NULL);
	memset(questions, 0, sizeof(questions));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	verdict_free(t.verdict);
	t.verdict = NULL;
	world_free(w);
	return 0;
}

/* The MX set of a domain: n hosts, mxI.DOMAIN. */
static void
mx_say(const char *domain, size_t n, bool secure)
{
	char texts[LIMIT_MX_HOSTS][DOMAIN_SIZE + 8];
	struct span records[LIMIT_MX_HOSTS];

	for (size_t i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%zu mx%zu.%s", i + 1,
		    i + 1, domain);
		records[i] = span_of(texts[i]);
	}
	fake_net_records(w->net, domain, DNS_MX, records, n);
	fake_net_dnssec(w->net, domain, DNS_MX, secure, NULL);
}

static void
host_say(const char *mx, bool secure)
{
	fake_net_dns(w->net, mx, DNS_A, DNS_FOUND, "192.0.2.25", NULL);
	fake_net_dnssec(w->net, mx, DNS_A, secure, NULL);
	fake_net_dns(w->net, mx, DNS_AAAA, DNS_NO_DATA, NULL);
	fake_net_dnssec(w->net, mx, DNS_AAAA, secure, NULL);
	fake_net_server(w->net, mx, &own);
}

/* record NULL: DNSSEC proves that there is none. */
static void
tlsa_say(const char *mx, const char *record, bool secure)
{
	struct span records[] = { { record, sizeof(GOOD_RECORD) - 1 } };
	char name[TLSA_NAME_SIZE];

	assert_true(tlsa_name(25, mx, name));
	fake_net_records(w->net, name, DNS_TLSA, records,
	    record == NULL ? 0 : 1);
	fake_net_dnssec(w->net, name, DNS_TLSA, secure, NULL);
}

/* example.com with one MX host, all of it signed. */
static void
publish(const char *record)
{
	mx_say("example.com", 1, true);
	host_say("mx1.example.com", true);
	tlsa_say("mx1.example.com", record, true);
}

static void
told(const struct verdict *verdict, void *arg)
{
	(void)arg;
	t.times++;
	verdict_free(t.verdict);
	t.verdict = verdict_copy(verdict);
	assert_non_null(t.verdict);
}

/* Returns after how many ms the answer came. */
static int
ask(enum gate gate, const char *domain)
{
	int ms = 0;

	t.times = 0;
	assert_non_null(engine_ask(w->engine, gate, domain, told, NULL));
	for (; t.times == 0 && ms < 60000; ms++)
		clock_advance(w->clock, 1);
	assert_int_equal(t.times, 1);
	return ms;
}

static void
says(enum verdict_action action, enum verdict_source source,
    enum result_type result, const char *reason)
{
	assert_string_equal(t.verdict->reason, reason);
	assert_int_equal(t.verdict->action, action);
	assert_int_equal(t.verdict->source, source);
	assert_int_equal(t.verdict->result, result);
}

/* MX; then A and AAAA of all; then TLSA of all. The record is asked beside. */
static void
ten_signed_hosts_take_three_round_trips(void **state)
{
	char mx[DOMAIN_SIZE];

	(void)state;
	mx_say("example.com", 10, true);
	for (int i = 1; i <= 10; i++) {
		snprintf(mx, sizeof(mx), "mx%d.example.com", i);
		host_say(mx, true);
		tlsa_say(mx, GOOD_RECORD, true);
	}
	fake_net_delay(w->net, 100, 100, 100); /* a round trip */
	assert_in_range(ask(GATE_DELIVERY, "example.com"), 300, 302);
	says(ACTION_PROCEED, VERDICT_DANE, RESULT_NONE,
	    "10 MX hosts of example.com may be used, 10 under DANE");
	assert_int_equal(questions[DNS_MX], 1);
	assert_int_equal(questions[DNS_A], 10);
	assert_int_equal(questions[DNS_AAAA], 10);
	assert_int_equal(questions[DNS_TLSA], 10);
	assert_int_equal(questions[DNS_CNAME], 0);
}

static void
a_domain_that_is_not_signed_costs_no_more_than_the_mx(void **state)
{
	(void)state;
	mx_say("example.com", 10, false);
	fake_net_delay(w->net, 100, 100, 100);
	assert_in_range(ask(GATE_DELIVERY, "example.com"), 100, 102);
	says(ACTION_PROCEED, VERDICT_NONE, RESULT_NONE, "no MTA-STS policy");
	assert_int_equal(questions[DNS_MX], 1);
	assert_int_equal(questions[DNS_A] + questions[DNS_AAAA], 0);
	assert_int_equal(questions[DNS_TLSA], 0);
}

static void
with_dane_off_nothing_is_asked_for_it(void **state)
{
	(void)state;
	w->config.dane = false;
	engine_again();
	publish(BAD_RECORD);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_PROCEED, VERDICT_NONE, RESULT_NONE, "no MTA-STS policy");
	assert_int_equal(questions[DNS_A] + questions[DNS_TLSA], 0);
}

static void
at_admission_hosts_under_dane_are_tried(void **state)
{
	(void)state;
	publish(GOOD_RECORD);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_PROCEED, VERDICT_DANE, RESULT_NONE,
	    "mx1.example.com has shown what DANE asks for");
	assert_int_equal(t.verdict->facts.mx[0].probe.tlsa_matched, 0);
	assert_int_equal(t.verdict->facts.mx[0].probe.proofs,
	    PROOF_ENCRYPTED | PROOF_DANE);
	publish(BAD_RECORD);
	clock_advance(w->clock, 400000);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_DEFER, VERDICT_DANE, RESULT_TLSA_INVALID,
	    "451 4.7.5 DANE of example.com: certificate of mx1.example.com "
	    "matches none of the TLSA records");
}

/* DANE's failures are never permanent. */
static void
a_failing_dane_is_not_rejected(void **state)
{
	(void)state;
	w->config.reject_on_failure = true;
	world_enforce(w, "example.com", true);
	publish(BAD_RECORD);
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->facts.sts.state, POLICY_FETCHED);
	assert_int_equal(t.verdict->action, ACTION_DEFER);
}

static void
a_host_of_which_nothing_is_asked_needs_no_trial(void **state)
{
	(void)state;
	mx_say("example.com", 2, true);
	host_say("mx1.example.com", true);
	tlsa_say("mx1.example.com", BAD_RECORD, true);
	host_say("mx2.example.com", true);
	tlsa_say("mx2.example.com", NULL, true);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_PROCEED, VERDICT_NONE, RESULT_NONE,
	    "mx2.example.com need not show anything");
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 0);
}

static void
a_tlsa_lookup_that_fails_defers_and_is_not_remembered(void **state)
{
	(void)state;
	publish(GOOD_RECORD);
	fake_net_dns(w->net, "_25._tcp.mx1.example.com", DNS_TLSA, DNS_TEMPFAIL,
	    NULL);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_DEFER, VERDICT_DANE, RESULT_DNSSEC_INVALID,
	    "451 4.7.5 DANE of example.com: TLSA records of mx1.example.com "
	    "could not be looked up: SERVFAIL");
	assert_null(engine_cached(w->engine, GATE_ADMISSION, "example.com"));
}

/* Answers that never come: the deadline finds the host unknown, not free. */
static void
a_tlsa_lookup_that_never_ends_defers_at_the_deadline(void **state)
{
	(void)state;
	publish(GOOD_RECORD);
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "example.com", told, NULL));
	t.times = 0;
	clock_advance(w->clock, 1); /* the MX set is there */
	fake_net_delay(w->net, -1, -1, -1);
	clock_advance(w->clock, 30000);
	assert_int_equal(t.times, 1);
	says(ACTION_DEFER, VERDICT_DANE, RESULT_NONE,
	    "451 4.4.3 DANE of example.com: mx1.example.com cannot be judged: "
	    "out of time");
}

static void
questions_that_cannot_be_put_defer(void **state)
{
	(void)state;
	publish(GOOD_RECORD);
	assert_non_null(
	    engine_ask(w->engine, GATE_DELIVERY, "example.com", told, NULL));
	t.times = 0;
	clock_advance(w->clock, 0); /* MX is asked for */
	fake_net_refuse(w->net, true, false, false);
	clock_advance(w->clock, 30000);
	assert_int_equal(t.times, 1);
	says(ACTION_DEFER, VERDICT_DANE, RESULT_NONE,
	    "451 4.4.3 DANE of example.com: mx1.example.com cannot be judged: "
	    "address lookup was not begun");
}

static void
what_must_be_under_dane_is_told_so(void **state)
{
	char name[] = "example.com", *names[] = { name };

	(void)state;
	w->config.dane_required = (struct name_list){ 1, names };
	publish(NULL);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_DEFER, VERDICT_DANE, RESULT_DANE_REQUIRED,
	    "451 4.7.5 DANE is required for example.com, and mx1.example.com "
	    "has no TLSA records that DNSSEC proves and SMTP can use");
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	clock_advance(w->clock, 400000);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_DEFER, VERDICT_DANE, RESULT_NONE,
	    "451 4.4.3 DANE of example.com: its MX hosts could not be looked "
	    "up: SERVFAIL");
}

static void
testing_refuses_nothing(void **state)
{
	(void)state;
	w->config.testing = true;
	publish(BAD_RECORD);
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->action, ACTION_WOULD_DEFER);
	assert_int_equal(t.verdict->result, RESULT_TLSA_INVALID);
}

/* Nothing lives longer than the answers that it is from. */
static void
a_verdict_of_dane_lives_as_long_as_its_answers(void **state)
{
	(void)state;
	fake_net_ttl(w->net, 20);
	publish(GOOD_RECORD);
	ask(GATE_DELIVERY, "example.com");
	assert_int_equal(t.verdict->facts.dane_ttl_s, 20);
	clock_advance(w->clock, 19000);
	assert_non_null(engine_cached(w->engine, GATE_DELIVERY, "example.com"));
	clock_advance(w->clock, 2000);
	assert_null(engine_cached(w->engine, GATE_DELIVERY, "example.com"));
}

static void
a_kept_verdict_has_its_tlsa_records(void **state)
{
	const struct verdict *kept;

	(void)state;
	publish(GOOD_RECORD);
	ask(GATE_DELIVERY, "example.com");
	for (int i = 0; i < 2; i++) {
		kept = engine_cached(w->engine, GATE_DELIVERY, "example.com");
		assert_non_null(kept);
		assert_int_equal(kept->facts.mx[0].dane.state, DANE_USABLE);
		assert_string_equal(kept->facts.mx[0].dane.tlsa->base,
		    "mx1.example.com");
		assert_int_equal(kept->facts.mx[0].dane.tlsa->n, 1);
	}
}

/* A good trial of old records is none of new ones. */
static void
a_trial_is_lent_only_for_the_same_records(void **state)
{
	(void)state;
	fake_net_ttl(w->net, 1);
	publish(GOOD_RECORD);
	ask(GATE_ADMISSION, "example.com");
	clock_advance(w->clock, 2000);
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
	publish(BAD_RECORD);
	clock_advance(w->clock, 2000);
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->action, ACTION_DEFER);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 2);
}

/* The resolver validates, or not, from now on. */
static void
resolver_validates(bool validates)
{
	fake_net_dns(w->net, "good.test", DNS_A, DNS_NO_DATA, NULL);
	fake_net_dnssec(w->net, "good.test", DNS_A, validates, NULL);
}

static void
with_a_test_name(void)
{
	strcpy(w->config.dnssec_test_good, "good.test");
	resolver_validates(true);
	engine_again();
	clock_advance(w->clock, 100);
	publish(GOOD_RECORD);
	ask(GATE_DELIVERY, "example.com");
	assert_int_equal(t.verdict->source, VERDICT_DANE);
}

/* The same domain, seen by a resolver that says nothing of DNSSEC. */
static void
nothing_is_proved(void)
{
	mx_say("example.com", 1, false);
	host_say("mx1.example.com", false);
	tlsa_say("mx1.example.com", GOOD_RECORD, false);
	clock_advance(w->clock, 400000);
}

/* Only who asks past the cache is told the truth. */
static void
doubt_watch(const struct fake_event *event, void *arg)
{
	(void)arg;
	if (event->kind == FAKE_DNS && event->type == DNS_MX && event->fresh)
		publish(GOOD_RECORD);
}

static void
doubt_silence(const struct fake_event *event, void *arg)
{
	(void)arg;
	if (event->kind == FAKE_DNS && event->type == DNS_MX && event->fresh)
		fake_net_delay(w->net, -1, -1, -1);
}

#define LOST                                                                   \
	"451 4.7.5 DANE of example.com was in force before, and the resolver " \
	"does not say now what DNSSEC proves"

static void
a_resolver_that_stops_validating_is_found_out_at_once(void **state)
{
	(void)state;
	with_a_test_name();
	resolver_validates(false);
	nothing_is_proved();
	for (enum gate gate = GATE_ADMISSION; gate < GATES; gate++) {
		ask(gate, "example.com");
		says(ACTION_DEFER, VERDICT_DANE, RESULT_DNSSEC_INVALID, LOST);
	}
	/* Others are sent to as without DANE: it is off. */
	mx_say("example.net", 1, false);
	ask(GATE_DELIVERY, "example.net");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	/* It validates again: all is as it was. */
	resolver_validates(true);
	publish(GOOD_RECORD);
	clock_advance(w->clock, (int64_t)LIMIT_DNSSEC_TEST_S * 1000);
	ask(GATE_DELIVERY, "example.com");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	assert_int_equal(t.verdict->source, VERDICT_DANE);
}

static void
a_test_that_comes_to_nothing_defers_in_doubt(void **state)
{
	(void)state;
	with_a_test_name();
	fake_net_dns(w->net, "good.test", DNS_A, DNS_TEMPFAIL, NULL);
	nothing_is_proved();
	ask(GATE_DELIVERY, "example.com");
	says(ACTION_DEFER, VERDICT_DANE, RESULT_DNSSEC_INVALID, LOST);
}

/* The resolver was another one for a moment, and its answer is still cached. */
static void
an_answer_in_doubt_is_asked_for_past_the_cache(void **state)
{
	(void)state;
	with_a_test_name();
	nothing_is_proved();
	fake_net_watch(w->net, doubt_watch, NULL);
	ask(GATE_DELIVERY, "example.com");
	says(ACTION_PROCEED, VERDICT_DANE, RESULT_NONE,
	    "1 MX hosts of example.com may be used, 1 under DANE");
}

static void
a_doubt_that_is_not_settled_in_time_defers(void **state)
{
	(void)state;
	with_a_test_name();
	nothing_is_proved();
	fake_net_watch(w->net, doubt_silence, NULL);
	ask(GATE_ADMISSION, "example.com");
	assert_true(t.verdict->facts.deadline_hit);
	says(ACTION_DEFER, VERDICT_DANE, RESULT_NONE,
	    "451 4.4.3 DANE of example.com: its MX hosts could not be looked "
	    "up: out of time");
}

/* The domain's own will: its mail goes as without DANE. */
static void
a_domain_that_is_signed_no_more_is_forgotten(void **state)
{
	(void)state;
	with_a_test_name();
	nothing_is_proved();
	ask(GATE_DELIVERY, "example.com");
	says(ACTION_PROCEED, VERDICT_NONE, RESULT_NONE, "no MTA-STS policy");
	world_enforce(w, "example.org", false);
	mx_say("example.org", 1, true);
	host_say("mx1.example.org", true);
	tlsa_say("mx1.example.org", GOOD_RECORD, true);
	ask(GATE_ADMISSION, "example.org");
	assert_int_equal(t.verdict->source, VERDICT_DANE);
	world_enforce(w, "example.org", false);
	clock_advance(w->clock, 400000);
	ask(GATE_ADMISSION, "example.org"); /* and its host is tried */
	says(ACTION_DEFER, VERDICT_STS, RESULT_CERTIFICATE_EXPIRED,
	    "451 4.7.5 MTA-STS policy of example.org: mx.example.org has "
	    "expired");
	resolver_validates(false);
	clock_advance(w->clock, (int64_t)LIMIT_DNSSEC_TEST_S * 1000);
	ask(GATE_DELIVERY, "example.com");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
}

static void
an_unusable_record_asks_for_encryption_alone(void **state)
{
	const struct mx_fact *mx;

	(void)state;
	publish(PKIX_RECORD);
	ask(GATE_ADMISSION, "example.com");
	mx = &t.verdict->facts.mx[0];
	assert_int_equal(mx->dane.state, DANE_UNUSABLE);
	assert_int_equal(mx->required, PROOF_ENCRYPTED);
	assert_true(mx->under_dane && mx->enforced && mx->eligible);
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	assert_int_equal(fake_net_sessions(w->net, "mx1.example.com"), 1);
}

/* The administrator knows that it is broken, and lets mail through. */
static void
a_policy_set_here_in_mode_none_or_testing_lifts_dane(void **state)
{
	char name[] = "example.com", *names[] = { name };
	struct override set = { .domain = "example.com",
		.until_s = WORLD_NOW + 86400,
		.line = 1 };

	(void)state;
	publish(BAD_RECORD);
	w->config.policies = &set;
	w->config.n_policies = 1;
	assert_true(override_add(&set, "mode", "none"));
	assert_null(override_finish(&set));
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_PROCEED, VERDICT_OVERRIDE, RESULT_NONE,
	    "policy set here for example.com has mode none");
	ask(GATE_DELIVERY, "example.com");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	assert_true(t.verdict->facts.mx[0].eligible);
	assert_int_equal(t.verdict->facts.mx[0].required, 0);
	w->config.dane_required = (struct name_list){ 1, names };
	engine_override_changed(w->engine, "example.com");
	ask(GATE_DELIVERY, "example.com");
	assert_true(t.verdict->facts.mx[0].eligible);
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	clock_advance(w->clock, 400000);
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->action, ACTION_PROCEED);
	override_cleanup(&set);
}

static void
a_policy_set_here_in_mode_enforce_leaves_dane_alone(void **state)
{
	struct override set = { .domain = "example.com",
		.until_s = WORLD_NOW + 86400,
		.line = 1 };

	(void)state;
	publish(BAD_RECORD);
	w->config.policies = &set;
	w->config.n_policies = 1;
	assert_true(override_add(&set, "mode", "enforce"));
	assert_true(override_add(&set, "mx", "mx1.example.com"));
	assert_null(override_finish(&set));
	ask(GATE_ADMISSION, "example.com");
	assert_int_equal(t.verdict->action, ACTION_DEFER);
	assert_int_equal(t.verdict->source, VERDICT_DANE);
	/* Without records of DANE it is as for any policy. */
	publish(NULL);
	clock_advance(w->clock, 400000);
	ask(GATE_ADMISSION, "example.com");
	says(ACTION_DEFER, VERDICT_OVERRIDE, RESULT_CERTIFICATE_NOT_TRUSTED,
	    "451 4.7.5 policy set here for example.com: certificate of "
	    "mx1.example.com is self-signed");
	override_cleanup(&set);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ten_signed_hosts_take_three_round_trips),
		TEST(a_domain_that_is_not_signed_costs_no_more_than_the_mx),
		TEST(with_dane_off_nothing_is_asked_for_it),
		TEST(at_admission_hosts_under_dane_are_tried),
		TEST(a_failing_dane_is_not_rejected),
		TEST(a_host_of_which_nothing_is_asked_needs_no_trial),
		TEST(a_tlsa_lookup_that_fails_defers_and_is_not_remembered),
		TEST(a_tlsa_lookup_that_never_ends_defers_at_the_deadline),
		TEST(questions_that_cannot_be_put_defer),
		TEST(what_must_be_under_dane_is_told_so),
		TEST(testing_refuses_nothing),
		TEST(a_verdict_of_dane_lives_as_long_as_its_answers),
		TEST(a_kept_verdict_has_its_tlsa_records),
		TEST(a_trial_is_lent_only_for_the_same_records),
		TEST(a_resolver_that_stops_validating_is_found_out_at_once),
		TEST(a_test_that_comes_to_nothing_defers_in_doubt),
		TEST(an_answer_in_doubt_is_asked_for_past_the_cache),
		TEST(a_doubt_that_is_not_settled_in_time_defers),
		TEST(a_domain_that_is_signed_no_more_is_forgotten),
		TEST(an_unusable_record_asks_for_encryption_alone),
		TEST(a_policy_set_here_in_mode_none_or_testing_lifts_dane),
		TEST(a_policy_set_here_in_mode_enforce_leaves_dane_alone),
	};

	return cmocka_run_group_tests_name("dane", tests, NULL, NULL);
}
