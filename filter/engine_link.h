/* SPDX-License-Identifier: ISC */
/*
 * The way to the engine, for those who ask it: a connection that speaks
 * strictmx-query(7), to a running daemon's socket or to a private engine that
 * the link starts and keeps running. It is made again with back-off
 * (LIMIT_RESTART_MIN_MS doubling to LIMIT_RESTART_MAX_MS, from the beginning
 * once the engine has answered something).
 *
 * Every ask ends exactly once, by the engine's answer, as away, or by cancel:
 *  - connection lost: all that wait are away on the next turn of the loop;
 *  - asked while there is no connection: away, on the next turn of the loop;
 *    but asks made before the very first connection came up or failed wait
 *    for it, so that the first mail after a start is not turned away;
 *  - no answer in answer_ms: away, and a late answer is dropped. When the
 *    engine said nothing at all in that time, the connection is given up.
 */
#ifndef STRICTMX_FILTER_ENGINE_LINK_H
#define STRICTMX_FILTER_ENGINE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/query_line.h"

struct clock;
struct link_ask;
struct engine_link;
struct event_base;

struct engine_link_opts {
	const char *socket;	 /* of a running daemon; NULL: a private one */
	const char *program;	 /* the private one's */
	const char *config_file; /* for it; NULL: its default */
	bool memory_only;	 /* it keeps policies in memory only */
	int64_t answer_ms;
};

struct link_answer {
	bool away; /* there was no engine, or it did not answer in time */
	enum query_word word; /* if not away; never QUERY_ANSWER_BAD */
	struct span text;     /* for the time of the call */
};

/* May ask and cancel; must not free the link. */
typedef void link_done_fn(const struct link_answer *answer, void *arg);

/*
 * Begins to connect; the process ignores SIGPIPE. opts' strings outlive it.
 * NULL without memory; all else is tried again and again.
 */
struct engine_link *engine_link_new(struct event_base *base,
    struct clock *clock, const struct engine_link_opts *opts);

/*
 * All asks have ended or are cancelled. Waits for the end of a private engine
 * (2 s, then SIGTERM, 1 s, SIGKILL). Safe on NULL.
 */
void engine_link_free(struct engine_link *link);

/*
 * Asks; done runs once, from the loop, never before this returned. NULL, and
 * done will not run, for an argument that no request can hold (too long, a
 * control character), when LIMIT_ENGINE_ASKS wait already, or without memory.
 */
struct link_ask *engine_link_ask(struct engine_link *link, enum query_verb verb,
    struct span argument, link_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on a NULL ask. */
void engine_link_cancel(struct link_ask **ask);

/* The configuration was read again: a private engine is to do the same. */
void engine_link_reload(struct engine_link *link, int64_t answer_ms);

#endif
