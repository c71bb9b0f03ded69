/* SPDX-License-Identifier: ISC */
/*
 * The link to the engine, twice: as the client of a daemon that the test plays
 * on a Unix socket, with a clock turned by hand; and with a private engine, the
 * program fake_engine.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "filter/engine_link.h"
#include "tests/unit/scratch.h"

#define ANSWER_MS 35000
#define SAFETY_S 20

static struct event_base *base;
static struct clock *test_clock;
static struct engine_link *test_link;
static int listener, server;

/* What was told to an asker. */
struct told {
	int calls;
	bool away;
	enum query_word word;
	char text[256];
	struct link_ask *again; /* asked from within, when link is set */
	bool ask_again;
};

static void
note(const struct link_answer *answer, void *arg)
{
	struct told *told = arg;

	told->calls++;
	told->away = answer->away;
	told->word = answer->word;
	span_copy(answer->text, told->text, sizeof(told->text));
	if (told->ask_again && told->calls < 3)
		told->again = engine_link_ask(test_link, QUERY_RCPT,
		    span_of("again@a.test"), note, told);
}

static struct link_ask *
ask(const char *mailbox, struct told *told)
{
	struct link_ask *handle = engine_link_ask(test_link, QUERY_RCPT,
	    span_of(mailbox), note, told);

	assert_int_equal(told->calls, 0);
	return handle;
}

/* All that can happen now, in this process and at this time, happens. */
static void
settle(void)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The daemon's side */

static void
daemon_open(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(listener >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    scratch_path("sock"));
	unlink(address.sun_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	assert_int_equal(listen(listener, 8), 0);
}

static bool
daemon_accept(void)
{
	server = accept(listener, NULL, NULL);
	if (server >= 0)
		assert_int_equal(fcntl(server, F_SETFL, O_NONBLOCK), 0);
	return server >= 0;
}

static void
daemon_say(const char *text)
{
	assert_int_equal(write(server, text, strlen(text)), strlen(text));
	settle();
}

static const char *
daemon_hear(void)
{
	static char heard[65536];
	ssize_t n = read(server, heard, sizeof(heard) - 1);

	heard[n < 0 ? 0 : n] = '\0';
	return heard;
}

static void
daemon_hang_up(void)
{
	close(server);
	server = -1;
	settle();
}

static int
begin(void **state)
{
	struct engine_link_opts opts = { .answer_ms = ANSWER_MS };

	if (scratch_make(state) != 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	server = -1;
	base = event_base_new();
	test_clock = clock_new_fake(1000000000);
	clock_advance(test_clock, 1000);
	daemon_open();
	opts.socket = strdup(scratch_path("sock"));
	test_link = engine_link_new(base, test_clock, &opts);
	*state = (void *)(uintptr_t)opts.socket;
	return test_link == NULL;
}

static int
end(void **state)
{
	engine_link_free(test_link);
	clock_free(test_clock);
	event_base_free(base);
	if (server >= 0)
		close(server);
	close(listener);
	free(*state);
	return scratch_remove(state);
}

static void
greet(void)
{
	assert_true(daemon_accept());
	daemon_say(QUERY_GREETING "\n");
}

static void
answers_find_their_asks_in_any_order(void **state)
{
	struct told a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	greet();
	assert_non_null(ask("a@a.test", &a));
	assert_non_null(ask("b|b@b.test", &b));
	assert_non_null(ask("c@c.test", &c));
	settle();
	assert_string_equal(daemon_hear(),
	    "1 rcpt a@a.test\n2 rcpt b|b@b.test\n3 rcpt c@c.test\n");
	daemon_say("3 reject 550 5.7.5 no\n1 proceed\n2 def");
	assert_int_equal(b.calls, 0);
	daemon_say("er 451 4.7.5 later\n");
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.word, QUERY_PROCEED);
	assert_string_equal(b.text, "451 4.7.5 later");
	assert_int_equal(b.word, QUERY_DEFER);
	assert_int_equal(c.word, QUERY_REJECT);
	assert_string_equal(c.text, "550 5.7.5 no");
	assert_false(a.away || b.away || c.away);
}

static void
every_verb_can_be_asked(void **state)
{
	struct told a = { 0 }, b = { 0 };

	(void)state;
	greet();
	assert_non_null(engine_link_ask(test_link, QUERY_EXPLAIN,
	    span_of("a@a.test"), note, &a));
	assert_non_null(
	    engine_link_ask(test_link, QUERY_PING, span_of(""), note, &b));
	settle();
	assert_string_equal(daemon_hear(), "1 explain a@a.test\n2 ping\n");
	daemon_say("1 facts {}\n2 pong\n");
	assert_int_equal(a.word, QUERY_FACTS);
	assert_string_equal(a.text, "{}");
	assert_int_equal(b.word, QUERY_PONG);
}

static void
asks_before_the_first_greeting_wait_for_it(void **state)
{
	struct told a = { 0 };

	(void)state;
	assert_non_null(ask("a@a.test", &a));
	settle();
	assert_int_equal(a.calls, 0);
	greet();
	daemon_say("1 proceed\n");
	assert_int_equal(a.calls, 1);
	assert_false(a.away);
}

static void
fifty_that_wait_are_away_when_the_connection_is_lost(void **state)
{
	struct told told[50] = { { 0 } };

	(void)state;
	greet();
	for (size_t i = 0; i < 50; i++)
		assert_non_null(ask("a@a.test", &told[i]));
	settle();
	daemon_hang_up();
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(told[i].calls, 1);
		assert_true(told[i].away);
	}
}

