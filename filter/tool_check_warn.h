/* SPDX-License-Identifier: ISC */
/* What will be trouble, though nothing fails yet: in TLSA records. */
#ifndef STRICTMX_FILTER_TOOL_CHECK_WARN_H
#define STRICTMX_FILTER_TOOL_CHECK_WARN_H

#include <jansson.h>
#include <stdint.h>

#include "filter/tool_check_look.h"

/*
 * A list of sentences, printable; now_s is the wall clock. NULL without memory.
 */
json_t *check_warnings(const struct check *check, int64_t now_s);

#endif
