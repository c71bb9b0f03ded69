/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_text.h"
#include "common/limits.h"
#include "tests/unit/scratch.h"

static char buf[256];

static bool
clean(const char *text, struct config_text *t)
{
	assert_true(strlen(text) < sizeof(buf));
	memcpy(buf, text, strlen(text) + 1);
	*t = config_text_start(buf);
	return config_text_clean(t);
}

static void
comments_become_blanks_and_lines_stay(void **state)
{
	static const char *const table[][2] = {
		{ "a # b\nc", "a    \nc" },
		{ "a#b", "a  " },
		{ "// a\n//", "    \n  " },
		{ "a = //b", "a =    " },
		{ "a = b//c", "a = b//c" },
		{ "/* # \n // */b", "     \n      b" },
		{ "/**/b/***/c", "    b     c" },
		{ "a/*/*/b", "a     b" },
		{ "a\r\n#b\r\nc", "a \n   \nc" },
	};
	struct config_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_true(clean(table[i][0], &t));
		assert_string_equal(buf, table[i][1]);
	}
}

static void
strings_are_left_alone(void **state)
{
	static const char text[] = "\"#a\" '// /*' \"'\" '\"' \"*+;\"";
	struct config_text t;

	(void)state;
	assert_true(clean(text, &t));
	assert_string_equal(buf, text);
}

static void
what_would_be_changed_silently_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *why;
	} table[] = {
		{ "\n/*\n\n", 2, "a comment without an end" },
		{ "/*/", 1, "a comment without an end" },
		{ "#\n\n'a\n'", 3, "a string without an end" },
		{ "\"a", 1, "a string without an end" },
		{ "/*\n*/ \"a\\x00\"", 2, "a backslash in a string" },
		{ "\n${A}", 2, "'${' is not expanded here" },
		{ "'a${'", 1, "'${' is not expanded here" },
		{ "a\rb", 1, "a control character" },
		{ "\na\x01", 2, "a control character" },
		{ "'\x7f'", 1, "a control character" },
		{ "a += b", 1, "'*', '+' or ';' outside of quotes" },
		{ "a = *", 1, "'*', '+' or ';' outside of quotes" },
		{ "a = b;", 1, "'*', '+' or ';' outside of quotes" },
	};
	struct config_text t;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_false(clean(table[i].text, &t));
		assert_int_equal(t.line, table[i].line);
		assert_string_equal(t.why, table[i].why);
	}
}

struct token {
	enum config_token token;
	const char *name, *title; /* "" when nothing is there */
	unsigned line;
};

static void
expect_tokens(const char *text, const struct token *want)
{
	struct config_text t;
	struct span name, title;

	assert_true(clean(text, &t));
	t = config_text_start(buf);
	for (;; want++) {
		assert_int_equal(config_text_next(&t, &name, &title),
		    want->token);
		if (want->token == CONFIG_TOKEN_END)
			break;
		assert_true(span_is(name, want->name));
		assert_true(span_is(title, want->title));
		assert_int_equal(t.line, want->line);
	}
}

static void
keys_are_the_words_before_an_equals_sign(void **state)
{
	static const struct token want[] = {
		{ CONFIG_TOKEN_KEY, "a", "", 1 },
		{ CONFIG_TOKEN_KEY, "c", "", 1 },
		{ CONFIG_TOKEN_KEY, "g", "", 4 },
		{ CONFIG_TOKEN_KEY, "j", "", 4 },
		{ CONFIG_TOKEN_END, "", "", 4 },
	};
	static const struct token end[] = { { CONFIG_TOKEN_END, "", "", 1 } };

	(void)state;
	expect_tokens("a=b c =\n{ 'd=e', f }\n\"g\"\n= h j= i", want);
	expect_tokens("= =", end);
	expect_tokens("a = {b = c}",
	    (const struct token[]){ { CONFIG_TOKEN_KEY, "a", "", 1 },
		{ CONFIG_TOKEN_END, "", "", 1 } });
}

static void
sections_open_and_close_but_lists_do_not(void **state)
{
	static const struct token want[] = {
		{ CONFIG_TOKEN_KEY, "a", "", 1 },
		{ CONFIG_TOKEN_OPEN, "relay", "", 1 },
		{ CONFIG_TOKEN_KEY, "b", "", 2 },
		{ CONFIG_TOKEN_KEY, "c", "", 2 },
		{ CONFIG_TOKEN_CLOSE, "", "", 3 },
		{ CONFIG_TOKEN_OPEN, "policy", "d {", 3 },
		{ CONFIG_TOKEN_CLOSE, "", "", 3 },
		{ CONFIG_TOKEN_OPEN, "policy", "e", 4 },
		{ CONFIG_TOKEN_OPEN, "", "", 4 },
		{ CONFIG_TOKEN_CLOSE, "", "", 4 },
		{ CONFIG_TOKEN_CLOSE, "", "", 4 },
		{ CONFIG_TOKEN_END, "", "", 4 },
	};

	(void)state;
	expect_tokens("a = {b,\tc} relay {\nb = {} c = d\n}policy 'd {' {}\n"
		      "policy e{{}}",
	    want);
}

static void
a_file_is_read_whole_or_not_at_all(void **state)
{
	char *big = malloc(LIMIT_CONFIG_FILE + 1), *text;
	const char *why;

	(void)state;
	assert_non_null(big);
	memset(big, ' ', LIMIT_CONFIG_FILE + 1);
	text =
	    config_text_read(scratch_write_bytes("f", big, LIMIT_CONFIG_FILE),
		&why);
	assert_non_null(text);
	assert_int_equal(strlen(text), LIMIT_CONFIG_FILE);
	free(text);
	assert_null(config_text_read(scratch_write_bytes("f", big,
					 LIMIT_CONFIG_FILE + 1),
	    &why));
	assert_int_equal(errno, EFBIG);
	assert_string_equal(why, strerror(EFBIG));
	assert_null(
	    config_text_read(scratch_write_bytes("f", "a\0b", 3), &why));
	assert_int_equal(errno, EILSEQ);
	assert_string_equal(why, "a NUL octet in the file");
	assert_null(config_text_read(scratch_path("."), &why));
	assert_int_equal(errno, EISDIR);
	assert_null(config_text_read(scratch_path("none"), &why));
	assert_int_equal(errno, ENOENT);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_become_blanks_and_lines_stay),
		cmocka_unit_test(strings_are_left_alone),
		cmocka_unit_test(
		    what_would_be_changed_silently_is_refused_with_its_line),
		cmocka_unit_test(keys_are_the_words_before_an_equals_sign),
		cmocka_unit_test(sections_open_and_close_but_lists_do_not),
		cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("config_text", tests, scratch_make,
	    scratch_remove);
}