static void
without_a_connection_an_ask_is_away_from_the_loop(void **state)
{
	struct told a = { 0 }, b = { 0 };

	(void)state;
	greet();
	daemon_hang_up();
	assert_non_null(ask("a@a.test", &a));
	settle();
	assert_int_equal(a.calls, 1);
	assert_true(a.away);
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS);
	assert_true(daemon_accept()); /* not greeted: not first any more */
	assert_non_null(ask("b@b.test", &b));
	settle();
	assert_int_equal(b.calls, 1);
	assert_true(b.away);
}

static void
after_a_loss_it_connects_again_and_old_answers_are_dropped(void **state)
{
	struct told a = { 0 }, b = { 0 };

	(void)state;
	greet();
	assert_non_null(ask("a@a.test", &a));
	daemon_hang_up();
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS - 1);
	assert_false(daemon_accept());
	clock_advance(test_clock, 1);
	greet();
	assert_non_null(ask("b@b.test", &b));
	settle();
	assert_string_equal(daemon_hear(), "2 rcpt b@b.test\n");
	daemon_say("1 proceed\n2 defer 451 x\n");
	assert_int_equal(a.calls, 1);
	assert_true(a.away);
	assert_int_equal(b.calls, 1);
	assert_int_equal(b.word, QUERY_DEFER);
}

/* Loses the connection and returns after how many ms there is a new one. */
static int64_t
time_to_reconnect(void)
{
	int64_t before = clock_mono_ms(test_clock);

	daemon_hang_up();
	while (!daemon_accept())
		clock_advance(test_clock, 50);
	settle();
	return clock_mono_ms(test_clock) - before;
}

static void
back_off_doubles_up_to_its_end_and_an_answer_resets_it(void **state)
{
	static const int64_t expected[] = { 100, 200, 400, 800, 1600, 3200,
		6400, 10000, 10000 };
	struct told a = { 0 };

	(void)state;
	greet();
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(time_to_reconnect(), expected[i]);
	daemon_say(QUERY_GREETING "\n"); /* a greeting alone does not */
	assert_int_equal(time_to_reconnect(), 10000);
	daemon_say(QUERY_GREETING "\n");
	assert_non_null(ask("a@a.test", &a));
	settle();
	daemon_say("1 proceed\n");
	assert_int_equal(a.calls, 1);
	assert_int_equal(time_to_reconnect(), 100);
}

static void
an_ask_that_is_not_answered_in_time_is_away_and_the_late_answer_dropped(
    void **state)
{
	struct told a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	greet();
	assert_non_null(ask("silent@a.test", &a));
	clock_advance(test_clock, 1000);
	assert_non_null(ask("b@b.test", &b));
	settle();
	daemon_say("2 proceed\n");
	clock_advance(test_clock, ANSWER_MS - 1001);
	settle();
	assert_int_equal(a.calls, 0);
	assert_non_null(ask("c@c.test", &c));
	clock_advance(test_clock, 1);
	settle();
	assert_int_equal(a.calls, 1);
	assert_true(a.away);
	daemon_say("1 proceed\n3 proceed\n");
	assert_int_equal(a.calls, 1);
	assert_int_equal(c.calls, 1); /* still the same connection */
	assert_false(c.away);
}

