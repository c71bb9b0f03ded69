/* SPDX-License-Identifier: ISC */
/*
 * Certificates that hosts show to Exim, and what becomes of its sessions: who
 * is refused, by which name, and what is told of it.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/outcome.h"
#include "filter/exim_server.h"
#include "proto/exim_line.h"
#include "tests/unit/exim_caller.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/test_certificates.h"

#define GOOD "m1 good.test mx.good.test 192.0.2.25"
#define UNTRUSTED                                                              \
	"certificate-not-trusted: MTA-STS policy of good.test: certificate "   \
	"of mx.good.test is self-signed"

static struct exim_served *s;

/* The last outcome, and how many there were. */
static struct {
	size_t n;
	char domain[DOMAIN_SIZE], mx[DOMAIN_SIZE];
	enum verdict_source source;
	enum result_type result;
} told;

static void
take_outcome(const struct outcome *o, void *arg)
{
	(void)arg;
	if (o->kind != OUTCOME_SESSION)
		return;
	told.n++;
	snprintf(told.domain, sizeof(told.domain), "%s", o->domain);
	snprintf(told.mx, sizeof(told.mx), "%s", o->mx);
	told.source = o->source;
	told.result = o->result;
}

static int
setup(void **state)
{
	exim_served_setup(state);
	s = *state;
	memset(&told, 0, sizeof(told));
	outcome_set_sink(take_outcome, NULL);
	world_enforce(s->world, "good.test", true);
	return 0;
}

static int
teardown(void **state)
{
	outcome_set_sink(NULL, NULL);
	return exim_served_teardown(state);
}

static void
pass_ms(int64_t ms)
{
	clock_advance(s->world->clock, ms);
	exim_served_turn(s);
}

/* The same of a certificate that is made for this. */
static const char *
shown_new(const char *session, const char *name, int until_days,
    const struct test_certificate *issuer)
{
	struct test_certificate *leaf =
	    exim_certificate(name, until_days, issuer);
	const char *answer = exim_shown(s, session, 0, 0, leaf);

	test_certificate_free(leaf);
	return answer;
}

static void
a_good_certificate_is_no_veto(void **state)
{
	(void)state;
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, s->root), "ok");
	assert_string_equal(shown_new(GOOD, "*.good.test", 0, s->root), "ok");
}

static void
what_a_policy_minds_is_a_veto_with_its_reason(void **state)
{
	(void)state;
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, NULL),
	    UNTRUSTED);
	assert_string_equal(shown_new(GOOD, "mx.good.test", -1, s->root),
	    "certificate-expired: MTA-STS policy of good.test: certificate of "
	    "mx.good.test has expired");
	assert_string_equal(shown_new(GOOD, "mx.other.test", 0, s->root),
	    "certificate-host-mismatch: MTA-STS policy of good.test: "
	    "certificate of mx.good.test does not list this name among its "
	    "DNS names");
	assert_memory_equal(shown_new(GOOD, "mx.good.test", 0, s->stranger),
	    "certificate-not-trusted: ", 25);
}

static void
a_chain_comes_piece_by_piece_the_hosts_own_last(void **state)
{
	const struct test_certificate_opts ca = { .common_name = "Sub",
		.is_ca = true };
	struct test_certificate *sub = test_certificate_make(&ca, s->root);
	struct test_certificate *leaf =
	    exim_certificate("mx.good.test", 0, sub);

	(void)state;
	assert_memory_equal(exim_shown(s, GOOD, 0, 0, leaf),
	    "certificate-not-trusted", 23);
	assert_string_equal(exim_ask(s, exim_cert_line(GOOD, 1, 0, sub)), "ok");
	assert_string_equal(exim_shown(s, GOOD, 0, 0, leaf), "ok");
	/* That of another session is no help. */
	assert_string_equal(exim_ask(s, exim_cert_line(GOOD, 1, 0, sub)), "ok");
	assert_memory_equal(exim_shown(s,
				"m2 good.test mx.good.test 192.0.2.25", 0, 0,
				leaf),
	    "certificate-not-trusted", 23);
	/* With one of three missing it is another handshake. */
	assert_string_equal(exim_ask(s, exim_cert_line(GOOD, 2, 0, sub)), "ok");
	assert_memory_equal(exim_shown(s, GOOD, 0, 0, leaf),
	    "certificate-not-trusted", 23);
	test_certificate_free(sub);
	test_certificate_free(leaf);
}

