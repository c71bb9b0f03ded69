/* SPDX-License-Identifier: ISC */
/* The first byte is a separator: the pieces of the rest are the rest. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define NUMBER_MAX 1000

static void
check_cut(struct span s, char sep)
{
	struct span rest = s, head;
	size_t at = 0;

	while (span_cut(&rest, sep, &head)) {
		assert(head.p == s.p + at);
		assert(head.len == 0 || memchr(head.p, sep, head.len) == NULL);
		at += head.len;
		assert(at <= s.len);
		if (at < s.len)
			assert(s.p[at++] == sep);
	}
	assert(at == s.len);
	assert(rest.p == NULL && rest.len == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
check_trim(struct span s)
{
	struct span trimmed = span_trim(s);
	const char *end = trimmed.p + trimmed.len;

	assert(trimmed.p >= s.p && end <= s.p + s.len);
	for (const char *c = s.p; c < s.p + s.len; c++)
		if (c < trimmed.p || c >= end)
			assert(is_blank(*c));
	if (trimmed.len > 0)
		assert(!is_blank(trimmed.p[0]) && !is_blank(end[-1]));
}

/* Counts in the slow way, and no further than one beyond the largest. */
static void
check_number(struct span s)
{
	unsigned long number = 7, expected = 0;
	bool good = s.len > 0;

	for (size_t i = 0; i < s.len; i++) {
		good = good && s.p[i] >= '0' && s.p[i] <= '9';
		if (good && expected <= NUMBER_MAX)
			expected =
			    expected * 10 + (unsigned long)(s.p[i] - '0');
	}
	good = good && expected <= NUMBER_MAX;
	assert(span_number(s, NUMBER_MAX, &number) == good);
	assert(!good || number == expected);
}

static void
check_copy(struct span s)
{
	char buf[64];
	bool fits = s.len < sizeof(buf) && memchr(s.p, '\0', s.len) == NULL;

	assert(span_copy(s, buf, sizeof(buf)) == fits);
	if (fits)
		assert(span_is(s, buf) && span_is_nocase(s, buf) &&
		    span_starts(s, buf));
	else
		assert(buf[0] == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span s;

	if (len == 0)
		return 0;
	s = fuzz_span(bytes + 1, len - 1);
	check_cut(s, (char)bytes[0]);
	check_trim(s);
	check_number(s);
	check_copy(s);
	return 0;
}
