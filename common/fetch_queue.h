/* SPDX-License-Identifier: ISC */
/*
 * Who may fetch next: first come, first served, but never more than
 * LIMIT_FETCH_PER_ADDRESS at one address. A fetch whose address is full steps
 * aside and waits there, and nobody behind it waits for it. Since nobody knows
 * at which of its addresses a fetch will end up, it is counted at all of them
 * until it is connected.
 */
#ifndef STRICTMX_COMMON_FETCH_QUEUE_H
#define STRICTMX_COMMON_FETCH_QUEUE_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/limits.h"

struct fetch_host;
struct fetch_queue;

TAILQ_HEAD(fetch_ticket_list, fetch_ticket);

/* A place in the queue, part of a fetch. Zeroed, it holds none. */
struct fetch_ticket {
	size_t n_hosts;
	struct fetch_host *hosts[LIMIT_FETCH_ADDRESSES];
	struct fetch_ticket_list *list; /* that it waits in; NULL: none */
	bool counted;			/* at its hosts: it was its turn */
	TAILQ_ENTRY(fetch_ticket) entry;
};

/* NULL without memory. */
struct fetch_queue *fetch_queue_new(void);

/* All tickets have left. Safe on NULL. */
void fetch_queue_free(struct fetch_queue *queue);

/*
 * Waits for its turn, at n different addresses (1 to LIMIT_FETCH_ADDRESSES).
 * False, with the ticket as it was, without memory or when LIMIT_FETCH_QUEUED
 * are waiting.
 */
bool fetch_queue_join(struct fetch_queue *queue, struct fetch_ticket *ticket,
    const struct address *addresses, size_t n);

/*
 * Whose turn it is: no longer waiting, and counted at its addresses. NULL when
 * nobody's.
 */
struct fetch_ticket *fetch_queue_next(struct fetch_queue *queue);

/* It could not make use of its turn: it is the next again. */
void fetch_queue_return(struct fetch_queue *queue, struct fetch_ticket *ticket);

/* It has had its turn, without an end: it waits again, behind all others. */
void fetch_queue_requeue(struct fetch_queue *queue,
    struct fetch_ticket *ticket);

/* A counted ticket is connected to this address: it leaves the others. */
void fetch_queue_settle(struct fetch_queue *queue, struct fetch_ticket *ticket,
    const struct address *address);

/* Waiting, counted or neither: now neither. */
void fetch_queue_leave(struct fetch_queue *queue, struct fetch_ticket *ticket);

#endif
