/* SPDX-License-Identifier: ISC */
/*
 * getdns on libevent: see getdns_loop.h. getdns keeps one struct for a file
 * descriptor and its timeout together, or for a timeout alone; ev->ev is ours.
 */
#include "common/getdns_loop.h"

#include <event2/event.h>
#include <stdbool.h>

#define FOREVER UINT64_MAX /* as getdns says it */

/* One thing a turn: the called function may have freed ev. */
static void
fired(evutil_socket_t fd, short what, void *arg)
{
	getdns_eventloop_event *ev = arg;

	(void)fd;
	if ((what & EV_READ) != 0 && ev->read_cb != NULL)
		ev->read_cb(ev->userarg);
	else if ((what & EV_WRITE) != 0 && ev->write_cb != NULL)
		ev->write_cb(ev->userarg);
	else if ((what & EV_TIMEOUT) != 0 && ev->timeout_cb != NULL)
		ev->timeout_cb(ev->userarg);
}

static getdns_return_t
clear(getdns_eventloop *loop, getdns_eventloop_event *ev)
{
	(void)loop;
	if (ev->ev != NULL)
		event_free(ev->ev);
	ev->ev = NULL;
	return GETDNS_RETURN_GOOD;
}

static getdns_return_t
schedule(getdns_eventloop *loop, int fd, uint64_t timeout_ms,
    getdns_eventloop_event *ev)
{
	struct getdns_loop *ours = (struct getdns_loop *)loop;
	struct timeval timeout = { .tv_sec = (time_t)(timeout_ms / 1000),
		.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000) };
	bool timed = ev->timeout_cb != NULL && timeout_ms != FOREVER;
	short what = 0;

	clear(loop, ev);
	if (fd >= 0 && ev->read_cb != NULL)
		what |= EV_READ | EV_PERSIST;
	if (fd >= 0 && ev->write_cb != NULL)
		what |= EV_WRITE | EV_PERSIST;
	ev->ev = event_new(ours->base, fd, what, fired, ev);
	if (ev->ev == NULL)
		return GETDNS_RETURN_MEMORY_ERROR;
	if (event_add(ev->ev, timed ? &timeout : NULL) == -1) {
		clear(loop, ev);
		return GETDNS_RETURN_GENERIC_ERROR;
	}
	return GETDNS_RETURN_GOOD;
}

/* The base is not getdns's to end. */
static void
cleanup(getdns_eventloop *loop)
{
	(void)loop;
}

/* Only the blocking calls of getdns run the loop, and nobody uses them. */
static void
run(getdns_eventloop *loop)
{
	(void)loop;
}

static void
run_once(getdns_eventloop *loop, int blocking)
{
	(void)loop;
	(void)blocking;
}

void
getdns_loop_init(struct getdns_loop *loop, struct event_base *base)
{
	static getdns_eventloop_vmt functions = { cleanup, schedule, clear, run,
		run_once };

	loop->loop.vmt = &functions;
	loop->base = base;
}
