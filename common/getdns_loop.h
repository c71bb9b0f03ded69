/* SPDX-License-Identifier: ISC */
/*
 * Lets getdns run on our event loop. The extension that ships with it cannot
 * be linked in version 1.6.0 (its symbols are hidden), so the table of
 * functions that getdns asks for is here, over its public interface.
 */
#ifndef STRICTMX_COMMON_GETDNS_LOOP_H
#define STRICTMX_COMMON_GETDNS_LOOP_H

#include <getdns/getdns_extra.h>

struct event_base;

struct getdns_loop {
	getdns_eventloop loop; /* first: getdns knows only this part */
	struct event_base *base;
};

/*
 * Then &loop->loop is for getdns_context_set_eventloop(). Both loop and base
 * outlive the context.
 */
void getdns_loop_init(struct getdns_loop *loop, struct event_base *base);

#endif