static void
what_cannot_be_read_is_a_veto(void **state)
{
	(void)state;
	assert_memory_equal(exim_ask(s, "CERT " GOOD " 0 0 AAAA\n"),
	    "certificate-not-trusted: ", 25);
	assert_memory_equal(exim_ask(s, "CERT " GOOD " 1 0 *\n"),
	    "certificate-not-trusted: ", 25);
	assert_memory_equal(exim_ask(s, "CERT " GOOD " 0 0 =\n"),
	    "certificate-not-trusted: ", 25);
	assert_memory_equal(exim_ask(s,
				"CERT m good.test mx..x 192.0.2.1 0 0 AAAA\n"),
	    "this host cannot", 16);
}

static void
where_nothing_is_enforced_nothing_is_a_veto(void **state)
{
	static const char policy[] =
	    "version: STSv1\nmode: testing\nmx: mx.trial.test\nmax_age: 99\n";
	const char *text;

	(void)state;
	world_publish(s->world, "trial.test", policy, true);
	log_set_level(LOG_LEVEL_INFO);
	log_capture_start();
	assert_string_equal(shown_new("m trial.test mx.trial.test 192.0.2.25",
				"mx.trial.test", -1, s->root),
	    "ok");
	text = log_capture_end();
	log_set_level(LOG_LEVEL_ERROR);
	assert_int_equal(log_capture_count(text,
			     "action=would-defer "
			     "mx=mx.trial.test"),
	    1);
	assert_int_equal(log_capture_count(text, "result=certificate-expired"),
	    1);
	assert_string_equal(shown_new("m plain.test mx.plain.test 192.0.2.9",
				"x.test", -1, NULL),
	    "ok");
	assert_string_equal(shown_new("m [192.0.2.1] mx.plain.test 192.0.2.9",
				"x.test", -1, NULL),
	    "ok");
	s->world->config.testing = true;
	assert_string_equal(shown_new(GOOD, "mx.good.test", -1, s->root), "ok");
}

/* Exim was told to enforce; then the engine lost all that it knew. */
static void
where_nobody_knows_the_policy_nothing_passes(void **state)
{
	struct config *config = &s->world->config;

	(void)state;
	config->record_patience_s = 3600;
	fake_net_dns(s->world->net, "_mta-sts.good.test", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, s->root),
	    "MTA-STS policy is not known at present");
}

static void
a_null_mx_is_no_way_around_a_policy(void **state)
{
	(void)state;
	fake_net_dns(s->world->net, "good.test", DNS_MX, DNS_FOUND, "0 ", NULL);
	assert_memory_equal(shown_new("m good.test x.test 192.0.2.3", "x.test",
				0, s->root),
	    "validation-failure: ", 20);
}

static void
a_host_with_dane_in_force_is_exims_own_matter(void **state)
{
	struct test_certificate *leaf =
	    exim_certificate("mx.good.test", 0, NULL);

	(void)state;
	assert_string_equal(exim_ask(s, exim_cert_line(GOOD, 0, 8, leaf)),
	    "ok");
	assert_string_equal(exim_shown(s, GOOD, 0, 0, leaf), UNTRUSTED);
	test_certificate_free(leaf);
}

/* The MX name is a CNAME: Exim names the host by what it found at its end. */
static void
the_name_of_the_mx_record_counts_and_not_its_alias(void **state)
{
	const char *const target = "m1 good.test host7.isp.test 192.0.2.25";

	(void)state;
	assert_string_equal(shown_new(target, "mx.good.test", 0, s->root),
	    "ok");
	assert_string_equal(shown_new(target, "host7.isp.test", 0, s->root),
	    "certificate-host-mismatch: MTA-STS policy of good.test: "
	    "certificate of mx.good.test does not list this name among its "
	    "DNS names");
}

static void
a_host_that_the_policy_does_not_list_has_no_good_certificate(void **state)
{
	struct world *w = s->world;

	(void)state;
	fake_net_dns(w->net, "good.test", DNS_MX, DNS_FOUND, "1 x.test", NULL);
	assert_memory_equal(shown_new("m good.test x.test 192.0.2.3", "x.test",
				0, s->root),
	    "validation-failure: ", 20);
	/* Another MX set than ours: the policy lists it, that is enough. */
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, s->root), "ok");
}

