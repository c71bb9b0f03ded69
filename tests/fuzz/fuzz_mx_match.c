/* SPDX-License-Identifier: ISC */
/* A line as a pattern, the rest as an MX host. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/domain.h"
#include "proto/mx_match.h"

/* RFC 8461 4.1: the name itself, or one label in the place of "*". */
static bool
should_match(const char *pattern, const char *host)
{
	const char *dot = strchr(host, '.');

	if (pattern[0] != '*')
		return span_is_nocase(span_of(host), pattern);
	return dot != NULL && span_is_nocase(span_of(dot), pattern + 1);
}

static void
check_wildcard(const char *pattern, const char *host)
{
	char deeper[DOMAIN_SIZE + 2] = "a.";

	assert(!mx_match(pattern, strchr(host, '.') + 1));
	memcpy(deeper + 2, host, strlen(host) + 1);
	assert(!mx_match(pattern, deeper));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), line = { NULL, 0 };
	char pattern[DOMAIN_SIZE + 2], host[DOMAIN_SIZE];
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
	assert(matches == (is_valid && should_match(pattern, host)));
	if (matches && pattern[0] == '*')
		check_wildcard(pattern, host);
	return 0;
}
