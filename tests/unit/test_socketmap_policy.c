/* SPDX-License-Identifier: ISC */
/*
 * Verdicts in the words of Postfix's TLS policy table: what binds, what does
 * not, what nobody knows, and that nothing published can say more than that.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/override.h"
#include "common/verdict.h"
#include "filter/socketmap_policy.h"
#include "proto/nexthop.h"
#include "proto/tlsa.h"
#include "proto/socketmap.h"
#include "tests/unit/world.h"

static struct world *w;
static struct verdict *verdict;
static struct socketmap_answer answer;

static int
setup(void **state)
{
	(void)state;
	w = world_new();
	w->config.record_patience_s = 3600;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	verdict_free(verdict);
	verdict = NULL;
	world_free(w);
	return 0;
}

static void
take_verdict(const struct verdict *v, void *arg)
{
	(void)arg;
	verdict = verdict_copy(v);
	assert_non_null(verdict);
}

/* What Postfix would hear about a next hop, without the netstring. */
static const char *
hear(const char *key, bool tlsrpt)
{
	struct nexthop hop;
	struct span whole, octets;
	size_t used;

	nexthop_parse(span_of(key), &hop);
	verdict_free(verdict);
	verdict = NULL;
	assert_non_null(engine_ask(w->engine, GATE_DELIVERY, hop.domain,
	    take_verdict, NULL));
	clock_advance(w->clock, 31000);
	assert_non_null(verdict);
	socketmap_policy_answer(verdict, &hop, tlsrpt, &w->config, &answer);
	whole = socketmap_answer_end(&answer);
	assert_int_equal(netstring_parse(whole, SOCKETMAP_ANSWER_MAX, &octets,
			     &used),
	    NETSTRING_WHOLE);
	answer.octets[octets.p - answer.octets + (ptrdiff_t)octets.len] = '\0';
	return octets.p;
}

static void
assert_hears(const char *key, const char *expected)
{
	assert_string_equal(hear(key, false), expected);
}

static void
publish(const char *domain, const char *mode, const char *mx_lines)
{
	char policy[4096];

	snprintf(policy, sizeof(policy),
	    "version: STSv1\nmode: %s\n%smax_age: 86400\n", mode, mx_lines);
	world_publish(w, domain, policy, true);
}

static void
mx(const char *domain, const char *first, const char *second)
{
	fake_net_dns(w->net, domain, DNS_MX, DNS_FOUND, first, second, NULL);
}

/* Nothing binds. */

static void
without_a_policy_main_cf_decides(void **state)
{
	(void)state;
	mx("plain.test", "10 mx.plain.test", NULL);
	assert_hears("plain.test", "NOTFOUND ");
	assert_string_equal(hear("plain.test", true), "NOTFOUND ");
	publish("none.test", "none", "");
	assert_hears("none.test", "NOTFOUND ");
	publish("trial.test", "testing", "mx: mx.trial.test\n");
	assert_hears("trial.test", "NOTFOUND ");
	assert_string_equal(hear("trial.test", true), "NOTFOUND ");
}

static void
a_policy_that_cannot_be_had_does_not_bind(void **state)
{
	(void)state;
	publish("lost.test", "enforce", "mx: mx.lost.test\n");
	fake_net_policy(w->net, "lost.test", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "404");
	assert_hears("lost.test", "NOTFOUND ");
}

/* Postfix looks for the MX hosts itself: that we cannot is no harm here. */
static void
mx_hosts_that_cannot_be_found_are_no_matter_without_a_policy(void **state)
{
	(void)state;
	w->config.dane = false; /* which would hang on them */
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_TEMPFAIL, NULL);
	assert_hears("a.test", "NOTFOUND ");
	assert_hears("no-such-domain.test", "NOTFOUND ");
	mx("null.test", "0 ", NULL);
	assert_hears("null.test", "NOTFOUND ");
}

/* Nobody knows. */

static void
a_record_that_cannot_be_looked_up_is_never_no_policy(void **state)
{
	(void)state;
	mx("a.test", "10 mx.a.test", NULL);
	fake_net_dns(w->net, "_mta-sts.a.test", DNS_TXT, DNS_TEMPFAIL, NULL);
	assert_non_null(strstr(hear("a.test", false),
	    "TEMP MTA-STS record of a.test could not be looked up"));
	assert_non_null(strstr(hear("[a.test]", false),
	    "TEMP MTA-STS record of a.test could not be looked up"));
	/* Nor when the MX hosts seem to settle the matter. */
	mx("a.test", "0 ", NULL);
	clock_advance(w->clock, 600000);
	assert_hears("a.test",
	    "TEMP MTA-STS record of a.test could not be looked up: SERVFAIL");
	clock_advance(w->clock, 3600000);
	assert_hears("a.test", "NOTFOUND ");
}