static void
an_engine_that_says_nothing_at_all_in_that_time_is_given_up(void **state)
{
	struct told a = { 0 }, b = { 0 };

	(void)state;
	greet();
	clock_advance(test_clock, 1);
	assert_non_null(ask("a@a.test", &a));
	clock_advance(test_clock, ANSWER_MS - 1);
	assert_non_null(ask("b@b.test", &b));
	clock_advance(test_clock, 1);
	settle();
	assert_true(a.away && b.away);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS);
	close(server);
	assert_true(daemon_accept());
}

static void
a_wrong_or_missing_greeting_is_a_lost_connection(void **state)
{
	struct told a = { 0 }, b = { 0 };

	(void)state;
	assert_non_null(ask("a@a.test", &a));
	assert_true(daemon_accept());
	clock_advance(test_clock, ANSWER_MS);
	settle();
	assert_true(a.away);
	close(server);
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS);
	assert_true(daemon_accept());
	daemon_say("strictmx-query 2\n");
	assert_non_null(ask("b@b.test", &b));
	settle();
	assert_true(b.away);
	close(server);
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS * 2);
	greet();
}

static void
garbage_and_unknown_ids_are_passed_over(void **state)
{
	struct told a = { 0 };

	(void)state;
	greet();
	assert_non_null(ask("a@a.test", &a));
	settle();
	daemon_say("\n \nnonsense\n99 proceed\n- error who\n1x proceed\n"
		   "99999999999999999999 proceed\n1\n1 what\n");
	assert_int_equal(a.calls, 0);
	daemon_say("1 proceed\r\n");
	assert_int_equal(a.calls, 1);
	assert_false(a.away);
	daemon_say("1 proceed\n");
	assert_int_equal(a.calls, 1);
}

