/* SPDX-License-Identifier: ISC */
/*
 * The options of a verb of strictmx(1). Each verb knows --help, options may
 * stand anywhere behind the verb, and "--" ends them.
 */
#ifndef STRICTMX_FILTER_TOOL_OPTIONS_H
#define STRICTMX_FILTER_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_OPTIONS_MAX 8

/* Either value or flag is set: with an argument or without one. */
struct tool_option {
	const char *name;
	char letter; /* 0: none */
	const char **value;
	bool *flag;
};

/*
 * -1: go on, the arguments that are left begin at argv[optind]; else the exit
 * status, what there is to say being said. verb is for messages, "lint
 * policy"; usage ends in a line feed.
 */
int tool_options_read(const char *verb, const char *usage,
    const struct tool_option *options, size_t n, int argc, char **argv);

/* What a verb has verbs of its own for: "lint policy". */
struct tool_subject {
	const char *name;
	int (*run)(int argc, char **argv);
};

/*
 * Finds the subject behind the verb and calls it; --json and -j may come before
 * it. The exit status.
 */
int tool_subject_run(const char *verb, const char *usage,
    const struct tool_subject *subjects, size_t n, int argc, char **argv);

/* Says what is wrong with the call, and how to call; the exit status. */
int tool_options_wrong(const char *verb, const char *usage, const char *why);

#endif