static void
a_policy_that_is_still_being_fetched_is_waited_for(void **state)
{
	(void)state;
	publish("slow.test", "enforce", "mx: mx.slow.test\n");
	fake_net_delay(w->net, 0, 40000, 0);
	assert_hears("slow.test",
	    "TEMP MTA-STS policy of slow.test has not been fetched yet");
	clock_advance(w->clock, 40000);
	assert_hears("slow.test",
	    "OK secure match=mx.slow.test servername=hostname");
}

static void
under_a_policy_the_mx_hosts_must_be_known(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\n");
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_TEMPFAIL, NULL);
	assert_hears("a.test",
	    "TEMP MX hosts of a.test could not be looked up: SERVFAIL");
}

/* Enforced policies. */

static void
an_enforced_policy_is_secure_with_its_names(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\nmx: mx2.a.test\n");
	mx("a.test", "10 mx.a.test", "20 mx2.a.test");
	assert_hears("a.test",
	    "OK secure match=mx.a.test:mx2.a.test servername=hostname");
	assert_hears("A.Test.:587",
	    "OK secure match=mx.a.test:mx2.a.test servername=hostname");
}

/* The MX set may change between the answer and the delivery. */
static void
a_name_counts_that_is_no_mx_host_yet(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\nmx: next.a.test\n");
	assert_hears("a.test",
	    "OK secure match=mx.a.test:next.a.test servername=hostname");
}

/* RFC 8461 4.1: Postfix's ".a.test" would be any depth. */
static void
a_wildcard_stands_for_the_mx_hosts_one_label_below(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: *.a.test\nmx: mx2.a.test\n");
	mx("a.test", "10 mx.a.test", "20 mx2.a.test");
	assert_hears("a.test",
	    "OK secure match=mx2.a.test:mx.a.test servername=hostname");
	mx("a.test", "10 mx.a.test", "20 deep.mx.a.test");
	clock_advance(w->clock, 600000);
	assert_hears("a.test",
	    "OK secure match=mx2.a.test:mx.a.test servername=hostname");
}

static void
an_mx_host_that_is_not_listed_is_not_named(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\n");
	mx("a.test", "10 other.test", "20 mx.a.test");
	assert_hears("a.test", "OK secure match=mx.a.test servername=hostname");
}

static void
without_a_listed_mx_host_nothing_goes_out(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\n");
	mx("a.test", "10 other.test", NULL);
	assert_hears("a.test",
	    "TEMP MTA-STS policy of a.test does not list its MX other.test");
	assert_string_equal(hear("a.test", true),
	    "OK secure match=no-mx-is-listed.invalid servername=hostname "
	    "policy_type=sts policy_domain=a.test { policy_string = version: "
	    "STSv1 } { policy_string = mode: enforce } { policy_string = mx: "
	    "mx.a.test } { policy_string = max_age: 86400 } "
	    "mx_host_pattern=mx.a.test policy_failure=validation-failure");
}

/* Its DNS may say otherwise to Postfix: the policy still binds. */
static void
a_null_mx_does_not_undo_a_policy(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\n");
	mx("a.test", "0 ", NULL);
	assert_hears("a.test", "OK secure match=mx.a.test servername=hostname");
	publish("b.test", "enforce", "mx: *.b.test\n");
	mx("b.test", "0 ", NULL);
	assert_hears("b.test",
	    "TEMP MTA-STS policy of b.test: no MX host is known that it "
	    "lists");
}

/* RFC 8461 3.4: the smart host's own policy, about the smart host. */
static void
a_host_in_brackets_is_its_own_only_mx_host(void **state)
{
	(void)state;
	publish("smart.test", "enforce", "mx: smart.test\nmx: mx.smart.test\n");
	assert_hears("[smart.test]:587",
	    "OK secure match=smart.test servername=hostname");
	assert_non_null(strstr(hear("[smart.test]", true),
	    " policy_type=sts policy_domain=smart.test "));
	publish("other.test", "enforce", "mx: mx.other.test\n");
	assert_hears("[other.test]",
	    "TEMP MTA-STS policy of other.test does not list this host "
	    "itself");
	assert_hears("[plain.test]", "NOTFOUND ");
}

