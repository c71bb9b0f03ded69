/* SPDX-License-Identifier: ISC */
/* MTA-STS policies: what is taken, what is refused, and why it is. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sts_policy.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEAD "version: STSv1\nmode: enforce\n"
#define TAIL "max_age: 604800\nmx: mx1.example.com\n"
#define NONE "version: STSv1\nmode: none\nmax_age: 86400\n"
#define MX(value) HEAD "max_age: 86400\nmx: " value "\n"
#define AGE(value) HEAD "mx: a.example\nmax_age: " value "\n"

/* mx: the patterns with a blank between them. */
struct good {
	const char *body;
	enum sts_mode mode;
	uint32_t max_age_s;
	const char *mx;
};

static const struct good fields[] = {
	{ "version: STSv1\nmode: enforce\nmx: gmail-smtp-in.l.google.com\n"
	  "mx: *.gmail-smtp-in.l.google.com\nmax_age: 86400\n",
	    STS_MODE_ENFORCE, 86400,
	    "gmail-smtp-in.l.google.com *.gmail-smtp-in.l.google.com" },
	{ "version: STSv1\r\nmode: enforce\r\nmx: *.mail.protection.outlook.com"
	  "\r\nmax_age: 604800\r\n",
	    STS_MODE_ENFORCE, 604800, "*.mail.protection.outlook.com" },
	{ "version: STSv1\nmode: testing\nmx: mail.example.org\n"
	  "mx: backup.example.org\nmax_age: 1209600",
	    STS_MODE_TESTING, 1209600, "mail.example.org backup.example.org" },
	{ "version: STSv1\nmode: none\nmax_age: 86400\n", STS_MODE_NONE, 86400,
	    "" },
};

static const struct good lines[] = {
	/* line ends */
	{ "version: STSv1\r\nmode: enforce\n" TAIL, STS_MODE_ENFORCE, 604800,
	    "mx1.example.com" },
	{ "version: STSv1\nmode: none\nmax_age: 1", STS_MODE_NONE, 1, "" },
	/* blank lines: forbidden by the grammar, common in the field */
	{ "\n\r\n" HEAD "\n" TAIL "\n\n", STS_MODE_ENFORCE, 604800,
	    "mx1.example.com" },
	{ HEAD " \t\n" TAIL " ", STS_MODE_ENFORCE, 604800, "mx1.example.com" },
	/* blanks around the value */
	{ "version:STSv1\nmode:\t enforce\t \nmax_age:1\nmx:a.example \r\n",
	    STS_MODE_ENFORCE, 1, "a.example" },
	/* order of keys */
	{ "mx: a.example\nmax_age: 1\nmode: testing\nversion: STSv1\n",
	    STS_MODE_TESTING, 1, "a.example" },
	/* the first of a repeated key counts, later ones are not judged */
	{ HEAD TAIL "mode: none\n", STS_MODE_ENFORCE, 604800,
	    "mx1.example.com" },
	{ HEAD TAIL "mode: bogus\nversion: 2\nmax_age: x\n", STS_MODE_ENFORCE,
	    604800, "mx1.example.com" },
	{ HEAD TAIL "max_age: 1\n", STS_MODE_ENFORCE, 604800,
	    "mx1.example.com" },
	/* unknown keys */
	{ HEAD TAIL "comment: see https://example.com/a?b=c;d  e\n",
	    STS_MODE_ENFORCE, 604800, "mx1.example.com" },
	{ HEAD TAIL "x_y-z.1: \xc3\xbc \xe2\x82\xac \xf0\x9f\x93\xa7\n",
	    STS_MODE_ENFORCE, 604800, "mx1.example.com" },
	{ HEAD TAIL "Mode: none\nMX: *\n", STS_MODE_ENFORCE, 604800,
	    "mx1.example.com" },
	{ HEAD TAIL "abcdefghijklmnopqrstuvwxyz012345: 1\n", STS_MODE_ENFORCE,
	    604800, "mx1.example.com" },
	/* only LF ends a line: not U+2028, not U+0085 */
	{ HEAD TAIL "a: b\xe2\x80\xa8mode: none\nc: d\xc2\x85mx: *\n",
	    STS_MODE_ENFORCE, 604800, "mx1.example.com" },
	/* mx: lower case, in order, without repeats */
	{ MX("B.Example\nmx: a.EXAMPLE\nmx: b.example\nmx: *.a.example\n"
	     "mx: A.example"),
	    STS_MODE_ENFORCE, 86400, "b.example a.example *.a.example" },
	{ MX("bb.example\nmx: a.example\nmx: c.example"), STS_MODE_ENFORCE,
	    86400, "bb.example a.example c.example" },
	{ MX("xn--bcher-kva.example"), STS_MODE_ENFORCE, 86400,
	    "xn--bcher-kva.example" },
	/* in mode none, mx lines mean nothing, wherever the mode stands: good
	 * ones are kept to be shown, bad ones do no harm */
	{ NONE "mx: *\nmx: B.example\nmx: *.a.example\nmx: b.example\n",
	    STS_MODE_NONE, 86400, "b.example *.a.example" },
	{ "mx: a.example\n" NONE, STS_MODE_NONE, 86400, "a.example" },
	{ "mx: 192.0.2.1\n" NONE, STS_MODE_NONE, 86400, "" },
	/* max_age */
	{ AGE("0"), STS_MODE_ENFORCE, 0, "a.example" },
	{ AGE("0000000001"), STS_MODE_ENFORCE, 1, "a.example" },
	{ AGE("31557600"), STS_MODE_ENFORCE, 31557600, "a.example" },
};

