/* SPDX-License-Identifier: ISC */
/* Whether the resolver validates, and what is remembered of domains. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/dnssec_guard.h"
#include "common/limits.h"
#include "common/log.h"
#include "tests/fake/fake_net.h"
#include "tests/unit/log_capture.h"

#define HOUR_MS ((int64_t)LIMIT_DNSSEC_TEST_S * 1000)

struct room {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct dnssec_guard *guard;
	size_t told;
	bool works;
};

static int
set_up(void **state)
{
	struct room *r = calloc(1, sizeof(*r));

	log_init("test", false, LOG_LEVEL_WARNING);
	r->clock = clock_new_fake(1700000000);
	r->net = fake_net_new(r->clock);
	r->ports = fake_net_ports(r->net);
	r->config.dane = true;
	r->config.resolver.n_upstreams = 1;
	r->config.resolver.upstreams[0].trusted_ad = true;
	strcpy(r->config.dnssec_test_good, "good.test");
	strcpy(r->config.dnssec_test_bad, "bad.test");
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct room *r = *state;

	dnssec_guard_free(r->guard);
	fake_net_free(r->net); /* asserts that nothing is pending */
	clock_free(r->clock);  /* asserts that no timer is left */
	log_set_sink(NULL, NULL);
	free(r);
	return 0;
}

/* How the resolver answers from now on. */
static void
answers(struct room *r, enum dns_outcome good, bool secure,
    enum dns_outcome bad)
{
	fake_net_dns(r->net, "good.test", DNS_A, good, NULL);
	fake_net_dnssec(r->net, "good.test", DNS_A, secure, NULL);
	if (bad == DNS_FOUND)
		fake_net_dns(r->net, "bad.test", DNS_A, bad, "192.0.2.1", NULL);
	else
		fake_net_dns(r->net, "bad.test", DNS_A, bad, NULL);
}

static void
begin(struct room *r)
{
	r->guard = dnssec_guard_new(&r->config, &r->ports);
	assert_non_null(r->guard);
	clock_advance(r->clock, 1000);
}

static void
a_resolver_that_validates_keeps_dane_on(void **state)
{
	struct room *r = *state;
	const char *log;

	log_capture_start();
	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	begin(r);
	assert_true(dnssec_guard_dane(r->guard));
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 1);
	assert_int_equal(fake_net_dns_asked(r->net, "bad.test", DNS_A), 1);
	clock_advance(r->clock, HOUR_MS - 2000);
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 1);
	clock_advance(r->clock, 2000);
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 2);
	assert_true(dnssec_guard_dane(r->guard));
	log = log_capture_end();
	assert_int_equal(log_capture_count(log, "error"), 0);
}

static void
a_good_name_without_ad_switches_dane_off_with_an_error(void **state)
{
	static const enum dns_outcome outcomes[] = { DNS_NO_DATA, DNS_NO_NAME };
	struct room *r = *state;

	for (size_t i = 0; i < 2; i++) {
		const char *log;

		log_capture_start();
		answers(r, outcomes[i], false, DNS_TEMPFAIL);
		begin(r);
		assert_false(dnssec_guard_dane(r->guard));
		log = log_capture_end();
		assert_non_null(strstr(log,
		    "error: the resolver does not validate: dnssec-test-good "
		    "is answered without the AD bit"));
		dnssec_guard_free(r->guard);
	}
	r->guard = NULL;
}

static void
a_bad_name_that_is_answered_switches_dane_off_until_it_is_not(void **state)
{
	struct room *r = *state;

	answers(r, DNS_NO_DATA, true, DNS_FOUND);
	begin(r);
	assert_false(dnssec_guard_dane(r->guard));
	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	clock_advance(r->clock, HOUR_MS);
	assert_true(dnssec_guard_dane(r->guard));
}

/* Only a definite wrong answer counts. */
static void
an_answer_that_does_not_come_changes_nothing(void **state)
{
	struct room *r = *state;

	answers(r, DNS_TEMPFAIL, false, DNS_TEMPFAIL);
	begin(r);
	assert_true(dnssec_guard_dane(r->guard));
	answers(r, DNS_NO_DATA, false, DNS_TEMPFAIL);
	clock_advance(r->clock, HOUR_MS);
	assert_false(dnssec_guard_dane(r->guard));
	answers(r, DNS_TEMPFAIL, false, DNS_TEMPFAIL);
	clock_advance(r->clock, HOUR_MS);
	assert_false(dnssec_guard_dane(r->guard));
	fake_net_refuse(r->net, true, false, false);
	clock_advance(r->clock, HOUR_MS);
	assert_false(dnssec_guard_dane(r->guard));
}

static void
without_names_nothing_is_asked_and_dane_is_on(void **state)
{
	struct room *r = *state;

	r->config.dnssec_test_good[0] = r->config.dnssec_test_bad[0] = '\0';
	begin(r);
	clock_advance(r->clock, HOUR_MS * 2);
	assert_true(dnssec_guard_dane(r->guard));
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 0);
}

static void
one_name_alone_is_enough(void **state)
{
	struct room *r = *state;

	r->config.dnssec_test_bad[0] = '\0';
	answers(r, DNS_NO_DATA, false, DNS_TEMPFAIL);
	begin(r);
	assert_false(dnssec_guard_dane(r->guard));
	assert_int_equal(fake_net_dns_asked(r->net, "bad.test", DNS_A), 0);
}

