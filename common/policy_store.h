/* SPDX-License-Identifier: ISC */
/*
 * Policies on disk (SQLite, WAL), so that what was learned once over HTTPS
 * binds after a restart too (RFC 8461 10.2: first contact is the weak moment).
 * What policy_store_put() has returned true for survives kill -9; power loss
 * may lose the last second. One process owns the store by a lock; a damaged
 * file is moved aside, at the start or when the damage shows, named in the log,
 * and a new one begun.
 */
#ifndef STRICTMX_COMMON_POLICY_STORE_H
#define STRICTMX_COMMON_POLICY_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/span.h"
#include "proto/sts_record.h"

struct policy_store;

/* A row; times are wall clock seconds. */
struct policy_row {
	char domain[DOMAIN_SIZE];
	char id[STS_ID_SIZE];	  /* of the record it was fetched for */
	int64_t fetched_at_s;	  /* last successful HTTPS fetch: life runs from
				     here */
	int64_t refresh_at_s;	  /* when it is to be fetched again */
	int64_t record_seen_at_s; /* record last seen with this id */
	struct span body;	  /* as served; borrowed */
};

/*
 * Opens or makes DIR/policies.sqlite, for as many policies as there may be in
 * memory, and no fewer than LIMIT_STORE_POLICIES: those fetched longest ago
 * make room, LIMIT_STORE_TRIM at a time, so that nobody waits for it when there
 * is much to drop. NULL when it cannot be had: missing or
 * not writable directory, another owner, no memory; said in the log, once, with
 * what follows from it (policies are kept in memory only).
 */
struct policy_store *policy_store_open(const char *dir, size_t in_memory);
void policy_store_close(struct policy_store *store); /* safe on NULL */

enum policy_read {
	POLICY_ROW_UNREAD, /* could not be read, which is logged: unknown */
	POLICY_ROW_NONE,   /* there is none */
	POLICY_ROW_FOUND,  /* row->body is valid until the next call */
};

enum policy_read policy_store_get(struct policy_store *store,
    const char *domain, struct policy_row *row);

/* Written before it returns. False: not written, and logged. */
bool policy_store_put(struct policy_store *store, const struct policy_row *row);

/* Only the time of a record seen again. */
bool policy_store_touch(struct policy_store *store, const char *domain,
    int64_t record_seen_at_s);

/* Only the time of the next refresh. */
bool policy_store_postpone(struct policy_store *store, const char *domain,
    int64_t refresh_at_s);

/*
 * Up to max domains whose refresh is due, the longest due first; how many. One
 * that lies more than LIMIT_REFRESH_S ahead, but is not never (INT64_MAX), is
 * due as well.
 */
size_t policy_store_due(struct policy_store *store, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max);

bool policy_store_drop(struct policy_store *store, const char *domain);

/* How often a new file was begun, for damage, since the store was opened. */
unsigned policy_store_begun(const struct policy_store *store);

/* All of them. */
bool policy_store_clear(struct policy_store *store);

/* How many rows there are: counted, so not for often. */
size_t policy_store_count(struct policy_store *store);

/*
 * Up to max rows in the order of their domains, from the first one after the
 * given ("": from the first); how many. row: borrowed for the time of the call,
 * which does not use the store; its body has no octets when it is of no use.
 */
typedef void policy_store_row_fn(const struct policy_row *row, void *arg);
size_t policy_store_list(struct policy_store *store, const char *after,
    size_t max, policy_store_row_fn *fn, void *arg);

#endif
