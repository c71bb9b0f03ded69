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
	TOOL_USAGE = 2,	  /* wrong call, or a file that cannot be used */
	TOOL_UNKNOWN = 3, /* could not be told */
};

int tool_ask(int argc, char **argv);
int tool_cache(int argc, char **argv);
int tool_check(int argc, char **argv);
int tool_lint(int argc, char **argv);
int tool_match(int argc, char **argv);
int tool_override(int argc, char **argv);
int tool_staging(int argc, char **argv);
int tool_stats(int argc, char **argv);
int tool_tlsa(int argc, char **argv);
int tool_why(int argc, char **argv);

/* What lint knows: its own verbs, so to speak. */
int tool_lint_certificate(int argc, char **argv);
int tool_lint_policy(int argc, char **argv);
int tool_lint_record(int argc, char **argv);

#endif
