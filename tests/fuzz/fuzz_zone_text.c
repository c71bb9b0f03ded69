/* SPDX-License-Identifier: ISC */
/* Any bytes as a TXT record in the form of zone files. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#include "proto/zone_text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *out = malloc(len == 0 ? 1 : len);
	size_t written = len + 1;

	assert(out != NULL);
	zone_text_join(fuzz_span(bytes, len), out, &written);
	assert(written <= len);
	free(out);
	return 0;
}
