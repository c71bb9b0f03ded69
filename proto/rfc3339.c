/* SPDX-License-Identifier: ISC */
/*
 * Reads and writes a date-time of RFC 3339 5.6:
 *	date-time = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T"
 *		    2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*DIGIT ] offset
 *	offset    = "Z" / ( "+" / "-" ) 2DIGIT ":" 2DIGIT
 * by hand, because what C offers knows the zone and the locale of the process.
 */
#include "proto/rfc3339.h"

#include "proto/ascii.h"

#define DAY_S 86400

/* Takes n digits, a number from min to max. */
static bool
take_number(struct span *rest, size_t n, unsigned min, unsigned max,
    unsigned *number)
{
	unsigned long value;

	if (rest->len < n ||
	    !span_number((struct span){ rest->p, n }, max, &value) ||
	    value < min)
		return false;
	rest->p += n;
	rest->len -= n;
	*number = (unsigned)value;
	return true;
}

static bool
take_char(struct span *rest, char c)
{
	if (rest->len == 0 || ascii_lower(rest->p[0]) != c)
		return false;
	rest->p++;
	rest->len--;
	return true;
}

static bool
is_leap_year(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned
days_of_month(unsigned year, unsigned month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap_year(year) ? 1u : 0u);
}

/* From 1970-01-01. */
static int64_t
days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	/* Leap years from the year 0, itself one, up to the year before. */
	int64_t before = year == 0
	    ? 0
	    : 1 + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
	int64_t days = (int64_t)year * 365 + before;

	for (unsigned m = 1; m < month; m++)
		days += days_of_month(year, m);
	return days + day - 1 - 719528; /* 1970-01-01, counted so */
}

static bool
take_date(struct span *rest, int64_t *days)
{
	unsigned year, month, day;

	if (!take_number(rest, 4, 0, 9999, &year) || !take_char(rest, '-') ||
	    !take_number(rest, 2, 1, 12, &month) || !take_char(rest, '-') ||
	    !take_number(rest, 2, 1, days_of_month(year, month), &day))
		return false;
	*days = days_since_epoch(year, month, day);
	return true;
}

static bool
take_fraction(struct span *rest)
{
	unsigned digit;

	if (!take_char(rest, '.'))
		return true;
	if (!take_number(rest, 1, 0, 9, &digit))
		return false;
	while (take_number(rest, 1, 0, 9, &digit))
		;
	return true;
}

/* The second 60 is a leap second's: the clocks that count from 1970 have
   none. */
static bool
take_time(struct span *rest, int64_t *seconds)
{
	unsigned hour, minute, second;

	if (!take_number(rest, 2, 0, 23, &hour) || !take_char(rest, ':') ||
	    !take_number(rest, 2, 0, 59, &minute) || !take_char(rest, ':') ||
	    !take_number(rest, 2, 0, 60, &second) || !take_fraction(rest))
		return false;
	*seconds = hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
	return true;
}

static bool
take_offset(struct span *rest, int64_t *seconds)
{
	unsigned hour, minute;
	bool is_west;

	*seconds = 0;
	if (take_char(rest, 'z'))
		return true;
	is_west = take_char(rest, '-');
	if ((!is_west && !take_char(rest, '+')) ||
	    !take_number(rest, 2, 0, 23, &hour) || !take_char(rest, ':') ||
	    !take_number(rest, 2, 0, 59, &minute))
		return false;
	*seconds = hour * 3600 + minute * 60;
	if (is_west)
		*seconds = -*seconds;
	return true;
}

bool
rfc3339_read(struct span text, int64_t *seconds)
{
	int64_t days, of_day, offset;

	if (!take_date(&text, &days) || !take_char(&text, 't') ||
	    !take_time(&text, &of_day) || !take_offset(&text, &offset) ||
	    text.len > 0)
		return false;
	*seconds = days * DAY_S + of_day - offset;
	return true;
}

static void
put_number(char *at, size_t n, int64_t number)
{
	while (n-- > 0) {
		at[n] = (char)('0' + number % 10);
		number /= 10;
	}
}

void
rfc3339_write(int64_t seconds, char out[RFC3339_SIZE])
{
	static const int64_t first = -INT64_C(62167219200);
	static const int64_t last = INT64_C(253402300799);
	static const char pattern[RFC3339_SIZE] = "0000-00-00T00:00:00Z";
	int64_t days, of_day;
	unsigned year, month = 1;

	seconds = seconds < first ? first : seconds > last ? last : seconds;
	seconds -= first; /* from the beginning of the year 0 */
	days = seconds / DAY_S;
	of_day = seconds % DAY_S;
	/* Too far by the leap days at most. */
	year = (unsigned)(days / 365);
	while (days_since_epoch(year, 1, 1) + 719528 > days)
		year--;
	days -= days_since_epoch(year, 1, 1) + 719528;
	for (; days >= days_of_month(year, month); month++)
		days -= days_of_month(year, month);
	for (size_t i = 0; i < RFC3339_SIZE; i++)
		out[i] = pattern[i];
	put_number(out, 4, year);
	put_number(out + 5, 2, month);
	put_number(out + 8, 2, days + 1);
	put_number(out + 11, 2, of_day / 3600);
	put_number(out + 14, 2, of_day / 60 % 60);
	put_number(out + 17, 2, of_day % 60);
}