static const struct bad {
	const char *body;
	unsigned line;
	const char *reason; /* how it begins */
} bads[] = {
	/* whole policies */
	{ "", 0, "version is missing" },
	{ "\n\n", 0, "version is missing" },
	{ "mode: enforce\n" TAIL, 0, "version is missing" },
	{ "version: STSv1\n" TAIL, 0, "mode is missing" },
	{ HEAD "mx: a.example\n", 0, "max_age is missing" },
	{ HEAD "max_age: 1\n", 0, "mx is missing" },
	{ "version: STSv1\nmode: testing\nmax_age: 1\n", 0, "mx is missing" },
	{ "<!DOCTYPE html>\n<html></html>\n", 1, "line without a colon" },
	/* lines */
	{ "version STSv1\n", 1, "line without a colon" },
	{ HEAD TAIL "# a comment\n", 5, "line without a colon" },
	{ HEAD TAIL "\n\n?\n", 7, "line without a colon" },
	{ " version: STSv1\n", 1, "key is not a name" },
	{ "version : STSv1\n", 1, "key is not a name" },
	{ "\tversion: STSv1\n", 1, "key is not a name" },
	{ HEAD TAIL ": x\n", 5, "key is not a name" },
	{ HEAD TAIL "_a: x\n", 5, "key is not a name" },
	{ HEAD TAIL "a b: x\n", 5, "key is not a name" },
	{ HEAD TAIL "abcdefghijklmnopqrstuvwxyz0123456: 1\n", 5,
	    "key is not a name" },
	{ HEAD TAIL "\xc3\xbc: x\n", 5, "key is not a name" },
	{ "\xef\xbb\xbfversion: STSv1\nmode: enforce\n" TAIL, 1,
	    "byte order mark" },
	{ HEAD TAIL "a:\n", 5, "empty value" },
	{ HEAD TAIL "a: \t \r\n", 5, "empty value" },
	{ NONE "mx:\n", 4, "empty value" },
	/* octets of a value */
	{ HEAD TAIL "a: b\tc\n", 5, "control character" },
	{ HEAD TAIL "a: b\rc\n", 5, "control character" },
	{ HEAD TAIL "a: b\r", 5, "control character" },
	{ HEAD TAIL "a: b\r\r\n", 5, "control character" },
	{ HEAD TAIL "\r\r\n", 5, "line without a colon" },
	{ HEAD TAIL "a: b\x7f\n", 5, "control character" },
	{ HEAD TAIL "a: \x1b[31m\n", 5, "control character" },
	{ "version: STSv1\rmode: enforce\rmax_age: 1\rmx: a.example\r", 1,
	    "control character" },
	/* broken UTF-8: Latin-1, cut off, overlong, surrogate, too large */
	{ HEAD TAIL "a: b\xfc.\n", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \x80\n", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \xe2\x82\n", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \xe2\x82", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \xe2\x82.\n", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \xc0\xaf\n", 5, "control character or broken UTF-8" },
	{ HEAD TAIL "a: \xe0\x80\xaf\n", 5, "control character or" },
	{ HEAD TAIL "a: \xed\xa0\x80\n", 5, "control character or" },
	{ HEAD TAIL "a: \xf0\x80\x80\xaf\n", 5, "control character or" },
	{ HEAD TAIL "a: \xf4\x90\x80\x80\n", 5, "control character or" },
	{ HEAD TAIL "a: \xf5\x80\x80\x80\n", 5, "control character or" },
	/* version and mode */
	{ "version: STSv2\nmode: enforce\n" TAIL, 1, "version is not STSv1" },
	{ "version: STSV1\nmode: enforce\n" TAIL, 1, "version is not STSv1" },
	{ "version: STSv1;\nmode: enforce\n" TAIL, 1, "version is not STSv1" },
	{ "version: 2\nversion: STSv1\n", 1, "version is not STSv1" },
	{ "version: STSv1\nmode: Enforce\n", 2, "mode is not" },
	{ "version: STSv1\nmode: unknown\n", 2, "mode is not" },
	{ "version: STSv1\nmode: enforce none\n", 2, "mode is not" },
	{ "Version: STSv1\nmode: enforce\n" TAIL, 0, "version is missing" },
	/* max_age */
	{ AGE("+604800"), 4, "max_age is not a number" },
	{ AGE("-1"), 4, "max_age is not a number" },
	{ AGE("604_800"), 4, "max_age is not a number" },
	{ AGE("604800s"), 4, "max_age is not a number" },
	{ AGE("604 800"), 4, "max_age is not a number" },
	{ AGE("6.5"), 4, "max_age is not a number" },
	{ AGE("0x10"), 4, "max_age is not a number" },
	{ AGE("\xd9\xa3"), 4, "max_age is not a number" },
	{ AGE("00000604800"), 4, "max_age has more than 10 digits" },
	/* mx: one bad pattern makes the policy invalid */
	{ MX("mx1.example.com."), 4, "mx is neither" },
	{ MX("*"), 4, "mx is neither" },
	{ MX("*."), 4, "mx is neither" },
	{ MX("mx.*.example.com"), 4, "mx is neither" },
	{ MX("mx*.example.com"), 4, "mx is neither" },
	{ MX(".example.com"), 4, "mx is neither" },
	{ MX("192.0.2.1"), 4, "mx is neither" },
	{ MX("[192.0.2.1]"), 4, "mx is neither" },
	{ MX("2001:db8::1"), 4, "mx is neither" },
	{ MX("https://mx1.example.com/"), 4, "mx is neither" },
	{ MX("mx1.example.com:25"), 4, "mx is neither" },
	{ MX("x servername=evil"), 4, "mx is neither" },
	{ MX("a.example, b.example"), 4, "mx is neither" },
	{ MX("} {"), 4, "mx is neither" },
	{ MX("b\xc3\xbc"
	     "cher.example"),
	    4, "mx is neither" },
	{ MX("a.example\nmx: *\nmx: b.example"), 5, "mx is neither" },
	/* what is wrong first is said, also when the mode comes later */
	{ "?\nmx: *\n" HEAD "max_age: 1\n", 1, "line without a colon" },
	{ "version: STSv1\nmode: on\nmode: none\nmax_age: 1\n", 2,
	    "mode is not" },
	{ "mx: *\nversion: STSv2\n", 1, "mx is neither" },
	{ "mx: *\n" HEAD "max_age: 1\n", 1, "mx is neither" },
	{ NONE "mx: *\n?\n", 5, "line without a colon" },
};

static void
join_mx(const struct sts_policy *policy, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < policy->n_mx && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
		    i == 0 ? "" : " ", policy->mx[i]);
}

