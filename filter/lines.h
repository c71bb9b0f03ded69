/* SPDX-License-Identifier: ISC */
/*
 * The whole lines in an evbuffer, one after the other, without a copy:
 *
 *	struct lines lines = { .input = input };
 *
 *	while (lines_next(&lines, &line))
 *		...
 *	lines_end(&lines);
 *
 * In between nobody else may touch the evbuffer.
 */
#ifndef STRICTMX_FILTER_LINES_H
#define STRICTMX_FILTER_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/span.h"

struct evbuffer;

struct lines {
	struct evbuffer *input;
	const char *p; /* what comes next, as far as it is contiguous */
	size_t left;   /* of that */
	size_t taken;  /* given out, and still in the evbuffer */
};

/*
 * False when there is no whole line. Its octets, without the LF, are valid
 * until the next call. p is NULL when it was lost for lack of memory.
 */
bool lines_next(struct lines *lines, struct span *line);

/* Takes what was given out from the evbuffer. */
void lines_end(struct lines *lines);

#endif
