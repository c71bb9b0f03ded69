/* SPDX-License-Identifier: ISC */
/*
 * The running daemon as the verbs of strictmx(1) see it: a question, an answer
 * in JSON. What cannot be had is said on standard error, with what to do.
 */
#ifndef STRICTMX_FILTER_TOOL_ENGINE_H
#define STRICTMX_FILTER_TOOL_ENGINE_H

#include <jansson.h>
#include <stdbool.h>

#include "filter/tool_options.h"
#include "proto/domain.h"
#include "proto/query_line.h"

struct tool_engine;

/* What each verb that asks the daemon knows; all zero to begin with. */
struct tool_engine_options {
	const char *config_file; /* names the socket; NULL: the default */
	const char *socket;
	bool json;
};

/* Rows for tool_options_read(), and what is said of them. */
#define TOOL_ENGINE_OPTIONS 3
#define TOOL_ENGINE_OPTION_ROWS(o)                                             \
	{ .name = "config", .letter = 'f', .value = &(o)->config_file },       \
	    { .name = "json", .letter = 'j', .flag = &(o)->json },             \
	{                                                                      \
		.name = "socket", .letter = 's', .value = &(o)->socket         \
	}
#define TOOL_ENGINE_USAGE                                                      \
	"  -f, --config FILE    names the socket (" CONFIG_DEFAULT_PATH ")\n"  \
	"  -j, --json           one line of JSON\n"                            \
	"  -s, --socket SOCKET  of the daemon\n"

/* NULL, with *status set, when there is no daemon that may be asked. */
struct tool_engine *tool_engine_open(const struct tool_engine_options *options,
    int *status);
void tool_engine_close(struct tool_engine *engine); /* safe on NULL */

/*
 * Waits for the answer, to be given up by the caller. NULL when there is none:
 * then the exit status is TOOL_UNKNOWN.
 */
json_t *tool_engine_ask(struct tool_engine *engine, enum query_verb verb,
    const char *argument);

/*
 * The one domain that stands behind the options, folded. -1, or the exit
 * status, what there is to say being said.
 */
int tool_engine_domain(const char *verb, const char *usage, int argc,
    char **argv, char domain[DOMAIN_SIZE]);

#endif
