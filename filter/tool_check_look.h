/* SPDX-License-Identifier: ISC */
/*
 * A live look at a domain as a sender would who has never heard of it: record,
 * policy, MX set, every MX host on every address, and the verdict of the
 * engine on all that.
 */
#ifndef STRICTMX_FILTER_TOOL_CHECK_LOOK_H
#define STRICTMX_FILTER_TOOL_CHECK_LOOK_H

#include "common/verdict.h"
#include "filter/tool_check_host.h"

struct check_look;
struct config;
struct engine;
struct tool_progress;

/* What is looked with; all borrowed until the end. */
struct check_parts {
	const struct ports *ports;
	const struct config *config;
	struct engine *engine;		/* that has heard of no domain */
	struct tool_progress *progress; /* told what is waited for */
};

/* What was seen. */
struct check {
	struct verdict verdict;	  /* with the facts */
	struct check_host *hosts; /* one for each of facts.mx */
};

/* check: borrowed for the time of the call. The look is spent. */
typedef void check_done_fn(const struct check *check, void *arg);

/*
 * domain is folded. parts is copied. done runs once, never before this call
 * returned. Without memory the process ends.
 */
void check_look_start(const struct check_parts *parts, const char *domain,
    check_done_fn *done, void *arg);

#endif
