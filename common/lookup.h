/* SPDX-License-Identifier: ISC */
/*
 * The run that makes a verdict: gathers the facts about one domain, step by
 * step, and has them judged at the end. It knows nothing of those who wait for
 * it; common/engine does.
 */
#ifndef STRICTMX_COMMON_LOOKUP_H
#define STRICTMX_COMMON_LOOKUP_H

#include <stdint.h>

#include "common/facts.h"

struct config;
struct dnssec_guard;
struct lookup;
struct overrides;
struct policy_cache;
struct policy_updates;
struct ports;
struct verdict;

/* What all lookups of an engine share; all borrowed. */
struct lookup_shared {
	const struct ports *ports;
	const struct config *config;
	struct policy_cache *cache;
	struct policy_updates *updates;
	struct dnssec_guard *guard;
	struct overrides *overrides; /* NULL: none but the configured */
};

/*
 * verdict: now the caller's. took_ms: from the start to the end.
 */
typedef void lookup_done_fn(struct verdict *verdict, int64_t took_ms,
    void *arg);

/*
 * domain is folded; that of the smart host when one is set. gate: at delivery
 * no host is probed. previous may be NULL, is only looked at during the call,
 * and lends the probes that are still good. done runs within the configured
 * deadline, never before this call returned. NULL when it could not be begun.
 */
struct lookup *lookup_start(const struct lookup_shared *shared, enum gate gate,
    const char *domain, const struct verdict *previous, lookup_done_fn *done,
    void *arg);

/*
 * Before the end the record is to be looked at past the DNS cache, also when
 * nothing is to be refused.
 */
void lookup_want_look(struct lookup *lookup);

/* Clears the pointer; done will not run. Safe on NULL. */
void lookup_cancel(struct lookup **lookup);

#endif
