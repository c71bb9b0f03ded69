/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/osmtpd_line.h"

#define SID "4c0f1d8aa1b2c3d4"
#define TOKEN "9b2e77a01c55aa10"

static struct osmtpd_line
parse(const char *line)
{
	return osmtpd_line_parse(span_of(line));
}

static void
config_lines_have_a_name_and_the_rest_as_value(void **state)
{
	struct osmtpd_line l = parse("config|admd|mta.lab.test|x");

	(void)state;
	assert_int_equal(l.kind, OSMTPD_CONFIG);
	assert_true(span_is(l.name, "admd"));
	assert_true(span_is(l.rest, "mta.lab.test|x"));
	assert_int_equal(parse("config|ready").kind, OSMTPD_READY);
	assert_int_equal(parse("config|").kind, OSMTPD_IGNORE);
	assert_int_equal(parse("config").kind, OSMTPD_IGNORE);
	assert_int_equal(parse("config||x").kind, OSMTPD_IGNORE);
}

static void
a_report_of_both_protocols_is_read(void **state)
{
	struct osmtpd_line l = parse("report|0.6|1795430768.604126|smtp-in|"
				     "link-connect|" SID "|localhost|pass|"
				     "127.0.0.1:42218|127.0.0.1:2525");

	(void)state;
	assert_int_equal(l.kind, OSMTPD_REPORT);
	assert_int_equal(l.major, 0);
	assert_int_equal(l.minor, 6);
	assert_true(span_is(l.name, "link-connect"));
	assert_true(span_is(l.session, SID));
	assert_true(
	    span_is(l.rest, "localhost|pass|127.0.0.1:42218|127.0.0.1:2525"));
	l = parse("report|0.7|1.2|smtp-in|link-disconnect|" SID);
	assert_int_equal(l.kind, OSMTPD_REPORT);
	assert_int_equal(l.minor, 7);
	assert_true(span_is(l.rest, ""));
}

static void
the_mailbox_of_a_request_is_the_rest_of_the_line(void **state)
{
	struct osmtpd_line l = parse("filter|0.6|1795430768.605130|smtp-in|"
				     "rcpt-to|" SID "|" TOKEN "|a|b@good.test");

	(void)state;
	assert_int_equal(l.kind, OSMTPD_FILTER);
	assert_true(span_is(l.name, "rcpt-to"));
	assert_true(span_is(l.session, SID));
	assert_true(span_is(l.token, TOKEN));
	assert_true(span_is(l.rest, "a|b@good.test"));
	l = parse("filter|0.7|1.2|smtp-in|rcpt-to|" SID "|" TOKEN
		  "|@relay.test:src@good.test");
	assert_true(span_is(l.rest, "@relay.test:src@good.test"));
	l = parse("filter|0.7|1.2|smtp-in|data|" SID "|" TOKEN "|");
	assert_int_equal(l.kind, OSMTPD_FILTER);
	assert_true(span_is(l.rest, ""));
}

static void
versions_are_two_numbers_and_the_minor_may_grow(void **state)
{
	struct osmtpd_line l = parse("report|0.10|1|smtp-in|x|" SID);

	(void)state;
	assert_int_equal(l.kind, OSMTPD_REPORT);
	assert_int_equal(l.minor, 10);
	assert_int_equal(parse("report|0.9|1|smtp-in|x|" SID).kind,
	    OSMTPD_REPORT);
	assert_int_equal(parse("report|1.0|1|smtp-in|x|" SID).kind,
	    OSMTPD_IGNORE);
	assert_int_equal(parse("report|0|1|smtp-in|x|" SID).kind,
	    OSMTPD_IGNORE);
	assert_int_equal(parse("report|0.x|1|smtp-in|x|" SID).kind,
	    OSMTPD_IGNORE);
	assert_int_equal(parse("report|0.7.1|1|smtp-in|x|" SID).kind,
	    OSMTPD_IGNORE);
	assert_int_equal(parse("report|0.99999|1|smtp-in|x|" SID).kind,
	    OSMTPD_IGNORE);
}

static void
what_is_not_for_us_or_broken_is_ignored(void **state)
{
	const char *const lines[] = { "", "|", "filter", "filter|", "nonsense",
		"filter-result|a|b|proceed", "report|0.7", "report|0.7|1",
		"report|0.7|1|smtp-in", "report|0.7|1|smtp-in|x",
		"report|0.7|1|smtp-in|x|", "report|0.7|1|smtp-in||" SID,
		"report|0.7|1|smtp-out|x|" SID, "report|0.7|1|smtp-in|x|a b",
		"report|0.7|1|smtp-in|x|012345678901234567890123456789012",
		"filter|0.7|1|smtp-in|rcpt-to|" SID,
		"filter|0.7|1|smtp-in|rcpt-to|" SID "|",
		"filter|0.7|1|smtp-in|rcpt-to|" SID "||a@b",
		"filter|0.7|1|smtp-in|rcpt-to|" SID "|-|a@b",
		"filter|0.7|1|smtp-in|rcpt-to|" SID
		"|012345678901234567890123456789012|a@b" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i]).kind, OSMTPD_IGNORE);
}

