/* SPDX-License-Identifier: ISC */
/* Members of what an engine has answered, for text that a person reads. */
#ifndef STRICTMX_FILTER_TOOL_JSON_H
#define STRICTMX_FILTER_TOOL_JSON_H

#include <jansson.h>
#include <stdint.h>

/* Borrowed; "-" for what is no text or not there. */
const char *tool_json_text(const json_t *object, const char *name);

/* 0 for what is no whole number or not there. */
int64_t tool_json_number(const json_t *object, const char *name);

/* Makes all texts in it printable ASCII, whatever engine this came from. */
void tool_json_make_printable(json_t *value);

#endif
