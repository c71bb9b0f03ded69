/* SPDX-License-Identifier: ISC */
/* A line as a pattern, the rest as an MX host. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/domain.h"
#include "proto/mx_match.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), line = { NULL, 0 };
	char pattern[DOMAIN_SIZE + 2], host[DOMAIN_SIZE], deeper[512] = "a.";
	bool is_valid, matches;

	span_cut(&rest, '\n', &line);
	is_valid = mx_pattern_is_valid(line);
	if (!span_copy(line, pattern, sizeof(pattern))) {
		assert(!is_valid);
		return 0;
	}
	if (domain_fold(rest, host) != DOMAIN_OK)
		return 0;
	matches = mx_match(pattern, host);
	assert(is_valid || !matches);
	if (matches && pattern[0] == '*') {
		/* One label and no other number of labels. */
		assert(span_is_nocase(span_of(strchr(host, '.')), pattern + 1));
		assert(!mx_match(pattern, strchr(host, '.') + 1));
		memcpy(deeper + 2, host, strlen(host) + 1);
		assert(!mx_match(pattern, deeper));
	} else if (is_valid && pattern[0] != '*') {
		assert(matches == span_is_nocase(span_of(host), pattern));
	}
	return 0;
}
