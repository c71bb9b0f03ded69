/* SPDX-License-Identifier: ISC */
/*
 * DANE and Exim, which does DANE by itself, where it trusts its resolver. What
 * the engine knows of it is told all the same: hosts that DANE keeps out get no
 * mail because a policy lists them, or because Exim does not look.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter/exim_server.h"
#include "tests/unit/exim_caller.h"
#include "tests/unit/test_certificates.h"

#define AT_X "m good.test x.test 192.0.2.3"
#define AT_MX "m good.test mx.good.test 192.0.2.25"
#define NO_DANE                                                                \
	"dane-required: DANE of good.test: certificate of x.test is not "      \
	"looked at by DANE"

static struct exim_served *s;
static char required[] = "good.test";
static char *required_names[] = { required };

/* good.test has the hosts x.test, which DANE knows, and others. */
static int
setup(void **state)
{
	static const char record[35] = "\3\1\1";
	const struct span tlsa = { record, sizeof(record) };
	struct fake_net *net;

	exim_served_setup(state);
	s = *state;
	net = s->world->net;
	s->world->config.dane = true;
	s->world->config.resolver.n_upstreams = 1;
	s->world->config.resolver.upstreams[0].trusted_ad = true;
	exim_served_restart(s);
	fake_net_dns(net, "good.test", DNS_MX, DNS_FOUND, "1 x.test", NULL);
	fake_net_dnssec(net, "good.test", DNS_MX, true, NULL);
	fake_net_dns(net, "x.test", DNS_A, DNS_FOUND, "192.0.2.3", NULL);
	fake_net_dnssec(net, "x.test", DNS_A, true, NULL);
	fake_net_dns(net, "x.test", DNS_AAAA, DNS_NO_DATA, NULL);
	fake_net_dnssec(net, "x.test", DNS_AAAA, true, NULL);
	fake_net_records(net, "_25._tcp.x.test", DNS_TLSA, &tlsa, 1);
	fake_net_dnssec(net, "_25._tcp.x.test", DNS_TLSA, true, NULL);
	return 0;
}

/* A policy in that mode, which lists some host, and is not kept. */
static void
publish(const char *mode, const char *mx)
{
	char policy[128];

	snprintf(policy, sizeof(policy),
	    "version: STSv1\nmode: %s\nmx: %s\nmax_age: 0\n", mode, mx);
	world_publish(s->world, "good.test", policy, true);
	fake_net_dns(s->world->net, "good.test", DNS_MX, DNS_FOUND, "1 x.test",
	    NULL);
	fake_net_dnssec(s->world->net, "good.test", DNS_MX, true, NULL);
}

static void
no_records(enum dns_outcome outcome)
{
	fake_net_dns(s->world->net, "_25._tcp.x.test", DNS_TLSA, outcome, NULL);
}

static void
require_dane(void)
{
	s->world->config.dane_required =
	    (struct name_list){ .n = 1, .names = required_names };
}

/* The beginning of the answer to a line. */
static void
assert_answer(const char *line, const char *answer)
{
	struct exim_caller *c = exim_call(s, line);
	const char *heard;

	exim_pass_ms(s, 3000);
	heard = exim_hear(c);
	if (heard == NULL || strncmp(heard, answer, strlen(answer)) != 0)
		fail_msg("%s%s", line, heard == NULL ? "nothing" : heard);
	exim_hang_up(c);
}

/* A host shows a certificate that is good for the web. */
static void
assert_shown(const char *session, const char *mx, const char *answer)
{
	struct test_certificate *leaf = exim_certificate(mx, 0, s->root);
	const char *heard = exim_shown(s, session, 0, 0, leaf);

	if (strncmp(heard, answer, strlen(answer)) != 0)
		fail_msg("%s: %s", session, heard);
	test_certificate_free(leaf);
}

