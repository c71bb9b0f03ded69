/* SPDX-License-Identifier: ISC */
/*
 * The program strictmx as a process: verbs, exit status, and "ask" towards a
 * real engine (for recipients that need no network) and towards a daemon that
 * this test plays.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter/unix_listen.h"
#include "tests/unit/program.h"
#include "tests/unit/scratch.h"

#define LITERAL "u@[192.0.2.1]"
#define LITERAL_TEXT LITERAL ": proceed\n  address literal: no policy applies\n"

static struct program tool, engine;
static struct unix_listen *file;
static int listener = -1;
static char socket_path[512], conf[512];

static int
setup(void **state)
{
	char text[2048];

	signal(SIGPIPE, SIG_IGN);
	/* A daemon that root starts becomes nobody. */
	if (scratch_make(state) == -1 || chmod(scratch_path("."), 0777) == -1)
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s", scratch_path("q"));
	snprintf(text, sizeof(text),
	    "socket = \"%s\"\nstate-dir = \"%s\"\nhostname = me.test\n"
	    "resolver = {\"127.0.0.1:9\"}\nlog-level = warning\n"
	    "deadline = 1\nuser = nobody\n",
	    socket_path, scratch_path("state"));
	snprintf(conf, sizeof(conf), "%s", scratch_write("conf", text));
	memset(&tool, 0, sizeof(tool));
	tool.name = "filter/strictmx";
	engine = tool;
	engine.name = "filter/strictmxd";
	return 0;
}

static int
teardown(void **state)
{
	program_kill(&tool);
	program_kill(&engine);
	if (listener != -1)
		close(listener);
	listener = -1;
	unix_listen_free(file);
	file = NULL;
	return scratch_remove(state);
}

/* strictmx ask -f CONF, and what stands in the arguments up to a NULL. */
static void
prepare(const char *const *args)
{
	size_t n = 3;

	memset(tool.args, 0, sizeof(tool.args));
	tool.args[0] = "ask";
	tool.args[1] = "-f";
	tool.args[2] = conf;
	while (*args != NULL)
		tool.args[n++] = *args++;
}

static int
ask(const char *a, const char *b, const char *c, const char *d)
{
	const char *const args[] = { a, b, c, d, NULL };

	prepare(args);
	return program_run(&tool);
}

static void
assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* The call. */

static void
without_a_verb_it_is_a_wrong_call(void **state)
{
	(void)state;
	assert_int_equal(program_run(&tool), 2);
	assert_in(program_complained(), "usage: strictmx VERB");
	assert_string_equal(program_said(), "");
}

static void
an_unknown_verb_is_a_wrong_call(void **state)
{
	static const char *const bad[] = { "fly", "", "-x", "--ask", "as" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tool.args[0] = bad[i];
		assert_int_equal(program_run(&tool), 2);
		assert_in(program_complained(), "no verb '");
		assert_in(program_complained(), "usage: strictmx VERB");
		assert_string_equal(program_said(), "");
	}
}

static void
help_and_version_are_told_on_standard_output(void **state)
{
	static const char *const calls[][3] = {
		{ "-h", NULL, "usage: strictmx VERB" },
		{ "--help", NULL, "usage: strictmx VERB" },
		{ "-V", NULL, "strictmx " },
		{ "--version", NULL, "strictmx " },
		{ "ask", "--help", "usage: strictmx ask" },
		{ "ask", "-h", "usage: strictmx ask" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		tool.args[0] = calls[i][0];
		tool.args[1] = calls[i][1];
		assert_int_equal(program_run(&tool), 0);
		assert_memory_equal(program_said(), calls[i][2],
		    strlen(calls[i][2]));
		assert_string_equal(program_complained(), "");
	}
}

static void
ask_without_a_recipient_is_a_wrong_call(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL, NULL, NULL, NULL), 2);
	assert_in(program_complained(), "usage: strictmx ask");
	assert_int_equal(ask("-x", LITERAL, NULL, NULL), 2);
	assert_in(program_complained(), "usage: strictmx ask");
	assert_int_equal(ask(LITERAL, "-s", NULL, NULL), 2);
	assert_string_equal(program_said(), "");
}

static void
a_broken_configuration_is_2(void **state)
{
	(void)state;
	scratch_write("conf", "\nbogus = 1\n");
	assert_int_equal(ask(LITERAL, NULL, NULL, NULL), 2);
	assert_in(program_complained(), "conf:2: unknown key 'bogus'");
}

/* With an engine. */

