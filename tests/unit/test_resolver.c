/* SPDX-License-Identifier: ISC */
/*
 * The resolver against a server that misbehaves on demand. Nothing here waits
 * for luck: the loop runs until what is awaited has happened, and a watchdog
 * fails the test when it does not.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/resolver.h"
#include "tests/unit/dns_server.h"

#define WATCHDOG_S 30

static struct event_base *base;
static struct clock *clock_now;
static struct dns_server *server, *second;
static struct resolver *resolver;
static struct dns_port port;

/* What one asker was told. */
struct told {
	struct dns_query *query;
	unsigned times;
	enum dns_outcome outcome;
	bool secure;
	uint32_t ttl_s;
	size_t n;
	char why[80];
	char canonical[DOMAIN_SIZE];
	void (*then)(struct told *told); /* from within the callback */
};

static unsigned told_count;

static void
tell(const struct dns_answer *answer, void *arg)
{
	struct told *told = arg;

	told->query = NULL;
	told->times++;
	told_count++;
	told->outcome = answer->outcome;
	told->secure = answer->secure;
	told->ttl_s = answer->ttl_s;
	told->n = answer->n;
	snprintf(told->why, sizeof(told->why), "%s",
	    answer->why == NULL ? "" : answer->why);
	snprintf(told->canonical, sizeof(told->canonical), "%s",
	    answer->canonical);
	if (told->then != NULL)
		told->then(told);
}

static void
ask_as(struct told *told, const char *name, enum dns_type type, bool fresh)
{
	unsigned before = told_count;

	told->query = port.start(port.self, name, type, fresh, tell, told);
	assert_int_equal(told_count, before); /* never before it returned */
}

static void
ask(struct told *told, const char *name)
{
	ask_as(told, name, DNS_TXT, false);
	assert_non_null(told->query);
}

static void
barked(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("the watchdog barked");
}

/* Runs the loop while *value is below wanted. */
static void
run_until(const unsigned *value, unsigned wanted)
{
	struct timeval limit = { WATCHDOG_S, 0 };
	struct event *watchdog = evtimer_new(base, barked, NULL);

	evtimer_add(watchdog, &limit);
	while (*value < wanted)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

static void
run_until_told(unsigned wanted)
{
	told_count = 0;
	run_until(&told_count, wanted);
}

/* Whatever is ready now, and what becomes ready by it. */
static void
run_ready(void)
{
	for (unsigned i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
run_ms(long ms)
{
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &limit);
	event_base_dispatch(base);
}

static void
asked_becomes(unsigned wanted)
{
	struct timeval limit = { WATCHDOG_S, 0 };
	struct event *watchdog = evtimer_new(base, barked, NULL);

	evtimer_add(watchdog, &limit);
	while (dns_server_asked(server) < wanted)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
resolver_begin(bool fake_clock, bool trusted, size_t n_upstreams)
{
	struct resolver_opts opts = { .n_upstreams = n_upstreams };

	for (size_t i = 0; i < n_upstreams; i++) {
		address_parse("127.0.0.1", &opts.upstreams[i].address);
		opts.upstreams[i].trusted_ad = trusted;
	}
	opts.upstreams[0].port = dns_server_port(server);
	if (n_upstreams > 1)
		opts.upstreams[1].port = dns_server_port(second);
	clock_now = fake_clock ? clock_new_fake(1000) : clock_new(base);
	resolver = resolver_new(base, clock_now, &opts);
	assert_non_null(resolver);
	port = resolver_port(resolver);
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	server = dns_server_new(base);
	second = dns_server_new(base);
	told_count = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	resolver_free(resolver);
	resolver = NULL;
	dns_server_free(server);
	dns_server_free(second);
	run_ready();
	clock_free(clock_now);
	event_base_free(base);
	return 0;
}

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
	run_until_told(5);
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
	run_until_told(2);
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
	run_until_told(1);
	assert_int_equal(ad.outcome, DNS_FOUND);
	assert_false(ad.secure);
	ask(&again, "ad.example");
	run_until_told(1);
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
	run_until_told(N);
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
	run_until_told(1);
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
	run_until_told(1);
	ask(&told, "servfail.example");
	run_until_told(1);
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
	run_until_told(1);
	assert_int_equal(told[2].outcome, DNS_FOUND);
	assert_in_range(now_ms() - begin_ms, 0, 1000);
	run_until_told(2);
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
	run_until_told(2);
	assert_int_equal(tiny.outcome, DNS_FOUND);
	assert_int_equal(other.outcome, DNS_FOUND);
}

/* Connections */

static void
a_closed_connection_costs_no_try(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "once.example");
	run_until_told(1);
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
		run_until_told(1);
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
	run_until_told(100);
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
	run_until_told(1000);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(told[i].outcome, DNS_TEMPFAIL);
		assert_string_equal(told[i].why,
		    "the resolver cannot be reached");
	}
	assert_in_range(now_ms() - begin_ms, 5900, 9000);
	assert_in_range(clock() - cpu, 0, 3 * CLOCKS_PER_SEC);

	dns_server_listen(server);
	ask(&told[0], "txt-0.example");
	run_until_told(1);
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
		run_until_told(1);
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
	run_until_told(1);
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
	run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	ask(&next, "txt.example");
	run_until_told(1);
	assert_int_equal(dns_server_asked(server), 1);
	assert_int_equal(dns_server_asked(second), 2);
}

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
	run_until_told(LIMIT_DNS_QUEUED + 1);
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
	run_until_told(LIMIT_DNS_QUERIES);
	assert_int_equal(dns_server_asked(server), 1);
	ask(&told[LIMIT_DNS_QUERIES], "txt.example");
	run_until_told(1);
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
	run_until_told(1);
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
	run_until_told(4);
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
	run_until_told(3);

	ask_as(&told[0], "slow-b.example", DNS_TXT, true);
	asked_becomes(3);
	ask(&told[1], "slow-b.example"); /* may join the fresh one */
	run_ready();
	assert_int_equal(dns_server_asked(server), 3);
	dns_server_answer_slow(server);
	run_until_told(2);
}

