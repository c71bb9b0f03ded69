/* SPDX-License-Identifier: ISC */
/*
 * The fetcher with many fetches: its pools, the laws of the port, and what
 * happens when this host lacks something.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/limits.h"
#include "tests/unit/test_fetch_lab.h"

/* Pools */

static void
an_address_has_at_most_four_connections_and_blocks_nobody_else(void **state)
{
	const struct https_script slow = { .reply = GOOD, .delay_ms = 100 };
	const struct https_script quick = { .reply = GOOD };
	struct https_server *popular = serve("127.0.0.1", 0, &slow);
	struct https_server *other = serve("127.0.0.2", popular->port, &quick);
	struct fetcher_opts opts = lab_opts(popular->port);
	struct told told[10], behind;

	(void)state;
	assert_non_null(other);
	fetcher_begin(&opts);
	for (size_t i = 0; i < 10; i++)
		start(&told[i], "example.com", "127.0.0.1");
	start(&behind, "example.com", "127.0.0.2");
	fetches_run_until_told(&behind);
	assert_int_equal(told[9].times, 0);
	for (size_t i = 0; i < 10; i++) {
		fetches_run_until_told(&told[i]);
		assert_string_equal(told[i].why, "");
	}
	assert_int_equal(popular->most_open, LIMIT_FETCH_PER_ADDRESS);
	assert_int_equal(popular->accepted, 10);
	https_server_free(popular);
	https_server_free(other);
}

#define TARPITS 80
#define ALL (TARPITS * LIMIT_FETCH_PER_ADDRESS)

/* TARPITS * 4 hosts that never answer, on as many addresses as that needs. */
struct tarpits {
	struct https_server *servers[TARPITS];
	struct told told[ALL];
};

static void
tarpits_open(struct tarpits *tarpits, const struct https_script *script,
    uint16_t server_port)
{
	char address[16];

	for (unsigned i = 0; i < TARPITS; i++) {
		snprintf(address, sizeof(address), "127.0.1.%u", i + 1);
		tarpits->servers[i] = serve(address, server_port, script);
		assert_non_null(tarpits->servers[i]);
	}
}

static void
tarpits_ask(struct tarpits *tarpits, unsigned n)
{
	char address[16], domain[32];

	memset(tarpits->told, 0, sizeof(tarpits->told));
	for (unsigned i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "127.0.1.%u",
		    i % TARPITS + 1);
		snprintf(domain, sizeof(domain), "tarpit%u.example", i);
		start(&tarpits->told[i], domain, address);
	}
}

static unsigned
tarpits_hold(const struct tarpits *tarpits)
{
	unsigned open = 0;

	for (size_t i = 0; i < TARPITS; i++) {
		assert_true(
		    tarpits->servers[i]->most_open <= LIMIT_FETCH_PER_ADDRESS);
		open += tarpits->servers[i]->open;
	}
	return open;
}

static void
tarpits_close(struct tarpits *tarpits)
{
	for (size_t i = 0; i < TARPITS; i++)
		https_server_free(tarpits->servers[i]);
}

