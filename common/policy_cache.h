/* SPDX-License-Identifier: ISC */
/*
 * Policies that were fetched, by domain: in memory, bounded, the least recently
 * used goes first; below it the store, when there is one, holds them all.
 * A policy binds until fetched_at + max_age, whatever DNS says (RFC 8461 3.3).
 */
#ifndef STRICTMX_COMMON_POLICY_CACHE_H
#define STRICTMX_COMMON_POLICY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/sts_policy.h"
#include "proto/sts_record.h"

struct clock;
struct policy_cache;
struct policy_store;

struct cached_policy {
	char id[STS_ID_SIZE];
	bool fresh_look_good; /* it is the published policy, or was then */
	int64_t fetched_at_s;
	int64_t record_seen_at_s;
	int64_t refresh_at_s;
	int64_t fresh_look_at_s; /* before a refusal; 0: never */
	struct sts_policy policy;
};

/*
 * At most max policies are in memory, and fewer when they are long: on average
 * they may have LIMIT_POLICY_OCTETS. store may be NULL and is borrowed; max is
 * not 0. NULL without memory.
 */
struct policy_cache *policy_cache_new(struct policy_store *store, size_t max);
void policy_cache_free(struct policy_cache *cache); /* safe on NULL */

/*
 * From now on the clock, which is borrowed, is looked at for jumps: a policy
 * that would end by one is live until a try to refresh it has failed, for
 * LIMIT_CLOCK_WAIT_S at most, and never longer than it would have been without.
 */
void policy_cache_watch(struct policy_cache *cache, const struct clock *clock);

/* now_s, or, after a jump, what it would be without, when that is earlier. */
int64_t policy_cache_old_time_s(struct policy_cache *cache, int64_t now_s);

/*
 * The policy of a domain if it is live at now_s, from memory or the store; else
 * NULL. A fetched_at in the future counts as now, once, and is written so.
 * An expired one is kept where it is: a wrong clock may be set right again.
 * Borrowed, valid until the next call with this cache.
 */
const struct cached_policy *policy_cache_get(struct policy_cache *cache,
    const char *domain, int64_t now_s);

/*
 * Why the last policy_cache_get() gave NULL: the store could not be read, or
 * there was no memory for what it holds. A policy may be live: unknown, never
 * none.
 */
bool policy_cache_unread(const struct policy_cache *cache);

/*
 * Takes a policy that was fetched now: parses body (already known to be valid)
 * and keeps it, in the store first; one that was kept before is gone. max_age 0
 * is not kept (RFC 8461 3.2: use once), which is fine. False when it could not
 * be kept in memory.
 */
bool policy_cache_put(struct policy_cache *cache, const char *domain,
    const char *id, struct span body, int64_t now_s);

/* The record was seen with the cached id. Nothing cached: nothing is done. */
void policy_cache_record_seen(struct policy_cache *cache, const char *domain,
    int64_t now_s);

/* The record was looked at past the DNS cache, before a refusal. */
void policy_cache_fresh_look(struct policy_cache *cache, const char *domain,
    int64_t now_s, bool good);

/*
 * Up to max domains whose policy is to be fetched again by now: daily, with
 * jitter, and in any case before its end (RFC 8461 3.3, 10.2). How many. A
 * refresh that is planned for more than a day from now was planned by a wrong
 * clock, and is due.
 */
size_t policy_cache_due(struct policy_cache *cache, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max);

/*
 * The refresh failed: the next try comes within the hour, sooner when the end
 * is near, and not at all once the policy has expired.
 */
void policy_cache_refresh_later(struct policy_cache *cache, const char *domain,
    int64_t now_s);

void policy_cache_drop(struct policy_cache *cache, const char *domain);

/* All of them, on disk too. */
void policy_cache_clear(struct policy_cache *cache);

size_t policy_cache_count(const struct policy_cache *cache); /* in memory */

/* On disk; counted, so not for often. 0 without a store. */
size_t policy_cache_count_stored(const struct policy_cache *cache);
bool policy_cache_has_store(const struct policy_cache *cache);

/* For who looks from outside: expired or not, and no use of it. As _get(). */
const struct cached_policy *policy_cache_peek(struct policy_cache *cache,
    const char *domain);

/*
 * Up to max policies in the order of their domains, expired ones too, from the
 * first one after the given ("": from the first). True: last is the domain of
 * the last one, and there may be more. Borrowed for the time of the call, which
 * does not use the cache.
 */
typedef void policy_seen_fn(const char *domain,
    const struct cached_policy *policy, void *arg);
bool policy_cache_list(struct policy_cache *cache, const char *after,
    size_t max, policy_seen_fn *fn, void *arg, char last[DOMAIN_SIZE]);

#endif