static void
the_record_is_looked_at_before_a_veto(void **state)
{
	static const char policy[] =
	    "version: STSv1\nmode: none\nmax_age: 86400\n";

	(void)state;
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, NULL),
	    UNTRUSTED);
	pass_ms(120000);
	world_publish(s->world, "good.test", policy, true);
	fake_net_dns(s->world->net, "_mta-sts.good.test", DNS_TXT, DNS_FOUND,
	    "v=STSv1; id=2;", NULL);
	assert_string_equal(shown_new(GOOD, "mx.good.test", 0, NULL), "ok");
}

static void
without_a_verdict_in_time_there_is_a_veto(void **state)
{
	struct test_certificate *leaf =
	    exim_certificate("mx.good.test", 0, s->root);
	struct exim_caller *c;

	(void)state;
	fake_net_delay(s->world->net, 5000, 5000, 5000);
	c = exim_call(s, exim_cert_line(GOOD, 0, 0, leaf));
	pass_ms(3999);
	assert_null(exim_hear(c));
	pass_ms(1);
	assert_string_equal(exim_hear(c), "no verdict in time");
	exim_hang_up(c);
	test_certificate_free(leaf);
	pass_ms(60000);
}

/* VERDICT. */

static void
a_message_may_pass_after_a_good_certificate_only(void **state)
{
	static const char ask[] =
	    "VERDICT " GOOD " cv=1 dane=no cipher=TLS1.3:X\n";
	static const char no[] = "MTA-STS policy of good.test: no good "
				 "certificate in this session";
	struct exim_caller *c = exim_call(s, ask);

	(void)state;
	pass_ms(100);
	assert_string_equal(exim_hear(c), no);
	exim_hang_up(c);
	shown_new(GOOD, "mx.good.test", 0, NULL);
	assert_string_equal(exim_ask(s, ask), no);
	shown_new(GOOD, "mx.good.test", 0, s->root);
	assert_string_equal(exim_ask(s, ask), "ok");
	assert_string_equal(exim_ask(s, "VERDICT " GOOD " cv=1 cipher=\n"), no);
	assert_string_equal(
	    exim_ask(s, "VERDICT m9 good.test x 192.0.2.9 cv=1 cipher=X\n"),
	    no);
	assert_string_equal(exim_ask(s,
				"VERDICT m9 good.test x 192.0.2.9 dane=yes\n"),
	    "ok");
	s->world->config.testing = true;
	assert_string_equal(exim_ask(s,
				"VERDICT m9 good.test x 192.0.2.9 cv=0\n"),
	    "ok");
}

/* Events. */

static void
event(const char *name, const char *session, const char *values)
{
	char line[1024];

	snprintf(line, sizeof(line), "EVENT %s %s %s\n", name, session, values);
	assert_string_equal(exim_ask(s, line), "");
}

static void
assert_told(size_t n, const char *mx, enum verdict_source source,
    enum result_type result)
{
	pass_ms(3000);
	assert_int_equal(told.n, n);
	assert_string_equal(told.mx, mx);
	assert_int_equal(told.source, source);
	assert_int_equal(told.result, result);
}

static void
the_end_of_a_session_is_one_outcome(void **state)
{
	(void)state;
	shown_new(GOOD, "mx.good.test", 0, s->root);
	event("tcp:close", GOOD, "cv=1 dane=no cipher=X data=");
	event("tcp:close", GOOD, "cv=1 dane=no cipher=X data=");
	assert_told(1, "mx.good.test", VERDICT_STS, RESULT_NONE);
	assert_string_equal(told.domain, "good.test");
}

static void
a_veto_is_told_with_its_reason(void **state)
{
	(void)state;
	shown_new(GOOD, "mx.good.test", -1, s->root);
	event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
	event("msg:host:defer", GOOD, "data=TLS session: denied");
	assert_told(1, "mx.good.test", VERDICT_STS, RESULT_CERTIFICATE_EXPIRED);
	/* The next handshake is another session, whatever came before. */
	shown_new(GOOD, "mx.good.test", 0, s->root);
	event("tcp:close", GOOD, "cv=1 dane=no cipher=X data=");
	shown_new(GOOD, "mx.good.test", 0, NULL);
	event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
	assert_told(3, "mx.good.test", VERDICT_STS,
	    RESULT_CERTIFICATE_NOT_TRUSTED);
}

