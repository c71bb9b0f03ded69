/* SPDX-License-Identifier: ISC */
/* Points of time, read and refused. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

#include "proto/rfc3339.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	int64_t seconds;
} rows[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1969-12-31T23:59:59Z", -1 },
	{ "2026-12-01T00:00:00Z", 1796083200 },
	{ "2000-02-29T12:34:56Z", 951827696 },
	{ "1900-03-01T00:00:00Z", -2203891200 },
	{ "2038-01-19T03:14:08Z", 2147483648 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
	{ "0000-01-01T00:00:00Z", -62167219200 },
	/* either case, fractions, offsets, leap seconds */
	{ "2026-12-01t00:00:00z", 1796083200 },
	{ "2026-12-01T00:00:00.999999999999Z", 1796083200 },
	{ "2026-12-01T01:00:00+01:00", 1796083200 },
	{ "2026-11-30T18:30:00-05:30", 1796083200 },
	{ "2026-12-01T00:00:00-00:00", 1796083200 },
	{ "2016-12-31T23:59:60Z", 1483228799 },
};

static const char *const bad[] = {
	"",
	"2026-12-01",
	"2026-12-01T00:00:00",
	"2026-12-01T00:00Z",
	"2026-12-01 00:00:00Z",
	"2026-12-01T00:00:00 Z",
	" 2026-12-01T00:00:00Z",
	"2026-12-01T00:00:00Z ",
	"2026-12-01T00:00:00ZZ",
	"2026-1-01T00:00:00Z",
	"26-12-01T00:00:00Z",
	"+026-12-01T00:00:00Z",
	"2026-00-01T00:00:00Z",
	"2026-13-01T00:00:00Z",
	"2026-12-00T00:00:00Z",
	"2026-12-32T00:00:00Z",
	"2026-11-31T00:00:00Z",
	"2026-02-29T00:00:00Z",
	"1900-02-29T00:00:00Z",
	"2026-12-01T24:00:00Z",
	"2026-12-01T00:60:00Z",
	"2026-12-01T00:00:61Z",
	"2026-12-01T00:00:00.Z",
	"2026-12-01T00:00:00,5Z",
	"2026-12-01T00:00:00+0100",
	"2026-12-01T00:00:00+24:00",
	"2026-12-01T00:00:00+01:60",
	"2026-12-01T00:00:00+01",
	"tomorrow",
	"1796083200",
};

static void
points_of_time_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = 42;

		if (!rfc3339_read(span_of(rows[i].text), &seconds) ||
		    seconds != rows[i].seconds)
			fail_msg("%s: %lld", rows[i].text, (long long)seconds);
	}
}

static void
all_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t seconds = 42;

		if (rfc3339_read(span_of(bad[i]), &seconds) || seconds != 42)
			fail_msg("taken: %s", bad[i]);
	}
}

/* Days of 2,370 years, as the C library counts them. */
static void
the_calendar_is_that_of_the_c_library(void **state)
{
	(void)state;
	for (time_t day = -719528; day < 146097; day += 13) {
		time_t at = day * 86400 + 3661;
		int64_t seconds;
		struct tm tm;
		char text[64], written[RFC3339_SIZE];

		assert_non_null(gmtime_r(&at, &tm));
		snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ",
		    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		    tm.tm_min, tm.tm_sec);
		if (!rfc3339_read(span_of(text), &seconds) || seconds != at)
			fail_msg("%s: %lld", text, (long long)seconds);
		rfc3339_write(at, written);
		assert_string_equal(written, text);
	}
}

static void
what_four_digits_cannot_hold_is_written_as_their_end(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} table[] = {
		{ INT64_MIN, "0000-01-01T00:00:00Z" },
		{ -62167219201, "0000-01-01T00:00:00Z" },
		{ -62167219199, "0000-01-01T00:00:01Z" },
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
	};
	char written[RFC3339_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		rfc3339_write(table[i].seconds, written);
		assert_string_equal(written, table[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_of_time_are_read),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(the_calendar_is_that_of_the_c_library),
		cmocka_unit_test(
		    what_four_digits_cannot_hold_is_written_as_their_end),
	};

	return cmocka_run_group_tests_name("rfc3339", tests, NULL, NULL);
}
