/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "common/verdict.h"

static char pattern[] = "mx1.example.com";
static char *patterns[] = { pattern };
static struct mx_fact hosts[3];

/* A live policy and n MX hosts, all listed, none of them tried yet. */
static void
begin(struct verdict *v, enum sts_mode mode, size_t n)
{
	memset(v, 0, sizeof(*v));
	memset(hosts, 0, sizeof(hosts));
	strcpy(v->facts.domain, "example.com");
	v->facts.sts.record = RECORD_FOUND;
	v->facts.sts.state = POLICY_FETCHED;
	v->facts.sts.fetched_at_s = 1000;
	v->facts.sts.policy = (struct sts_policy){ .mode = mode,
		.max_age_s = 86400,
		.n_mx = 1,
		.mx = patterns };
	v->facts.mx_state = MX_FOUND;
	v->facts.mx_ttl_s = 3600;
	v->facts.mx = hosts;
	v->facts.n_mx = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(hosts[i].host, sizeof(hosts[i].host),
		    "mx%zu.example.com", i + 1);
		hosts[i].listed = true;
	}
}

static void
probed(size_t i, enum probe_state state, enum result_type result,
    const char *why)
{
	hosts[i].probe.state = state;
	hosts[i].probe.result = result;
	hosts[i].probe.certificate_bad = result == RESULT_CERTIFICATE_EXPIRED;
	strcpy(hosts[i].probe.why, why);
}

static const struct config enforcing = { .unreachable = CHOICE_DEFER };

static void
check(struct verdict *v, const struct config *config,
    enum verdict_action action, const char *reason)
{
	verdict_decide(v, config);
	assert_string_equal(v->reason, reason);
	assert_int_equal(v->action, action);
}

static void
what_does_not_bind_lets_mail_pass(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_NONE;
	v.facts.sts.record = RECORD_NONE;
	check(&v, &enforcing, ACTION_PROCEED, "no MTA-STS policy");
	v.facts.sts.record = RECORD_SEVERAL;
	v.facts.sts.record_why = "more than one record";
	check(&v, &enforcing, ACTION_PROCEED,
	    "MTA-STS record of example.com does not count: more than one "
	    "record");
	v.facts.sts.state = POLICY_UNKNOWN;
	v.facts.sts.record = RECORD_UNKNOWN;
	v.facts.sts.record_why = "SERVFAIL";
	check(&v, &enforcing, ACTION_PROCEED,
	    "MTA-STS record of example.com could not be looked up: SERVFAIL");
	v.facts.sts.state = POLICY_FAILED;
	v.facts.sts.record = RECORD_FOUND;
	v.facts.sts.failure = RESULT_STS_POLICY_FETCH_ERROR;
	strcpy(v.facts.sts.failure_why, "mta-sts.example.com answered 404");
	check(&v, &enforcing, ACTION_PROCEED,
	    "MTA-STS policy of example.com does not bind: "
	    "mta-sts.example.com answered 404");
	assert_int_equal(v.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_int_equal(v.source, VERDICT_NONE);
}

/* With the time at its end nothing further has been looked at. */
static void
at_delivery_the_first_that_is_not_known_is_the_reason(void **state)
{
	const struct config testing = { .testing = true };
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.gate = GATE_DELIVERY;
	v.facts.mx_state = MX_UNKNOWN;
	v.facts.sts.state = POLICY_UNKNOWN;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.3 MTA-STS policy of example.com has not been fetched yet, "
	    "try again later");
	/* Without MX hosts there is nowhere to go, not even for a test. */
	check(&v, &testing, ACTION_DEFER,
	    "451 4.4.3 MX hosts of example.com could not be looked up: out of "
	    "time");
	v.facts.sts.record = RECORD_UNKNOWN;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.3 MTA-STS record of example.com could not be looked up: "
	    "no answer yet");
	v.facts.sts.record_patience_over = true;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.3 MX hosts of example.com could not be looked up: out of "
	    "time");
}

static void
at_delivery_a_test_finds_no_way_where_there_is_none(void **state)
{
	const struct config testing = { .testing = true };
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 0);
	v.gate = GATE_DELIVERY;
	v.facts.mx_state = MX_NULL;
	check(&v, &testing, ACTION_REJECT,
	    "556 5.1.10 example.com accepts no mail (null MX)");
	v.facts.mx_state = MX_NO_DOMAIN;
	check(&v, &testing, ACTION_REJECT,
	    "550 5.1.2 no such domain: example.com");
	v.facts.mx_state = MX_UNKNOWN;
	check(&v, &testing, ACTION_DEFER,
	    "451 4.4.3 MX hosts of example.com could not be looked up: out of "
	    "time");
}

