/* SPDX-License-Identifier: ISC */
/*
 * Answers of DNS for as long as their TTL lets them live, within
 * LIMIT_DNS_TTL_MIN_S and _MAX_S. At most LIMIT_DNS_CACHE_ENTRIES of them and
 * LIMIT_DNS_CACHE_BYTES: the one that was not used for longest goes first.
 */
#ifndef STRICTMX_COMMON_DNS_CACHE_H
#define STRICTMX_COMMON_DNS_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "proto/dns_message.h"

struct clock;
struct dns_cache;

/* An answer that several hold: the cache and those who wait for it. */
struct dns_held;

struct dns_cache *dns_cache_new(struct clock *clock);

/* What others still hold lives on. Safe on NULL. */
void dns_cache_free(struct dns_cache *cache);

/*
 * Takes the answer over, in place of an older one to (name, its type), and
 * returns a hold on it. Without memory to cache it the hold is all there is;
 * NULL, with the answer freed, when there is not even enough for that. An
 * answer of TEMPFAIL is an error of the caller.
 */
struct dns_held *dns_cache_put(struct dns_cache *cache, const char *name,
    struct dns_answer *answer);

/* A hold on a living answer; NULL if there is none. */
struct dns_held *dns_cache_get(struct dns_cache *cache, const char *name,
    enum dns_type type);

size_t dns_cache_count(const struct dns_cache *cache);

/*
 * The answer as it is now: ttl_s is what is left of it. The records are
 * borrowed from the hold.
 */
struct dns_answer dns_held_answer(const struct dns_held *held,
    const struct clock *clock);

/* Clears the pointer. Safe on NULL. */
void dns_held_drop(struct dns_held **held);

#endif