static void
a_host_under_dane_is_among_those_listed(void **state)
{
	(void)state;
	publish("enforce", "mx.good.test");
	assert_answer("ROUTE good.test\n",
	    "mode=enforce mx=^mx\\.good\\.test$,^x\\.test$ hosts=x.test ");
}

/* It does so only where it trusts its resolver. */
static void
an_exim_that_leaves_dane_out_is_told_so(void **state)
{
	struct test_certificate *leaf = exim_certificate("x.test", 0, s->root);

	(void)state;
	publish("enforce", "mx.good.test");
	assert_string_equal(exim_shown(s, AT_X, 0, 8, leaf), "ok");
	assert_shown(AT_X, "x.test", NO_DANE);
	test_certificate_free(leaf);
}

/* Exim calls a host by the name at the end of its CNAMEs. */
static void
an_alias_is_no_way_around_dane(void **state)
{
	(void)state;
	publish("enforce", "*.isp.test");
	assert_shown("m good.test host7.isp.test 192.0.2.3", "host7.isp.test",
	    NO_DANE);
}

static void
records_that_are_not_known_are_no_way_around_dane(void **state)
{
	(void)state;
	publish("enforce", "*.test");
	no_records(DNS_TEMPFAIL);
	/* No other host may have the mail. */
	assert_answer("POLICY good.test\n",
	    "mode=tempfail why=\"451 4.7.5 "
	    "DANE of good.test: TLSA records");
	assert_shown(AT_X, "x.test", "MTA-STS policy is not known");
	/* One may. */
	fake_net_dns(s->world->net, "good.test", DNS_MX, DNS_FOUND, "1 x.test",
	    "2 y.test", NULL);
	fake_net_dnssec(s->world->net, "good.test", DNS_MX, true, NULL);
	fake_net_dns(s->world->net, "y.test", DNS_A, DNS_FOUND, "192.0.2.4",
	    NULL);
	fake_net_dns(s->world->net, "y.test", DNS_AAAA, DNS_NO_DATA, NULL);
	assert_answer("POLICY good.test\n", "mode=enforce ");
	assert_shown(AT_X, "x.test", "dnssec-invalid: DANE of good.test");
	assert_shown("m good.test y.test 192.0.2.4", "y.test", "ok");
}

static void
what_must_be_under_dane_waits_without_it(void **state)
{
	static const char *const modes[] = { "none", "testing", "enforce" };

	(void)state;
	require_dane();
	no_records(DNS_NO_DATA);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		publish(modes[i], "x.test");
		exim_served_restart(s);
		assert_answer("POLICY good.test\n",
		    "mode=tempfail why=\"451 4.7.5 DANE is required");
	}
	assert_shown(AT_X, "x.test", "MTA-STS policy is not known");
}

/* Whatever Exim finds out by itself, and what other hosts there are. */
static void
what_must_be_under_dane_is_enforced(void **state)
{
	static const char *const modes[] = { "testing", "enforce" };

	(void)state;
	require_dane();
	assert_answer("ROUTE good.test\n",
	    "mode=enforce mx=^x\\.test$ hosts=x.test why=");
	assert_shown(AT_X, "x.test", NO_DANE);
	assert_shown("m good.test y.test 192.0.2.4", "y.test", NO_DANE);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		publish(modes[i], "*.test");
		exim_served_restart(s);
		assert_answer("POLICY good.test\n",
		    "mode=enforce mx=^x\\.test$ why=");
	}
	s->world->config.testing = true;
	assert_answer("POLICY good.test\n", "mode=testing why=");
	assert_shown(AT_X, "x.test", "ok");
}

#define T(name)                                                                \
	cmocka_unit_test_setup_teardown(name, setup, exim_served_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_host_under_dane_is_among_those_listed),
		T(an_exim_that_leaves_dane_out_is_told_so),
		T(an_alias_is_no_way_around_dane),
		T(records_that_are_not_known_are_no_way_around_dane),
		T(what_must_be_under_dane_waits_without_it),
		T(what_must_be_under_dane_is_enforced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
