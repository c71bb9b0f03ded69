/* SPDX-License-Identifier: ISC */
/*
 * Verdicts that may be given again, by domain: bounded, the least recently used
 * goes first. Each is kept in one block that is as long as its words: a struct
 * verdict has room for the longest of each, which is over 2 KB for a domain
 * with one MX host and 27 KB for one with 32.
 */
#ifndef STRICTMX_COMMON_VERDICT_CACHE_H
#define STRICTMX_COMMON_VERDICT_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct verdict;
struct verdict_cache;

/* max is not 0. NULL without memory. */
struct verdict_cache *verdict_cache_new(size_t max);
void verdict_cache_free(struct verdict_cache *cache); /* safe on NULL */

/*
 * Keeps a copy, in place of one that was kept before; at most LIMIT_MX_HOSTS MX
 * hosts are there. Without memory none is kept.
 */
void verdict_cache_put(struct verdict_cache *cache,
    const struct verdict *verdict);

/*
 * NULL when none is kept. One that has expired is given too: its probes may
 * still be good. Borrowed, valid until the next call with this cache.
 */
const struct verdict *verdict_cache_get(struct verdict_cache *cache,
    const char *domain);

/* The look_ms of a kept one is another now; nothing else ever changes. */
void verdict_cache_look_later(struct verdict_cache *cache, const char *domain,
    int64_t look_ms);

void verdict_cache_drop(struct verdict_cache *cache, const char *domain);
void verdict_cache_clear(struct verdict_cache *cache); /* drops them all */

size_t verdict_cache_count(const struct verdict_cache *cache);

#endif
