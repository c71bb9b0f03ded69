/* SPDX-License-Identifier: ISC */
/* What a verb of strictmx(1) reads: a file, or the standard input. */
#ifndef STRICTMX_FILTER_TOOL_INPUT_H
#define STRICTMX_FILTER_TOOL_INPUT_H

#include <stdbool.h>

#include "proto/span.h"

struct tool_input {
	struct span bytes;
	bool is_too_large; /* bytes is the beginning, of the bound's length */
	char *block;	   /* owned */
};

/*
 * Reads all of a file, up to LIMIT_LINT_INPUT; NULL or "-" is the standard
 * input. False after saying on standard error why it cannot be read.
 */
bool tool_input_read(const char *path, struct tool_input *out);
void tool_input_cleanup(struct tool_input *input);

#endif