static void
a_policy_that_may_yet_come_defers(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_UNKNOWN;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.3 MTA-STS policy of example.com has not been fetched yet, "
	    "try again later");
}

/* Whose mail goes by the relay is asked about again, on its way out. */
static void
with_the_relay_only_delivery_waits_for_a_policy_that_may_come(void **state)
{
	struct config with_relay = enforcing;
	struct verdict v;

	(void)state;
	with_relay.relay.on = true;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_UNKNOWN;
	check(&v, &with_relay, ACTION_PROCEED,
	    "MTA-STS policy of example.com has not been fetched yet");
	v.gate = GATE_DELIVERY;
	v.facts.mx_state = MX_FOUND;
	check(&v, &with_relay, ACTION_DEFER,
	    "451 4.4.3 MTA-STS policy of example.com has not been fetched yet, "
	    "try again later");
}

static void
a_live_policy_that_could_not_be_read_defers(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_UNREAD;
	v.facts.sts.record = RECORD_NONE;
	v.facts.sts.record_ttl_s = 300;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.3.0 MTA-STS policy of example.com: what is remembered of it "
	    "cannot be read, try again later");
	assert_int_equal(verdict_life_s(&v, 1000, 0), 0);
}

static void
mode_none_null_mx_and_no_domain_let_mail_pass(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_NONE, 1);
	hosts[0].listed = false;
	check(&v, &enforcing, ACTION_PROCEED,
	    "MTA-STS policy of example.com has mode none");
	begin(&v, STS_MODE_ENFORCE, 0);
	v.facts.mx_state = MX_NULL;
	check(&v, &enforcing, ACTION_PROCEED,
	    "example.com accepts no mail (null MX)");
	v.facts.mx_state = MX_NO_DOMAIN;
	check(&v, &enforcing, ACTION_PROCEED, "no such domain: example.com");
}

static void
one_good_host_is_enough(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 3);
	probed(0, PROBE_TLS_FAILED, RESULT_CERTIFICATE_EXPIRED, "has expired");
	probed(1, PROBE_UNREACHABLE, RESULT_NONE, "connection refused");
	probed(2, PROBE_GOOD, RESULT_NONE, "");
	check(&v, &enforcing, ACTION_PROCEED,
	    "mx3.example.com has shown what the policy asks for");
	assert_string_equal(v.mx, "mx3.example.com");
	assert_int_equal(v.source, VERDICT_STS);
	assert_int_equal(v.result, RESULT_NONE);
}

static void
a_good_host_that_is_not_listed_does_not_count(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 1);
	probed(0, PROBE_GOOD, RESULT_NONE, "");
	hosts[0].listed = false;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.7.5 MTA-STS policy of example.com does not list its MX "
	    "mx1.example.com");
	assert_int_equal(v.result, RESULT_VALIDATION_FAILURE);
	begin(&v, STS_MODE_ENFORCE, 2);
	hosts[0].listed = hosts[1].listed = false;
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.7.5 MTA-STS policy of example.com does not list its MX "
	    "mx1.example.com nor any other");
}

static void
the_first_tls_failure_is_named_even_beside_dead_hosts(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 3);
	probed(0, PROBE_UNREACHABLE, RESULT_NONE, "connection refused");
	probed(1, PROBE_TLS_FAILED, RESULT_CERTIFICATE_EXPIRED, "has expired");
	probed(2, PROBE_TLS_FAILED, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer STARTTLS");
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.7.5 MTA-STS policy of example.com: certificate of "
	    "mx2.example.com has expired");
	assert_int_equal(v.result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(v.mx, "mx2.example.com");
	begin(&v, STS_MODE_ENFORCE, 1);
	probed(0, PROBE_TLS_FAILED, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer STARTTLS");
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.7.4 MTA-STS policy of example.com: mx1.example.com does not "
	    "offer STARTTLS");
}

static void
unreachable_hosts_follow_the_configuration(void **state)
{
	struct config lenient = { .unreachable = CHOICE_PROCEED };
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 2);
	probed(0, PROBE_UNREACHABLE, RESULT_NONE, "connection refused");
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.1 MTA-STS policy of example.com: mx1.example.com cannot "
	    "be tried: connection refused");
	check(&v, &lenient, ACTION_PROCEED,
	    "MTA-STS policy of example.com: mx1.example.com cannot be tried: "
	    "connection refused");
}

