/* SPDX-License-Identifier: ISC */
/*
 * Who may fetch next: see fetch_queue.h.
 *
 * A waiting ticket stands in one of two places: in the line, to be looked at,
 * or aside, at a host that was full when it was looked at. What keeps anybody
 * from being forgotten is one rule: while tickets stand aside at a host, at
 * least as many that want it are in the line as it has room for. So whenever a
 * ticket leaves a host, or leaves the line without having got its turn, each
 * host concerned calls one back to the head of the line, if it has room. The
 * work for each event is that of a few tickets, however many wait.
 */
#include "common/fetch_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/uthash_quiet.h"

struct fetch_host {
	struct address address;
	unsigned running; /* counted tickets */
	unsigned tickets; /* all that name this host */
	struct fetch_ticket_list aside;
	UT_hash_handle hh;
};

struct fetch_queue {
	struct fetch_host *hosts; /* by address */
	struct fetch_ticket_list line;
	size_t waiting; /* in the line and aside */
};

struct fetch_queue *
fetch_queue_new(void)
{
	struct fetch_queue *queue = calloc(1, sizeof(*queue));

	if (queue != NULL)
		TAILQ_INIT(&queue->line);
	return queue;
}

void
fetch_queue_free(struct fetch_queue *queue)
{
	if (queue == NULL)
		return;
	assert(queue->hosts == NULL && queue->waiting == 0);
	free(queue);
}

/* The same address must be the same key: no stray octets in the union. */
static struct address
address_key(const struct address *address)
{
	struct address key;

	memset(&key, 0, sizeof(key));
	key.family = address->family;
	if (address->family == AF_INET)
		key.in = address->in;
	else
		key.in6 = address->in6;
	return key;
}

static struct fetch_host *
host_enter(struct fetch_queue *queue, const struct address *address)
{
	struct address key = address_key(address);
	struct fetch_host *host;

	HASH_FIND(hh, queue->hosts, &key, sizeof(key), host);
	if (host == NULL) {
		host = calloc(1, sizeof(*host));
		if (host == NULL)
			return NULL;
		host->address = key;
		TAILQ_INIT(&host->aside);
		HASH_ADD(hh, queue->hosts, address, sizeof(host->address),
		    host);
		if (host->hh.tbl == NULL) {
			free(host);
			return NULL;
		}
	}
	host->tickets++;
	return host;
}

static bool
host_is_full(const struct fetch_host *host)
{
	return host->running >= LIMIT_FETCH_PER_ADDRESS;
}

static void
ticket_wait(struct fetch_ticket *ticket, struct fetch_ticket_list *list,
    bool first)
{
	ticket->list = list;
	if (first)
		TAILQ_INSERT_HEAD(list, ticket, entry);
	else
		TAILQ_INSERT_TAIL(list, ticket, entry);
}

static void
ticket_step_out(struct fetch_ticket *ticket)
{
	TAILQ_REMOVE(ticket->list, ticket, entry);
	ticket->list = NULL;
}

/* Who stood aside came before all in the line who were not looked at yet. */
static void
host_call(struct fetch_queue *queue, struct fetch_host *host)
{
	struct fetch_ticket *first = TAILQ_FIRST(&host->aside);

	if (first == NULL || host_is_full(host))
		return;
	ticket_step_out(first);
	ticket_wait(first, &queue->line, true);
}

static void
hosts_call(struct fetch_queue *queue, const struct fetch_ticket *ticket)
{
	for (size_t i = 0; i < ticket->n_hosts; i++)
		host_call(queue, ticket->hosts[i]);
}

static void
host_exit(struct fetch_queue *queue, struct fetch_host *host, bool counted)
{
	if (counted)
		host->running--;
	if (--host->tickets == 0) {
		HASH_DEL(queue->hosts, host);
		free(host);
		return;
	}
	host_call(queue, host);
}

static void
hosts_exit(struct fetch_queue *queue, struct fetch_ticket *ticket)
{
	while (ticket->n_hosts > 0)
		host_exit(queue, ticket->hosts[--ticket->n_hosts],
		    ticket->counted);
	ticket->counted = false;
}

bool
fetch_queue_join(struct fetch_queue *queue, struct fetch_ticket *ticket,
    const struct address *addresses, size_t n)
{
	assert(ticket->list == NULL && ticket->n_hosts == 0);
	assert(n > 0 && n <= LIMIT_FETCH_ADDRESSES);
	if (queue->waiting >= LIMIT_FETCH_QUEUED)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct fetch_host *host = host_enter(queue, &addresses[i]);

		if (host == NULL) {
			hosts_exit(queue, ticket);
			return false;
		}
		ticket->hosts[ticket->n_hosts++] = host;
	}
	ticket_wait(ticket, &queue->line, false);
	queue->waiting++;
	return true;
}

static struct fetch_host *
ticket_obstacle(const struct fetch_ticket *ticket)
{
	for (size_t i = 0; i < ticket->n_hosts; i++)
		if (host_is_full(ticket->hosts[i]))
			return ticket->hosts[i];
	return NULL;
}

/*
 * Ends: without a turn given no host becomes full or free, so that a ticket
 * can only go from a host with room to a full one, once.
 */
struct fetch_ticket *
fetch_queue_next(struct fetch_queue *queue)
{
	struct fetch_ticket *ticket;
	struct fetch_host *obstacle;

	while ((ticket = TAILQ_FIRST(&queue->line)) != NULL) {
		ticket_step_out(ticket);
		obstacle = ticket_obstacle(ticket);
		if (obstacle == NULL)
			break;
		ticket_wait(ticket, &obstacle->aside, false);
		hosts_call(queue, ticket);
	}
	if (ticket == NULL)
		return NULL;
	for (size_t i = 0; i < ticket->n_hosts; i++)
		ticket->hosts[i]->running++;
	ticket->counted = true;
	queue->waiting--;
	return ticket;
}

/* Its hosts have room for one more now, and it is one more in the line. */
static void
ticket_uncount(struct fetch_queue *queue, struct fetch_ticket *ticket,
    bool first)
{
	assert(ticket->counted);
	ticket->counted = false;
	for (size_t i = 0; i < ticket->n_hosts; i++)
		ticket->hosts[i]->running--;
	ticket_wait(ticket, &queue->line, first);
	queue->waiting++;
}

void
fetch_queue_return(struct fetch_queue *queue, struct fetch_ticket *ticket)
{
	ticket_uncount(queue, ticket, true);
}

void
fetch_queue_requeue(struct fetch_queue *queue, struct fetch_ticket *ticket)
{
	ticket_uncount(queue, ticket, false);
}

void
fetch_queue_settle(struct fetch_queue *queue, struct fetch_ticket *ticket,
    const struct address *address)
{
	struct fetch_host *kept = NULL;

	assert(ticket->counted);
	for (size_t i = 0; i < ticket->n_hosts; i++)
		if (address_equal(&ticket->hosts[i]->address, address))
			kept = ticket->hosts[i];
	if (kept == NULL)
		return;
	for (size_t i = 0; i < ticket->n_hosts; i++)
		if (ticket->hosts[i] != kept)
			host_exit(queue, ticket->hosts[i], true);
	ticket->hosts[0] = kept;
	ticket->n_hosts = 1;
}

void
fetch_queue_leave(struct fetch_queue *queue, struct fetch_ticket *ticket)
{
	if (ticket->list != NULL) {
		ticket_step_out(ticket);
		queue->waiting--;
	}
	hosts_exit(queue, ticket);
}
