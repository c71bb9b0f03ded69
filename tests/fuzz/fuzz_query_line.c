/* SPDX-License-Identifier: ISC */
/*
 * Any bytes are read as a request and as an answer without harm; what was
 * found lies within them; and what can be written is read back as it was.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "proto/ascii.h"
#include "proto/query_line.h"

static bool
same(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static void
check_id(struct span id)
{
	if (span_is(id, "-"))
		return;
	assert(id.len >= 1 && id.len <= QUERY_ID_MAX);
	for (size_t i = 0; i < id.len; i++)
		assert(ascii_is_alnum(id.p[i]));
}

/* The argument of any request, when it is one, survives the way there. */
static void
check_format(enum query_verb verb, struct span argument, bool must)
{
	char out[QUERY_LINE_SIZE];
	size_t len = query_request_format(out, 42, verb, argument);
	struct query_request again;

	assert(len > 0 || !must);
	if (len == 0)
		return;
	assert(len < sizeof(out) && len == strlen(out));
	assert(memchr(out, '\n', len) == out + len - 1);
	again = query_request_parse((struct span){ out, len - 1 });
	assert(again.verb == verb && span_is(again.id, "42"));
	assert(same(again.argument, argument));
}

static void
check_request(struct span line)
{
	struct query_request request = query_request_parse(line);

	check_id(request.id);
	assert((request.verb == QUERY_BAD) == (request.why != NULL));
	if (request.verb == QUERY_BAD)
		return;
	assert(line.len <= QUERY_REQUEST_MAX);
	assert(request.id.p == line.p && !span_is(request.id, "-"));
	for (size_t i = 0; i < request.argument.len; i++)
		assert(!ascii_is_control(request.argument.p[i]));
	check_format(request.verb, request.argument, request.id.len >= 2);
}

static void
check_answer(struct span line)
{
	struct query_answer answer = query_answer_parse(line);
	char head[64];

	if (answer.word == QUERY_ANSWER_BAD)
		return;
	check_id(answer.id);
	snprintf(head, sizeof(head), "%.*s %s", (int)answer.id.len, answer.id.p,
	    query_word_name(answer.word));
	assert(span_starts(line, head));
	if (answer.text.len > 0)
		assert(answer.text.p == line.p + strlen(head) + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span line = fuzz_span(bytes, len);

	check_request(line);
	check_answer(line);
	check_format(QUERY_RCPT, line, false);
	return 0;
}
