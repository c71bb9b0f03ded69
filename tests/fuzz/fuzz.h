/* SPDX-License-Identifier: ISC */
/*
 * What every fuzz target begins with. A target turns any bytes into one or
 * more calls of a parser and asserts what the parser's header promises.
 */
#ifndef STRICTMX_TESTS_FUZZ_H
#define STRICTMX_TESTS_FUZZ_H

/* A target without its assertions would find next to nothing. */
#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

/* Called by libFuzzer or by replay.c; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static inline struct span
fuzz_span(const uint8_t *bytes, size_t len)
{
	struct span s = { (const char *)bytes, len };

	return s;
}

#endif
