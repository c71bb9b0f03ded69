/* SPDX-License-Identifier: ISC */
/* TXT records in the form of zone files. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/zone_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct row {
	const char *text;
	const char *octets;
};

static const struct row rows[] = {
	/* as it is */
	{ "", "" },
	{ "v=STSv1; id=1;", "v=STSv1; id=1;" },
	{ " v=STSv1;\tid=1 ", " v=STSv1;\tid=1 " },
	{ "v=STSv1; id=\"1\"", "v=STSv1; id=\"1\"" },
	{ "(a)", "(a)" },
	/* in quotes, joined without blanks */
	{ "\"v=STSv1; id=1;\"", "v=STSv1; id=1;" },
	{ "\"v=STSv1; \" \"id=1;\"", "v=STSv1; id=1;" },
	{ "\"v=STSv1;\"\t\"id=\"\"1\"", "v=STSv1;id=1" },
	{ " \"a\" ", "a" },
	{ "\"\"", "" },
	{ "\"\" \"a\"", "a" },
	{ "\"a\" b c", "abc" },
	{ "( \"a\"\n\t\"b\" )\r\n", "ab" },
	{ "\"a;b\" ; a comment", "a;b" },
	/* escapes */
	{ "v=STSv1\\; id=1\\;", "v=STSv1; id=1;" },
	{ "\"v=STSv1\\; id=1\\;\"", "v=STSv1; id=1;" },
	{ "\\118=STSv1\\059", "v=STSv1;" },
	{ "\"\\118\\061\"", "v=" },
	{ "\"a\\\"b\\\\c\"", "a\"b\\c" },
	{ "\\\"a\\\"", "\"a\"" },
	{ "\"a\" \\; b", "a;b" },
	{ "\\0320", " 0" },
	{ "\\255", "\xff" },
};

static const struct {
	const char *text;
	const char *before; /* octets before the fault */
	const char *why;
} bad_rows[] = {
	{ "\"", "", "quote that is not closed" },
	{ "\"a", "a", "quote that is not closed" },
	{ "\"a\" \"b", "ab", "quote that is not closed" },
	{ "\"a\\\"", "a\"", "quote that is not closed" },
	{ "a\\", "a", "nothing behind the last \\" },
	{ "\"a\\", "a", "nothing behind the last \\" },
	{ "a\\256", "a", "\\ and a digit, but not \\000 to \\255" },
	{ "a\\25", "a", "\\ and a digit, but not \\000 to \\255" },
	{ "a\\2x5", "a", "\\ and a digit, but not \\000 to \\255" },
	{ "\"a\\9\"", "a", "\\ and a digit, but not \\000 to \\255" },
};

/* In blocks of their exact sizes, so that a sanitizer sees a step beyond. */
static const char *
join(const char *text, char **out, size_t *len)
{
	size_t size = strlen(text);
	char *copy = malloc(size + 1);
	const char *why;

	*out = malloc(size + 1);
	assert_non_null(copy);
	assert_non_null(*out);
	memcpy(copy, text, size);
	why = zone_text_join((struct span){ copy, size }, *out, len);
	assert_true(*len <= size);
	free(copy);
	return why;
}

static void
strings_are_joined_and_escapes_resolved(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *out;
		size_t len;
		const char *why = join(rows[i].text, &out, &len);

		if (why != NULL || len != strlen(rows[i].octets) ||
		    memcmp(out, rows[i].octets, len) != 0)
			fail_msg("%s: %s: %.*s", rows[i].text,
			    why == NULL ? "taken" : why, (int)len, out);
		free(out);
	}
}

static void
what_is_no_record_is_told_with_what_came_before(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_rows); i++) {
		char *out;
		size_t len;
		const char *why = join(bad_rows[i].text, &out, &len);

		if (why == NULL || strcmp(why, bad_rows[i].why) != 0 ||
		    len != strlen(bad_rows[i].before) ||
		    memcmp(out, bad_rows[i].before, len) != 0)
			fail_msg("%s: %s: %.*s", bad_rows[i].text,
			    why == NULL ? "taken" : why, (int)len, out);
		free(out);
	}
}

static void
nul_is_an_octet_as_any_other(void **state)
{
	static const char text[] = "a\0b\\000";
	char out[sizeof(text)];
	size_t len;

	(void)state;
	assert_null(
	    zone_text_join((struct span){ text, sizeof(text) - 1 }, out, &len));
	assert_int_equal(len, 4);
	assert_memory_equal(out, "a\0b\0", 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings_are_joined_and_escapes_resolved),
		cmocka_unit_test(
		    what_is_no_record_is_told_with_what_came_before),
		cmocka_unit_test(nul_is_an_octet_as_any_other),
	};

	return cmocka_run_group_tests_name("zone_text", tests, NULL, NULL);
}