static void
check_good(const struct good *rows, size_t n)
{
	char mx[512];

	for (size_t i = 0; i < n; i++) {
		struct sts_policy policy;
		struct sts_policy_error error;

		if (sts_policy_parse(span_of(rows[i].body), &policy, &error) !=
		    STS_POLICY_OK)
			fail_msg("%s: line %u: %s", rows[i].body, error.line,
			    error.reason);
		join_mx(&policy, mx, sizeof(mx));
		if (policy.mode != rows[i].mode || policy.max_age_capped ||
		    policy.max_age_s != rows[i].max_age_s ||
		    strcmp(mx, rows[i].mx) != 0)
			fail_msg("%s: %s, %u, %s", rows[i].body,
			    sts_mode_name(policy.mode), policy.max_age_s, mx);
		sts_policy_cleanup(&policy);
	}
}

static void
policies_of_the_field_are_read(void **state)
{
	(void)state;
	check_good(fields, COUNT(fields));
}

static void
what_the_rules_allow_is_taken(void **state)
{
	(void)state;
	check_good(lines, COUNT(lines));
}

static void
what_the_rules_forbid_is_refused_with_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bads); i++) {
		struct sts_policy policy = { .n_mx = 7 };
		struct sts_policy_error error;
		struct span body = span_of(bads[i].body);

		if (sts_policy_parse(body, &policy, &error) !=
		    STS_POLICY_INVALID)
			fail_msg("taken: %s", bads[i].body);
		if (error.line != bads[i].line ||
		    !span_starts(span_of(error.reason), bads[i].reason))
			fail_msg("%s: line %u: %s", bads[i].body, error.line,
			    error.reason);
		assert_int_equal(policy.n_mx, 0);
		assert_null(policy.mx);
		sts_policy_cleanup(&policy);
	}
}

