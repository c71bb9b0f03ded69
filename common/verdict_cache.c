/* SPDX-License-Identifier: ISC */
/*
 * Verdicts that are kept: see verdict_cache.h. One walk over all members
 * measures, packs and unpacks, so these cannot differ.
 */
#include "common/verdict_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/tlsa_set.h"
#include "common/uthash_quiet.h"
#include "common/verdict.h"

struct entry {
	UT_hash_handle hh;
	struct tlsa_set **sets; /* held; the octets point to them */
	uint32_t n_sets;
	uint32_t len;
	int64_t look_ms; /* not packed: it changes */
	char octets[];	 /* the domain first */
};

struct verdict_cache {
	size_t max, len;     /* len: of all entries together */
	struct entry *table; /* its order: the least recently used first */
	/* Where one of them at a time is unpacked. */
	struct verdict unpacked;
	struct mx_fact mx[LIMIT_MX_HOSTS];
	char **patterns; /* room for those of any that is kept */
	size_t n_patterns;
};

/* Packing */

struct walk {
	enum {
		MEASURE,
		PACK,
		UNPACK
	} mode;
	char *octets;
	size_t len; /* so far */
};

/*
 * So that each mode is code of its own, with sizes that are known: unpacking is
 * a good part of an answer from the cache.
 */
#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE void
octets(struct walk *w, void *member, size_t size)
{
	if (w->mode == PACK)
		memcpy(w->octets + w->len, member, size);
	else if (w->mode == UNPACK)
		memcpy(member, w->octets + w->len, size);
	w->len += size;
}

static ALWAYS_INLINE void
text(struct walk *w, char *member)
{
	octets(w, member,
	    strlen(w->mode == UNPACK ? w->octets + w->len : member) + 1);
}

/*
 * Most numbers are small: seven bits an octet, the lowest first, and the sign
 * as the lowest of all. Returns the number, which is another one in UNPACK.
 */
