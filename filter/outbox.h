/* SPDX-License-Identifier: ISC */
/*
 * What is to be written to a bufferevent, gathered for a turn of the loop and
 * then written with one system call. A bufferevent alone asks epoll whether it
 * may write, and asks it again to stop telling, which is three calls more for
 * each answer when there is one at a time. What the socket does not take goes
 * the bufferevent's way. The write callback of the bufferevent runs when all is
 * written, whichever way it went; it may free the outbox.
 */
#ifndef STRICTMX_FILTER_OUTBOX_H
#define STRICTMX_FILTER_OUTBOX_H

#include <stddef.h>

struct bufferevent;
struct evbuffer;
struct outbox;

/*
 * bev is borrowed, is enabled for writing, and is only written to by this
 * outbox; the process ignores SIGPIPE. NULL without memory.
 */
struct outbox *outbox_new(struct bufferevent *bev);
void outbox_free(struct outbox *outbox); /* drops what is there; NULL is fine */

/* To append to, at once; it is written at the end of this turn of the loop. */
struct evbuffer *outbox_open(struct outbox *outbox);

/* All that the peer has not taken yet. */
size_t outbox_length(const struct outbox *outbox);

#endif