/* "5W unknown key|0E mx is missing": findings as one string. */
struct said {
	char text[1024];
	size_t len;
	struct span body;
};

static void
note_finding(const struct sts_finding *finding, void *arg)
{
	struct said *said = arg;

	/* what is meant lies in the body */
	if (finding->about.len > 0) {
		assert_true(finding->about.p >= said->body.p);
		assert_true(finding->about.p + finding->about.len <=
		    said->body.p + said->body.len);
	}
	if (said->len >= sizeof(said->text))
		return;
	said->len += (size_t)snprintf(said->text + said->len,
	    sizeof(said->text) - said->len, "%s%u%c %.13s(%.*s)",
	    said->len == 0 ? "" : "|", finding->line,
	    finding->severity == STS_ERROR ? 'E' : 'W', finding->text,
	    (int)finding->about.len, finding->about.p);
}

static const struct {
	const char *body;
	enum sts_policy_result result;
	const char *said;
} judgements[] = {
	{ HEAD TAIL, STS_POLICY_OK, "" },
	{ NONE, STS_POLICY_OK, "" },
	/* warnings do not harm */
	{ "\n" HEAD TAIL " \t\n", STS_POLICY_OK,
	    "1W blank line()|6W blank line()" },
	{ HEAD TAIL "nmx: a.example\nMode: none\n", STS_POLICY_OK,
	    "5W unknown key: (nmx)|6W unknown key: (Mode)" },
	{ HEAD TAIL "mode: none\nversion: 2\nmax_age: x\n", STS_POLICY_OK,
	    "5W key is given (none)|6W key is given (2)|7W key is given (x)" },
	{ AGE("31557601"), STS_POLICY_OK, "4W max_age is ov(31557601)" },
	{ MX("a.example\nmx: b.example\nmx: A.example"), STS_POLICY_OK,
	    "0W an mx is give()" },
	{ "mx: *\nmx: a.example\n" NONE, STS_POLICY_OK,
	    "1W bad mx, which(*)|2W mx means noth(a.example)" },
	/* all errors, not the first alone, in the order of lines */
	{ MX("*\nmx: a.example\nmx: 192.0.2.1\n?\n\nb: \x01"),
	    STS_POLICY_INVALID,
	    "4E mx is neither(*)|6E mx is neither(192.0.2.1)|"
	    "7E line without (?)|8W blank line()|9E control chara(b: \x01)" },
	{ "", STS_POLICY_INVALID,
	    "0E version is mi()|0E mode is missi()|0E max_age is mi()" },
	{ "mode: testing\n", STS_POLICY_INVALID,
	    "0E version is mi()|0E max_age is mi()|0E mx is missing()" },
	/* what is there but wrong is not missing as well, and stays the first
	 */
	{ "version: 1\nmode: on\nmode: none\nmax_age: x\nmax_age: 1\n",
	    STS_POLICY_INVALID,
	    "1E version is no(1)|2E mode is not e(on)|3W key is given (none)|"
	    "4E max_age is no(x)|5W key is given (1)" },
	/* without a mode nobody knows whether mx are wanted; bad ones are bad
	 */
	{ "version: STSv1\nmax_age: 1\nmx: *\n", STS_POLICY_INVALID,
	    "3E mx is neither(*)|0E mode is missi()" },
};