/* By way of MX hosts, at a port that DANE is not known of. */
static void
at_another_port_the_policy_counts_alone(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\n");
	assert_hears("a.test:587",
	    "OK secure match=mx.a.test servername=hostname");
	mx("a.test", "10 other.test", NULL);
	clock_advance(w->clock, 600000);
	assert_hears("a.test:587",
	    "TEMP MTA-STS policy of a.test does not list any of its MX "
	    "hosts");
}

/* DANE. */

#define USABLE "\x03\x01\x01mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
#define UNUSABLE "\x01\x01\x01mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"

static void
dane_on(void)
{
	w->config.dane = true;
	w->config.resolver.n_upstreams = 1;
	w->config.resolver.upstreams[0].trusted_ad = true;
	engine_free(w->engine);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
}

/* Signed; with a TLSA record, or proof that there is none. */
static void
host(const char *name, const char *record)
{
	struct span records[] = { { record, sizeof(USABLE) - 1 } };
	char tlsa[TLSA_NAME_SIZE];

	fake_net_dns(w->net, name, DNS_A, DNS_FOUND, "192.0.2.25", NULL);
	fake_net_dnssec(w->net, name, DNS_A, true, NULL);
	fake_net_dns(w->net, name, DNS_AAAA, DNS_NO_DATA, NULL);
	fake_net_dnssec(w->net, name, DNS_AAAA, true, NULL);
	assert_true(tlsa_name(25, name, tlsa));
	fake_net_records(w->net, tlsa, DNS_TLSA, records,
	    record == NULL ? 0 : 1);
	fake_net_dnssec(w->net, tlsa, DNS_TLSA, true, NULL);
}

/* a.test with two MX hosts, signed. */
static void
two_hosts(const char *first, const char *second)
{
	dane_on();
	mx("a.test", "10 mx.a.test", "20 mx2.a.test");
	fake_net_dnssec(w->net, "a.test", DNS_MX, true, NULL);
	host("mx.a.test", first);
	host("mx2.a.test", second);
}

/* RFC 7672 before RFC 8461: Postfix's own DANE must not be overridden. */
static void
all_hosts_under_dane_are_dane_only(void **state)
{
	(void)state;
	two_hosts(USABLE, USABLE);
	assert_hears("a.test", "OK dane-only");
	publish("b.test", "enforce", "mx: other.test\n");
	mx("b.test", "10 mx.a.test", "20 mx2.a.test");
	fake_net_dnssec(w->net, "b.test", DNS_MX, true, NULL);
	assert_hears("b.test", "OK dane-only");
	assert_string_equal(hear("b.test", true), "OK dane-only");
}

static void
without_a_policy_the_others_stay_as_they_are(void **state)
{
	(void)state;
	two_hosts(USABLE, NULL);
	assert_hears("a.test", "OK dane");
	two_hosts(UNUSABLE, NULL);
	clock_advance(w->clock, 4000000);
	assert_hears("a.test", "OK dane");
	two_hosts(NULL, NULL);
	clock_advance(w->clock, 4000000);
	assert_hears("a.test", "NOTFOUND ");
}

static void
with_a_policy_the_others_are_verified(void **state)
{
	(void)state;
	two_hosts(USABLE, NULL);
	world_publish(w, "a.test",
	    "version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 86400\n",
	    true);
	mx("a.test", "10 mx.a.test", "20 mx2.a.test");
	fake_net_dnssec(w->net, "a.test", DNS_MX, true, NULL);
	host("mx.a.test", USABLE);
	assert_hears("a.test",
	    "OK secure match=mx.a.test:mx2.a.test servername=hostname");
}

/* The others must not be used: no policy lists them. */
static void
others_that_are_not_listed_leave_dane_alone(void **state)
{
	(void)state;
	two_hosts(USABLE, NULL);
	world_publish(w, "a.test",
	    "version: STSv1\nmode: enforce\nmx: x.a.test\nmax_age: 86400\n",
	    true);
	mx("a.test", "10 mx.a.test", "20 mx2.a.test");
	fake_net_dnssec(w->net, "a.test", DNS_MX, true, NULL);
	host("mx.a.test", USABLE);
	assert_hears("a.test", "OK dane-only");
}

/* A policy may yet ask of the others. */
static void
a_record_that_is_unknown_leaves_dane_alone(void **state)
{
	(void)state;
	two_hosts(USABLE, NULL);
	fake_net_dns(w->net, "_mta-sts.a.test", DNS_TXT, DNS_TEMPFAIL, NULL);
	assert_hears("a.test", "OK dane-only");
}

