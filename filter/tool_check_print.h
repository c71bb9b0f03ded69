/* SPDX-License-Identifier: ISC */
/* A live look at a domain, as a table for a person or as one line of JSON. */
#ifndef STRICTMX_FILTER_TOOL_CHECK_PRINT_H
#define STRICTMX_FILTER_TOOL_CHECK_PRINT_H

#include "filter/tool.h"
#include "filter/tool_check_look.h"

/* result, fix: what check_judge() says. */
void check_print(const struct check *check, enum tool_exit result,
    const char *fix);
void check_print_json(const struct check *check, enum tool_exit result,
    const char *fix);

#endif
