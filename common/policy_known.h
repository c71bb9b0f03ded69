/* SPDX-License-Identifier: ISC */
/*
 * The policy of a domain that is known without asking anybody. A live one
 * binds at once, whatever DNS says (RFC 8461 3.3, 5.1).
 */
#ifndef STRICTMX_COMMON_POLICY_KNOWN_H
#define STRICTMX_COMMON_POLICY_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct overrides;
struct policy_cache;
struct policy_facts;

/*
 * True: one that the administrator has set holds at now_s, and facts have it;
 * or, with POLICY_UNREAD in facts, one may, and cannot be read. Then the
 * published one does not bind either. overrides may be NULL.
 */
bool policy_known_set(struct overrides *overrides, const struct config *config,
    const char *domain, int64_t now_s, struct policy_facts *facts);

/*
 * True: the domain is the administrator's own. What they publish is for others;
 * facts say that there is no policy.
 */
bool policy_known_needless(const struct config *config, const char *domain,
    struct policy_facts *facts);

/*
 * True: one that is cached binds, and facts have it. False when none does, or,
 * with POLICY_UNREAD in facts, when one may, but cannot be read.
 */
bool policy_known_cached(struct policy_cache *cache, const char *domain,
    int64_t now_s, struct policy_facts *facts);

#endif