static void
a_session_in_clear_is_told_by_what_exim_says_of_it(void **state)
{
	(void)state;
	event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
	event("msg:host:defer", GOOD, "data=a TLS session is required, but");
	assert_told(1, "mx.good.test", VERDICT_STS,
	    RESULT_STARTTLS_NOT_SUPPORTED);
	event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
	event("msg:host:defer", GOOD,
	    "data=TLS session: (gnutls_handshake): no common version");
	assert_told(2, "mx.good.test", VERDICT_STS, RESULT_VALIDATION_FAILURE);
}

static void
a_failure_of_dane_is_told_once_in_our_words(void **state)
{
	static const struct {
		const char *word;
		enum result_type result;
	} rows[] = {
		{ "validation-failure", RESULT_TLSA_INVALID },
		{ "dnssec-invalid", RESULT_DNSSEC_INVALID },
		{ "starttls-not-supported", RESULT_STARTTLS_NOT_SUPPORTED },
		{ "dane-required", RESULT_DANE_REQUIRED },
		{ "something-new", RESULT_VALIDATION_FAILURE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char values[64];

		snprintf(values, sizeof(values), "data=%s", rows[i].word);
		event("dane:fail", GOOD, values);
		event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
		assert_told(i + 1, "mx.good.test", VERDICT_DANE,
		    rows[i].result);
	}
}

static void
a_host_that_cannot_be_reached_is_no_outcome(void **state)
{
	(void)state;
	event("msg:host:defer", GOOD, "data=Connection refused");
	event("msg:delivery", GOOD, "data=");
	event("tcp:open", GOOD, "data=");
	pass_ms(3000);
	assert_int_equal(told.n, 0);
}

static void
without_a_policy_only_the_lack_of_tls_is_minded(void **state)
{
	const char *const session = "m plain.test mx.plain.test 192.0.2.9";

	(void)state;
	fake_net_dns(s->world->net, "plain.test", DNS_MX, DNS_FOUND,
	    "1 mx.plain.test", NULL);
	shown_new(session, "x.test", -1, NULL);
	event("tcp:close", session, "cv=0 dane=no cipher=X data=");
	assert_told(1, "mx.plain.test", VERDICT_NONE, RESULT_NONE);
	event("tcp:close", session, "cv=0 dane=no cipher= data=");
	assert_told(2, "mx.plain.test", VERDICT_NONE,
	    RESULT_STARTTLS_NOT_SUPPORTED);
}

/* What is kept. */

static void
many_sessions_cost_no_more_than_the_limit(void **state)
{
	struct test_certificate *leaf =
	    exim_certificate("mx.good.test", 0, NULL);
	char session[128];

	(void)state;
	exim_shown(s, GOOD, 0, 0, leaf);
	for (unsigned i = 0; i < LIMIT_EXIM_SESSIONS; i++) {
		snprintf(session, sizeof(session),
		    "x%u good.test mx.good.test 192.0.2.25", i);
		assert_string_equal(exim_ask(s,
					exim_cert_line(session, 1, 0, leaf)),
		    "ok");
	}
	event("tcp:close", GOOD, "cv=0 dane=no cipher= data=");
	/* It is not known any more what it had shown. */
	assert_told(1, "mx.good.test", VERDICT_STS,
	    RESULT_STARTTLS_NOT_SUPPORTED);
	test_certificate_free(leaf);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_certificate_is_no_veto),
		T(what_a_policy_minds_is_a_veto_with_its_reason),
		T(a_chain_comes_piece_by_piece_the_hosts_own_last),
		T(what_cannot_be_read_is_a_veto),
		T(where_nothing_is_enforced_nothing_is_a_veto),
		T(where_nobody_knows_the_policy_nothing_passes),
		T(a_null_mx_is_no_way_around_a_policy),
		T(a_host_with_dane_in_force_is_exims_own_matter),
		T(the_name_of_the_mx_record_counts_and_not_its_alias),
		T(a_host_that_the_policy_does_not_list_has_no_good_certificate),
		T(the_record_is_looked_at_before_a_veto),
		T(without_a_verdict_in_time_there_is_a_veto),
		T(a_message_may_pass_after_a_good_certificate_only),
		T(the_end_of_a_session_is_one_outcome),
		T(a_veto_is_told_with_its_reason),
		T(a_session_in_clear_is_told_by_what_exim_says_of_it),
		T(a_failure_of_dane_is_told_once_in_our_words),
		T(a_host_that_cannot_be_reached_is_no_outcome),
		T(without_a_policy_only_the_lack_of_tls_is_minded),
		T(many_sessions_cost_no_more_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
