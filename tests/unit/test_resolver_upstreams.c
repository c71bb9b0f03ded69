/* SPDX-License-Identifier: ISC */
/* What the resolver makes of upstreams, good, bad, slow, and gone. */
#include "tests/unit/resolver_fixture.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Answers */

static void
good_answers_and_denials_are_told(void **state)
{
	struct told txt = { 0 }, mx = { 0 }, a = { 0 }, none = { 0 };
	struct told nodata = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&txt, "txt.example");
	ask_as(&mx, "mx.example", DNS_MX, false);
	ask_as(&a, "a.example", DNS_A, false);
	ask(&none, "nxdomain.example");
	ask(&nodata, "nodata.example");
	resolver_run_until_told(5);
	assert_int_equal(txt.outcome, DNS_FOUND);
	assert_int_equal(txt.n, 1);
	assert_int_equal(txt.ttl_s, 300);
	assert_string_equal(txt.canonical, "txt.example");
	assert_int_equal(mx.outcome, DNS_FOUND);
	assert_int_equal(a.outcome, DNS_FOUND);
	assert_int_equal(none.outcome, DNS_NO_NAME);
	assert_int_equal(none.ttl_s, 60);
	assert_int_equal(nodata.outcome, DNS_NO_DATA);
	assert_int_equal(nodata.ttl_s, 60);
	assert_int_equal(dns_server_connections(server), 1);
}

static void
ad_counts_from_a_trusted_upstream(void **state)
{
	struct told ad = { 0 }, plain = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&ad, "ad.example");
	ask(&plain, "txt.example");
	resolver_run_until_told(2);
	assert_true(ad.secure);
	assert_false(plain.secure);
}

static void
ad_of_an_untrusted_upstream_does_not_count(void **state)
{
	struct told ad = { 0 }, again = { 0 };

	(void)state;
	resolver_begin(false, false, 1);
	ask(&ad, "ad.example");
	resolver_run_until_told(1);
	assert_int_equal(ad.outcome, DNS_FOUND);
	assert_false(ad.secure);
	ask(&again, "ad.example");
	resolver_run_until_told(1);
	assert_false(again.secure);
}

static void
bad_answers_are_temporary_after_all_tries(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{ "servfail.example", "the resolver answered SERVFAIL" },
		{ "refused.example", "the resolver answered REFUSED" },
		{ "tc.example", "truncated answer" },
		{ "echo.example", "a question instead of an answer" },
		{ "short.example", "not exactly one question in the answer" },
		{ "garbage.example", "malformed record" },
		{ "cut.example", "record cut short" },
		{ "wrongq.example", "answer to another question" },
	};
	enum {
		N = sizeof(rows) / sizeof(rows[0])
	};
	struct told told[N];

	(void)state;
	memset(told, 0, sizeof(told));
	resolver_begin(false, true, 1);
	for (size_t i = 0; i < N; i++)
		ask(&told[i], rows[i].name);
	resolver_run_until_told(N);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(told[i].outcome, DNS_TEMPFAIL);
		assert_string_equal(told[i].why, rows[i].why);
		assert_string_equal(told[i].canonical, rows[i].name);
		assert_int_equal(told[i].ttl_s, 0);
	}
	assert_int_equal(dns_server_asked(server), N * LIMIT_DNS_TRIES);
}

static void
a_try_that_fails_is_followed_by_one_that_does_not(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "twice.example");
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(dns_server_asked(server), 3);
}

static void
temporary_failures_are_not_cached(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "servfail.example");
	resolver_run_until_told(1);
	ask(&told, "servfail.example");
	resolver_run_until_told(1);
	assert_int_equal(told.times, 2);
	assert_int_equal(dns_server_asked(server), 2 * LIMIT_DNS_TRIES);
}

/* Also shows that others go on meanwhile. */
static void
silence_is_temporary_after_three_tries_of_two_seconds(void **state)
{
	struct told told[3] = { { 0 } };
	int64_t begin_ms = now_ms();

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told[0], "silent.example");
	ask(&told[1], "wrongid.example");
	run_ms(100);
	ask(&told[2], "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(told[2].outcome, DNS_FOUND);
	assert_in_range(now_ms() - begin_ms, 0, 1000);
	resolver_run_until_told(2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(told[i].outcome, DNS_TEMPFAIL);
		assert_string_equal(told[i].why,
		    "the resolver does not answer");
	}
	assert_in_range(now_ms() - begin_ms, 5900, 8000);
	assert_in_range(dns_server_asked(server), 2 * LIMIT_DNS_TRIES + 1,
	    2 * LIMIT_DNS_TRIES + 3);
}

/* getdns hears nothing more after it; the next try has a new context. */
static void
an_answer_of_two_octets_costs_one_try(void **state)
{
	struct told tiny = { 0 }, other = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&tiny, "tiny.example");
	asked_becomes(1);
	ask(&other, "txt.example");
	resolver_run_until_told(2);
	assert_int_equal(tiny.outcome, DNS_FOUND);
	assert_int_equal(other.outcome, DNS_FOUND);
}

static void
a_slow_answer_in_time_is_taken(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "slow.example");
	run_ms(1500);
	dns_server_answer_slow(server);
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(dns_server_asked(server), 1);
}

