/* SPDX-License-Identifier: ISC */
/* Answers by TTL, least recently used first to go: see dns_cache.h. */
#include "common/dns_cache.h"

#include <sys/queue.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/uthash_quiet.h"

struct dns_held {
	struct dns_answer *answer;
	int64_t got_ms;
	unsigned holders;
};

struct key {
	uint16_t type;
	char name[DOMAIN_SIZE];
};

struct entry {
	struct dns_held *held;
	int64_t expires_ms;
	size_t bytes;
	TAILQ_ENTRY(entry) use;
	UT_hash_handle hh;
	char key[]; /* as much of a struct key as counts */
};

struct dns_cache {
	struct clock *clock;
	struct entry *table;
	TAILQ_HEAD(uses, entry) uses; /* the most recent one first */
	size_t bytes;
};

/* Returns how many octets of the key count. */
static unsigned
key_set(struct key *key, const char *name, enum dns_type type)
{
	size_t len = strlen(name);

	assert(len <= DOMAIN_MAX);
	key->type = (uint16_t)type;
	memcpy(key->name, name, len + 1);
	return (unsigned)(offsetof(struct key, name) + len);
}

static size_t
answer_bytes(const struct dns_answer *answer)
{
	size_t bytes = sizeof(*answer) + answer->n * sizeof(*answer->rr);

	for (size_t i = 0; i < answer->n; i++)
		if (answer->type == DNS_TXT)
			bytes += answer->rr[i].txt.len;
		else if (answer->type == DNS_TLSA)
			bytes += answer->rr[i].tlsa.association.len;
	return bytes;
}

struct dns_cache *
dns_cache_new(struct clock *clock)
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->clock = clock;
	TAILQ_INIT(&cache->uses);
	return cache;
}

static void
entry_remove(struct dns_cache *cache, struct entry *entry)
{
	HASH_DEL(cache->table, entry);
	TAILQ_REMOVE(&cache->uses, entry, use);
	cache->bytes -= entry->bytes;
	dns_held_drop(&entry->held);
	free(entry);
}

void
dns_cache_free(struct dns_cache *cache)
{
	struct entry *entry;

	if (cache == NULL)
		return;
	while ((entry = TAILQ_FIRST(&cache->uses)) != NULL)
		entry_remove(cache, entry);
	free(cache);
}

static struct entry *
entry_find(struct dns_cache *cache, const char *name, enum dns_type type)
{
	struct entry *entry;
	struct key key;
	unsigned len = key_set(&key, name, type);

	HASH_FIND(hh, cache->table, &key, len, entry);
	return entry;
}

static int64_t
life_ms(const struct dns_answer *answer)
{
	uint32_t ttl_s = answer->ttl_s;

	if (ttl_s < LIMIT_DNS_TTL_MIN_S)
		ttl_s = LIMIT_DNS_TTL_MIN_S;
	if (ttl_s > LIMIT_DNS_TTL_MAX_S)
		ttl_s = LIMIT_DNS_TTL_MAX_S;
	return (int64_t)ttl_s * 1000;
}

/* Without memory it is not cached, and that is all. */
static void
entry_add(struct dns_cache *cache, const char *name, struct dns_held *held)
{
	struct entry *entry;
	struct key key;
	unsigned key_len = key_set(&key, name, held->answer->type);

	entry = calloc(1, sizeof(*entry) + key_len);
	if (entry == NULL)
		return;
	memcpy(entry->key, &key, key_len);
	HASH_ADD_KEYPTR(hh, cache->table, entry->key, key_len, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return;
	}
	entry->held = held;
	held->holders++;
	entry->expires_ms = held->got_ms + life_ms(held->answer);
	entry->bytes = sizeof(*entry) + key_len + sizeof(*held) +
	    answer_bytes(held->answer);
	cache->bytes += entry->bytes;
	TAILQ_INSERT_HEAD(&cache->uses, entry, use);
}

struct dns_held *
dns_cache_put(struct dns_cache *cache, const char *name,
    struct dns_answer *answer)
{
	struct dns_held *held = calloc(1, sizeof(*held));
	struct entry *old = entry_find(cache, name, answer->type);

	assert(answer->outcome != DNS_TEMPFAIL);
	if (old != NULL)
		entry_remove(cache, old);
	if (held == NULL) {
		dns_answer_free(answer);
		return NULL;
	}
	held->answer = answer;
	held->got_ms = clock_mono_ms(cache->clock);
	held->holders = 1;
	entry_add(cache, name, held);
	while (dns_cache_count(cache) > LIMIT_DNS_CACHE_ENTRIES ||
	    cache->bytes > LIMIT_DNS_CACHE_BYTES)
		entry_remove(cache, TAILQ_LAST(&cache->uses, uses));
	return held;
}

struct dns_held *
dns_cache_get(struct dns_cache *cache, const char *name, enum dns_type type)
{
	struct entry *entry = entry_find(cache, name, type);

	if (entry == NULL)
		return NULL;
	if (clock_mono_ms(cache->clock) >= entry->expires_ms) {
		entry_remove(cache, entry);
		return NULL;
	}
	TAILQ_REMOVE(&cache->uses, entry, use);
	TAILQ_INSERT_HEAD(&cache->uses, entry, use);
	entry->held->holders++;
	return entry->held;
}

size_t
dns_cache_count(const struct dns_cache *cache)
{
	return HASH_COUNT(cache->table);
}

struct dns_answer
dns_held_answer(const struct dns_held *held, const struct clock *clock)
{
	struct dns_answer answer = *held->answer;
	int64_t age_s = (clock_mono_ms(clock) - held->got_ms) / 1000;

	answer.ttl_s =
	    age_s >= answer.ttl_s ? 0 : answer.ttl_s - (uint32_t)age_s;
	return answer;
}

void
dns_held_drop(struct dns_held **held)
{
	struct dns_held *h = *held;

	*held = NULL;
	if (h == NULL || --h->holders > 0)
		return;
	dns_answer_free(h->answer);
	free(h);
}
