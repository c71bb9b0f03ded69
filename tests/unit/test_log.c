/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/log_capture.h"

static int
start_at_info(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_INFO);
	return 0;
}

static void
lines_below_the_level_are_dropped(void **state)
{
	(void)state;
	log_capture_start();
	log_error("one %d", 1);
	log_warning("two");
	log_notice("three");
	log_info("four");
	log_debug("five");
	log_set_level(LOG_LEVEL_ERROR);
	log_error("six");
	log_warning("seven");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("eight");
	assert_string_equal(log_capture_end(),
	    "test: error: one 1\n"
	    "test: warning: two\n"
	    "test: three\n"
	    "test: four\n"
	    "test: error: six\n"
	    "test: eight\n");
	assert_int_equal(log_get_level(), LOG_LEVEL_DEBUG);
}

static void
levels_have_names_and_nothing_else_is_one(void **state)
{
	static const char *const names[] = { "error", "warning", "notice",
		"info", "debug" };
	enum log_level level = LOG_LEVEL_NOTICE;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_true(log_level_parse(names[i], &level));
		assert_int_equal(level, i);
		assert_string_equal(log_level_name(level), names[i]);
	}
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("Info", &level));
	assert_false(log_level_parse("infos", &level));
	assert_int_equal(level, LOG_LEVEL_DEBUG);
}

static void
control_characters_never_reach_the_log(void **state)
{
	(void)state;
	log_capture_start();
	log_info("a\nb\rc\x1b[1m\x7f\t\xc3\xa9");
	assert_string_equal(log_capture_end(), "test: a?b?c?[1m??\xc3\xa9\n");
}

static void
a_long_line_is_cut_and_is_still_one_line(void **state)
{
	char text[5000];
	const char *log;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_capture_start();
	log_error("%s", text);
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 1);
	assert_int_equal(strlen(log), strlen("test: error: \n") + 1023);
	assert_int_equal(log[strlen(log) - 1], '\n');
}

/* The ways of a filter's stderr: a pipe, and one that nobody reads. */
static void
a_line_goes_into_a_pipe_in_one_write(void **state)
{
	char line[64];
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t len;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
	log_notice("hello");
	len = read(fds[0], line, sizeof(line));
	assert_int_equal(len, strlen("test: hello\n"));
	assert_memory_equal(line, "test: hello\n", (size_t)len);
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	close(fds[0]);
	close(fds[1]);
}

static void
a_log_that_cannot_be_written_stops_nothing(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	log_error("nobody hears this");
	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
}

static void
fatal_says_why_and_ends_with_1(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	log_capture_start();
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		fatal("no %s", "socket");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(log_capture_end(), "test: error: no socket\n");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void
quoting_escapes_all_but_printable_ascii(void **state)
{
	static const char bytes[] = "a \"\\\r\n\0\xff~";
	char buf[LOG_QUOTE_SIZE];

	(void)state;
	assert_string_equal(log_quote(buf, bytes, sizeof(bytes) - 1),
	    "\"a \\x22\\x5c\\x0d\\x0a\\x00\\xff~\"");
	assert_string_equal(log_quote(buf, NULL, 0), "\"\"");
	assert_ptr_equal(log_quote(buf, "x", 1), buf);
}

static void
quoting_cuts_what_is_too_long_whatever_it_holds(void **state)
{
	char bytes[LOG_QUOTE_SIZE * 2], buf[LOG_QUOTE_SIZE + 1];

	(void)state;
	buf[LOG_QUOTE_SIZE] = '!';
	for (size_t plain = 0; plain < 8; plain++) {
		size_t len;

		/* Each way an escape can meet the end of the buffer. */
		memset(bytes, '\n', sizeof(bytes));
		memset(bytes, 'x', plain);
		len = strlen(log_quote(buf, bytes, sizeof(bytes)));
		assert_true(len < LOG_QUOTE_SIZE);
		assert_true(len > LOG_QUOTE_SIZE - 12);
		assert_string_equal(buf + len - 4, "...\"");
		assert_int_equal(buf[LOG_QUOTE_SIZE], '!');
	}
	memset(bytes, 'x', sizeof(bytes));
	for (size_t n = 0; n < sizeof(bytes); n++)
		assert_true(strlen(log_quote(buf, bytes, n)) < LOG_QUOTE_SIZE);
	assert_int_equal(buf[LOG_QUOTE_SIZE], '!');
}

struct sunk {
	unsigned n;
	enum log_level level;
	char line[64];
};

static void
sink(enum log_level level, const char *line, void *arg)
{
	struct sunk *sunk = arg;

	sunk->n++;
	sunk->level = level;
	snprintf(sunk->line, sizeof(sunk->line), "%s", line);
}

static void
a_sink_gets_the_lines_instead(void **state)
{
	struct sunk sunk = { 0 };
	const char *log;

	(void)state;
	log_capture_start();
	log_set_sink(sink, &sunk);
	log_debug("below the level");
	log_error("a=%d\n", 1);
	log_set_sink(NULL, NULL);
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 0);
	assert_int_equal(sunk.n, 1);
	assert_int_equal(sunk.level, LOG_LEVEL_ERROR);
	assert_string_equal(sunk.line, "a=1?");
}

#define TEST(name) cmocka_unit_test_setup(name, start_at_info)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_below_the_level_are_dropped),
		TEST(levels_have_names_and_nothing_else_is_one),
		TEST(control_characters_never_reach_the_log),
		TEST(a_long_line_is_cut_and_is_still_one_line),
		TEST(a_line_goes_into_a_pipe_in_one_write),
		TEST(a_log_that_cannot_be_written_stops_nothing),
		TEST(fatal_says_why_and_ends_with_1),
		TEST(quoting_escapes_all_but_printable_ascii),
		TEST(quoting_cuts_what_is_too_long_whatever_it_holds),
		TEST(a_sink_gets_the_lines_instead),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
