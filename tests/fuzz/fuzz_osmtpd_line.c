/* SPDX-License-Identifier: ISC */
/*
 * Any line from smtpd is read without harm, and whatever the answer to it is
 * made of, it is one line with our words in it.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/osmtpd_line.h"

static void
check_answer(const struct osmtpd_line *line)
{
	char text[600], out[OSMTPD_ANSWER_MAX];
	size_t len;

	if (!span_copy(line->rest, text, sizeof(text)))
		text[0] = '\0';
	len = osmtpd_answer_format(out, line->major, line->minor, line->session,
	    line->token, OSMTPD_REJECT, text);
	assert(len < OSMTPD_ANSWER_MAX);
	assert(memchr(out, '\n', len) == out + len - 1);
	assert(memcmp(out, "filter-result|", 14) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span input = fuzz_span(bytes, len);
	struct osmtpd_line line = osmtpd_line_parse(input);

	if (line.kind == OSMTPD_FILTER)
		check_answer(&line);
	else
		assert(line.token.len == 0);
	return 0;
}