/* The cache, on a clock that is turned by hand */

static void
an_answer_lives_as_long_as_its_ttl(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	ask(&told, "txt.example");
	run_until_told(1);
	assert_int_equal(told.ttl_s, 300);
	clock_advance(clock_now, 299000);
	ask(&told, "txt.example");
	run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.ttl_s, 1);
	assert_int_equal(dns_server_asked(server), 1);
	clock_advance(clock_now, 1000);
	ask(&told, "txt.example");
	run_until_told(1);
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
		run_until_told(1);
		clock_advance(clock_now, 59999);
		ask(&told, names[i]);
		run_until_told(1);
		assert_int_equal(dns_server_asked(server), 2 * i + 1);
		clock_advance(clock_now, 1);
		ask(&told, names[i]);
		run_until_told(1);
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
	run_until_told(1);
	assert_int_equal(told.ttl_s, 0);
	clock_advance(clock_now, LIMIT_DNS_TTL_MIN_S * 1000 - 1);
	ask(&told, "txt-a.example");
	run_until_told(1);
	assert_int_equal(told.ttl_s, 0);
	assert_int_equal(dns_server_asked(server), 1);
	clock_advance(clock_now, 1);
	ask(&told, "txt-a.example");
	run_until_told(1);
	assert_int_equal(dns_server_asked(server), 2);

	dns_server_set_ttl(server, 1000000);
	ask(&told, "txt-b.example");
	run_until_told(1);
	assert_int_equal(told.ttl_s, 1000000);
	clock_advance(clock_now, LIMIT_DNS_TTL_MAX_S * 1000);
	ask(&told, "txt-b.example");
	run_until_told(1);
	assert_int_equal(dns_server_asked(server), 4);
}

static void
a_fresh_question_passes_the_cache_and_fills_it(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(true, true, 1);
	ask(&told, "txt.example");
	run_until_told(1);
	clock_advance(clock_now, 200000);
	ask_as(&told, "txt.example", DNS_TXT, true);
	run_until_told(1);
	assert_int_equal(dns_server_asked(server), 2);
	clock_advance(clock_now, 200000);
	ask(&told, "txt.example");
	run_until_told(1);
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
	run_until_told(1);
	assert_int_equal(dns_server_asked(server), 1);

	ask(&hit, "slow-asked.example");
	port.cancel(port.self, &hit.query);
	ask(&ended, "txt.example");
	ask(&other, "txt.example");
	port.cancel(port.self, &ended.query);
	run_until_told(1);
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
	run_until_told(1);
	for (size_t i = 0; i < 3; i++)
		peers[i].then = cancel_the_others;
	ask(&peers[0], "txt.example"); /* all three end in the same turn */
	ask(&peers[1], "txt.example");
	ask(&peers[2], "txt.example");
	run_until_told(1);
	run_ready();
	assert_int_equal(peers[0].times + peers[1].times + peers[2].times, 2);

	memset(peers, 0, sizeof(peers));
	for (size_t i = 0; i < 3; i++)
		peers[i].then = cancel_the_others;
	ask(&peers[0], "txt-b.example"); /* three askers of one question */
	ask(&peers[1], "txt-b.example");
	ask(&peers[2], "txt-b.example");
	run_until_told(1);
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
	run_until_told(10);
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
	run_until_told(1);
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

static void
a_slow_answer_in_time_is_taken(void **state)
{
	struct told told = { 0 };

	(void)state;
	resolver_begin(false, true, 1);
	ask(&told, "slow.example");
	run_ms(1500);
	dns_server_answer_slow(server);
	run_until_told(1);
	assert_int_equal(told.outcome, DNS_FOUND);
	assert_int_equal(dns_server_asked(server), 1);
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
		cmocka_unit_test_setup_teardown(a_slow_answer_in_time_is_taken,
		    setup, teardown),
	};

	return cmocka_run_group_tests_name("resolver", tests, NULL, NULL);
}