static void
dane_is_off_when_not_wanted_or_not_to_be_believed(void **state)
{
	struct room *r = *state;
	const char *log;

	log_capture_start();
	r->config.resolver.upstreams[0].trusted_ad = false;
	begin(r);
	assert_false(dnssec_guard_dane(r->guard));
	log = log_capture_end();
	assert_non_null(strstr(log,
	    "warning: DANE is off: no resolver is on a loopback address or in "
	    "trusted-ad"));
	dnssec_guard_free(r->guard);
	r->config.dane = false;
	begin(r);
	assert_false(dnssec_guard_dane(r->guard));
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 0);
}

static void
told(bool works, void *arg)
{
	struct room *r = arg;

	r->told++;
	r->works = works;
}

/* A test that ran already says nothing of an answer that came since. */
static void
who_joins_is_told_by_a_test_that_begins_then(void **state)
{
	struct room *r = *state;
	struct dnssec_wait *gone;

	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	begin(r);
	answers(r, DNS_NO_DATA, false, DNS_TEMPFAIL);
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	assert_int_equal(r->told, 0); /* never before join returned */
	clock_advance(r->clock, 10);
	assert_int_equal(r->told, 1);
	assert_false(r->works);
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 2);
	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	gone = dnssec_guard_join(r->guard, told, r);
	assert_non_null(gone);
	dnssec_wait_cancel(&gone);
	assert_null(gone);
	dnssec_wait_cancel(&gone);
	clock_advance(r->clock, 10);
	assert_int_equal(r->told, 3);
	assert_true(r->works);
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 3);
	/* A test that came to nothing does not say that it works. */
	answers(r, DNS_TEMPFAIL, false, DNS_TEMPFAIL);
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	clock_advance(r->clock, 10);
	assert_int_equal(r->told, 4);
	assert_false(r->works);
}

static void
who_joins_while_a_test_runs_is_told_by_the_next(void **state)
{
	struct room *r = *state;

	fake_net_delay(r->net, 100, 1, 1);
	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	r->guard = dnssec_guard_new(&r->config, &r->ports);
	clock_advance(r->clock, 50); /* the first test is on its way */
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	clock_advance(r->clock, 60);
	assert_int_equal(r->told, 0);
	answers(r, DNS_NO_DATA, false, DNS_TEMPFAIL);
	clock_advance(r->clock, 100);
	assert_int_equal(r->told, 1);
	assert_false(r->works);
	assert_int_equal(fake_net_dns_asked(r->net, "good.test", DNS_A), 2);
}

static void
who_still_waits_at_the_end_is_not_told(void **state)
{
	struct room *r = *state;

	begin(r);
	assert_non_null(dnssec_guard_join(r->guard, told, r));
	dnssec_guard_free(r->guard);
	r->guard = NULL;
	assert_int_equal(r->told, 0);
}

static void
domains_are_remembered_for_a_week_and_not_without_end(void **state)
{
	struct room *r = *state;
	char name[32];

	answers(r, DNS_NO_DATA, true, DNS_TEMPFAIL);
	begin(r);
	assert_false(dnssec_guard_remembers(r->guard, "a.example"));
	dnssec_guard_note(r->guard, "a.example");
	assert_true(dnssec_guard_remembers(r->guard, "a.example"));
	dnssec_guard_forget(r->guard, "a.example");
	assert_false(dnssec_guard_remembers(r->guard, "a.example"));
	dnssec_guard_note(r->guard, "a.example");
	clock_suspend(r->clock, (int64_t)LIMIT_DANE_MEMORY_S * 1000 - 10);
	assert_true(dnssec_guard_remembers(r->guard, "a.example"));
	clock_suspend(r->clock, 10);
	assert_false(dnssec_guard_remembers(r->guard, "a.example"));
	for (int i = 0; i <= LIMIT_DANE_MEMORIES; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		dnssec_guard_note(r->guard, name);
	}
	assert_false(dnssec_guard_remembers(r->guard, "d0.example"));
	assert_true(dnssec_guard_remembers(r->guard, "d1.example"));
	assert_true(dnssec_guard_remembers(r->guard, name));
}

static void
an_heir_knows_what_was_known(void **state)
{
	struct room *r = *state;
	struct dnssec_guard *old;

	answers(r, DNS_NO_DATA, false, DNS_TEMPFAIL);
	begin(r);
	dnssec_guard_note(r->guard, "a.example");
	old = r->guard;
	r->guard = dnssec_guard_new(&r->config, &r->ports);
	assert_true(dnssec_guard_dane(r->guard));
	dnssec_guard_inherit(r->guard, old);
	dnssec_guard_free(old);
	assert_false(dnssec_guard_dane(r->guard));
	assert_true(dnssec_guard_remembers(r->guard, "a.example"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_resolver_that_validates_keeps_dane_on),
		TEST(a_good_name_without_ad_switches_dane_off_with_an_error),
		TEST(
		    a_bad_name_that_is_answered_switches_dane_off_until_it_is_not),
		TEST(an_answer_that_does_not_come_changes_nothing),
		TEST(without_names_nothing_is_asked_and_dane_is_on),
		TEST(one_name_alone_is_enough),
		TEST(dane_is_off_when_not_wanted_or_not_to_be_believed),
		TEST(who_joins_is_told_by_a_test_that_begins_then),
		TEST(who_joins_while_a_test_runs_is_told_by_the_next),
		TEST(who_still_waits_at_the_end_is_not_told),
		TEST(domains_are_remembered_for_a_week_and_not_without_end),
		TEST(an_heir_knows_what_was_known),
	};

	return cmocka_run_group_tests_name("dnssec_guard", tests, NULL, NULL);
}