static void
at_most_sixteen_without_an_answer_are_begun_at_once(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;

	(void)state;
	tarpits_open(&tarpits, &script, server->port);
	opts.handshake_ms = 100000;
	fetcher_begin(&opts);
	tarpits_ask(&tarpits, ALL);
	for (int turns = 0;
	     turns < 1000 && tarpits_hold(&tarpits) < LIMIT_FETCH_HANDSHAKES;
	     turns++)
		run_for(10);
	run_for(100); /* in which no other begins */
	assert_int_equal(tarpits_hold(&tarpits), LIMIT_FETCH_HANDSHAKES);
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

#define FIRST 200 /* of the tarpits */

static int64_t
one_good_fetch_ms(void)
{
	struct timespec begun, ended;
	struct told told;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	start(&told, "example.com", "127.0.0.1");
	fetches_run_until_told(&told);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_string_equal(told.why, "");
	return (ended.tv_sec - begun.tv_sec) * 1000 +
	    (ended.tv_nsec - begun.tv_nsec) / 1000000;
}

/*
 * On a machine that is busy with other things everything takes longer: how much
 * is seen from a fetch by itself, which takes a few milliseconds.
 */

static void
two_hundred_tarpits_hold_a_good_host_up_for_less_than_a_second(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;
	int64_t alone_ms;

	(void)state;
	tarpits_open(&tarpits, &script, server->port);
	fetcher_begin(&opts);
	one_good_fetch_ms(); /* the first one reads the certificates */
	alone_ms = one_good_fetch_ms();
	tarpits_ask(&tarpits, FIRST);
	assert_in_range(one_good_fetch_ms(), 0, 999 + 50 * alone_ms);
	assert_int_equal(tarpits_hold(&tarpits), FIRST);
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

static unsigned
count_told(const struct tarpits *tarpits)
{
	unsigned n = 0;

	for (size_t i = 0; i < ALL; i++)
		if (tarpits->told[i].times > 0) {
			assert_int_equal(tarpits->told[i].result,
			    RESULT_STS_POLICY_FETCH_ERROR);
			n++;
		}
	return n;
}

static void
more_tarpits_than_places_starve_nobody(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;
	struct told told;

	(void)state;
	opts.slow_ms = 50;
	tarpits_open(&tarpits, &script, server->port);
	fetcher_begin(&opts);
	tarpits_ask(&tarpits, ALL);
	for (int i = 0; i < 3; i++) {
		start(&told, "example.com", "127.0.0.1");
		fetches_run_until_told(&told);
		assert_string_equal(told.why, "");
	}
	/* To have made room for others is no failure of a host. */
	assert_int_equal(count_told(&tarpits), 0);
	assert_in_range(tarpits_hold(&tarpits), LIMIT_FETCH_SLOW,
	    LIMIT_FETCH_AT_ONCE);
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

static void
who_makes_room_again_and_again_ends_by_the_deadline(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;

	(void)state;
	opts.slow_ms = 50;
	opts.deadline_ms = 1000;
	tarpits_open(&tarpits, &script, server->port);
	fetcher_begin(&opts);
	tarpits_ask(&tarpits, ALL);
	for (size_t i = 0; i < ALL; i++)
		fetches_run_until_told(&tarpits.told[i]);
	assert_int_equal(count_told(&tarpits), ALL);
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

static void
a_slow_fetch_holds_only_the_address_it_is_connected_to(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *tarpit = serve("127.0.0.1", 0, &script);
	struct https_server *server =
	    serve("127.0.0.2", tarpit->port, &good_script);
	struct fetcher_opts opts = lab_opts(tarpit->port);
	struct address addresses[2];
	struct fetch_request request = { "evil.example", addresses, 2 };
	struct told evil[LIMIT_FETCH_PER_ADDRESS], told;

	(void)state;
	address_parse("127.0.0.1", &addresses[0]);
	address_parse("127.0.0.2", &addresses[1]);
	opts.slow_ms = 50;
	fetcher_begin(&opts);
	memset(evil, 0, sizeof(evil));
	for (size_t i = 0; i < LIMIT_FETCH_PER_ADDRESS; i++)
		evil[i].fetch =
		    lab.port.start(lab.port.self, &request, tell, &evil[i]);
	start(&told, "example.com", "127.0.0.2");
	fetches_run_until_told(&told);
	assert_string_equal(told.why, "");
	assert_int_equal(evil[0].times, 0);
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	https_server_free(tarpit);
	https_server_free(server);
}

static void
the_queue_has_an_end(void **state)
{
	struct fetcher_opts opts = lab_opts(1);
	struct address address;
	struct fetch_request request = { "example.com", &address, 1 };
	struct fetch *first = NULL, *fetch;
	struct told told;

	(void)state;
	address_parse("127.0.0.1", &address);
	fetcher_begin(&opts);
	for (size_t i = 0; i < LIMIT_FETCH_QUEUED; i++) {
		fetch = lab.port.start(lab.port.self, &request, tell, &told);
		assert_non_null(fetch);
		if (first == NULL)
			first = fetch;
	}
	assert_null(lab.port.start(lab.port.self, &request, tell, &told));
	lab.port.cancel(lab.port.self, &first);
	assert_non_null(lab.port.start(lab.port.self, &request, tell, &told));
}

/* The laws of the port */

static void
cancel_is_safe_in_every_state(void **state)
{
	const struct https_script script = { .reply = OK TEXT_PLAIN
		"Content-Length: 42\r\n\r\nversion:",
		.manner = HTTPS_LEAVE };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told;

	(void)state;
	opts.slow_ms = 100;
	fetcher_begin(&opts);
	told.fetch = NULL;
	lab.port.cancel(lab.port.self, &told.fetch);
	/* Waiting; connecting; young and answered; slow. */
	for (unsigned ms = 0; ms < 200; ms = ms * 3 + 1) {
		start(&told, "example.com", "127.0.0.1");
		if (ms > 0)
			run_for(ms);
		lab.port.cancel(lab.port.self, &told.fetch);
		assert_null(told.fetch);
		lab.port.cancel(lab.port.self, &told.fetch);
		run_for(10);
		/* The server learns of it in its own time. */
		for (int turns = 0; server->open > 0 && turns < 500; turns++)
			run_for(10);
		assert_int_equal(told.times, 0);
		assert_int_equal(server->open, 0);
	}
	/* Finished, but not told yet. */
	opts.rules.allow_internal = false;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	lab.port.cancel(lab.port.self, &told.fetch);
	run_for(10);
	assert_int_equal(told.times, 0);
	https_server_free(server);
}

struct canceller {
	struct told own;
	struct told *others;
	size_t n_others;
	struct told next; /* started from within done */
	bool done;
};

static void
tell_and_cancel(const struct fetch_result *result, void *arg)
{
	struct canceller *canceller = arg;

	tell(result, &canceller->own);
	for (size_t i = 0; i < canceller->n_others; i++)
		lab.port.cancel(lab.port.self, &canceller->others[i].fetch);
	start(&canceller->next, "example.com", "127.0.0.1");
}

static void
a_done_callback_may_cancel_others_and_start_anew(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct address address;
	struct fetch_request request = { "example.com", &address, 1 };
	struct told others[8];
	struct canceller canceller = { .others = others, .n_others = 8 };

	(void)state;
	address_parse("127.0.0.1", &address);
	/* First all are finished at the same time, then they still run. */
	for (int allowed = 0; allowed < 2; allowed++) {
		opts.rules.allow_internal = allowed != 0;
		fetcher_begin(&opts);
		memset(&canceller.own, 0, sizeof(canceller.own));
		canceller.own.fetch = lab.port.start(lab.port.self, &request,
		    tell_and_cancel, &canceller);
		for (size_t i = 0; i < 8; i++)
			start(&others[i], "example.com", "127.0.0.1");
		fetches_run_until_told(&canceller.own);
		fetches_run_until_told(&canceller.next);
		for (size_t i = 0; i < 8; i++)
			assert_true(
			    others[i].times == 0 || others[i].fetch == NULL);
		if (!allowed)
			assert_int_equal(others[7].times, 0);
	}
	https_server_free(server);
}

static void
a_fetcher_may_be_freed_while_fetches_run(void **state)
{
	const struct https_script script = { .manner = HTTPS_LEAVE };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told[9];

	(void)state;
	fetcher_begin(&opts);
	for (size_t i = 0; i < 8; i++)
		start(&told[i], "example.com", "127.0.0.1");
	run_for(100);
	start(&told[8], "example.com", "127.0.0.1");
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	run_for(10);
	for (int turns = 0; server->open > 0 && turns < 500; turns++)
		run_for(10);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(told[i].times, 0);
	assert_int_equal(server->open, 0);
	fetcher_free(NULL);
	https_server_free(server);
}

/* What lacks here is no fact about the host. */

static void
a_lack_of_descriptors_is_waited_out(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct rlimit old, none;
	struct told told;

	(void)state;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run_for(100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(told.times, 0);
	fetches_run_until_told(&told);
	assert_string_equal(told.why, "");
	https_server_free(server);
}

static void
a_lack_of_memory_for_events_is_waited_out(void **state)
{
	const struct https_script script = { .reply = GOOD, .delay_ms = 50 };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told[2];

	(void)state;
	fetcher_begin(&opts);
	start(&told[0], "example.com", "127.0.0.1");
	start(&told[1], "example.com", "127.0.0.1");
	evconnlistener_disable(server->listener); /* it shares our memory */
	lab.no_memory = true;
	for (int i = 0; i < 20; i++)
		event_base_loop(lab.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	lab.no_memory = false;
	evconnlistener_enable(server->listener);
	assert_int_equal(told[0].times + told[1].times, 0);
	fetches_run_until_told(&told[0]);
	fetches_run_until_told(&told[1]);
	assert_string_equal(told[0].why, "");
	assert_string_equal(told[1].why, "");
	assert_int_equal(server->accepted, 4); /* each began anew */
	https_server_free(server);
}

static void
no_thread_was_started(void **state)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	(void)state;
	if (tasks == NULL)
		skip(); /* no Linux */
	for (struct dirent *d; (d = readdir(tasks)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(tasks);
	assert_int_equal(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(
		    an_address_has_at_most_four_connections_and_blocks_nobody_else),
		FETCH_TEST(at_most_sixteen_without_an_answer_are_begun_at_once),
		FETCH_TEST(
		    two_hundred_tarpits_hold_a_good_host_up_for_less_than_a_second),
		FETCH_TEST(more_tarpits_than_places_starve_nobody),
		FETCH_TEST(who_makes_room_again_and_again_ends_by_the_deadline),
		FETCH_TEST(
		    a_slow_fetch_holds_only_the_address_it_is_connected_to),
		FETCH_TEST(the_queue_has_an_end),
		FETCH_TEST(cancel_is_safe_in_every_state),
		FETCH_TEST(a_done_callback_may_cancel_others_and_start_anew),
		FETCH_TEST(a_fetcher_may_be_freed_while_fetches_run),
		FETCH_TEST(a_lack_of_descriptors_is_waited_out),
		FETCH_TEST(a_lack_of_memory_for_events_is_waited_out),
		FETCH_TEST(no_thread_was_started),
	};

	return cmocka_run_group_tests_name("fetch_pools", tests, fetch_lab_open,
	    fetch_lab_close);
}