static void
it_starts_an_engine_where_no_daemon_runs(void **state)
{
	(void)state;
	assert_int_equal(ask("-e", program_path("filter/strictmxd"), LITERAL,
			     NULL),
	    0);
	assert_string_equal(program_said(), LITERAL_TEXT);
	assert_string_equal(program_complained(), "");
	assert_int_equal(access(socket_path, F_OK), -1);
	assert_int_equal(access(scratch_path("state"), F_OK), -1);
}

static void
json_is_one_object_on_a_line_for_each_recipient(void **state)
{
	const char *const args[] = { "-e", program_path("filter/strictmxd"),
		"-j", LITERAL, "postmaster", "u@example.test", NULL };
	const char *text;
	json_t *facts;

	(void)state;
	prepare(args);
	assert_int_equal(program_run(&tool), 0);
	text = program_said();
	for (int i = 0; i < 3; i++) {
		size_t len = strcspn(text, "\n");

		facts = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_is_object(facts));
		assert_string_equal(json_string_value(
					json_object_get(facts, "action")),
		    "proceed");
		json_decref(facts);
		assert_int_equal(text[len], '\n');
		text += len + 1;
	}
	assert_string_equal(text, "");
}

static void
facts_are_told_to_people_too(void **state)
{
	(void)state;
	/* Nobody answers there: the record is not known. */
	assert_int_equal(ask("-e", program_path("filter/strictmxd"),
			     "u@example.test", NULL),
	    0);
	assert_in(program_said(), "u@example.test: proceed\n");
	assert_in(program_said(), "\n  record  unknown, id -");
	assert_in(program_said(), "\n  policy  unknown\n");
	assert_in(program_said(), "\n  mx      unknown\n");
}

static void
a_running_daemon_is_asked(void **state)
{
	int fd;

	(void)state;
	engine.args[0] = "-d";
	engine.args[1] = "-m";
	engine.args[2] = "-f";
	engine.args[3] = conf;
	program_start(&engine);
	fd = program_connect(socket_path);
	close(fd);
	/* No other engine could be started. */
	assert_int_equal(ask("-e", "/nonexistent", LITERAL, NULL), 0);
	assert_string_equal(program_said(), LITERAL_TEXT);
	assert_int_equal(ask("-s", socket_path, LITERAL, NULL), 0);
	assert_string_equal(program_said(), LITERAL_TEXT);
	assert_int_equal(kill(engine.pid, SIGTERM), 0);
	assert_int_equal(program_end(&engine, PROGRAM_SAFETY_MS), 0);
}

static void
without_any_engine_it_could_not_be_told(void **state)
{
	(void)state;
	assert_int_equal(ask("-s", socket_path, LITERAL, NULL), 3);
	assert_in(program_complained(), "no engine could be asked");
	assert_string_equal(program_said(), "");
	assert_int_equal(ask("-s", socket_path, LITERAL, "u@other.test"), 3);
	assert_in(program_complained(), "u@other.test: no engine");
	assert_int_equal(ask("-e", "/nonexistent", LITERAL, NULL), 3);
	assert_in(program_complained(), "no engine could be asked");
}

static void
what_no_request_can_hold_could_not_be_told(void **state)
{
	char longest[1100];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(ask("-e", program_path("filter/strictmxd"),
			     "u@a.test\n1 ping", NULL),
	    3);
	assert_in(program_complained(), "cannot be asked about");
	assert_int_equal(ask("-e", program_path("filter/strictmxd"), longest,
			     LITERAL),
	    3);
	assert_in(program_complained(), "cannot be asked about");
	assert_string_equal(program_said(), LITERAL_TEXT);
}

/* With a daemon that says what the test wants. */

static int
accept_tool(void)
{
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	int fd;

	assert_int_equal(poll(&wait, 1, PROGRAM_SAFETY_MS), 1);
	fd = accept(listener, NULL, NULL);
	assert_int_not_equal(fd, -1);
	program_tell(fd, "strictmx-query 1\n");
	return fd;
}

/* Gives the next question that answer; checks whom it was about. */
static void
play(int fd, const char *recipient, const char *answer)
{
	char id[32], text[2048];

	assert_int_equal(sscanf(program_hear(fd), "%31s explain %2047[^\n]", id,
			     text),
	    2);
	assert_string_equal(text, recipient);
	snprintf(text, sizeof(text), "%s %s\n", id, answer);
	program_tell(fd, text);
}

static int
start_and_accept(const char *a, const char *b, const char *c)
{
	const char *const args[] = { "-s", socket_path, a, b, c, NULL };

	if (listener == -1)
		listener =
		    unix_listen(socket_path, (uid_t)-1, (gid_t)-1, &file);
	assert_int_not_equal(listener, -1);
	prepare(args);
	program_start(&tool);
	return accept_tool();
}

