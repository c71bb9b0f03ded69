/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of the resolver share: resolver.c faces the askers,
 * resolver_queue.c the upstreams. Not for others. A question is on one of
 * three lists:
 *
 *	queue	it waits for a place, or for an upstream
 *	asked	it is at an upstream
 *	ended	its askers are about to be told
 */
#ifndef STRICTMX_COMMON_RESOLVER_PRIVATE_H
#define STRICTMX_COMMON_RESOLVER_PRIVATE_H

#include <sys/queue.h>

#include "common/resolver.h"
#include "common/uthash_quiet.h"

struct event;

/* One asker. */
struct dns_query {
	struct question *question;
	dns_done_fn *done;
	void *arg;
	TAILQ_ENTRY(dns_query) entry;
};

enum question_state {
	QUESTION_QUEUED,
	QUESTION_ASKED,
	QUESTION_ENDED
};

/* What makes questions equal. */
struct question_key {
	uint16_t type;
	uint8_t fresh;
	char name[DOMAIN_SIZE];
};

struct question {
	struct resolver *resolver;
	enum question_state state;
	TAILQ_ENTRY(question) entry; /* of the list of its state */
	UT_hash_handle hh;	     /* while not ended */
	struct question_key key;
	TAILQ_HEAD(, dns_query) queries;

	size_t upstream;  /* asked last */
	unsigned tries;	  /* that failed */
	unsigned losses;  /* connections that were lost with it */
	bool sent;	  /* at least once */
	int64_t since_ms; /* of the start; of the first sending, then */

	struct dns_held *held; /* the answer; NULL: TEMPFAIL */
	const char *why;
};

TAILQ_HEAD(questions, question);

struct resolver {
	struct clock *clock;
	struct event *turn;
	struct dns_cache *cache;
	struct resolver_opts opts;
	struct dns_upstream *upstreams[LIMIT_DNS_UPSTREAMS];
	size_t preferred; /* upstream that new questions go to */

	struct question *table; /* queued and asked, by key */
	struct questions queue, asked, ended;
	struct questions telling; /* ended, in this turn */
	size_t n_queued, n_asked, n_queries;

	struct clock_timer *retry; /* while no upstream may be asked */
	int64_t lost_ms;	   /* since then */
	bool cautious; /* a connection was lost: one question at a time */
	struct clock_timer *caution; /* runs while that one is on its way */

	bool in_turn, freed;
};

/* Has turn() run on the next turn of the loop. */
void resolver_turn_soon(struct resolver *r);

/* Sends what may be sent. Calls no asker, but changes getdns contexts. */
void resolver_pump(struct resolver *r);

/* Into the queue, as the first or the last one. */
void resolver_enqueue(struct question *q, bool first);

/* Off the list of its state. */
void resolver_unlist(struct question *q);

#endif
