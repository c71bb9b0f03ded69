/* SPDX-License-Identifier: ISC */
/*
 * Asking a domain what its policy is now (RFC 8461 3.1 to 3.3, 5.1): the TXT
 * record, the addresses of its policy host, and the policy itself over HTTPS
 * when the record says something new. One update per domain runs at a time and
 * all who want to know wait for the same one; it runs to its end, and fills
 * the policy cache, even when all who waited have gone: a slow policy host
 * costs the first sender a "try again", not every sender.
 */
#ifndef STRICTMX_COMMON_POLICY_UPDATE_H
#define STRICTMX_COMMON_POLICY_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/facts.h"
#include "common/ports.h"

struct config;
struct policy_cache;
struct policy_updates;
struct policy_wait;

/* Borrowed for the time of the call. */
typedef void policy_update_done_fn(const struct policy_facts *facts, void *arg);

/* A policy took the place of another; what was built on that is void. */
typedef void policy_changed_fn(const char *domain, void *arg);

/* All is borrowed and outlives it. NULL without memory. */
struct policy_updates *policy_updates_new(const struct config *config,
    const struct ports *ports, struct policy_cache *cache,
    policy_changed_fn *changed, void *arg);

/* Running updates end without a callback. Safe on NULL. */
void policy_updates_free(struct policy_updates *updates);

/*
 * Joins the running update of domain (folded), or starts one. done runs once,
 * never before this call returned. fresh: the record is wanted past the DNS
 * cache; facts->record_fresh says whether it was (it is not when a running
 * update had asked before). NULL when it could not be begun: then nothing is
 * known, which is not "there is none".
 */
struct policy_wait *policy_update_join(struct policy_updates *updates,
    const char *domain, bool fresh, policy_update_done_fn *done, void *arg);

/* Leaves; the update goes on. Clears the pointer; safe on NULL. */
void policy_wait_cancel(struct policy_wait **wait);

/* What the waiter's update has found so far: for those whose time is up. */
const struct policy_facts *policy_wait_facts(const struct policy_wait *wait);

/*
 * Starts an update that nobody waits for, behind an answer that was given from
 * the cache, unless one runs.
 */
void policy_update_behind(struct policy_updates *updates, const char *domain);

/*
 * The same, but the policy is fetched whatever the record says: only HTTPS
 * renews its life (RFC 8461 3.3). A failure is an error in the log, unless the
 * cached mode is none, and is tried again later.
 */
void policy_update_refresh(struct policy_updates *updates, const char *domain);

/*
 * An administrator wants to know: the record is looked at past the DNS cache,
 * and a policy that is live is fetched whatever the record says. As
 * policy_update_join().
 */
struct policy_wait *policy_update_refresh_join(struct policy_updates *updates,
    const char *domain, policy_update_done_fn *done, void *arg);

/* In how many ms a failed fetch for this record may be tried again; 0: now. */
int64_t policy_updates_backoff_ms(const struct policy_updates *updates,
    const char *domain, const char *id);

/* Failures of a domain, or, with NULL, of all, do not count any more. */
void policy_updates_forget(struct policy_updates *updates, const char *domain);

size_t policy_updates_running(const struct policy_updates *updates);

#endif