static int
status_for(const char *answer)
{
	int fd = start_and_accept("u@a.test", NULL, NULL);
	int status;

	play(fd, "u@a.test", answer);
	status = program_end(&tool, PROGRAM_SAFETY_MS);
	close(fd);
	return status;
}

static void
the_exit_status_follows_the_answer(void **state)
{
	static const struct {
		const char *answer;
		int status;
	} rows[] = {
		{ "facts {\"action\":\"proceed\",\"reason\":\"x\"}", 0 },
		{ "facts {\"action\":\"would-defer\",\"reason\":\"x\"}", 0 },
		{ "facts {\"action\":\"defer\",\"reason\":\"x\"}", 1 },
		{ "facts {\"action\":\"reject\",\"reason\":\"x\"}", 1 },
		{ "facts {\"action\":\"dance\",\"reason\":\"x\"}", 3 },
		{ "facts {}", 3 },
		{ "facts {\"action\":\"proceed\"", 3 },
		{ "facts []", 3 },
		{ "facts", 3 },
		{ "facts 1", 3 },
		{ "error out of memory", 3 },
		{ "proceed this is not what was asked", 3 },
		{ "pong", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (status_for(rows[i].answer) != rows[i].status)
			fail_msg("%s", rows[i].answer);
}

/* One that proceeds, one that does not, one that nobody knows of. */
static void
the_worst_of_all_answers_is_the_status(void **state)
{
	int fd = start_and_accept("u@a.test", "u@b.test", "u@c.test");

	(void)state;
	play(fd, "u@a.test", "facts {\"action\":\"defer\",\"reason\":\"451\"}");
	play(fd, "u@b.test", "error out of memory");
	play(fd, "u@c.test", "facts {\"action\":\"defer\",\"reason\":\"451\"}");
	assert_int_equal(program_end(&tool, PROGRAM_SAFETY_MS), 3);
	assert_string_equal(program_said(),
	    "u@a.test: defer\n  451\nu@c.test: defer\n  451\n");
	assert_in(program_complained(), "u@b.test: out of memory");
	close(fd);
}

static void
an_engine_that_dies_could_not_tell(void **state)
{
	int fd = start_and_accept("u@a.test", NULL, NULL);

	(void)state;
	assert_in(program_hear(fd), " explain u@a.test");
	close(fd);
	assert_int_equal(program_end(&tool, PROGRAM_SAFETY_MS), 3);
	assert_in(program_complained(), "no engine could be asked");
}

static void
an_engine_that_says_nothing_could_not_tell(void **state)
{
	int fd = start_and_accept("u@a.test", NULL, NULL);

	(void)state;
	assert_in(program_hear(fd), " explain u@a.test");
	assert_int_equal(program_end(&tool, PROGRAM_SAFETY_MS), 3);
	assert_in(program_complained(), "no engine could be asked");
	close(fd);
}

/* Whatever members are missing or of another type. */
static void
strange_facts_are_printed_without_harm(void **state)
{
	static const char *const rows[] = {
		"facts {\"action\":\"defer\",\"record\":7,\"policy\":[],"
		"\"mx_set\":{\"hosts\":[1,null,{}]}}",
		"facts {\"action\":\"defer\",\"record\":{},\"policy\":"
		"{\"mode\":\"enforce\",\"mx\":[1,null,{}],\"failure\":{}},"
		"\"mx_set\":{\"hosts\":[{\"listed\":true}]}}",
		"facts {\"action\":\"defer\",\"reason\":\"\\u001b[2J\\u0007\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(status_for(rows[i]), 1);
		assert_null(strpbrk(program_said(), "\033\a"));
	}
}

/* An answer that nobody could read is no answer. */
static void
a_full_disk_is_no_success(void **state)
{
	(void)state;
	tool.out = "/dev/full";
	assert_int_equal(status_for("facts {\"action\":\"proceed\"}"), 3);
	assert_in(program_complained(), "standard output");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_a_verb_it_is_a_wrong_call),
		T(an_unknown_verb_is_a_wrong_call),
		T(help_and_version_are_told_on_standard_output),
		T(ask_without_a_recipient_is_a_wrong_call),
		T(a_broken_configuration_is_2),
		T(it_starts_an_engine_where_no_daemon_runs),
		T(json_is_one_object_on_a_line_for_each_recipient),
		T(facts_are_told_to_people_too),
		T(a_running_daemon_is_asked),
		T(without_any_engine_it_could_not_be_told),
		T(what_no_request_can_hold_could_not_be_told),
		T(the_exit_status_follows_the_answer),
		T(the_worst_of_all_answers_is_the_status),
		T(an_engine_that_dies_could_not_tell),
		T(an_engine_that_says_nothing_could_not_tell),
		T(strange_facts_are_printed_without_harm),
		T(a_full_disk_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
