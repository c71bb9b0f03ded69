/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/exim_line.h"

#define SESSION "1xVRif-00017Q-1o good.test mx1.good.test 192.0.2.1"

static struct exim_request
request(const char *line)
{
	return exim_request_parse(span_of(line));
}

static void
assert_session(const struct exim_request *r)
{
	assert_true(span_is(r->message, "1xVRif-00017Q-1o"));
	assert_true(span_is(r->domain, "good.test"));
	assert_true(span_is(r->host, "mx1.good.test"));
	assert_true(span_is(r->address, "192.0.2.1"));
}

static void
a_domain_is_asked_for_by_three_verbs(void **state)
{
	(void)state;
	assert_int_equal(request("POLICY a.test").verb, EXIM_POLICY);
	assert_int_equal(request("ROUTE a.test").verb, EXIM_ROUTE);
	assert_int_equal(request("DOMAIN a.test\r").verb, EXIM_DOMAIN);
	assert_true(span_is(request("DOMAIN a.test\r").domain, "a.test"));
	assert_true(
	    span_is(request("POLICY b\xc3\xbc.test").domain, "b\xc3\xbc.test"));
}

static void
a_certificate_comes_with_its_session_and_depth(void **state)
{
	struct exim_request r = request("CERT " SESSION " 15 8 MIIB+/=");

	(void)state;
	assert_int_equal(r.verb, EXIM_CERT);
	assert_session(&r);
	assert_int_equal(r.depth, 15);
	assert_int_equal(r.tlsa_usage, 8);
	assert_true(span_is(r.certificate, "MIIB+/="));
	assert_null(r.why);
}

static void
an_event_has_values_and_a_text_that_is_the_rest(void **state)
{
	struct exim_request r = request(
	    "EVENT tcp:close " SESSION " sip=127.0.0.1 cv=1 dane=yes tlsa=8 "
	    "cipher=TLS1.3:X errno=0 data=a b=c ");

	(void)state;
	assert_int_equal(r.verb, EXIM_EVENT);
	assert_session(&r);
	assert_true(span_is(r.event, "tcp:close"));
	assert_true(r.verified && r.dane);
	assert_true(span_is(r.cipher, "TLS1.3:X"));
	assert_true(span_is(r.text, "a b=c "));
	r = request(
	    "EVENT dane:fail " SESSION " cv=0 dane=no cipher= cv x= =y  data=");
	assert_int_equal(r.verb, EXIM_EVENT);
	assert_false(r.verified || r.dane);
	assert_int_equal(r.cipher.len, 0);
	assert_int_equal(r.text.len, 0);
	assert_int_equal(request("EVENT tcp:close " SESSION).verb, EXIM_EVENT);
}

static void
a_verdict_is_asked_for_with_what_the_session_has_shown(void **state)
{
	struct exim_request r =
	    request("VERDICT " SESSION " cv=1 dane=no cipher=X");

	(void)state;
	assert_int_equal(r.verb, EXIM_VERDICT);
	assert_session(&r);
	assert_true(r.verified);
	assert_true(span_is(r.cipher, "X"));
}

static void
a_bad_request_says_why_and_holds_nothing(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "", "unknown verb" },
		{ " ", "unknown verb" },
		{ "policy a.test", "unknown verb" },
		{ "POLICYa.test", "unknown verb" },
		{ "POLICY", "no domain" },
		{ "POLICY ", "no domain" },
		{ "POLICY  a.test", "no domain" },
		{ "POLICY a.test b", "more than a domain" },
		{ "POLICY a.\ttest", "control character in the line" },
		{ "POLICY a.test\r\r", "control character in the line" },
		{ "CERT", "no message" },
		{ "CERT m", "no domain" },
		{ "CERT m  h 1", "no domain" },
		{ "CERT m d", "no host" },
		{ "CERT m d h", "no address" },
		{ "CERT m d h 1", "no depth of 0 to 15" },
		{ "CERT m d h 1 16 0 A", "no depth of 0 to 15" },
		{ "CERT m d h 1 -1 0 A", "no depth of 0 to 15" },
		{ "CERT m d h 1 0", "no TLSA usage" },
		{ "CERT m d h 1 0 256 A", "no TLSA usage" },
		{ "CERT m d h 1 0 0", "no certificate" },
		{ "CERT m d h 1 0 0 ", "no certificate" },
		{ "EVENT", "no event" },
		{ "EVENT tcp:close", "no message" },
		{ "VERDICT m d h", "no address" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exim_request r = request(rows[i].line);

		assert_int_equal(r.verb, EXIM_BAD);
		assert_string_equal(r.why, rows[i].why);
		assert_null(r.domain.p);
	}
}

