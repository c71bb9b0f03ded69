/* SPDX-License-Identifier: ISC */
/*
 * strictmx check: what it looks at, on a network in memory, and what it makes
 * of it. What it prints is looked at in the laboratory.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "filter/tool_check_judge.h"
#include "tests/unit/world.h"

static struct world *w;
static enum tool_exit result;
static enum verdict_action action;
static char fix[CHECK_FIX_SIZE];
static size_t n_sessions;

static int
setup(void **state)
{
	(void)state;
	w = world_new();
	world_enforce(w, "a.test", true);
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
take(const struct check *check, void *arg)
{
	assert_ptr_equal(arg, w);
	result = check_judge(check, fix);
	action = check->verdict.action;
	n_sessions = 0;
	for (size_t i = 0; i < check->verdict.facts.n_mx; i++)
		n_sessions += check->hosts[i].n;
}

static void
look(const char *domain)
{
	const struct check_parts parts = { .ports = &w->ports,
		.config = &w->config,
		.engine = w->engine };

	result = TOOL_USAGE;
	check_look_start(&parts, domain, take, w);
	assert_int_equal(result, TOOL_USAGE); /* not before it returned */
	clock_advance(w->clock, 120000);
}

static void
assert_found(enum tool_exit wanted, const char *words)
{
	assert_int_equal(result, wanted);
	if (strstr(fix, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, fix);
	assert_int_equal(fix[0] == '\0', wanted == TOOL_FINE);
}

static void
record(enum dns_outcome outcome, const char *text, const char *other)
{
	fake_net_dns(w->net, "_mta-sts.a.test", DNS_TXT, outcome, text, other,
	    NULL);
}

static void
a_good_domain_is_fine(void **state)
{
	(void)state;
	look("a.test");
	assert_found(TOOL_FINE, "");
	assert_int_equal(action, ACTION_PROCEED);
}

static void
every_host_is_tried_on_every_address(void **state)
{
	(void)state;
	world_publish(w, "a.test",
	    "version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 90000\n",
	    true);
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "10 mx.a.test",
	    "20 mx2.a.test", NULL);
	fake_net_dns(w->net, "mx.a.test", DNS_A, DNS_FOUND, "198.51.100.1",
	    "198.51.100.2", NULL);
	fake_net_dns(w->net, "mx.a.test", DNS_AAAA, DNS_FOUND, "2a00::1", NULL);
	fake_net_dns(w->net, "mx2.a.test", DNS_A, DNS_FOUND, "198.51.100.3",
	    NULL);
	fake_net_mx(w->net, "mx2.a.test", PROOF_ENCRYPTED, SMTP_STAGE_TLS,
	    RESULT_CERTIFICATE_EXPIRED, "has expired");
	look("a.test");
	assert_int_equal(n_sessions, 4);
	assert_int_equal(fake_net_sessions(w->net, "mx.a.test"), 3);
	assert_int_equal(fake_net_sessions(w->net, "mx2.a.test"), 1);
	/* Mail would go to the first host; something would fail all the same.
	 */
	assert_int_equal(action, ACTION_PROCEED);
	assert_found(TOOL_BAD,
	    "Renew the certificate of mx2.a.test, address "
	    "198.51.100.3: it has expired.");
}

