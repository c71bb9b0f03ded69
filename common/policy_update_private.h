/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of policy_update.h share: policy_update.c, the run of one
 * update, and policy_updates.c, the table of those that run and who waits.
 */
#ifndef STRICTMX_COMMON_POLICY_UPDATE_PRIVATE_H
#define STRICTMX_COMMON_POLICY_UPDATE_PRIVATE_H

#include <sys/queue.h>

#include "common/limits.h"
#include "common/policy_update.h"
#include "common/ports.h"
#include "common/uthash_quiet.h"

enum update_step {
	UPDATE_START,
	UPDATE_RECORD,
	UPDATE_ADDRESSES,
	UPDATE_FETCH,
	UPDATE_DONE,
};

struct policy_wait {
	struct policy_update *update;
	policy_update_done_fn *done;
	void *arg;
	TAILQ_ENTRY(policy_wait) entry;
};

struct policy_update {
	struct policy_updates *all;
	char domain[DOMAIN_SIZE];
	enum update_step step;
	bool refresh; /* fetch whatever the record says */
	struct policy_facts facts;
	struct dns_query *record_query;
	struct dns_query *address_queries[2]; /* AAAA, A */
	unsigned address_failures;	      /* of these, without an answer */
	bool address_unasked;		      /* one of these was not begun */
	struct address addresses[LIMIT_FETCH_ADDRESSES];
	size_t n_addresses;
	struct fetch *fetch;
	struct clock_timer *begin; /* runs the first step from the loop */
	TAILQ_HEAD(, policy_wait) waits;
	UT_hash_handle hh;
};

struct policy_updates {
	const struct config *config;
	const struct ports *ports;
	struct policy_cache *cache;
	struct fetch_backoff *backoff;	/* fetches that failed */
	struct fetch_backoff *attempts; /* all fetches, without ids */
	struct record_patience *patience;
	policy_changed_fn *changed;
	void *changed_arg;
	struct policy_update *table; /* running, by domain */
};

/* The first step, from the loop; a clock_fn. */
void policy_update_begin(void *update);

/* Stops whatever runs in it; it is out of the table. Waiters are not told. */
void policy_update_free(struct policy_update *update);

#endif