/* Connections */

static void
a_closed_connection_costs_no_try(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "once.example");
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(dns_server_connections(server), 2);
}

static void
an_idle_connection_that_is_closed_is_made_anew(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	for (unsigned i = 1; i <= 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&told, name);
		resolver_run_until_told(1);
		assert_int_equal(told.outcome, DNS_FOUND);
		assert_int_equal(dns_server_connections(server), i);
		dns_server_hang_up(server);
		run_ms(20);
	}
}

static void
come_back(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	dns_server_listen(arg);
}

static void
a_restart_of_two_seconds_is_not_noticed(void **state)
{
	static struct told told[300];
	struct timeval away = { 2, 0 };
	char name[32];

	(void)state;
	memset(told, 0, sizeof(told));
	resolver_begin(false, true, 1);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "slow-%u.example", i);
		ask(&told[i], name);
	}
	asked_becomes(200);
	dns_server_stop(server);
	run_ready();
	for (unsigned i = 200; i < 300; i++) {
		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&told[i], name);
	}
	event_base_once(base, -1, EV_TIMEOUT, come_back, server, &away);
	resolver_run_until_told(100);
	asked_becomes(500);
	dns_server_answer_slow(server);
	run_until(&told_count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(told[i].outcome, DNS_FOUND);
	assert_int_equal(dns_server_asked(server), 500);
}

static void
a_resolver_that_is_gone_is_given_up_without_burning_the_cpu(void **state)
{
	static struct told told[1000];
	int64_t begin_ms = now_ms();
	clock_t cpu = clock();

	(void)state;
	memset(told, 0, sizeof(told));
	dns_server_stop(server);
	resolver_begin(false, true, 1);
	for (unsigned i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&told[i], name);
	}
	resolver_run_until_told(1000);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(told[i].outcome, DNS_TEMPFAIL);
		assert_string_equal(told[i].why,
		    "the resolver cannot be reached");
	}
	assert_in_range(now_ms() - begin_ms, 5900, 9000);
	assert_in_range(clock() - cpu, 0, 3 * CLOCKS_PER_SEC);

	dns_server_listen(server);
	ask(&told[0], "txt-0.example");
	resolver_run_until_told(1);
	assert_int_equal(told[0].outcome, DNS_FOUND);
}

/* It is the question's fault: others are answered, this one is given up. */
static void
a_question_that_kills_connections_is_given_up(void **state)
{
	struct told killer = { 0 }, other = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&killer, "close.example");
	for (unsigned i = 0; killer.times == 0; i++) {
		char name[32];

		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&other, name);
		run_until(&other.times, i + 1);
		assert_int_equal(other.outcome, DNS_FOUND);
	}
	assert_int_equal(killer.outcome, DNS_TEMPFAIL);
	assert_string_equal(killer.why, "the resolver cannot be reached");
}

static void
a_dead_first_upstream_is_passed_by(void **state)
{
	struct told told = { 0 };
	int64_t begin_ms = now_ms();

	(void)state;
	dns_server_stop(server);
	resolver_begin(false, true, 2);
	for (unsigned i = 0; i < 10; i++) {
		char name[32];

		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&told, name);
		resolver_run_until_told(1);
		assert_int_equal(told.outcome, DNS_FOUND);
	}
	assert_in_range(now_ms() - begin_ms, 0, 1000);
	assert_int_equal(dns_server_asked(second), 10);
}

static void
a_failed_try_is_followed_by_one_at_the_next_upstream(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 2);
	ask(&told, "servfail.example");
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_TEMPFAIL);
	assert_int_equal(dns_server_asked(server), 2);
	assert_int_equal(dns_server_asked(second), 1);
}

static void
a_silent_upstream_is_left_for_the_next(void **state)
{
	struct told told = { 0 }, next = { 0 };

	(void)state;
	resolver_begin(false, true, 2);
	ask(&told, "slow.example");
	asked_becomes(1);
	while (dns_server_asked(second) == 0)
		event_base_loop(base, EVLOOP_ONCE);
	dns_server_answer_slow(second);
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	ask(&next, "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(dns_server_asked(server), 1);
	assert_int_equal(dns_server_asked(second), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    good_answers_and_denials_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    ad_counts_from_a_trusted_upstream, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    ad_of_an_untrusted_upstream_does_not_count, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    bad_answers_are_temporary_after_all_tries, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_try_that_fails_is_followed_by_one_that_does_not, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    temporary_failures_are_not_cached, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    silence_is_temporary_after_three_tries_of_two_seconds,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_of_two_octets_costs_one_try, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_answer_in_time_is_taken,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_closed_connection_costs_no_try, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_idle_connection_that_is_closed_is_made_anew, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_restart_of_two_seconds_is_not_noticed, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_resolver_that_is_gone_is_given_up_without_burning_the_cpu,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_question_that_kills_connections_is_given_up, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_dead_first_upstream_is_passed_by, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_failed_try_is_followed_by_one_at_the_next_upstream, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_silent_upstream_is_left_for_the_next, setup, teardown),
	};

	return cmocka_run_group_tests_name("resolver_upstreams", tests, NULL,
	    NULL);
}
