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
struct service;
struct tool_progress;

/* What was seen. */
struct check {
	struct verdict verdict;	  /* with the facts */
	struct check_host *hosts; /* one for each of facts.mx */
};

/* check: borrowed for the time of the call. The look is spent. */
typedef void check_done_fn(const struct check *check, void *arg);

/*
 * domain is folded. done runs once, never before this call returned; progress
 * is told what is waited for. Without memory the process ends.
 */
void check_look_start(const struct service *service, const char *domain,
    struct tool_progress *progress, check_done_fn *done, void *arg);

#endif
