/* SPDX-License-Identifier: ISC */
/*
 * What askers of the resolver may rely on: joining, the cache, bounds,
 * cancelling and freeing at any moment.
 */
#include "tests/unit/resolver_fixture.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Many at once */

static void
four_thousand_at_once_are_answered_256_at_a_time(void **state)
{
	enum {
		N = 4000
	};
	static struct told told[N];
	size_t most = 0;

	(void)state;
	memset(told, 0, sizeof(told));
	resolver_begin(false, true, 1);
	for (unsigned i = 0; i < N; i++) {
		char name[32];

		snprintf(name, sizeof(name), "slow-%u.example", i);
		ask(&told[i], name);
	}
	told_count = 0;
	while (told_count < N) {
		run_ready();
		if (dns_server_waiting(server) > most)
			most = dns_server_waiting(server);
		dns_server_answer_slow(server);
	}
	for (unsigned i = 0; i < N; i++) {
		assert_int_equal(told[i].times, 1);
		assert_int_equal(told[i].outcome, DNS_FOUND);
	}
	assert_int_equal(most, LIMIT_DNS_IN_FLIGHT);
	assert_int_equal(dns_server_asked(server), N);
}

static void
a_full_queue_is_said_at_the_start(void **state)
{
	static struct told told[LIMIT_DNS_QUEUED + 1];
	char name[32];

	(void)state;
	memset(told, 0, sizeof(told));
	resolver_begin(false, true, 1);
	for (unsigned i = 0; i < LIMIT_DNS_QUEUED; i++) {
		snprintf(name, sizeof(name), "txt-%u.example", i);
		ask(&told[i], name);
	}
	ask_as(&told[LIMIT_DNS_QUEUED], "txt-x.example", DNS_TXT, false);
	assert_null(told[LIMIT_DNS_QUEUED].query);
	ask(&told[LIMIT_DNS_QUEUED], "txt-0.example"); /* joins */
	resolver_run_until_told(LIMIT_DNS_QUEUED + 1);
	for (unsigned i = 0; i <= LIMIT_DNS_QUEUED; i++)
		assert_int_equal(told[i].outcome, DNS_FOUND);
}

static void
too_many_askers_are_refused(void **state)
{
	struct told *told = calloc(LIMIT_DNS_QUERIES + 1, sizeof(*told));

	(void)state;
	assert_non_null(told);
	resolver_begin(false, true, 1);
	for (unsigned i = 0; i < LIMIT_DNS_QUERIES; i++)
		ask(&told[i], "txt.example");
	ask_as(&told[LIMIT_DNS_QUERIES], "txt.example", DNS_TXT, false);
	assert_null(told[LIMIT_DNS_QUERIES].query);
	resolver_run_until_told(LIMIT_DNS_QUERIES);
	assert_int_equal(dns_server_asked(server), 1);
	ask(&told[LIMIT_DNS_QUERIES], "txt.example");
	resolver_run_until_told(1);
	free(told);
}

static void
names_that_cannot_be_asked_are_refused(void **state)
{
	static const char *const bad[] = { "", ".", ".example", "a..example",
		"a.example.", "two words.example", "a\\.example",
		"b\303\274cher.example", "a.\001.example",
		("x234567890123456789012345678901234567890123456789012345678901"
		 "234.example") };
	struct told told = { 0 };
	char name[DOMAIN_SIZE + 1];

	(void)state;
	resolver_begin(false, true, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask_as(&told, bad[i], DNS_TXT, false);
		assert_null(told.query);
	}
	memset(name, 'x', DOMAIN_MAX + 1);
	memcpy(name, "txt-", 4);
	name[63] = name[127] = name[191] = '.';
	name[DOMAIN_MAX + 1] = '\0';
	ask_as(&told, name, DNS_TXT, false);
	assert_null(told.query);
	name[DOMAIN_MAX] = '\0';
	ask(&told, name); /* the longest name, of labels of 63 octets */
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
}

/* Joining */

static void
equal_questions_are_asked_once(void **state)
{
	struct told told[5] = { { 0 } };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told[0], "slow.example");
	ask(&told[1], "slow.example");
	asked_becomes(1);
	ask(&told[2], "slow.example");
	ask_as(&told[3], "slow.example", DNS_MX, false); /* another type */
	asked_becomes(2);
	dns_server_answer_slow(server);
	resolver_run_until_told(4);
	assert_int_equal(dns_server_asked(server), 2);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(told[i].outcome, DNS_FOUND);
}

