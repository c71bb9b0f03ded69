/* SPDX-License-Identifier: ISC */
/* MTA-STS records: one by one, and the choice among several. */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/sts_record.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ID32 "0123456789abcdefABCDEF0123456789"

struct row {
	const char *txt;
	enum sts_record_result result;
	const char *id;
};

static const struct row rows[] = {
	/* records of the field */
	{ "v=STSv1; id=20190429T010101;", STS_RECORD_OK, "20190429T010101" },
	{ "v=STSv1; id=20171114T070707", STS_RECORD_OK, "20171114T070707" },
	{ "v=STSv1;id=1688379128", STS_RECORD_OK, "1688379128" },
	{ "v=STSv1; id=20160831085700Z;", STS_RECORD_OK, "20160831085700Z" },
	/* delimiters */
	{ "v=STSv1 ;\tid=1 ; a=b ; ", STS_RECORD_OK, "1" },
	{ "v=STSv1;id=1; \t ", STS_RECORD_OK, "1" },
	{ "v=STSv1;id=1 ;", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1 ", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1\t", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1;;", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; ;", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1;; id=1", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1, a=b", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a=b c", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1\n;", STS_RECORD_BROKEN, NULL },
	/* the version */
	{ "", STS_RECORD_NONE, NULL },
	{ "v=STSv1", STS_RECORD_NONE, NULL },
	{ "v=STSv1 ", STS_RECORD_NONE, NULL },
	{ "v=STSv10; id=1", STS_RECORD_NONE, NULL },
	{ "v=STSv2; id=1", STS_RECORD_NONE, NULL },
	{ "v=stsv1; id=1", STS_RECORD_NONE, NULL },
	{ "V=STSv1; id=1", STS_RECORD_NONE, NULL },
	{ " v=STSv1; id=1", STS_RECORD_NONE, NULL },
	{ "\"v=STSv1; id=1\"", STS_RECORD_NONE, NULL },
	{ "v = STSv1; id=1", STS_RECORD_NONE, NULL },
	{ "id=1; v=STSv1", STS_RECORD_NONE, NULL },
	{ "v=spf1 -all", STS_RECORD_NONE, NULL },
	{ "v=TLSRPTv1; rua=mailto:r@example.com", STS_RECORD_NONE, NULL },
	/* the id */
	{ "v=STSv1;", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; ", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; a=b", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; ID=1", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=2024-01-01", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=\"1\"", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id = 1", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id= 1", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1 2", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=\xc3\xbc", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=" ID32, STS_RECORD_OK, ID32 },
	{ "v=STSv1; id=" ID32 "x", STS_RECORD_BROKEN, NULL },
	/* the first id counts, whatever a later one looks like */
	{ "v=STSv1; id=1; id=2", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1; id=2024-01-01", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=2024-01-01; id=2", STS_RECORD_BROKEN, NULL },
	/* extension fields */
	{ "v=STSv1; a=b; id=1", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1; mx:=*.example.com!", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; x_y-z.1=http://a:b<c>?", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1; v=STSv1", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1; " ID32 "=x", STS_RECORD_OK, "1" },
	{ "v=STSv1; id=1; " ID32 "x=x", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; _a=b", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a b=c", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; =b", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a=", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a=b=c", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a=\x7f", STS_RECORD_BROKEN, NULL },
	{ "v=STSv1; id=1; a=\xc3\xbc", STS_RECORD_BROKEN, NULL },
};

static void
each_record_is_read_to_the_letter(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct span txt = span_of(rows[i].txt);
		struct sts_record record = { "not touched" };
		const char *why = "", *id = rows[i].id;
		enum sts_record_result result;

		result = sts_record_choose(&txt, 1, &record, &why);
		if (id == NULL)
			id = "not touched";
		if (result != rows[i].result || strcmp(record.id, id) != 0 ||
		    (why == NULL) != (result == STS_RECORD_OK))
			fail_msg("\"%s\": result %d, id \"%s\", %s",
			    rows[i].txt, (int)result, record.id,
			    why == NULL ? "-" : why);
	}
}

static enum sts_record_result
choose(const char *a, const char *b, const char *c)
{
	const struct span txts[] = { span_of(a), span_of(b), span_of(c) };
	struct sts_record record = { "" };
	const char *why;
	enum sts_record_result result;

	result = sts_record_choose(txts, COUNT(txts), &record, &why);
	assert_int_equal(why == NULL, result == STS_RECORD_OK);
	assert_string_equal(record.id, result == STS_RECORD_OK ? "1" : "");
	return result;
}

static void
records_that_begin_otherwise_are_dropped_before_counting(void **state)
{
	(void)state;
	assert_int_equal(choose("v=spf1 -all", "v=STSv1; id=1", ""),
	    STS_RECORD_OK);
	assert_int_equal(choose("v=STSv10; id=2", "v=STSv1; id=1", "x"),
	    STS_RECORD_OK);
	assert_int_equal(choose("a", "v=STSv1", "v=STSv1; id=1"),
	    STS_RECORD_OK);
	assert_int_equal(choose("a", "b", "v=STSv2; id=1"), STS_RECORD_NONE);
}

static void
two_records_are_none_even_if_one_is_broken_or_both_are_equal(void **state)
{
	(void)state;
	assert_int_equal(choose("v=STSv1; id=1", "v=STSv1; id=2", ""),
	    STS_RECORD_SEVERAL);
	assert_int_equal(choose("v=STSv1; id=1", "", "v=STSv1; id=1"),
	    STS_RECORD_SEVERAL);
	assert_int_equal(choose("v=STSv1; id=1", "v=STSv1 ;", ""),
	    STS_RECORD_SEVERAL);
}

static void
no_records_are_none(void **state)
{
	struct sts_record record = { "" };
	const char *why = NULL;

	(void)state;
	assert_int_equal(sts_record_choose(NULL, 0, &record, &why),
	    STS_RECORD_NONE);
	assert_non_null(why);
}

static void
nul_in_a_record_is_wrong_syntax_and_the_length_is_heeded(void **state)
{
	const struct span nul = { "v=STSv1; id=1\0; a=b", 19 };
	const struct span head = { "v=STSv1; id=123", 13 };
	struct sts_record record = { "" };
	const char *why;

	(void)state;
	assert_int_equal(sts_record_choose(&nul, 1, &record, &why),
	    STS_RECORD_BROKEN);
	assert_int_equal(sts_record_choose(&head, 1, &record, &why),
	    STS_RECORD_OK);
	assert_string_equal(record.id, "1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_is_read_to_the_letter),
		cmocka_unit_test(
		    records_that_begin_otherwise_are_dropped_before_counting),
		cmocka_unit_test(
		    two_records_are_none_even_if_one_is_broken_or_both_are_equal),
		cmocka_unit_test(no_records_are_none),
		cmocka_unit_test(
		    nul_in_a_record_is_wrong_syntax_and_the_length_is_heeded),
	};

	return cmocka_run_group_tests_name("sts_record", tests, NULL, NULL);
}