static void
an_answer_without_end_is_a_lost_connection(void **state)
{
	static char much[65536];
	struct told a = { 0 };
	size_t sent = 0;
	ssize_t n;

	(void)state;
	greet();
	assert_non_null(ask("a@a.test", &a));
	memset(much, 'x', sizeof(much));
	while (!a.away && sent < 2 * LIMIT_ENGINE_ANSWER) {
		n = send(server, much, sizeof(much), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		settle();
	}
	assert_true(a.away);
	assert_true(sent > LIMIT_ENGINE_ANSWER);
}

static void
a_cancelled_ask_is_told_nothing(void **state)
{
	struct told a = { 0 }, b = { 0 };
	struct link_ask *handle;

	(void)state;
	greet();
	handle = ask("a@a.test", &a);
	settle();
	engine_link_cancel(&handle);
	assert_null(handle);
	engine_link_cancel(&handle);
	daemon_say("1 proceed\n");
	daemon_hang_up();
	handle = ask("b@b.test", &b); /* about to be told that it is away */
	engine_link_cancel(&handle);
	settle();
	assert_int_equal(a.calls, 0);
	assert_int_equal(b.calls, 0);
}

static void
who_asks_again_from_its_answer_is_served(void **state)
{
	struct told a = { .ask_again = true };

	(void)state;
	greet();
	assert_non_null(ask("a@a.test", &a));
	settle();
	daemon_say("1 proceed\n");
	assert_int_equal(a.calls, 1);
	daemon_hang_up(); /* away, asks again, away */
	assert_int_equal(a.calls, 3);
}

static void
what_no_request_can_hold_is_not_asked(void **state)
{
	char mailbox[QUERY_REQUEST_MAX + 1];
	struct told a = { 0 };

	(void)state;
	greet();
	memset(mailbox, 'x', sizeof(mailbox));
	mailbox[QUERY_REQUEST_MAX] = '\0';
	assert_null(ask(mailbox, &a));
	assert_null(ask("a@b.test\n2 ping", &a));
	assert_null(ask("", &a));
	settle();
	assert_int_equal(a.calls, 0);
	assert_string_equal(daemon_hear(), "");
}

static void
the_number_that_wait_is_bounded(void **state)
{
	static struct link_ask *handles[LIMIT_ENGINE_ASKS];
	struct told a = { 0 };

	(void)state;
	greet();
	for (size_t i = 0; i < LIMIT_ENGINE_ASKS; i++) {
		handles[i] = ask("a@a.test", &a);
		assert_non_null(handles[i]);
	}
	assert_null(ask("a@a.test", &a));
	engine_link_cancel(&handles[7]);
	handles[7] = ask("a@a.test", &a);
	assert_non_null(handles[7]);
	for (size_t i = 0; i < LIMIT_ENGINE_ASKS; i++)
		engine_link_cancel(&handles[i]);
}

static void
what_the_engine_does_not_read_is_bounded(void **state)
{
	char mailbox[QUERY_REQUEST_MAX - 20];
	struct link_ask *handle;
	struct told a = { 0 };
	size_t n = 0;

	(void)state;
	greet();
	memset(mailbox, 'x', sizeof(mailbox));
	mailbox[sizeof(mailbox) - 1] = '\0';
	while ((handle = ask(mailbox, &a)) != NULL) {
		engine_link_cancel(&handle);
		assert_true(++n < 2 * LIMIT_ENGINE_OUTPUT / sizeof(mailbox));
	}
	assert_true(n * (QUERY_REQUEST_MAX + 1) >= LIMIT_ENGINE_OUTPUT);
}

static void
a_daemon_that_is_not_there_is_tried_again(void **state)
{
	struct engine_link_opts opts = { .answer_ms = ANSWER_MS };
	struct told a = { 0 };

	(void)state;
	engine_link_free(test_link);
	opts.socket = scratch_path("later");
	test_link = engine_link_new(base, test_clock, &opts);
	assert_non_null(ask("a@a.test", &a));
	settle();
	assert_true(a.away);
	assert_int_equal(rename(scratch_path("sock"), opts.socket), 0);
	while (daemon_accept()) /* that of the link that is no more */
		close(server);
	clock_advance(test_clock, LIMIT_RESTART_MIN_MS);
	greet();
	engine_link_free(test_link);
	test_link = NULL;
}

/* A private engine, and real time */

static void
too_long(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("nothing came in %d s", SAFETY_S);
}

static struct event *safety;

static const char *
engine_path(void)
{
	static char path[512];
	const char *dir = getenv("builddir");

	snprintf(path, sizeof(path), "%s/tests/unit/fake_engine",
	    dir == NULL ? "." : dir);
	return path;
}

static int
begin_private(void **state)
{
	struct timeval limit = { .tv_sec = SAFETY_S };

	if (scratch_make(state) != 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	test_clock = clock_new(base);
	safety = evtimer_new(base, too_long, NULL);
	return evtimer_add(safety, &limit);
}

static int
end_private(void **state)
{
	engine_link_free(test_link);
	event_free(safety);
	clock_free(test_clock);
	event_base_free(base);
	return scratch_remove(state);
}

static void
start_private(const char *program, const char *config_file)
{
	struct engine_link_opts opts = { .program = program,
		.config_file = config_file,
		.answer_ms = ANSWER_MS };

	test_link = engine_link_new(base, test_clock, &opts);
	assert_non_null(test_link);
}

static struct told
ask_and_wait(const char *mailbox)
{
	struct told told = { 0 };

	assert_non_null(ask(mailbox, &told));
	while (told.calls == 0)
		event_base_loop(base, EVLOOP_ONCE);
	return told;
}

static struct told
ask_until_it_is_back(const char *mailbox)
{
	struct told told = ask_and_wait(mailbox);

	while (told.away)
		told = ask_and_wait(mailbox);
	return told;
}

static void
a_private_engine_answers_the_first_ask(void **state)
{
	struct told told;

	(void)state;
	start_private(engine_path(), NULL);
	told = ask_and_wait("u@defer.test");
	assert_int_equal(told.calls, 1);
	assert_false(told.away);
	assert_string_equal(told.text, "451 4.7.5 policy of defer.test");
	assert_string_equal(ask_and_wait("u@config.test").text, "451 config ");
}

static void
a_private_engine_gets_no_descriptor_but_its_own(void **state)
{
	int extra = open("/dev/null", O_RDONLY), high;

	(void)state;
	high = fcntl(extra, F_DUPFD, 200);
	start_private(engine_path(), NULL);
	assert_string_equal(ask_and_wait("u@fds.test").text, "451 fds 0,1,2,3");
	close(extra);
	close(high);
}

static void
a_private_engine_reads_the_same_configuration(void **state)
{
	(void)state;
	start_private(engine_path(), "/etc/some.conf");
	assert_string_equal(ask_and_wait("u@config.test").text,
	    "451 config some.conf");
}

static void
a_private_engine_that_dies_is_started_again(void **state)
{
	struct told waiting = { 0 }, told;
	char first[256];

	(void)state;
	start_private(engine_path(), NULL);
	memcpy(first, ask_and_wait("u@pid.test").text, sizeof(first));
	assert_non_null(ask("u@silent.test", &waiting));
	told = ask_and_wait("u@die.test");
	assert_true(told.away);
	assert_int_equal(waiting.calls, 1);
	assert_true(waiting.away);
	told = ask_until_it_is_back("u@pid.test");
	assert_string_not_equal(told.text, first);
}

static void
a_program_that_cannot_be_executed_is_an_engine_away(void **state)
{
	(void)state;
	start_private("/nonexistent/strictmxd", NULL);
	assert_true(ask_and_wait("u@good.test").away);
	assert_true(ask_and_wait("u@good.test").away);
}

static void
sighup_is_passed_on_to_a_private_engine(void **state)
{
	struct told told;

	(void)state;
	start_private(engine_path(), NULL);
	assert_string_equal(ask_and_wait("u@hangups.test").text,
	    "451 hangups 0");
	engine_link_reload(test_link, ANSWER_MS);
	do
		told = ask_and_wait("u@hangups.test");
	while (strcmp(told.text, "451 hangups 0") == 0);
	assert_string_equal(told.text, "451 hangups 1");
}

static pid_t
engine_pid(void)
{
	long pid = 0;

	assert_int_equal(sscanf(ask_and_wait("u@pid.test").text, "451 pid %ld",
			     &pid),
	    1);
	return (pid_t)pid;
}

static void
a_private_engine_ends_with_the_link(void **state)
{
	const char *trace = scratch_write("trace", "");
	char text[16] = "";
	pid_t pid;
	int fd;

	(void)state;
	start_private(engine_path(), trace);
	pid = engine_pid();
	engine_link_free(test_link);
	test_link = NULL;
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	fd = open(trace, O_RDONLY); /* not by a signal */
	assert_int_equal(read(fd, text, sizeof(text) - 1), 5);
	assert_string_equal(text, "ended");
	close(fd);
}

static void
a_private_engine_that_will_not_end_is_killed(void **state)
{
	pid_t pid;

	(void)state;
	start_private(engine_path(), "stubborn");
	pid = engine_pid();
	engine_link_free(test_link);
	test_link = NULL;
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

#define DAEMON(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define PRIVATE(name)                                                          \
	cmocka_unit_test_setup_teardown(name, begin_private, end_private)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DAEMON(answers_find_their_asks_in_any_order),
		DAEMON(every_verb_can_be_asked),
		DAEMON(asks_before_the_first_greeting_wait_for_it),
		DAEMON(fifty_that_wait_are_away_when_the_connection_is_lost),
		DAEMON(without_a_connection_an_ask_is_away_from_the_loop),
		DAEMON(
		    after_a_loss_it_connects_again_and_old_answers_are_dropped),
		DAEMON(back_off_doubles_up_to_its_end_and_an_answer_resets_it),
		DAEMON(
		    an_ask_that_is_not_answered_in_time_is_away_and_the_late_answer_dropped),
		DAEMON(
		    an_engine_that_says_nothing_at_all_in_that_time_is_given_up),
		DAEMON(a_wrong_or_missing_greeting_is_a_lost_connection),
		DAEMON(garbage_and_unknown_ids_are_passed_over),
		DAEMON(an_answer_without_end_is_a_lost_connection),
		DAEMON(a_cancelled_ask_is_told_nothing),
		DAEMON(who_asks_again_from_its_answer_is_served),
		DAEMON(what_no_request_can_hold_is_not_asked),
		DAEMON(the_number_that_wait_is_bounded),
		DAEMON(what_the_engine_does_not_read_is_bounded),
		DAEMON(a_daemon_that_is_not_there_is_tried_again),
		PRIVATE(a_private_engine_answers_the_first_ask),
		PRIVATE(a_private_engine_gets_no_descriptor_but_its_own),
		PRIVATE(a_private_engine_reads_the_same_configuration),
		PRIVATE(a_private_engine_that_dies_is_started_again),
		PRIVATE(a_program_that_cannot_be_executed_is_an_engine_away),
		PRIVATE(sighup_is_passed_on_to_a_private_engine),
		PRIVATE(a_private_engine_ends_with_the_link),
		PRIVATE(a_private_engine_that_will_not_end_is_killed),
	};

	return cmocka_run_group_tests_name("engine_link", tests, NULL, NULL);
}
