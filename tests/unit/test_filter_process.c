/* SPDX-License-Identifier: ISC */
/*
 * The program filter-strictmx as smtpd starts it, with fake_engine as its
 * private engine: its standard input and output are one socket, or two pipes.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

#define TOKEN "9b2e77a01c55aa10"
#define SAFETY_MS 20000
#define END_MS 5000

static pid_t filter = -1;
static int to_filter = -1, from_filter = -1;

static const char *
built(const char *name)
{
	static char paths[2][512];
	static unsigned n;
	const char *dir = getenv("builddir");
	char *path = paths[n++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir == NULL ? "." : dir,
	    name);
	return path;
}

static void
run(int input, int output, const char *config_file)
{
	const char *program = built("filter/filter-strictmx");
	const char *engine = built("tests/unit/fake_engine");

	filter = fork();
	assert_int_not_equal(filter, -1);
	if (filter != 0)
		return;
	dup2(input, STDIN_FILENO);
	dup2(output, STDOUT_FILENO);
	closefrom(3);
	execl(program, program, "-e", engine, "-f", config_file, (char *)NULL);
	_exit(126);
}

static void
start(const char *config_text)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	run(fds[1], fds[1], scratch_write("conf", config_text));
	close(fds[1]);
	to_filter = fds[0];
	from_filter = dup(fds[0]);
}

static int
begin(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	return scratch_make(state);
}

static void
close_ends(void)
{
	if (to_filter >= 0)
		close(to_filter);
	if (from_filter >= 0)
		close(from_filter);
	to_filter = from_filter = -1;
}

static int
end(void **state)
{
	close_ends();
	if (filter > 0) {
		kill(filter, SIGKILL);
		waitpid(filter, NULL, 0);
	}
	filter = -1;
	return scratch_remove(state);
}

static void
say(const char *text)
{
	assert_int_equal(write(to_filter, text, strlen(text)), strlen(text));
}

static void
say_rcpt(const char *sid, const char *mailbox)
{
	char line[256];

	snprintf(line, sizeof(line),
	    "filter|0.7|1795430768.605130|smtp-in|rcpt-to|%s|" TOKEN "|%s\n",
	    sid, mailbox);
	say(line);
}

/* One line, without LF; "" at the end of file. */
static const char *
hear(void)
{
	static char line[1200];
	struct pollfd wait = { .fd = from_filter, .events = POLLIN };
	size_t len = 0;

	for (;;) {
		assert_int_equal(poll(&wait, 1, SAFETY_MS), 1);
		assert_true(len < sizeof(line));
		if (read(from_filter, line + len, 1) != 1 || line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return line;
}

static void
shake_hands(void)
{
	const char *line;

	say("config|smtpd-version|7.8.0-portable\nconfig|protocol|0.7\n"
	    "config|ready\n");
	while (strcmp(line = hear(), "register|ready") != 0)
		assert_string_not_equal(line, "");
}

static void
assert_answer(const char *sid, const char *decision)
{
	char line[1200];

	snprintf(line, sizeof(line), "filter-result|%s|" TOKEN "|%s", sid,
	    decision);
	assert_string_equal(hear(), line);
}

/* The decision of the next line. */
static const char *
decision(void)
{
	const char *line = hear();

	for (int i = 0; i < 3; i++) {
		line = strchr(line, '|');
		assert_non_null(line);
		line++;
	}
	return line;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Exit status of the filter, which must end in limit_ms by itself. */
static int
exit_status(int64_t limit_ms)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int64_t until_ms = now_ms() + limit_ms;
	int status = 0;

	while (waitpid(filter, &status, WNOHANG) == 0) {
		assert_true(now_ms() < until_ms);
		nanosleep(&pause, NULL);
	}
	filter = -1;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
it_answers_and_ends_with_smtpd(void **state)
{
	(void)state;
	start("");
	shake_hands();
	say_rcpt("a1", "u@good.test");
	assert_answer("a1", "proceed");
	say_rcpt("a1", "u@defer.test");
	assert_answer("a1", "reject|451 4.7.5 policy of defer.test");
	say_rcpt("a1", "u@reject.test");
	assert_answer("a1", "reject|550 5.7.5 policy of reject.test");
	close_ends();
	assert_int_equal(exit_status(END_MS), 0);
}

static void
it_works_over_two_pipes(void **state)
{
	int in[2], out[2];

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	run(in[0], out[1], scratch_write("conf", ""));
	close(in[0]);
	close(out[1]);
	to_filter = in[1];
	from_filter = out[0];
	shake_hands();
	say_rcpt("a1", "u@good.test");
	assert_answer("a1", "proceed");
	close(to_filter);
	to_filter = -1;
	assert_string_equal(hear(), "");
	assert_int_equal(exit_status(END_MS), 0);
}

static void
fifty_pending_survive_the_engine_and_it_is_started_again(void **state)
{
	char sid[16];

	(void)state;
	start("");
	shake_hands();
	for (int i = 0; i < 50; i++) {
		snprintf(sid, sizeof(sid), "a%d", i);
		say_rcpt(sid, "u@silent.test");
	}
	say_rcpt("b1", "u@die.test");
	for (int i = 0; i < 51; i++)
		assert_string_equal(decision(),
		    "reject|451 4.3.0 strictmx: the TLS policy engine is not "
		    "available, try again later");
	do
		say_rcpt("b1", "u@good.test");
	while (strcmp(decision(), "proceed") != 0);
	say_rcpt("b1", "u@defer.test");
	assert_answer("b1", "reject|451 4.7.5 policy of defer.test");
}

static void
a_slow_answer_holds_no_other_session_up(void **state)
{
	(void)state;
	start("");
	shake_hands();
	say_rcpt("a1", "u@held.test");
	say_rcpt("b2", "u@good.test");
	assert_answer("b2", "proceed");
	say_rcpt("c3", "u@free.test");
	assert_answer("c3", "proceed");
	assert_answer("a1", "proceed");
}

static pid_t
engine_pid(void)
{
	long pid = 0;

	say_rcpt("f0", "u@pid.test");
	assert_int_equal(sscanf(decision(), "reject|451 pid %ld", &pid), 1);
	return (pid_t)pid;
}

static void
its_engine_ends_with_it_even_a_stubborn_one(void **state)
{
	const char *conf;
	int fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	conf = scratch_write("stubborn", "");
	run(fds[1], fds[1], conf);
	close(fds[1]);
	to_filter = fds[0];
	from_filter = dup(fds[0]);
	shake_hands();
	pid = engine_pid();
	close_ends();
	assert_int_equal(exit_status(END_MS), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void
sigterm_does_not_end_it(void **state)
{
	pid_t pid;

	(void)state;
	start("");
	shake_hands();
	pid = engine_pid();
	assert_int_equal(kill(filter, SIGTERM), 0);
	assert_int_equal(engine_pid(), pid);
	close_ends();
	assert_int_equal(exit_status(END_MS), 0);
}

static void
sighup_reads_the_configuration_again_and_reaches_the_engine(void **state)
{
	const char *answer;

	(void)state;
	start("");
	shake_hands();
	say_rcpt("a1", "u@hangups.test");
	assert_answer("a1", "reject|451 hangups 0");
	scratch_write("conf", "engine-away = proceed\n");
	kill(filter, SIGHUP);
	do {
		say_rcpt("a1", "u@hangups.test");
		answer = decision();
	} while (strcmp(answer, "reject|451 hangups 0") == 0);
	assert_string_equal(answer, "reject|451 hangups 1");
	say_rcpt("a1", "u@error.test");
	assert_answer("a1", "proceed");
}

/* The configuration is a pipe, so the filter is where it reads it. */
static void
signals_do_not_end_it_while_it_starts(void **state)
{
	const char *path = scratch_path("conf");
	int fds[2], conf;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	run(fds[1], fds[1], path);
	close(fds[1]);
	to_filter = fds[0];
	from_filter = dup(fds[0]);
	conf = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(conf, -1);
	unlink(path);
	scratch_write("conf", "engine-away = proceed\n"); /* for SIGHUP */
	kill(filter, SIGTERM);
	kill(filter, SIGHUP);
	close(conf);
	shake_hands();
	do
		say_rcpt("a1", "u@error.test");
	while (strcmp(decision(), "proceed") != 0);
}

static void
testing_mode_refuses_nothing_while_the_engine_is_away(void **state)
{
	(void)state;
	start("mode = testing\nengine-away = defer\n");
	shake_hands();
	say_rcpt("a1", "u@error.test");
	assert_answer("a1", "proceed");
}

static void
a_broken_configuration_changes_nothing_while_serving(void **state)
{
	(void)state;
	start("engine-away = proceed\n");
	shake_hands();
	scratch_write("conf", "engine-away = perhaps\n");
	kill(filter, SIGHUP);
	for (int i = 0; i < 5; i++) {
		say_rcpt("a1", "u@error.test");
		assert_answer("a1", "proceed");
	}
	say_rcpt("a1", "u@hangups.test");
	assert_answer("a1", "reject|451 hangups 0");
}

static void
a_broken_configuration_ends_it_before_it_serves(void **state)
{
	(void)state;
	start("engine-away = perhaps\n");
	assert_string_equal(hear(), "");
	assert_int_equal(exit_status(END_MS), 1);
}

static void
a_protocol_of_another_kind_ends_it_before_it_registers(void **state)
{
	(void)state;
	start("");
	say("config|smtpd-version|9.0\nconfig|protocol|1.0\nconfig|ready\n");
	assert_string_equal(hear(), "");
	assert_int_equal(exit_status(END_MS), 1);
}

/* What a filter refuses later ends smtpd, and all mail with it. */
static void
a_protocol_of_another_kind_does_not_end_it_once_it_serves(void **state)
{
	(void)state;
	start("");
	shake_hands();
	say("config|protocol|1.0\n");
	say_rcpt("a1", "u@good.test");
	assert_answer("a1", "proceed");
}

/* Runs it with one argument and nothing to read. */
static int
status_with(const char *argument, const char *second)
{
	const char *program = built("filter/filter-strictmx");

	filter = fork();
	assert_int_not_equal(filter, -1);
	if (filter == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execl(program, program, argument, second, (char *)NULL);
		_exit(126);
	}
	return exit_status(SAFETY_MS);
}

static void
help_shows_the_usage(void **state)
{
	const char *program = built("filter/filter-strictmx");
	char command[600], line[128] = "";
	FILE *out;

	(void)state;
	snprintf(command, sizeof(command), "%s --help </dev/null", program);
	out = popen(command, "re");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	assert_string_equal(line,
	    "usage: filter-strictmx [-v] [-e program | -s socket] [-f file]\n");
	assert_int_equal(pclose(out), 0);
}

static void
options_are_checked(void **state)
{
	(void)state;
	assert_int_equal(status_with("--help", NULL), 0);
	assert_int_equal(status_with("--version", NULL), 0);
	assert_int_equal(status_with("-x", NULL), 2);
	assert_int_equal(status_with("extra", NULL), 2);
	assert_int_equal(status_with("-f", NULL), 2);
	assert_int_equal(status_with("-es", "-ss"), 2);
	assert_int_equal(status_with("-f", "/nonexistent/conf"), 1);
	assert_int_equal(status_with("-e", "/nonexistent/strictmxd"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_answers_and_ends_with_smtpd),
		TEST(it_works_over_two_pipes),
		TEST(fifty_pending_survive_the_engine_and_it_is_started_again),
		TEST(a_slow_answer_holds_no_other_session_up),
		TEST(its_engine_ends_with_it_even_a_stubborn_one),
		TEST(sigterm_does_not_end_it),
		TEST(
		    sighup_reads_the_configuration_again_and_reaches_the_engine),
		TEST(signals_do_not_end_it_while_it_starts),
		TEST(testing_mode_refuses_nothing_while_the_engine_is_away),
		TEST(a_broken_configuration_changes_nothing_while_serving),
		TEST(a_broken_configuration_ends_it_before_it_serves),
		TEST(a_protocol_of_another_kind_ends_it_before_it_registers),
		TEST(a_protocol_of_another_kind_does_not_end_it_once_it_serves),
		TEST(help_shows_the_usage),
		TEST(options_are_checked),
	};

	return cmocka_run_group_tests_name("filter_process", tests, NULL, NULL);
}
