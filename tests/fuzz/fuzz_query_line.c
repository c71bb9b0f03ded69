/* SPDX-License-Identifier: ISC */
/*
 * Any bytes are read as a request and as an answer without harm; what was
 * found lies within them.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/query_line.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span line = fuzz_span(bytes, len);
	struct query_request request = query_request_parse(line);
	struct query_answer answer = query_answer_parse(line);

	assert((request.verb == QUERY_BAD) == (request.why != NULL));
	assert(request.id.len >= 1 && request.id.len <= QUERY_ID_MAX);
	assert(request.argument.len <= len);
	assert(answer.text.len <= len);
	assert(strlen(query_word_name(answer.word)) > 0);
	return 0;
}
