/* SPDX-License-Identifier: ISC */
/* Pieces of somebody else's bytes: see span.h. */
#include "proto/span.h"

#include <string.h>

#include "proto/ascii.h"

struct span
span_of(const char *string)
{
	struct span s = { string, string == NULL ? 0 : strlen(string) };

	return s;
}

bool
span_is(struct span s, const char *string)
{
	return s.len == strlen(string) && span_starts(s, string);
}

bool
span_is_nocase(struct span s, const char *string)
{
	if (s.len != strlen(string))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (ascii_lower(s.p[i]) != ascii_lower(string[i]))
			return false;
	return true;
}

bool
span_starts(struct span s, const char *string)
{
	size_t len = strlen(string);

	return len == 0 || (s.len >= len && memcmp(s.p, string, len) == 0);
}

bool
span_cut(struct span *rest, char sep, struct span *head)
{
	const char *end;

	if (rest->p == NULL)
		return false;
	end = rest->len == 0 ? NULL : memchr(rest->p, sep, rest->len);
	head->p = rest->p;
	if (end == NULL) {
		head->len = rest->len;
		rest->p = NULL;
		rest->len = 0;
		return true;
	}
	head->len = (size_t)(end - rest->p);
	rest->len -= head->len + 1;
	rest->p = rest->len == 0 ? NULL : end + 1;
	return true;
}

struct span
span_trim(struct span s)
{
	while (s.len > 0 && ascii_is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && ascii_is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool
span_copy(struct span s, char *buf, size_t size)
{
	if (s.len >= size || (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)) {
		buf[0] = '\0';
		return false;
	}
	if (s.len > 0)
		memcpy(buf, s.p, s.len);
	buf[s.len] = '\0';
	return true;
}

bool
span_number(struct span s, unsigned long max, unsigned long *number)
{
	unsigned long n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned long digit = (unsigned long)(s.p[i] - '0');

		if (!ascii_is_digit(s.p[i]) || digit > max ||
		    n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*number = n;
	return true;
}
