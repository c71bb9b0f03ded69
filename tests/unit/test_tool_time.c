/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "filter/tool_time.h"

static void
a_span_has_its_two_largest_units(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -5, "0 s" },
		{ 0, "0 s" },
		{ 59, "59 s" },
		{ 60, "1 min" },
		{ 61, "1 min 1 s" },
		{ 3600, "1 h" },
		{ 3659, "1 h" },
		{ 10920, "3 h 2 min" },
		{ 86399, "23 h 59 min" },
		{ 604799, "6 d 23 h" },
		{ INT64_MAX, "106751991167300 d 15 h" },
	};
	char buf[TOOL_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(tool_time(buf, rows[i].seconds),
		    rows[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_span_has_its_two_largest_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
