/* SPDX-License-Identifier: ISC */
/*
 * Policies are fetched again before their life ends, also when nobody asks
 * (RFC 8461 3.3, 10.2): daily with jitter. An attacker who blocks the policy
 * host must do so for a whole max_age before a policy is lost, and the
 * administrator reads of it in the log each time.
 */
#ifndef STRICTMX_COMMON_REFRESH_H
#define STRICTMX_COMMON_REFRESH_H

struct clock;
struct policy_cache;
struct policy_updates;
struct refresh;

/* Begins to look for what is due. All is borrowed. NULL without memory. */
struct refresh *refresh_new(struct clock *clock, struct policy_cache *cache,
    struct policy_updates *updates);

void refresh_free(struct refresh *refresh); /* safe on NULL */

#endif