static void
all_errors_and_warnings_are_told_in_the_order_of_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(judgements); i++) {
		struct said said = { .body = span_of(judgements[i].body) };
		struct sts_policy policy = { .n_mx = 7 };

		if (sts_policy_judge(said.body, &policy, note_finding, &said) !=
			judgements[i].result ||
		    strcmp(said.text, judgements[i].said) != 0)
			fail_msg("%s: %s", judgements[i].body, said.text);
		assert_true(
		    judgements[i].result == STS_POLICY_OK || policy.mx == NULL);
		sts_policy_cleanup(&policy);
	}
}

static void
nul_is_a_control_character_and_the_length_is_heeded(void **state)
{
	static const char nul[] = HEAD TAIL "a: b\0c\n";
	static const char more[] = NONE "?";
	struct span body = { nul, sizeof(nul) - 1 };
	struct sts_policy policy;
	struct sts_policy_error error;

	(void)state;
	assert_int_equal(sts_policy_parse(body, &policy, &error),
	    STS_POLICY_INVALID);
	assert_int_equal(error.line, 5);
	body = (struct span){ more, sizeof(NONE) - 1 };
	assert_int_equal(sts_policy_parse(body, &policy, &error),
	    STS_POLICY_OK);
	sts_policy_cleanup(&policy);
	assert_int_equal(sts_policy_parse(span_of(NULL), &policy, &error),
	    STS_POLICY_INVALID);
}

static void
a_max_age_beyond_a_year_is_capped(void **state)
{
	static const char *const bodies[] = { AGE("31557601"),
		AGE("4294967296"), AGE("9999999999") };
	struct sts_policy policy;
	struct sts_policy_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		assert_int_equal(sts_policy_parse(span_of(bodies[i]), &policy,
				     &error),
		    STS_POLICY_OK);
		assert_int_equal(policy.max_age_s, STS_MAX_AGE_MAX_S);
		assert_true(policy.max_age_capped);
		sts_policy_cleanup(&policy);
	}
}

static void
a_policy_lists_a_host_that_one_of_its_patterns_matches(void **state)
{
	struct sts_policy policy;
	struct sts_policy_error error;

	(void)state;
	assert_int_equal(sts_policy_parse(span_of(MX("Mx1.example.com\nmx: "
						     "*.B.example")),
			     &policy, &error),
	    STS_POLICY_OK);
	assert_true(sts_policy_lists(&policy, "mx1.example.com"));
	assert_true(sts_policy_lists(&policy, "a.b.example"));
	assert_false(sts_policy_lists(&policy, "mx2.example.com"));
	assert_false(sts_policy_lists(&policy, "b.example"));
	assert_false(sts_policy_lists(&policy, "c.a.b.example"));
	sts_policy_cleanup(&policy);
	assert_false(sts_policy_lists(&policy, "mx1.example.com"));
	assert_int_equal(sts_policy_parse(span_of(NONE "mx: mx1.example.com\n"),
			     &policy, &error),
	    STS_POLICY_OK);
	assert_int_equal(policy.n_mx, 1);
	assert_false(sts_policy_lists(&policy, "mx1.example.com"));
	sts_policy_cleanup(&policy);
}

static void
cleanup_empties_and_may_run_twice(void **state)
{
	struct sts_policy policy;
	struct sts_policy_error error;

	(void)state;
	assert_int_equal(sts_policy_parse(span_of(HEAD TAIL), &policy, &error),
	    STS_POLICY_OK);
	sts_policy_cleanup(&policy);
	assert_int_equal(policy.mode, STS_MODE_UNKNOWN);
	assert_int_equal(policy.n_mx, 0);
	assert_null(policy.mx);
	sts_policy_cleanup(&policy);
}

static void
modes_have_names(void **state)
{
	(void)state;
	assert_string_equal(sts_mode_name(STS_MODE_UNKNOWN), "unknown");
	assert_string_equal(sts_mode_name(STS_MODE_ENFORCE), "enforce");
	assert_string_equal(sts_mode_name(STS_MODE_TESTING), "testing");
	assert_string_equal(sts_mode_name(STS_MODE_NONE), "none");
}

