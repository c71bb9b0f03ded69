/* SPDX-License-Identifier: ISC */
/* The end of an event loop. */
#ifndef STRICTMX_COMMON_EVENT_LOOP_H
#define STRICTMX_COMMON_EVENT_LOOP_H

struct event_base;

/*
 * Frees base, and what libevent still owes of the bufferevents on it: one that
 * was freed while its deferred callback was due lives until that has run, and
 * event_base_free() alone drops the callback without it. The caller has freed
 * all his events and bufferevents: no callback of his runs. Safe on NULL.
 */
void event_loop_free(struct event_base *base);

#endif
