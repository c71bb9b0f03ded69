/* SPDX-License-Identifier: ISC */
/*
 * A verdict with all its facts as JSON, for people and for programs: what
 * "strictmx ask --json" prints. Members are documented in strictmx(1).
 */
#ifndef STRICTMX_COMMON_EXPLAIN_H
#define STRICTMX_COMMON_EXPLAIN_H

#include <jansson.h>

struct verdict;

/* One line of JSON, to be freed with free(). NULL without memory. */
char *explain_verdict(const struct verdict *verdict);

/* The same as an object, to be given up. */
json_t *explain_verdict_object(const struct verdict *verdict);

/* The same form for a mailbox that no verdict is needed for. */
char *explain_exempt(const char *domain, const char *why);

#endif
