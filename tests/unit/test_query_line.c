/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "proto/query_line.h"

static struct query_request
request(const char *line)
{
	return query_request_parse(span_of(line));
}

static struct query_answer
answer(const char *line)
{
	return query_answer_parse(span_of(line));
}

static void
the_argument_is_the_rest_of_the_line(void **state)
{
	struct query_request r = request("1 rcpt a|b c@good.test");

	(void)state;
	assert_int_equal(r.verb, QUERY_RCPT);
	assert_true(span_is(r.id, "1"));
	assert_true(span_is(r.argument, "a|b c@good.test"));
	assert_null(r.why);
	r = request("x9 explain u@a.test\r");
	assert_int_equal(r.verb, QUERY_EXPLAIN);
	assert_true(span_is(r.argument, "u@a.test"));
	assert_int_equal(request("ping1 ping").verb, QUERY_PING);
	assert_int_equal(request("ping1 ping\r").verb, QUERY_PING);
	assert_int_equal(request("1 cache-list").verb, QUERY_CACHE_LIST);
	r = request("1 cache-list a.test");
	assert_int_equal(r.verb, QUERY_CACHE_LIST);
	assert_true(span_is(r.argument, "a.test"));
	assert_true(query_verb_is_admin(r.verb));
	assert_false(query_verb_is_admin(QUERY_EXPLAIN));
	assert_false(query_verb_is_admin(QUERY_BAD));
}

static void
an_id_has_1_to_20_letters_or_digits(void **state)
{
	const char *const bad[] = { "", " ping", "a-b ping",
		"123456789012345678901 ping", "\xc3\xa9 ping", "-" };

	(void)state;
	assert_int_equal(request("12345678901234567890 ping").verb, QUERY_PING);
	assert_int_equal(request("azAZ09 ping").verb, QUERY_PING);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct query_request r = request(bad[i]);

		assert_int_equal(r.verb, QUERY_BAD);
		assert_true(span_is(r.id, "-"));
		assert_non_null(r.why);
	}
}

static void
a_bad_request_keeps_its_id_and_says_why(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "7", "no verb" },
		{ "7 ", "no verb" },
		{ "7 RCPT a@b", "unknown verb" },
		{ "7 rcpt2 a@b", "unknown verb" },
		{ "7  rcpt a@b", "unknown verb" },
		{ "7 rcpt", "no mailbox" },
		{ "7 rcpt ", "no mailbox" },
		{ "7 explain", "no mailbox" },
		{ "7 ping x", "ping takes no argument" },
		{ "7 cache-show", "no domain" },
		{ "7 cache-show ", "no domain" },
		{ "7 cache-list\tx", "unknown verb" },
		{ "7 cache-clear x", "cache-clear takes no argument" },
		{ "7 rcpt a\tb@c", "control character in the argument" },
		{ "7 rcpt a\rb@c", "control character in the argument" },
		{ "7 rcpt a\x7f@c", "control character in the argument" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query_request r = request(rows[i].line);

		assert_int_equal(r.verb, QUERY_BAD);
		assert_true(span_is(r.id, "7"));
		assert_string_equal(r.why, rows[i].why);
	}
}

static void
a_nul_in_a_mailbox_is_a_control_character(void **state)
{
	struct span s = { "7 rcpt a\0b@c", 12 };

	(void)state;
	assert_int_equal(query_request_parse(s).verb, QUERY_BAD);
}

static void
a_request_line_is_at_most_1024_octets(void **state)
{
	char line[QUERY_REQUEST_MAX + 2];

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "7 rcpt ", 7);
	line[QUERY_REQUEST_MAX] = '\0';
	assert_int_equal(request(line).verb, QUERY_RCPT);
	line[QUERY_REQUEST_MAX] = 'x';
	line[QUERY_REQUEST_MAX + 1] = '\0';
	assert_int_equal(request(line).verb, QUERY_BAD);
	assert_true(span_is(request(line).id, "7"));
	assert_string_equal(request(line).why, "line too long");
}