static void
a_recorded_line_cut_anywhere_is_never_read_past_its_end(void **state)
{
	const char *line = "filter|0.6|1795430768.605130|smtp-in|rcpt-to|" SID
			   "|" TOKEN "|b@sts-fail.test";

	(void)state;
	for (size_t len = 0; len <= strlen(line); len++) {
		char *exact = malloc(len == 0 ? 1 : len);
		struct span s = { exact, len };
		struct osmtpd_line l;

		assert_non_null(exact);
		memcpy(exact, line, len);
		l = osmtpd_line_parse(s);
		assert_true(l.rest.len <= len);
		free(exact);
	}
}

static const char *
answer(unsigned minor, enum osmtpd_decision decision, const char *text)
{
	static char out[OSMTPD_ANSWER_MAX];
	size_t len = osmtpd_answer_format(out, 0, minor, span_of(SID),
	    span_of(TOKEN), decision, text);

	assert_int_equal(len, strlen(out));
	return out;
}

static void
answers_name_session_and_token_in_the_order_of_the_protocol(void **state)
{
	(void)state;
	assert_string_equal(answer(7, OSMTPD_PROCEED, NULL),
	    "filter-result|" SID "|" TOKEN "|proceed\n");
	assert_string_equal(answer(5, OSMTPD_PROCEED, NULL),
	    "filter-result|" SID "|" TOKEN "|proceed\n");
	assert_string_equal(answer(4, OSMTPD_PROCEED, NULL),
	    "filter-result|" TOKEN "|" SID "|proceed\n");
	assert_string_equal(answer(6, OSMTPD_REJECT,
				"451 4.7.5 policy of a.test"),
	    "filter-result|" SID "|" TOKEN
	    "|reject|451 4.7.5 policy of a.test\n");
	assert_string_equal(answer(6, OSMTPD_REJECT, "550 no"),
	    "filter-result|" SID "|" TOKEN "|reject|550 no\n");
}

static void
a_text_without_a_reply_code_or_with_421_is_put_behind_one(void **state)
{
	const char *const texts[] = { "", "no", "250 ok", "45", "451", "4x1 a",
		"421 4.3.2 bye", "351 a", "651 a", "451-a" };
	const char *head = "filter-result|" SID "|" TOKEN "|reject|451 4.3.0 ";

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *out = answer(7, OSMTPD_REJECT, texts[i]);

		assert_memory_equal(out, head, strlen(head));
		assert_memory_equal(out + strlen(head), texts[i],
		    strlen(texts[i]));
	}
}

static void
a_text_is_cut_and_cannot_break_the_line(void **state)
{
	const char *head = "filter-result|" SID "|" TOKEN "|reject|";
	char text[4000], plain[4000];
	const char *out;

	(void)state;
	assert_string_equal(answer(7, OSMTPD_REJECT,
				"451 a\nb\r\tc\x7f\xc3\xa9"),
	    "filter-result|" SID "|" TOKEN "|reject|451 a?b??c???\n");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(plain, text, sizeof(text));
	memcpy(text, "451 ", 4);
	out = answer(7, OSMTPD_REJECT, text);
	assert_int_equal(strlen(out), strlen(head) + OSMTPD_TEXT_MAX + 1);
	out = answer(7, OSMTPD_REJECT, plain);
	assert_int_equal(strlen(out), strlen(head) + OSMTPD_TEXT_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    config_lines_have_a_name_and_the_rest_as_value),
		cmocka_unit_test(a_report_of_both_protocols_is_read),
		cmocka_unit_test(
		    the_mailbox_of_a_request_is_the_rest_of_the_line),
		cmocka_unit_test(
		    versions_are_two_numbers_and_the_minor_may_grow),
		cmocka_unit_test(what_is_not_for_us_or_broken_is_ignored),
		cmocka_unit_test(
		    a_recorded_line_cut_anywhere_is_never_read_past_its_end),
		cmocka_unit_test(
		    answers_name_session_and_token_in_the_order_of_the_protocol),
		cmocka_unit_test(
		    a_text_without_a_reply_code_or_with_421_is_put_behind_one),
		cmocka_unit_test(a_text_is_cut_and_cannot_break_the_line),
	};

	return cmocka_run_group_tests_name("osmtpd_line", tests, NULL, NULL);
}
