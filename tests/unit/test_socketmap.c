/* SPDX-License-Identifier: ISC */
/* Netstrings, and the questions and answers of a socketmap in them. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/netstring.h"
#include "proto/socketmap.h"

#define MAX 12

static struct span octets;
static size_t used;

static enum netstring_state
parse(const char *input)
{
	return netstring_parse(span_of(input), MAX, &octets, &used);
}

static void
the_first_netstring_is_read_and_measured(void **state)
{
	(void)state;
	assert_int_equal(parse("5:hello,3:abc,"), NETSTRING_WHOLE);
	assert_true(span_is(octets, "hello"));
	assert_int_equal(used, 8);
	assert_int_equal(parse("0:,x"), NETSTRING_WHOLE);
	assert_int_equal(octets.len, 0);
	assert_int_equal(used, 3);
	assert_int_equal(parse("12:123456789012,"), NETSTRING_WHOLE);
	assert_true(span_is(octets, "123456789012"));
}

static void
its_octets_may_hold_anything(void **state)
{
	const char input[] = "4:\0,\n:,";
	struct span s = { input, sizeof(input) - 1 };

	(void)state;
	assert_int_equal(netstring_parse(s, MAX, &octets, &used),
	    NETSTRING_WHOLE);
	assert_int_equal(octets.len, 4);
	assert_memory_equal(octets.p, "\0,\n:", 4);
}

static void
the_rest_of_it_is_waited_for(void **state)
{
	const char input[] = "12:123456789012,";

	(void)state;
	for (size_t len = 0; len < sizeof(input) - 1; len++)
		assert_int_equal(netstring_parse((struct span){ input, len },
				     MAX, &octets, &used),
		    NETSTRING_MORE);
	assert_int_equal(parse("0"), NETSTRING_MORE);
	assert_int_equal(parse("0:"), NETSTRING_MORE);
}

static void
what_is_no_netstring_is_bad_as_soon_as_it_shows(void **state)
{
	static const char *const bad[] = { ":", ",", "x", " 1", "-1:", "+1:a,",
		"01:a,", "00:,", "1 ", "1;", "3:abcd", "0:x", "1:a\n",
		"13:", "13", "99999999999999999999", "1:aa" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), NETSTRING_BAD);
}

static void
a_head_is_what_parse_reads(void **state)
{
	static const struct {
		size_t len;
		const char *head;
	} rows[] = { { 0, "0:" }, { 9, "9:" }, { 10, "10:" },
		{ 100000, "100000:" }, { SIZE_MAX, "18446744073709551615:" } };
	char head[NETSTRING_HEAD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = netstring_head(head, rows[i].len);

		assert_int_equal(n, strlen(rows[i].head));
		assert_memory_equal(head, rows[i].head, n);
	}
}

/* Questions */

static void
the_map_ends_at_the_first_blank(void **state)
{
	struct socketmap_question q;

	(void)state;
	assert_true(socketmap_question_parse(span_of("policy a.test"), &q));
	assert_true(span_is(q.map, "policy"));
	assert_true(span_is(q.key, "a.test"));
	assert_true(socketmap_question_parse(span_of("m  a b "), &q));
	assert_true(span_is(q.key, " a b "));
	assert_true(socketmap_question_parse(span_of("policy "), &q));
	assert_int_equal(q.key.len, 0);
}

static void
a_question_without_a_map_or_a_blank_is_none(void **state)
{
	static const char *const bad[] = { "", " ", " key", "policy", "a\tb" };
	struct socketmap_question q;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(socketmap_question_parse(span_of(bad[i]), &q));
}

/* Answers */

static struct socketmap_answer answer;

static void
assert_answer(const char *expected)
{
	struct span whole = socketmap_answer_end(&answer);

	assert_int_equal(whole.len, strlen(expected));
	assert_memory_equal(whole.p, expected, whole.len);
}

static void
an_answer_is_a_netstring_of_status_blank_text(void **state)
{
	(void)state;
	socketmap_answer_begin(&answer, SOCKETMAP_OK);
	socketmap_answer_add(&answer, span_of("secure"));
	socketmap_answer_add(&answer, span_of(" match=a.test"));
	assert_answer("22:OK secure match=a.test,");
	socketmap_answer_begin(&answer, SOCKETMAP_NOTFOUND);
	assert_answer("9:NOTFOUND ,");
	socketmap_answer_begin(&answer, SOCKETMAP_TEMP);
	socketmap_answer_add(&answer, span_of("later"));
	assert_answer("10:TEMP later,");
	socketmap_answer_begin(&answer, SOCKETMAP_PERM);
	socketmap_answer_add(&answer, span_of("no such map"));
	assert_answer("16:PERM no such map,");
}

static void
what_is_not_printable_becomes_a_question_mark(void **state)
{
	(void)state;
	socketmap_answer_begin(&answer, SOCKETMAP_TEMP);
	socketmap_answer_add(&answer, span_of("a\nb\x7f\xc3\xa9~ "));
	assert_answer("13:TEMP a?b???~ ,");
}

static void
what_does_not_fit_is_left_out_and_said(void **state)
{
	const size_t room = SOCKETMAP_ANSWER_MAX - strlen("OK ");
	char *text = calloc(1, room + 2);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', room + 1);
	socketmap_answer_begin(&answer, SOCKETMAP_OK);
	socketmap_answer_add(&answer, span_of(text));
	assert_true(answer.overflow);
	assert_answer("3:OK ,");
	socketmap_answer_begin(&answer, SOCKETMAP_OK);
	socketmap_answer_add(&answer, (struct span){ text, room });
	assert_false(answer.overflow);
	socketmap_answer_add(&answer, span_of("y"));
	assert_true(answer.overflow);
	assert_int_equal(socketmap_answer_end(&answer).len,
	    SOCKETMAP_ANSWER_MAX + strlen("100000:,"));
	free(text);
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_netstring_is_read_and_measured),
		T(its_octets_may_hold_anything),
		T(the_rest_of_it_is_waited_for),
		T(what_is_no_netstring_is_bad_as_soon_as_it_shows),
		T(a_head_is_what_parse_reads),
		T(the_map_ends_at_the_first_blank),
		T(a_question_without_a_map_or_a_blank_is_none),
		T(an_answer_is_a_netstring_of_status_blank_text),
		T(what_is_not_printable_becomes_a_question_mark),
		T(what_does_not_fit_is_left_out_and_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