static void
a_fresh_question_joins_only_a_fresh_one(void **state)
{
	struct told told[4] = { { 0 } };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told[0], "slow.example");
	asked_becomes(1);
	ask_as(&told[1], "slow.example", DNS_TXT, true);
	asked_becomes(2);
	ask_as(&told[2], "slow.example", DNS_TXT, true);
	run_ready();
	assert_int_equal(dns_server_asked(server), 2);
	dns_server_answer_slow(server);
	resolver_run_until_told(3);

	ask_as(&told[0], "slow-b.example", DNS_TXT, true);
	asked_becomes(3);
	ask(&told[1], "slow-b.example"); /* may join the fresh one */
	run_ready();
	assert_int_equal(dns_server_asked(server), 3);
	dns_server_answer_slow(server);
	resolver_run_until_told(2);
}

/* The cache, on a clock that is turned by hand */

static void
an_answer_lives_as_long_as_its_ttl(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	ask(&told, "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 300);
	clock_advance(clock_now, 299000);
	ask(&told, "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.ttl_s, 1);
	assert_int_equal(dns_server_asked(server), 1);
	clock_advance(clock_now, 1000);
	ask(&told, "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 300);
	assert_int_equal(dns_server_asked(server), 2);
}

static void
denials_live_as_long_as_the_soa_says(void **state)
{
	static const char *const names[] = { "nxdomain.example",
		"nodata.example" };
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	for (unsigned i = 0; i < 2; i++) {
		ask(&told, names[i]);
		resolver_run_until_told(1);
		clock_advance(clock_now, 59999);
		ask(&told, names[i]);
		resolver_run_until_told(1);
		assert_int_equal(dns_server_asked(server), 2 * i + 1);
		clock_advance(clock_now, 1);
		ask(&told, names[i]);
		resolver_run_until_told(1);
		assert_int_equal(dns_server_asked(server), 2 * i + 2);
	}
}

static void
ttls_are_kept_within_their_bounds(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	dns_server_set_ttl(server, 0);
	ask(&told, "txt-a.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 0);
	clock_advance(clock_now, LIMIT_DNS_TTL_MIN_S * 1000 - 1);
	ask(&told, "txt-a.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 0);
	assert_int_equal(dns_server_asked(server), 1);
	clock_advance(clock_now, 1);
	ask(&told, "txt-a.example");
	resolver_run_until_told(1);
	assert_int_equal(dns_server_asked(server), 2);

	dns_server_set_ttl(server, 1000000);
	ask(&told, "txt-b.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 1000000);
	clock_advance(clock_now, LIMIT_DNS_TTL_MAX_S * 1000);
	ask(&told, "txt-b.example");
	resolver_run_until_told(1);
	assert_int_equal(dns_server_asked(server), 4);
}

static void
a_fresh_question_passes_the_cache_and_fills_it(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	ask(&told, "txt.example");
	resolver_run_until_told(1);
	clock_advance(clock_now, 200000);
	ask_as(&told, "txt.example", DNS_TXT, true);
	resolver_run_until_told(1);
	assert_int_equal(dns_server_asked(server), 2);
	clock_advance(clock_now, 200000);
	ask(&told, "txt.example");
	resolver_run_until_told(1);
	assert_int_equal(told.ttl_s, 100);
	assert_int_equal(dns_server_asked(server), 2);
}

/* Cancelling and freeing */

static void
a_cancelled_question_is_not_told_in_any_state(void **state)
{
	struct told queued = { 0 }, asked = { 0 }, ended = { 0 }, hit = { 0 };
	struct told other = { 0 };
	struct dns_query *none = NULL;

	(void)state;
	resolver_begin(false, true, 1);
	port.cancel(port.self, &none);

	ask(&queued, "txt-queued.example");
	port.cancel(port.self, &queued.query);
	assert_null(queued.query);
	run_ready();
	assert_int_equal(dns_server_asked(server), 0);

	ask(&asked, "slow-asked.example");
	asked_becomes(1);
	port.cancel(port.self, &asked.query);
	dns_server_answer_slow(server);
	run_ready();
	ask(&other, "slow-asked.example"); /* the answer is in the cache */
	resolver_run_until_told(1);
	assert_int_equal(dns_server_asked(server), 1);

	ask(&hit, "slow-asked.example");
	port.cancel(port.self, &hit.query);
	ask(&ended, "txt.example");
	ask(&other, "txt.example");
	port.cancel(port.self, &ended.query);
	resolver_run_until_told(1);
	run_ready();
	assert_int_equal(queued.times + asked.times + ended.times + hit.times,
	    0);
	assert_int_equal(other.times, 2);
}

static void
a_question_nobody_waits_for_is_not_tried_again(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "once.example");
	run_ready(); /* on its way, perhaps */
	if (dns_server_asked(server) == 0)
		asked_becomes(1);
	port.cancel(port.self, &told.query);
	run_ms(300);
	assert_int_equal(dns_server_asked(server), 1);
	assert_int_equal(told.times, 0);
}

static struct told peers[3];

static void
cancel_the_others(struct told *told)
{
	for (size_t i = 0; i < 3; i++)
		if (&peers[i] != told)
			port.cancel(port.self, &peers[i].query);
}

static void
askers_may_cancel_others_from_their_callback(void **state)
{
	(void)state;
	memset(peers, 0, sizeof(peers));
	resolver_begin(true, true, 1);
	ask(&peers[0], "txt.example");
	resolver_run_until_told(1);
	for (size_t i = 0; i < 3; i++)
		peers[i].then = cancel_the_others;
	ask(&peers[0], "txt.example"); /* all three end in the same turn */
	ask(&peers[1], "txt.example");
	ask(&peers[2], "txt.example");
	resolver_run_until_told(1);
	run_ready();
	assert_int_equal(peers[0].times + peers[1].times + peers[2].times, 2);

	memset(peers, 0, sizeof(peers));
	for (size_t i = 0; i < 3; i++)
		peers[i].then = cancel_the_others;
	ask(&peers[0], "txt-b.example"); /* three askers of one question */
	ask(&peers[1], "txt-b.example");
	ask(&peers[2], "txt-b.example");
	resolver_run_until_told(1);
	run_ready();
	assert_int_equal(peers[0].times + peers[1].times + peers[2].times, 1);
}

static void
ask_again(struct told *told)
{
	if (told->times < 10) {
		unsigned before = told->times;

		ask(told,
		    told->times % 2 == 0 ? "txt.example" : "txt-b.example");
		assert_int_equal(told->times, before);
	}
}

static void
askers_may_ask_from_their_callback(void **state)
{
	struct told told = { .then = ask_again };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "txt.example");
	resolver_run_until_told(10);
	assert_int_equal(told.times, 10);
	assert_int_equal(dns_server_asked(server), 2);
}

static void
a_resolver_may_be_freed_with_questions_in_every_state(void **state)
{
	static struct told told[600];
	char name[32];

	(void)state;
	memset(told, 0, sizeof(told));
	resolver_begin(false, true, 1);
	ask(&told[0], "txt.example");
	resolver_run_until_told(1);
	for (unsigned i = 1; i < 500; i++) {
		snprintf(name, sizeof(name), "slow-%u.example", i);
		ask(&told[i], name);
	}
	asked_becomes(1 + LIMIT_DNS_IN_FLIGHT);
	ask(&told[500], "txt.example"); /* ended, by the cache */
	resolver_free(resolver);
	resolver = NULL;
	run_ready();
	for (unsigned i = 1; i <= 500; i++)
		assert_int_equal(told[i].times, 0);
}

static void
free_the_resolver(struct told *told)
{
	(void)told;
	resolver_free(resolver);
	resolver = NULL;
}

static void
a_resolver_may_be_freed_from_a_callback(void **state)
{
	struct told told[5] = { { .then = free_the_resolver } };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told[0], "txt.example");
	ask(&told[1], "txt.example");
	ask(&told[2], "slow.example");
	ask(&told[3], "txt-b.example");
	ask(&told[4], "nxdomain.example");
	run_until(&told[0].times, 1);
	run_ready();
	assert_int_equal(told[1].times, 0);
	assert_int_equal(told[2].times, 0);
	resolver_free(NULL);
}

static void
a_resolver_may_be_freed_while_it_waits_for_an_upstream(void **state)
{
	struct told told = { 0 };

	(void)state;
	dns_server_stop(server);
	resolver_begin(false, true, 1);
	ask(&told, "txt.example");
	run_ms(120);
	resolver_free(resolver);
	resolver = NULL;
	run_ms(200);
	assert_int_equal(told.times, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    four_thousand_at_once_are_answered_256_at_a_time, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_full_queue_is_said_at_the_start, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_askers_are_refused,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    names_that_cannot_be_asked_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_questions_are_asked_once,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_fresh_question_joins_only_a_fresh_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_lives_as_long_as_its_ttl, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    denials_live_as_long_as_the_soa_says, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    ttls_are_kept_within_their_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_fresh_question_passes_the_cache_and_fills_it, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_cancelled_question_is_not_told_in_any_state, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_question_nobody_waits_for_is_not_tried_again, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    askers_may_cancel_others_from_their_callback, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    askers_may_ask_from_their_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_resolver_may_be_freed_with_questions_in_every_state,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_resolver_may_be_freed_from_a_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_resolver_may_be_freed_while_it_waits_for_an_upstream,
		    setup, teardown),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