static void
a_request_is_written_as_it_is_read(void **state)
{
	char out[QUERY_LINE_SIZE], mailbox[QUERY_REQUEST_MAX];

	(void)state;
	assert_int_equal(query_request_format(out, UINT64_MAX, QUERY_RCPT,
			     span_of("a|b@good.test")),
	    40);
	assert_string_equal(out, "18446744073709551615 rcpt a|b@good.test\n");
	assert_true(
	    query_request_format(out, 1, QUERY_EXPLAIN, span_of("a@b")) > 0);
	assert_string_equal(out, "1 explain a@b\n");
	assert_true(query_request_format(out, 1, QUERY_PING, span_of("")) > 0);
	assert_string_equal(out, "1 ping\n");
	memset(mailbox, 'x', sizeof(mailbox));
	assert_int_equal(query_request_format(out, 1, QUERY_RCPT,
			     (struct span){ mailbox, QUERY_REQUEST_MAX - 7 }),
	    QUERY_REQUEST_MAX + 1);
	assert_int_equal(query_request_format(out, 1, QUERY_RCPT,
			     (struct span){ mailbox, QUERY_REQUEST_MAX - 6 }),
	    0);
}

static void
a_request_that_would_be_bad_is_not_written(void **state)
{
	char out[QUERY_LINE_SIZE];

	(void)state;
	assert_int_equal(query_request_format(out, 1, QUERY_BAD, span_of("")),
	    0);
	assert_int_equal(query_request_format(out, 1, QUERY_RCPT, span_of("")),
	    0);
	assert_int_equal(query_request_format(out, 1, QUERY_PING, span_of("x")),
	    0);
	assert_int_equal(query_request_format(out, 1, QUERY_RCPT,
			     span_of("a@b\n2 ping")),
	    0);
	assert_int_equal(query_request_format(out, 1, QUERY_RCPT,
			     span_of("a@b\r")),
	    0);
}

static void
every_word_is_read_as_it_is_written(void **state)
{
	const enum query_word all[] = { QUERY_PROCEED, QUERY_DEFER,
		QUERY_REJECT, QUERY_FACTS, QUERY_PONG, QUERY_ERROR };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		char line[64];
		struct query_answer a;

		snprintf(line, sizeof(line), "42 %s some text\r",
		    query_word_name(all[i]));
		a = answer(line);
		assert_int_equal(a.word, all[i]);
		assert_true(span_is(a.id, "42"));
		assert_true(span_is(a.text, "some text"));
	}
	assert_string_equal(query_word_name(QUERY_ANSWER_BAD), "bad");
}

static void
an_answer_may_lack_its_text_and_an_error_its_id(void **state)
{
	struct query_answer a = answer("42 proceed");

	(void)state;
	assert_int_equal(a.word, QUERY_PROCEED);
	assert_int_equal(a.text.len, 0);
	a = answer("- error no id");
	assert_int_equal(a.word, QUERY_ERROR);
	assert_true(span_is(a.id, "-"));
}

static void
what_is_no_answer_is_bad(void **state)
{
	const char *const bad[] = { "", " ", "42", "42 ", "42 Proceed",
		"42 proceeds", "4-2 proceed", "-- error", QUERY_GREETING,
		"123456789012345678901 proceed" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(answer(bad[i]).word, QUERY_ANSWER_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_argument_is_the_rest_of_the_line),
		cmocka_unit_test(an_id_has_1_to_20_letters_or_digits),
		cmocka_unit_test(a_bad_request_keeps_its_id_and_says_why),
		cmocka_unit_test(a_nul_in_a_mailbox_is_a_control_character),
		cmocka_unit_test(a_request_line_is_at_most_1024_octets),
		cmocka_unit_test(a_request_is_written_as_it_is_read),
		cmocka_unit_test(a_request_that_would_be_bad_is_not_written),
		cmocka_unit_test(every_word_is_read_as_it_is_written),
		cmocka_unit_test(
		    an_answer_may_lack_its_text_and_an_error_its_id),
		cmocka_unit_test(what_is_no_answer_is_bad),
	};

	return cmocka_run_group_tests_name("query_line", tests, NULL, NULL);
}