static void
words_and_lines_have_a_bound(void **state)
{
	char *line = malloc(EXIM_REQUEST_MAX + 1);
	struct span s = { line, 7 + EXIM_WORD_MAX };

	(void)state;
	assert_non_null(line);
	memset(line, 'a', EXIM_REQUEST_MAX + 1);
	memcpy(line, "POLICY ", 7);
	assert_int_equal(exim_request_parse(s).verb, EXIM_POLICY);
	s.len++;
	assert_string_equal(exim_request_parse(s).why, "no domain");
	memcpy(line, "CERT m d h 1 0 0 ", 17);
	s.len = EXIM_REQUEST_MAX;
	assert_int_equal(exim_request_parse(s).verb, EXIM_CERT);
	s.len++;
	assert_string_equal(exim_request_parse(s).why, "line too long");
	free(line);
}

static void
an_answer_that_is_not_understood_is_a_temporary_failure(void **state)
{
	static const char *const bad[] = { "", "mode=", "mode=enforced",
		"Mode=none", "none", " mode=none", "mode=none\tx",
		"mode=none why=", "mode=none why=x", "mode=none why=\"x",
		"mode=none why=\"x\"y", "mode=none why=\"x\" hosts=\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct exim_answer a = exim_answer_parse(span_of(bad[i]));

		assert_int_equal(a.mode, EXIM_TEMPFAIL);
		assert_null(a.text.p);
	}
}

static void
an_answer_has_a_mode_hosts_and_a_text(void **state)
{
	struct exim_answer a = exim_answer_parse(
	    span_of("mode=enforce mx=^a$ hosts=a:b why=\"x y\""));

	(void)state;
	assert_int_equal(a.mode, EXIM_ENFORCE);
	assert_true(span_is(a.hosts, "a:b"));
	assert_true(span_is(a.text, "x y"));
	for (int mode = EXIM_TEMPFAIL; mode <= EXIM_FAIL; mode++) {
		char line[64];

		snprintf(line, sizeof(line), "mode=%s\r",
		    exim_mode_name((enum exim_mode)mode));
		assert_int_equal(exim_answer_parse(span_of(line)).mode, mode);
	}
}

static void
a_pattern_becomes_a_regular_expression_of_one_label(void **state)
{
	char out[600];
	static const char *const bad[] = { "", "*", "*.", "a..b", "a,b", "a:b",
		"^a", "*.*.test", "a_b.test", "192.0.2.1", "mx.test." };

	(void)state;
	assert_int_equal(exim_pattern_format(out, sizeof(out), "mx.a.test"),
	    13);
	assert_string_equal(out, "^mx\\.a\\.test$");
	assert_int_equal(exim_pattern_format(out, 13, "mx.a.test"), 0);
	assert_int_equal(exim_pattern_format(out, 14, "mx.a.test"), 13);
	exim_pattern_format(out, sizeof(out), "*.a.test");
	assert_string_equal(out, "^[^.]+\\.a\\.test$");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(exim_pattern_format(out, sizeof(out), bad[i]),
		    0);
}

static void
a_text_cannot_end_its_quotes_or_its_line(void **state)
{
	char out[16];

	(void)state;
	assert_string_equal(exim_text_format(out, sizeof(out),
				"a\"b\\c\nd\xff"),
	    "a'b/c?d?");
	assert_string_equal(exim_text_format(out, sizeof(out),
				"0123456789abcdefg"),
	    "0123456789abcde");
	assert_string_equal(exim_text_format(out, 1, "x"), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domain_is_asked_for_by_three_verbs),
		cmocka_unit_test(
		    a_certificate_comes_with_its_session_and_depth),
		cmocka_unit_test(
		    an_event_has_values_and_a_text_that_is_the_rest),
		cmocka_unit_test(
		    a_verdict_is_asked_for_with_what_the_session_has_shown),
		cmocka_unit_test(a_bad_request_says_why_and_holds_nothing),
		cmocka_unit_test(words_and_lines_have_a_bound),
		cmocka_unit_test(
		    an_answer_that_is_not_understood_is_a_temporary_failure),
		cmocka_unit_test(an_answer_has_a_mode_hosts_and_a_text),
		cmocka_unit_test(
		    a_pattern_becomes_a_regular_expression_of_one_label),
		cmocka_unit_test(a_text_cannot_end_its_quotes_or_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
