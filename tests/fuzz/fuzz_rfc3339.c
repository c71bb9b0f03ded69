/* SPDX-License-Identifier: ISC */
/* Any bytes as a point of time. */
#include "tests/fuzz/fuzz.h"

#include "proto/rfc3339.h"

/* The years 0000 to 9999, and a day more for the offset. */
#define FIRST_S (-62167219200 - 86400)
#define LAST_S (253402300799 + 86400)

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int64_t seconds = LAST_S + 1;

	if (rfc3339_read(fuzz_span(bytes, len), &seconds))
		assert(seconds >= FIRST_S && seconds <= LAST_S);
	else
		assert(seconds == LAST_S + 1);
	return 0;
}
