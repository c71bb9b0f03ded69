/* SPDX-License-Identifier: ISC */
/* The first byte is a separator: the pieces of the rest are the rest. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

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
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span s, trimmed;
	unsigned long number;
	char buf[64];

	if (len == 0)
		return 0;
	s = fuzz_span(bytes + 1, len - 1);
	check_cut(s, (char)bytes[0]);
	trimmed = span_trim(s);
	assert(trimmed.p >= s.p && trimmed.p + trimmed.len <= s.p + s.len);
	if (span_number(s, 1000, &number))
		assert(number <= 1000);
	if (span_copy(s, buf, sizeof(buf)))
		assert(span_is(s, buf) && span_is_nocase(s, buf));
	else
		assert(buf[0] == '\0');
	return 0;
}
