/* SPDX-License-Identifier: ISC */
/*
 * strictmx(1), the operator's tool: one file for each verb. A verb gets its own
 * arguments, argv[0] being its name, and returns the exit status.
 */
#ifndef STRICTMX_FILTER_TOOL_H
#define STRICTMX_FILTER_TOOL_H

enum tool_exit {
	TOOL_FINE = 0,
	TOOL_BAD = 1,	  /* what was looked at is not fine */
	TOOL_USAGE = 2,	  /* wrong call, or a broken configuration */
	TOOL_UNKNOWN = 3, /* could not be told */
};

int tool_ask(int argc, char **argv);

#endif