static void
a_host_that_was_not_tried_is_not_unreachable(void **state)
{
	static const struct config lenient = { .unreachable = CHOICE_PROCEED };
	static const char reason[] =
	    "451 4.4.1 MTA-STS policy of example.com: mx1.example.com has not "
	    "been tried: out of time";
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 2);
	probed(0, PROBE_UNKNOWN, RESULT_NONE, "");
	check(&v, &enforcing, ACTION_DEFER, reason);
	check(&v, &lenient, ACTION_DEFER, reason);
	probed(1, PROBE_UNREACHABLE, RESULT_NONE, "connection refused");
	check(&v, &lenient, ACTION_PROCEED,
	    "MTA-STS policy of example.com: mx2.example.com cannot be tried: "
	    "connection refused");
}

static void
an_unknown_mx_set_defers_under_a_policy(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 0);
	v.facts.mx_state = MX_UNKNOWN;
	v.facts.mx_why = "SERVFAIL";
	check(&v, &enforcing, ACTION_DEFER,
	    "451 4.4.3 MTA-STS policy of example.com: its MX hosts could not "
	    "be looked up: SERVFAIL");
}

static void
testing_modes_say_what_would_be_and_refuse_nothing(void **state)
{
	struct config testing = { .testing = true };
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_TESTING, 1);
	probed(0, PROBE_TLS_FAILED, RESULT_CERTIFICATE_EXPIRED, "has expired");
	check(&v, &enforcing, ACTION_WOULD_DEFER,
	    "451 4.7.5 MTA-STS policy of example.com: certificate of "
	    "mx1.example.com has expired");
	begin(&v, STS_MODE_ENFORCE, 1);
	hosts[0].listed = false;
	verdict_decide(&v, &testing);
	assert_int_equal(v.action, ACTION_WOULD_DEFER);
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_UNKNOWN;
	verdict_decide(&v, &testing);
	assert_int_equal(v.action, ACTION_WOULD_DEFER);
}

static void
reasons_are_one_printable_line_that_fits(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 1);
	memset(v.facts.domain, 'd', DOMAIN_MAX);
	memset(hosts[0].host, 'h', DOMAIN_MAX);
	probed(0, PROBE_TLS_FAILED, RESULT_VALIDATION_FAILURE, "\r\n\x80|x");
	verdict_decide(&v, &enforcing);
	assert_true(strlen(v.reason) < VERDICT_REASON_SIZE);
	for (const char *p = v.reason; *p != '\0'; p++)
		assert_true(*p >= 0x20 && *p < 0x7f);
}

static void
a_verdict_lives_as_long_as_its_shortest_fact(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 1);
	probed(0, PROBE_GOOD, RESULT_NONE, "");
	hosts[0].probe_expires_ms = 5000000;
	verdict_decide(&v, &enforcing);
	assert_int_equal(verdict_life_s(&v, 1000, 0), 300);
	assert_int_equal(verdict_life_s(&v, 1000, 4940000), 60);
	v.facts.mx_ttl_s = 7;
	assert_int_equal(verdict_life_s(&v, 1000, 0), 7);
	assert_int_equal(verdict_life_s(&v, 1000 + 86398, 0), 2);
	assert_int_equal(verdict_life_s(&v, 1000 + 86400, 0), 0);
	assert_int_equal(verdict_life_s(&v, 1000 + 90000, 0), 0);
	v.facts.deadline_hit = true;
	assert_int_equal(verdict_life_s(&v, 1000, 0), 0);
}

static void
what_is_unknown_is_never_kept(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_UNKNOWN, 0);
	v.facts.sts.state = POLICY_UNKNOWN;
	v.facts.sts.record_ttl_s = 300;
	assert_int_equal(verdict_life_s(&v, 1000, 0), 0);
	v.facts.sts.state = POLICY_NONE;
	v.facts.sts.record_ttl_s = 20;
	assert_int_equal(verdict_life_s(&v, 1000, 0), 20);
	begin(&v, STS_MODE_ENFORCE, 0);
	v.facts.mx_state = MX_UNKNOWN;
	assert_int_equal(verdict_life_s(&v, 1000, 0), 0);
}

static void
a_host_that_could_not_be_tried_matters_unless_one_is_good(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 3);
	probed(0, PROBE_UNKNOWN, RESULT_NONE, "session was not begun");
	probed(1, PROBE_UNREACHABLE, RESULT_NONE, "has no address");
	hosts[1].probe_expires_ms = 60000;
	hosts[2].listed = false;
	verdict_decide(&v, &enforcing);
	assert_int_equal(verdict_life_s(&v, 1000, 0), 0);
	probed(1, PROBE_GOOD, RESULT_NONE, "");
	assert_int_equal(verdict_life_s(&v, 1000, 0), 60);
}