static void
tlsa_records_that_cannot_be_looked_up_are_temporary(void **state)
{
	char tlsa[TLSA_NAME_SIZE];

	(void)state;
	dane_on();
	mx("a.test", "10 mx.a.test", NULL);
	fake_net_dnssec(w->net, "a.test", DNS_MX, true, NULL);
	host("mx.a.test", USABLE);
	assert_true(tlsa_name(25, "mx.a.test", tlsa));
	fake_net_dns(w->net, tlsa, DNS_TLSA, DNS_TEMPFAIL, NULL);
	assert_non_null(strstr(hear("a.test", false), "TEMP "));
	/* That of the MX hosts may hide it, too. */
	fake_net_dns(w->net, "a.test", DNS_MX, DNS_TEMPFAIL, NULL);
	clock_advance(w->clock, 4000000);
	assert_hears("a.test",
	    "TEMP MX hosts of a.test could not be looked up: SERVFAIL");
}

/* What stands at port 25 says nothing of another. */
static void
dane_is_not_told_of_another_port(void **state)
{
	char name[] = "must.test";
	char *names[] = { name };

	(void)state;
	two_hosts(USABLE, USABLE);
	assert_hears("a.test:587", "NOTFOUND ");
	assert_hears("[a.test]", "NOTFOUND ");
	w->config.dane_required.names = names;
	w->config.dane_required.n = 1;
	assert_hears("[must.test]:587", "OK dane-only");
	assert_hears("must.test", "OK dane-only"); /* no such domain, here */
	mx("must.test", "10 mx.must.test", NULL);
	clock_advance(w->clock, 4000000);
	assert_non_null(strstr(hear("must.test", false), "TEMP DANE"));
}

/* Exceptions. */

static struct override configured;

static void
set_policy(const char *mode, const char *pattern)
{
	override_cleanup(&configured);
	configured = (struct override){ .domain = "a.test",
		.until_s = WORLD_NOW + 100000000 };
	assert_true(override_add(&configured, "mode", mode));
	if (pattern != NULL)
		assert_true(override_add(&configured, "mx", pattern));
	assert_null(override_finish(&configured));
	w->config.policies = &configured;
	w->config.n_policies = 1;
}

/* Of Postfix's own DANE, too. */
static void
an_exception_is_one_from_all(void **state)
{
	(void)state;
	two_hosts(USABLE, USABLE);
	set_policy("none", NULL);
	assert_hears("a.test", "OK may");
	assert_string_equal(hear("[a.test]:587", true), "OK may");
	override_cleanup(&configured);
}

/* Nothing that a report could tell the domain of. */
static void
a_policy_of_ones_own_has_no_attributes(void **state)
{
	(void)state;
	mx("a.test", "10 mx.a.test", NULL);
	set_policy("enforce", "mx.a.test");
	assert_string_equal(hear("a.test", true),
	    "OK secure match=mx.a.test servername=hostname");
	override_cleanup(&configured);
}

/* Staging and testing. */

static void
in_testing_mode_nothing_is_asked_of_anybody(void **state)
{
	(void)state;
	w->config.testing = true;
	publish("a.test", "enforce", "mx: other.test\n");
	assert_hears("a.test", "NOTFOUND ");
	fake_net_dns(w->net, "_mta-sts.b.test", DNS_TXT, DNS_TEMPFAIL, NULL);
	assert_hears("b.test", "NOTFOUND ");
}

static void
a_policy_in_mode_testing_is_told_where_that_is_wanted(void **state)
{
	(void)state;
	w->config.socketmap.report_testing = true;
	publish("a.test", "testing", "mx: *.a.test\n");
	assert_hears("a.test", "NOTFOUND ");
	assert_string_equal(hear("a.test", true),
	    "OK may policy_type=sts policy_domain=a.test { policy_string = "
	    "version: STSv1 } { policy_string = mode: testing } { "
	    "policy_string = mx: *.a.test } { policy_string = max_age: 86400 "
	    "} mx_host_pattern=*.a.test");
}

/* Postfix 3.10. */

static void
the_newer_form_has_the_whole_policy(void **state)
{
	(void)state;
	publish("a.test", "enforce", "mx: mx.a.test\nmx: *.b.test\n");
	assert_string_equal(hear("a.test", true),
	    "OK secure match=mx.a.test servername=hostname policy_type=sts "
	    "policy_domain=a.test { policy_string = version: STSv1 } { "
	    "policy_string = mode: enforce } { policy_string = mx: mx.a.test "
	    "} { policy_string = mx: *.b.test } { policy_string = max_age: "
	    "86400 } mx_host_pattern=mx.a.test mx_host_pattern=*.b.test");
}

