/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <event2/buffer.h>
#include <string.h>

#include "filter/lines.h"

static struct evbuffer *input;

static int
setup(void **state)
{
	(void)state;
	input = evbuffer_new();
	return input == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	evbuffer_free(input);
	return 0;
}

/* A piece of memory of its own in the evbuffer. */
static void
add_piece(const char *text)
{
	assert_int_equal(evbuffer_add_reference(input, text, strlen(text), NULL,
			     NULL),
	    0);
}

static void
assert_next(struct lines *lines, const char *expected)
{
	struct span line;

	assert_true(lines_next(lines, &line));
	assert_non_null(line.p);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.p, expected, line.len);
}

static void
assert_none(struct lines *lines)
{
	struct span line;

	assert_false(lines_next(lines, &line));
}

static void
lines_come_one_after_the_other(void **state)
{
	struct lines lines = { .input = input };

	(void)state;
	add_piece("one\n\ntwo three\nre");
	assert_next(&lines, "one");
	assert_next(&lines, "");
	assert_next(&lines, "two three");
	assert_none(&lines);
	lines_end(&lines);
	assert_int_equal(evbuffer_get_length(input), 2);
	assert_none(&lines);
	add_piece("st\n");
	assert_next(&lines, "rest");
	assert_none(&lines);
	assert_int_equal(evbuffer_get_length(input), 0);
}

static void
lines_may_lie_across_pieces(void **state)
{
	struct lines lines = { .input = input };

	(void)state;
	add_piece("a");
	add_piece("b");
	add_piece("c\nde");
	add_piece("f\n");
	add_piece("g\n");
	assert_next(&lines, "abc");
	assert_next(&lines, "def");
	assert_next(&lines, "g");
	assert_none(&lines);
}

static void
what_was_not_given_out_stays(void **state)
{
	struct lines lines = { .input = input };

	(void)state;
	add_piece("one\ntwo\nthree\n");
	assert_next(&lines, "one");
	lines_end(&lines);
	assert_int_equal(evbuffer_get_length(input), strlen("two\nthree\n"));
	assert_next(&lines, "two");
	lines_end(&lines);
	lines_end(&lines);
	assert_next(&lines, "three");
}

static void
without_input_there_is_no_line(void **state)
{
	struct lines lines = { .input = input };

	(void)state;
	assert_none(&lines);
	lines_end(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_come_one_after_the_other,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(lines_may_lie_across_pieces,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_not_given_out_stays,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(without_input_there_is_no_line,
		    setup, teardown),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