static void
what_a_host_shows_is_told_as_what_to_do(void **state)
{
	static const struct {
		enum smtp_stage stage;
		enum result_type type;
		const char *why, *words;
	} rows[] = {
		{ SMTP_STAGE_STARTTLS, RESULT_STARTTLS_NOT_SUPPORTED,
		    "does not offer STARTTLS",
		    "Switch STARTTLS on at mx.a.test" },
		{ SMTP_STAGE_TLS, RESULT_CERTIFICATE_HOST_MISMATCH,
		    "does not list this name among its DNS names",
		    "a certificate for its name" },
		{ SMTP_STAGE_TLS, RESULT_CERTIFICATE_NOT_TRUSTED,
		    "is self-signed", "that a public CA has signed" },
		{ SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
		    "failed at the TLS handshake", "Look at TLS of mx.a.test" },
		{ SMTP_STAGE_CONNECT, RESULT_NONE,
		    "failed at the connection: refused",
		    "Make mx.a.test answer on port 25" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_net_mx(w->net, "mx.a.test", 0, rows[i].stage, rows[i].type,
		    rows[i].why);
		look("a.test");
		assert_found(TOOL_BAD, rows[i].words);
		assert_int_equal(action, ACTION_DEFER);
	}
}

static void
a_testing_mode_hides_nothing(void **state)
{
	(void)state;
	w->config.testing = true;
	world_enforce(w, "a.test", false);
	look("a.test");
	assert_found(TOOL_BAD, "Renew");
	assert_int_equal(action, ACTION_DEFER);
	world_publish(w, "b.test",
	    "version: STSv1\nmode: testing\nmx: mx.b.test\nmax_age: 90000\n",
	    false);
	look("b.test");
	assert_found(TOOL_BAD, "Renew the certificate of mx.b.test");
	assert_int_equal(action, ACTION_WOULD_DEFER);
}

static void
where_nothing_is_asked_a_bad_host_is_fine(void **state)
{
	(void)state;
	world_enforce(w, "a.test", false);
	record(DNS_NO_NAME, NULL, NULL);
	look("a.test");
	assert_found(TOOL_FINE, "");
	world_publish(w, "b.test",
	    "version: STSv1\nmode: none\nmax_age: 90000\n", false);
	look("b.test");
	assert_found(TOOL_FINE, "");
	fake_net_mx(w->net, "mx.b.test", 0, SMTP_STAGE_CONNECT, RESULT_NONE,
	    "failed at the connection: refused");
	look("b.test");
	assert_found(TOOL_BAD, "Make mx.b.test answer on port 25");
}

static void
an_unlisted_host_is_passed_by_unless_all_are(void **state)
{
	(void)state;
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "10 other.test",
	    "20 mx.a.test", NULL);
	fake_net_dns(w->net, "other.test", DNS_A, DNS_FOUND, "198.51.100.9",
	    NULL);
	fake_net_mx(w->net, "other.test", 0, SMTP_STAGE_STARTTLS,
	    RESULT_STARTTLS_NOT_SUPPORTED, "does not offer STARTTLS");
	look("a.test");
	assert_found(TOOL_FINE, "");
	assert_int_equal(fake_net_sessions(w->net, "other.test"), 1);
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "10 other.test",
	    NULL);
	look("a.test");
	assert_found(TOOL_BAD, "\"mx: other.test\": none of them is there.");
}

static void
a_broken_record_or_policy_would_fail(void **state)
{
	(void)state;
	record(DNS_FOUND, "v=STSv1;", NULL);
	look("a.test");
	assert_found(TOOL_BAD, "Mend the TXT record at _mta-sts.a.test");
	record(DNS_FOUND, "v=STSv1; id=1", "v=STSv1; id=2");
	look("a.test");
	assert_found(TOOL_BAD, "Leave one TXT record at _mta-sts.a.test");
	record(DNS_FOUND, "v=STSv1; id=1", NULL);
	fake_net_policy(w->net, "a.test", "version: STSv1\n", RESULT_NONE,
	    NULL);
	look("a.test");
	assert_found(TOOL_BAD,
	    "Mend the policy at https://mta-sts.a.test/.well-known/");
	record(DNS_FOUND, "v=STSv1; id=2", NULL);
	fake_net_policy(w->net, "a.test", NULL, RESULT_STS_WEBPKI_INVALID,
	    "certificate of mta-sts.a.test has expired");
	look("a.test");
	assert_found(TOOL_BAD, "with a valid certificate: certificate of");
}

static void
what_nobody_knows_could_not_be_told(void **state)
{
	(void)state;
	record(DNS_TEMPFAIL, NULL, NULL);
	look("a.test");
	assert_found(TOOL_UNKNOWN, "_mta-sts.a.test could not be looked up");
	record(DNS_FOUND, "v=STSv1; id=1", NULL);
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_TEMPFAIL, NULL);
	look("a.test");
	assert_found(TOOL_UNKNOWN, "the MX hosts of a.test could not be");
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "10 mx.a.test", NULL);
	fake_net_refuse(w->net, false, false, true);
	look("a.test");
	assert_found(TOOL_UNKNOWN, "Try again: MX hosts of a.test");
	fake_net_refuse(w->net, true, false, false);
	look("c.test");
	assert_found(TOOL_UNKNOWN, "c.test");
}

static void
where_no_mail_can_go_it_would_fail(void **state)
{
	(void)state;
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_FOUND, "0 ", NULL);
	look("a.test");
	assert_found(TOOL_BAD, "a.test takes no mail");
	fake_net_dns(w->net, "_mta-sts.b.test", DNS_TXT, DNS_NO_NAME, NULL);
	look("b.test");
	assert_found(TOOL_BAD, "there is no domain b.test");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_good_domain_is_fine),
		T(every_host_is_tried_on_every_address),
		T(what_a_host_shows_is_told_as_what_to_do),
		T(a_testing_mode_hides_nothing),
		T(where_nothing_is_asked_a_bad_host_is_fine),
		T(an_unlisted_host_is_passed_by_unless_all_are),
		T(a_broken_record_or_policy_would_fail),
		T(what_nobody_knows_could_not_be_told),
		T(where_no_mail_can_go_it_would_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
