/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "proto/span.h"

static void
cutting_gives_empty_pieces_in_the_middle_but_not_at_the_end(void **state)
{
	struct span rest = span_of("a;;b;"), head;

	(void)state;
	assert_true(span_cut(&rest, ';', &head));
	assert_true(span_is(head, "a"));
	assert_true(span_cut(&rest, ';', &head));
	assert_true(span_is(head, ""));
	assert_true(span_cut(&rest, ';', &head));
	assert_true(span_is(head, "b"));
	assert_false(span_cut(&rest, ';', &head));
	assert_true(span_is(head, "b"));
}

static void
an_empty_string_is_one_empty_piece_and_null_is_none(void **state)
{
	struct span rest = span_of(""), head;

	(void)state;
	assert_true(span_cut(&rest, ';', &head));
	assert_int_equal(head.len, 0);
	assert_false(span_cut(&rest, ';', &head));
	rest = span_of(NULL);
	assert_false(span_cut(&rest, ';', &head));
}

static void
comparison_folds_ascii_letters_only_when_asked(void **state)
{
	(void)state;
	assert_true(span_is(span_of("abc"), "abc"));
	assert_false(span_is(span_of("abc"), "ABC"));
	assert_false(span_is(span_of("ab"), "abc"));
	assert_true(span_is_nocase(span_of("aBc"), "AbC"));
	assert_false(span_is_nocase(span_of("[bc"), "{bc"));
	assert_true(span_starts(span_of("abc"), "ab"));
	assert_false(span_starts(span_of("ab"), "abc"));
	assert_true(span_starts(span_of(NULL), ""));
}

static void
trimming_takes_blanks_and_tabs_only(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(span_of(" \ta b\t ")), "a b"));
	assert_true(span_is(span_trim(span_of(" \r\n")), "\r\n"));
	assert_true(span_is(span_trim(span_of(" \t ")), ""));
}

static void
a_copy_that_does_not_fit_or_holds_nul_is_refused(void **state)
{
	char buf[4];
	struct span nul = { "a\0b", 3 };

	(void)state;
	assert_true(span_copy(span_of("abc"), buf, sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_false(span_copy(span_of("abcd"), buf, sizeof(buf)));
	assert_string_equal(buf, "");
	assert_false(span_copy(nul, buf, sizeof(buf)));
	assert_true(span_copy(span_of(NULL), buf, sizeof(buf)));
	assert_string_equal(buf, "");
}

static void
numbers_are_digits_only_and_bounded(void **state)
{
	unsigned long n = 77;

	(void)state;
	assert_true(span_number(span_of("0"), 9, &n));
	assert_int_equal(n, 0);
	assert_true(span_number(span_of("4294967295"), 4294967295ul, &n));
	assert_int_equal(n, 4294967295ul);
	assert_false(span_number(span_of("4294967296"), 4294967295ul, &n));
	assert_false(span_number(span_of("10"), 9, &n));
	assert_false(
	    span_number(span_of("99999999999999999999999"), 4294967295ul, &n));
	assert_false(span_number(span_of(""), 9, &n));
	assert_false(span_number(span_of("+1"), 9, &n));
	assert_false(span_number(span_of("1 "), 9, &n));
	assert_int_equal(n, 4294967295ul);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    cutting_gives_empty_pieces_in_the_middle_but_not_at_the_end),
		cmocka_unit_test(
		    an_empty_string_is_one_empty_piece_and_null_is_none),
		cmocka_unit_test(
		    comparison_folds_ascii_letters_only_when_asked),
		cmocka_unit_test(trimming_takes_blanks_and_tabs_only),
		cmocka_unit_test(
		    a_copy_that_does_not_fit_or_holds_nul_is_refused),
		cmocka_unit_test(numbers_are_digits_only_and_bounded),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