/* The linker puts these in place of the C library's (--wrap). */
static unsigned fail_at, allocations;
static size_t largest;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_malloc(size_t size)
{
	if (++allocations == fail_at)
		return NULL;
	largest = size;
	return __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return ++allocations == fail_at ? NULL : __real_calloc(n, size);
}

static void
lack_of_memory_is_said_and_leaves_nothing_behind(void **state)
{
	struct sts_policy policy;
	struct sts_policy_error error;
	enum sts_policy_result result = STS_POLICY_NO_MEMORY;

	(void)state;
	for (fail_at = 1; result != STS_POLICY_OK; fail_at++) {
		allocations = 0;
		result = sts_policy_parse(span_of(HEAD TAIL), &policy, &error);
		if (result == STS_POLICY_OK)
			break;
		assert_int_equal(result, STS_POLICY_NO_MEMORY);
		assert_non_null(error.reason);
		assert_int_equal(policy.n_mx, 0);
		assert_null(policy.mx);
	}
	assert_int_equal(fail_at, 3);
	fail_at = 0;
	sts_policy_cleanup(&policy);
}

/* Repeats cost nothing: 10,000 policies are kept at once. */
static void
a_policy_of_64_kib_keeps_one_block_of_what_it_needs(void **state)
{
	static char body[65536] = HEAD "max_age: 1\n";
	size_t len = strlen(body), n = 0;
	struct sts_policy policy;
	struct sts_policy_error error;
	struct span s = { body, 0 };

	(void)state;
	for (; sizeof(body) - len > 20; n++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
		    "mx:x%zu\n", n % 3000);
	s.len = len;
	assert_int_equal(sts_policy_parse(s, &policy, &error), STS_POLICY_OK);
	assert_true(n > 7000);
	assert_int_equal(policy.n_mx, 3000);
	for (size_t i = 0; i < 3000; i++)
		assert_int_equal(strtoul(policy.mx[i] + 1, NULL, 10), i);
	assert_true(largest <= 3000 * (sizeof(char *) + sizeof("x2999")));
	sts_policy_cleanup(&policy);
}

static void
a_copy_outlives_what_it_was_made_from(void **state)
{
	struct sts_policy policy, copy;
	struct sts_policy_error error;

	(void)state;
	assert_int_equal(sts_policy_parse(span_of("version: STSv1\n"
						  "mode: enforce\n"
						  "mx: *.example.com\n"
						  "mx: mx.example.net\n"
						  "max_age: 86400\n"),
			     &policy, &error),
	    STS_POLICY_OK);
	assert_true(sts_policy_copy(&policy, &copy));
	sts_policy_cleanup(&policy);
	assert_int_equal(copy.mode, STS_MODE_ENFORCE);
	assert_int_equal(copy.max_age_s, 86400);
	assert_int_equal(copy.n_mx, 2);
	assert_string_equal(copy.mx[0], "*.example.com");
	assert_string_equal(copy.mx[1], "mx.example.net");
	sts_policy_cleanup(&copy);
	assert_true(sts_policy_copy(&policy, &copy)); /* an empty one */
	assert_int_equal(copy.n_mx, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_outlives_what_it_was_made_from),
		cmocka_unit_test(policies_of_the_field_are_read),
		cmocka_unit_test(what_the_rules_allow_is_taken),
		cmocka_unit_test(
		    what_the_rules_forbid_is_refused_with_line_and_reason),
		cmocka_unit_test(
		    all_errors_and_warnings_are_told_in_the_order_of_lines),
		cmocka_unit_test(
		    nul_is_a_control_character_and_the_length_is_heeded),
		cmocka_unit_test(a_max_age_beyond_a_year_is_capped),
		cmocka_unit_test(
		    a_policy_lists_a_host_that_one_of_its_patterns_matches),
		cmocka_unit_test(cleanup_empties_and_may_run_twice),
		cmocka_unit_test(modes_have_names),
		cmocka_unit_test(
		    lack_of_memory_is_said_and_leaves_nothing_behind),
		cmocka_unit_test(
		    a_policy_of_64_kib_keeps_one_block_of_what_it_needs),
	};

	return cmocka_run_group_tests_name("sts_policy", tests, NULL, NULL);
}
