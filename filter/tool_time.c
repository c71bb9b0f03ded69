/* SPDX-License-Identifier: ISC */
/* Spans of time as a person reads them: see tool_time.h. */
#include "filter/tool_time.h"

#include <stdio.h>

static const struct {
	int64_t seconds;
	const char *name;
} units[] = {
	{ 86400, "d" },
	{ 3600, "h" },
	{ 60, "min" },
	{ 1, "s" },
};
#define N_UNITS (sizeof(units) / sizeof(units[0]))

const char *
tool_time(char buf[TOOL_TIME_SIZE], int64_t seconds)
{
	size_t i = 0;
	int n;

	if (seconds < 0)
		seconds = 0;
	while (i < N_UNITS - 1 && seconds < units[i].seconds)
		i++;
	n = snprintf(buf, TOOL_TIME_SIZE, "%lld %s",
	    (long long)(seconds / units[i].seconds), units[i].name);
	seconds %= units[i].seconds;
	if (++i < N_UNITS && seconds >= units[i].seconds)
		snprintf(buf + n, TOOL_TIME_SIZE - (size_t)n, " %lld %s",
		    (long long)(seconds / units[i].seconds), units[i].name);
	return buf;
}
