/* SPDX-License-Identifier: ISC */
/* Any bytes as TXT records, one a line, as many as an answer may have. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/sts_record.h"

#define RECORDS_MAX 8

/* RFC 8461 3.1: "v=STSv1", blanks, ";"; all else is dropped first. */
static bool
is_candidate(struct span txt)
{
	size_t i = strlen("v=STSv1");

	if (!span_starts(txt, "v=STSv1"))
		return false;
	while (i < txt.len && ascii_is_blank(txt.p[i]))
		i++;
	return i < txt.len && txt.p[i] == ';';
}

static bool
holds(struct span s, const char *needle)
{
	size_t len = strlen(needle);

	for (size_t i = 0; i + len <= s.len; i++)
		if (memcmp(s.p + i, needle, len) == 0)
			return true;
	return false;
}

static void
check_record(const struct sts_record *record, struct span txt)
{
	char field[STS_ID_SIZE + 3] = "id=";
	size_t len = strnlen(record->id, STS_ID_SIZE);

	assert(len >= 1 && len <= STS_ID_MAX);
	for (size_t i = 0; i < len; i++)
		assert(ascii_is_alnum(record->id[i]));
	memcpy(field + 3, record->id, len + 1);
	assert(holds(txt, field));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), txts[RECORDS_MAX],
		    candidate = { NULL, 0 };
	struct sts_record record;
	enum sts_record_result result;
	const char *why;
	size_t n = 0, candidates = 0;

	while (n < RECORDS_MAX && span_cut(&rest, '\n', &txts[n])) {
		if (is_candidate(txts[n])) {
			candidate = txts[n];
			candidates++;
		}
		n++;
	}
	result = sts_record_choose(txts, n, &record, &why);
	assert((result == STS_RECORD_OK) == (why == NULL));
	assert((result == STS_RECORD_NONE) == (candidates == 0));
	assert((result == STS_RECORD_SEVERAL) == (candidates > 1));
	if (result == STS_RECORD_OK)
		check_record(&record, candidate);
	return 0;
}