/* "policy_domain" takes host names only: without it, no attribute is. */
static void
a_domain_that_is_no_host_name_gets_the_older_form(void **state)
{
	(void)state;
	publish("_a.test", "enforce", "mx: mx.a.test\n");
	mx("_a.test", "10 mx.a.test", NULL);
	assert_string_equal(hear("_a.test", true),
	    "OK secure match=mx.a.test servername=hostname");
}

/* What is published says no more than it may. */

static void
keywords_and_single_labels_are_no_names(void **state)
{
	(void)state;
	publish("a.test", "enforce",
	    "mx: hostname\nmx: nexthop\nmx: dot-nexthop\nmx: mx.a.test\n");
	mx("a.test", "5 hostname", "10 mx.a.test");
	assert_hears("a.test", "OK secure match=mx.a.test servername=hostname");
	publish("b.test", "enforce", "mx: hostname\n");
	mx("b.test", "5 hostname", NULL);
	assert_hears("b.test",
	    "TEMP MTA-STS policy of b.test: no MX host is known that it "
	    "lists");
	assert_hears("[hostname]", "NOTFOUND ");
}

/* The reason of a failure is the peer's own text in part. */
static void
a_reason_is_one_line_of_printable_ascii(void **state)
{
	const struct nexthop hop = { .kind = NEXTHOP_DOMAIN,
		.domain = "a.test" };
	struct verdict v = { .action = ACTION_DEFER, .enforced = true };
	struct span whole;

	(void)state;
	v.facts.sts.state = POLICY_CACHED;
	snprintf(v.reason, sizeof(v.reason), "451 4.4.3 a\nOK secure\x80");
	socketmap_policy_answer(&v, &hop, false, &w->config, &answer);
	whole = socketmap_answer_end(&answer);
	assert_int_equal(whole.len, strlen("17:TEMP a?OK secure?,"));
	assert_memory_equal(whole.p, "17:TEMP a?OK secure?,", whole.len);
}

/* Longer than Postfix reads: the present MX hosts are enough. */
static void
a_policy_that_is_too_long_is_cut_to_the_mx_hosts(void **state)
{
	const size_t size = 65536;
	char *policy = calloc(1, size);
	size_t n;

	(void)state;
	assert_non_null(policy);
	n = (size_t)snprintf(policy, size,
	    "version: STSv1\nmode: enforce\nmx: mx.a.test\nmax_age: 9\n");
	for (unsigned i = 0; n < size - 64; i++)
		n += (size_t)snprintf(policy + n, size - n, "mx: h%u.a.test\n",
		    i);
	world_publish(w, "a.test", policy, true);
	assert_string_equal(hear("a.test", true),
	    "OK secure match=mx.a.test servername=hostname");
	assert_true(strlen(hear("a.test", false)) > 30000);
	free(policy);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_a_policy_main_cf_decides),
		T(a_policy_that_cannot_be_had_does_not_bind),
		T(mx_hosts_that_cannot_be_found_are_no_matter_without_a_policy),
		T(a_record_that_cannot_be_looked_up_is_never_no_policy),
		T(a_policy_that_is_still_being_fetched_is_waited_for),
		T(under_a_policy_the_mx_hosts_must_be_known),
		T(an_enforced_policy_is_secure_with_its_names),
		T(a_name_counts_that_is_no_mx_host_yet),
		T(a_wildcard_stands_for_the_mx_hosts_one_label_below),
		T(an_mx_host_that_is_not_listed_is_not_named),
		T(without_a_listed_mx_host_nothing_goes_out),
		T(a_null_mx_does_not_undo_a_policy),
		T(a_host_in_brackets_is_its_own_only_mx_host),
		T(at_another_port_the_policy_counts_alone),
		T(all_hosts_under_dane_are_dane_only),
		T(without_a_policy_the_others_stay_as_they_are),
		T(with_a_policy_the_others_are_verified),
		T(others_that_are_not_listed_leave_dane_alone),
		T(a_record_that_is_unknown_leaves_dane_alone),
		T(tlsa_records_that_cannot_be_looked_up_are_temporary),
		T(dane_is_not_told_of_another_port),
		T(an_exception_is_one_from_all),
		T(a_policy_of_ones_own_has_no_attributes),
		T(in_testing_mode_nothing_is_asked_of_anybody),
		T(a_policy_in_mode_testing_is_told_where_that_is_wanted),
		T(the_newer_form_has_the_whole_policy),
		T(a_domain_that_is_no_host_name_gets_the_older_form),
		T(keywords_and_single_labels_are_no_names),
		T(a_reason_is_one_line_of_printable_ascii),
		T(a_policy_that_is_too_long_is_cut_to_the_mx_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