/* At delivery, after the walk: the words of the admission gate, never a 5xx. */
static void
a_walk_that_was_refused_everywhere_defers_with_its_words(void **state)
{
	const struct config strict = { .unreachable = CHOICE_PROCEED,
		.reject_on_failure = true };
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 2);
	v.gate = GATE_DELIVERY;
	verdict_decide(&v, &strict);
	assert_true(v.enforced);
	assert_int_equal(v.action, ACTION_PROCEED);
	probed(0, PROBE_UNREACHABLE, RESULT_NONE, "refused the connection");
	verdict_decide_refused(&v, &strict);
	assert_int_equal(v.action, ACTION_DEFER);
	assert_string_equal(v.reason,
	    "451 4.4.1 MTA-STS policy of example.com: mx1.example.com cannot "
	    "be tried: refused the connection");
	probed(1, PROBE_TLS_FAILED, RESULT_CERTIFICATE_EXPIRED, "has expired");
	verdict_decide_refused(&v, &strict);
	assert_int_equal(v.action, ACTION_DEFER);
	assert_int_equal(v.result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(v.mx, "mx2.example.com");
	assert_string_equal(v.reason,
	    "451 4.7.5 MTA-STS policy of example.com: certificate of "
	    "mx2.example.com has expired");
}

static void
a_walk_without_a_policy_defers_with_the_words_of_a_host(void **state)
{
	struct verdict v;

	(void)state;
	begin(&v, STS_MODE_TESTING, 2);
	v.gate = GATE_DELIVERY;
	verdict_decide(&v, &enforcing);
	assert_false(v.enforced);
	verdict_decide_refused(&v, &enforcing);
	assert_string_equal(v.reason,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: out of "
	    "time");
	probed(1, PROBE_UNREACHABLE, RESULT_NONE, "greeted with 554 no");
	verdict_decide_refused(&v, &enforcing);
	assert_int_equal(v.action, ACTION_DEFER);
	assert_string_equal(v.reason,
	    "451 4.4.1 example.com: mx2.example.com cannot be used: greeted "
	    "with 554 no");
}

static void
a_copy_of_a_verdict_owns_what_it_holds(void **state)
{
	struct verdict v, *copy;

	(void)state;
	begin(&v, STS_MODE_ENFORCE, 2);
	verdict_decide(&v, &enforcing);
	copy = verdict_copy(&v);
	assert_non_null(copy);
	assert_string_equal(copy->facts.mx[1].host, "mx2.example.com");
	assert_ptr_not_equal(copy->facts.mx, v.facts.mx);
	assert_string_equal(copy->facts.sts.policy.mx[0], pattern);
	assert_ptr_not_equal(copy->facts.sts.policy.mx, patterns);
	verdict_free(copy);
	v.facts.n_mx = 0;
	copy = verdict_copy(&v);
	assert_null(copy->facts.mx);
	verdict_free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_does_not_bind_lets_mail_pass),
		cmocka_unit_test(
		    at_delivery_the_first_that_is_not_known_is_the_reason),
		cmocka_unit_test(
		    at_delivery_a_test_finds_no_way_where_there_is_none),
		cmocka_unit_test(a_policy_that_may_yet_come_defers),
		cmocka_unit_test(
		    with_the_relay_only_delivery_waits_for_a_policy_that_may_come),
		cmocka_unit_test(a_live_policy_that_could_not_be_read_defers),
		cmocka_unit_test(mode_none_null_mx_and_no_domain_let_mail_pass),
		cmocka_unit_test(one_good_host_is_enough),
		cmocka_unit_test(a_good_host_that_is_not_listed_does_not_count),
		cmocka_unit_test(
		    the_first_tls_failure_is_named_even_beside_dead_hosts),
		cmocka_unit_test(unreachable_hosts_follow_the_configuration),
		cmocka_unit_test(a_host_that_was_not_tried_is_not_unreachable),
		cmocka_unit_test(an_unknown_mx_set_defers_under_a_policy),
		cmocka_unit_test(
		    testing_modes_say_what_would_be_and_refuse_nothing),
		cmocka_unit_test(reasons_are_one_printable_line_that_fits),
		cmocka_unit_test(a_verdict_lives_as_long_as_its_shortest_fact),
		cmocka_unit_test(what_is_unknown_is_never_kept),
		cmocka_unit_test(
		    a_host_that_could_not_be_tried_matters_unless_one_is_good),
		cmocka_unit_test(
		    a_walk_that_was_refused_everywhere_defers_with_its_words),
		cmocka_unit_test(
		    a_walk_without_a_policy_defers_with_the_words_of_a_host),
		cmocka_unit_test(a_copy_of_a_verdict_owns_what_it_holds),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
