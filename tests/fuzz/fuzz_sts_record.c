/* SPDX-License-Identifier: ISC */
/* Any bytes as TXT records, one a line, as many as an answer may have. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/sts_record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), txts[8];
	struct sts_record record;
	enum sts_record_result result;
	const char *why;
	size_t n = 0, began = 0;

	while (n < sizeof(txts) / sizeof(txts[0]) &&
	    span_cut(&rest, '\n', &txts[n]))
		began += span_starts(txts[n++], "v=STSv1");
	result = sts_record_choose(txts, n, &record, &why);
	assert((result == STS_RECORD_OK) == (why == NULL));
	assert(result == STS_RECORD_NONE || began >= 1);
	assert(result != STS_RECORD_SEVERAL || began >= 2);
	if (result != STS_RECORD_OK)
		return 0;
	len = strnlen(record.id, STS_ID_SIZE);
	assert(len >= 1 && len <= STS_ID_MAX);
	for (size_t i = 0; i < len; i++)
		assert(ascii_is_alnum(record.id[i]));
	return 0;
}