static ALWAYS_INLINE int64_t
number(struct walk *w, int64_t n)
{
	uint64_t rest = (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
	unsigned shift = 0;
	uint8_t octet;

	if (w->mode != UNPACK) {
		for (; rest > 0x7f; rest >>= 7) {
			octet = (uint8_t)(rest | 0x80);
			octets(w, &octet, 1);
		}
		octet = (uint8_t)rest;
		octets(w, &octet, 1);
		return n;
	}
	rest = 0;
	do {
		octets(w, &octet, 1);
		rest |= (uint64_t)(octet & 0x7f) << shift;
		shift += 7;
	} while (octet & 0x80);
	return (int64_t)(rest >> 1 ^ (rest & 1 ? UINT64_MAX : 0));
}

#define NUMBER(w, member)                                                      \
	((member) = (__typeof__(member))number((w), (int64_t)(member)))
#define POINTER(w, member)                                                     \
	((member) = (__typeof__(member))(uintptr_t)number((w),                 \
	     (int64_t)(uintptr_t)(member)))

/* Unpacked patterns are borrowed from where they are packed. */
static ALWAYS_INLINE void
walk_policy(struct walk *w, struct sts_policy *policy)
{
	NUMBER(w, policy->mode);
	NUMBER(w, policy->max_age_s);
	NUMBER(w, policy->max_age_capped);
	NUMBER(w, policy->n_mx);
	for (size_t i = 0; i < policy->n_mx; i++) {
		if (w->mode == UNPACK) {
			policy->mx[i] = w->octets + w->len;
			w->len += strlen(policy->mx[i]) + 1;
		} else {
			text(w, policy->mx[i]);
		}
	}
}

static ALWAYS_INLINE void
walk_policy_facts(struct walk *w, struct policy_facts *sts)
{
	NUMBER(w, sts->record);
	text(w, sts->record_id);
	POINTER(w, sts->record_why);
	NUMBER(w, sts->record_fresh);
	NUMBER(w, sts->record_patience_over);
	NUMBER(w, sts->record_ttl_s);
	NUMBER(w, sts->state);
	text(w, sts->id);
	NUMBER(w, sts->fetched_at_s);
	walk_policy(w, &sts->policy);
	NUMBER(w, sts->override.until_s);
	NUMBER(w, sts->override.line);
	NUMBER(w, sts->override.serial);
	text(w, sts->override.reason);
	NUMBER(w, sts->failure);
	text(w, sts->failure_why);
}

static ALWAYS_INLINE void
walk_dane(struct walk *w, struct dane_fact *dane)
{
	NUMBER(w, dane->state);
	NUMBER(w, dane->failure);
	POINTER(w, dane->why);
	NUMBER(w, dane->addresses);
	POINTER(w, dane->tlsa);
}

static ALWAYS_INLINE void
walk_address(struct walk *w, struct address *a)
{
	if (w->mode == UNPACK)
		memset(a, 0, sizeof(*a));
	NUMBER(w, a->family);
	if (a->family == AF_INET)
		octets(w, &a->in, sizeof(a->in));
	else if (a->family == AF_INET6)
		octets(w, &a->in6, sizeof(a->in6));
}

static ALWAYS_INLINE void
walk_mx(struct walk *w, struct mx_fact *mx)
{
	text(w, mx->host);
	NUMBER(w, mx->preference);
	NUMBER(w, mx->listed);
	NUMBER(w, mx->eligible);
	walk_dane(w, &mx->dane);
	NUMBER(w, mx->under_dane);
	NUMBER(w, mx->required);
	NUMBER(w, mx->allowed);
	NUMBER(w, mx->enforced);
	NUMBER(w, mx->refused);
	NUMBER(w, mx->probe.state);
	NUMBER(w, mx->probe.proofs);
	NUMBER(w, mx->probe.result);
	NUMBER(w, mx->probe.certificate_bad);
	NUMBER(w, mx->probe.tlsa_matched);
	text(w, mx->probe.why);
	walk_address(w, &mx->probe.address);
	NUMBER(w, mx->probe_expires_ms);
}

static ALWAYS_INLINE void
walk_verdict(struct walk *w, struct verdict *v)
{
	struct facts *f = &v->facts;

	text(w, f->domain);
	NUMBER(w, v->gate);
	NUMBER(w, v->source);
	NUMBER(w, v->action);
	NUMBER(w, v->enforced);
	NUMBER(w, v->result);
	text(w, v->mx);
	text(w, v->reason);
	NUMBER(w, v->decided_ms);
	NUMBER(w, v->expires_ms);
	walk_policy_facts(w, &f->sts);
	NUMBER(w, f->fresh_look);
	NUMBER(w, f->mx_state);
	NUMBER(w, f->mx_dnssec);
	POINTER(w, f->mx_why);
	NUMBER(w, f->mx_ttl_s);
	NUMBER(w, f->dane);
	NUMBER(w, f->dane_ttl_s);
	NUMBER(w, f->dane_lost);
	NUMBER(w, f->port);
	NUMBER(w, f->deadline_hit);
	NUMBER(w, f->n_mx);
	for (size_t i = 0; i < f->n_mx; i++)
		walk_mx(w, &f->mx[i]);
}

static void
entry_free(struct entry *entry)
{
	for (size_t i = 0; i < entry->n_sets; i++)
		tlsa_set_drop(&entry->sets[i]);
	free(entry->sets);
	free(entry);
}

/* TLSA sets are shared with whoever has them; they count as the entry's. */
static bool
sets_hold(struct entry *entry, const struct facts *f)
{
	if (!facts_have_tlsa(f))
		return true;
	entry->sets = calloc(f->n_mx, sizeof(struct tlsa_set *));
	if (entry->sets == NULL)
		return false;
	for (size_t i = 0; i < f->n_mx; i++) {
		struct tlsa_set *set = tlsa_set_hold(f->mx[i].dane.tlsa);

		if (set == NULL)
			continue;
		entry->sets[entry->n_sets++] = set;
		entry->len += (uint32_t)set->bytes;
	}
	return true;
}

static struct entry *
entry_new(const struct verdict *verdict)
{
	struct verdict shallow = *verdict;
	struct walk w = { .mode = MEASURE };
	struct entry *entry;

	assert(verdict->facts.n_mx <= LIMIT_MX_HOSTS);
	walk_verdict(&w, &shallow);
	entry = calloc(1, sizeof(*entry) + w.len);
	if (entry == NULL)
		return NULL;
	entry->len = (uint32_t)w.len;
	entry->look_ms = verdict->look_ms;
	w = (struct walk){ .mode = PACK, .octets = entry->octets };
	walk_verdict(&w, &shallow);
	if (!sets_hold(entry, &verdict->facts)) {
		entry_free(entry);
		return NULL;
	}
	return entry;
}

/* So that what is kept can be unpacked without memory. */
static bool
patterns_reserve(struct verdict_cache *cache, size_t n)
{
	char **more;

	if (n <= cache->n_patterns)
		return true;
	more = realloc(cache->patterns, n * sizeof(*more));
	if (more == NULL)
		return false;
	cache->patterns = more;
	cache->n_patterns = n;
	return true;
}

/* The table */

static struct entry *
entry_find(struct verdict_cache *cache, const char *domain)
{
	struct entry *entry;

	HASH_FIND_STR(cache->table, domain, entry);
	return entry;
}

static void
entry_remove(struct verdict_cache *cache, struct entry *entry)
{
	HASH_DEL(cache->table, entry);
	cache->len -= entry->len;
	entry_free(entry);
}

struct verdict_cache *
verdict_cache_new(size_t max)
{
	struct verdict_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->max = max;
	return cache;
}

void
verdict_cache_clear(struct verdict_cache *cache)
{
	while (cache->table != NULL)
		entry_remove(cache, cache->table);
}

void
verdict_cache_free(struct verdict_cache *cache)
{
	if (cache == NULL)
		return;
	verdict_cache_clear(cache);
	free(cache->patterns);
	free(cache);
}

void
verdict_cache_put(struct verdict_cache *cache, const struct verdict *verdict)
{
	struct entry *entry;

	verdict_cache_drop(cache, verdict->facts.domain);
	if (!patterns_reserve(cache, verdict->facts.sts.policy.n_mx) ||
	    (entry = entry_new(verdict)) == NULL)
		return;
	HASH_ADD_KEYPTR(hh, cache->table, entry->octets, strlen(entry->octets),
	    entry);
	if (entry->hh.tbl == NULL) {
		entry_free(entry);
		return;
	}
	cache->len += entry->len;
	/* One verdict is far smaller than the bound: the new one stays. */
	while (verdict_cache_count(cache) > cache->max ||
	    cache->len > LIMIT_VERDICT_BYTES)
		entry_remove(cache, cache->table);
}

const struct verdict *
verdict_cache_get(struct verdict_cache *cache, const char *domain)
{
	struct entry *entry = entry_find(cache, domain);
	struct walk w = { .mode = UNPACK };

	if (entry == NULL)
		return NULL;
	cache->table = uthash_quiet_move_last(cache->table, &entry->hh);
	cache->unpacked.facts.mx = cache->mx;
	cache->unpacked.facts.sts.policy.mx = cache->patterns;
	w.octets = entry->octets;
	walk_verdict(&w, &cache->unpacked);
	cache->unpacked.look_ms = entry->look_ms;
	return &cache->unpacked;
}

void
verdict_cache_look_later(struct verdict_cache *cache, const char *domain,
    int64_t look_ms)
{
	struct entry *entry = entry_find(cache, domain);

	if (entry != NULL)
		entry->look_ms = look_ms;
}

void
verdict_cache_drop(struct verdict_cache *cache, const char *domain)
{
	struct entry *entry = entry_find(cache, domain);

	if (entry != NULL)
		entry_remove(cache, entry);
}

size_t
verdict_cache_count(const struct verdict_cache *cache)
{
	return HASH_COUNT(cache->table);
}
