/* SPDX-License-Identifier: ISC */
/* Spans of time as a person reads them. */
#ifndef STRICTMX_FILTER_TOOL_TIME_H
#define STRICTMX_FILTER_TOOL_TIME_H

#include <stdint.h>

#define TOOL_TIME_SIZE 32

/*
 * "12 s", "5 min 10 s", "3 h 2 min", "6 d 23 h": the two largest units that
 * are not 0. What is below 0 is 0. Returns buf.
 */
const char *tool_time(char buf[TOOL_TIME_SIZE], int64_t seconds);

#endif
