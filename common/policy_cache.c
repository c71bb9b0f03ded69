/* SPDX-License-Identifier: ISC */
/*
 * Policies by domain, in memory and in the store below: see policy_cache.h. The
 * table finds them, and keeps them in the order of their last use. Bodies
 * are kept in the store only, memory holds what was read from them.
 */
#include "common/policy_cache.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock_jump.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_store.h"
#include "common/uthash_quiet.h"

struct entry {
	struct cached_policy cached;
	unsigned tried_after; /* the jump with this number: a refresh failed */
	uint32_t octets;      /* of memory */
	UT_hash_handle hh;
	char domain[]; /* and behind it the patterns of the policy */
};

struct policy_cache {
	struct policy_store *store;
	const struct clock *clock; /* NULL: not watched */
	struct clock_jump jump;
	size_t max;
	size_t octets;	     /* of all entries */
	struct entry *table; /* its order: the least recently used first */
	bool unread;	     /* the last get: see header */
};

struct policy_cache *
policy_cache_new(struct policy_store *store, size_t max)
{
	struct policy_cache *cache = calloc(1, sizeof(*cache));

	assert(max > 0);
	if (cache == NULL)
		return NULL;
	cache->store = store;
	cache->max = max;
	return cache;
}

void
policy_cache_watch(struct policy_cache *cache, const struct clock *clock)
{
	cache->clock = clock;
	clock_jump_look(&cache->jump, clock);
}

int64_t
policy_cache_old_time_s(struct policy_cache *cache, int64_t now_s)
{
	if (cache->clock == NULL)
		return now_s;
	clock_jump_look(&cache->jump, cache->clock);
	return clock_jump_old_s(&cache->jump, cache->clock, now_s);
}

static struct entry *
entry_find(struct policy_cache *cache, const char *domain)
{
	struct entry *entry;

	HASH_FIND_STR(cache->table, domain, entry);
	return entry;
}

/* Safe on NULL. */
static void
entry_remove(struct policy_cache *cache, struct entry *entry)
{
	if (entry == NULL)
		return;
	HASH_DEL(cache->table, entry);
	cache->octets -= entry->octets;
	free(entry);
}

void
policy_cache_free(struct policy_cache *cache)
{
	if (cache == NULL)
		return;
	while (cache->table != NULL)
		entry_remove(cache, cache->table);
	free(cache);
}

/* What the patterns take: pointers to them, and their text. */
static size_t
policy_octets(const struct sts_policy *policy)
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_mx; i++)
		n += sizeof(policy->mx[i]) + strlen(policy->mx[i]) + 1;
	return n;
}

/* To room, which is aligned, and is freed as a part of something larger. */
static void
policy_pack(const struct sts_policy *from, struct sts_policy *to, void *room)
{
	char **mx = room;
	char *text = (char *)(mx + from->n_mx);

	*to = *from;
	to->mx = from->n_mx == 0 ? NULL : mx;
	for (size_t i = 0; i < from->n_mx; i++) {
		size_t size = strlen(from->mx[i]) + 1;

		memcpy(text, from->mx[i], size);
		mx[i] = text;
		text += size;
	}
}

/* All of an entry is one piece of memory: there may be a million. */
static struct entry *
entry_make(const char *domain, const struct sts_policy *policy)
{
	size_t size = strlen(domain) + 1;
	size_t room =
	    (offsetof(struct entry, domain) + size + alignof(char *) - 1) &
	    ~(alignof(char *) - 1);
	size_t octets = room + policy_octets(policy);
	struct entry *entry = calloc(1, octets);

	if (entry == NULL)
		return NULL;
	entry->octets = (uint32_t)octets;
	memcpy(entry->domain, domain, size);
	policy_pack(policy, &entry->cached.policy, (char *)entry + room);
	return entry;
}

/* Reads a row, in the state that memory keeps. NULL with *result set. */
static struct entry *
entry_new(const struct policy_row *row, enum sts_policy_result *result)
{
	struct sts_policy policy;
	struct sts_policy_error error;
	struct entry *entry;

	*result = sts_policy_parse(row->body, &policy, &error);
	if (*result != STS_POLICY_OK)
		return NULL;
	entry = entry_make(row->domain, &policy);
	sts_policy_cleanup(&policy);
	if (entry == NULL) {
		*result = STS_POLICY_NO_MEMORY;
		return NULL;
	}
	memcpy(entry->cached.id, row->id, sizeof(entry->cached.id));
	entry->cached.fetched_at_s = row->fetched_at_s;
	entry->cached.record_seen_at_s = row->record_seen_at_s;
	entry->cached.refresh_at_s = row->refresh_at_s;
	return entry;
}

/* Policies of 64 KiB must not cost more than as many usual ones. */
static bool
is_too_full(const struct policy_cache *cache)
{
	size_t max_octets = cache->max * LIMIT_POLICY_OCTETS;

	if (max_octets < LIMIT_POLICIES_OCTETS_MIN)
		max_octets = LIMIT_POLICIES_OCTETS_MIN;
	return policy_cache_count(cache) > cache->max ||
	    cache->octets > max_octets;
}

/*
 * Takes the entry, makes room for it, and gives up one of the same domain.
 * False, with the entry freed, when the table has no memory.
 */
static bool
entry_keep(struct policy_cache *cache, struct entry *entry)
{
	entry_remove(cache, entry_find(cache, entry->domain));
	HASH_ADD_STR(cache->table, domain, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return false;
	}
	cache->octets += entry->octets;
	while (is_too_full(cache)) /* the new one fits: it stays */
		entry_remove(cache, cache->table);
	return true;
}

/* RFC 8461 3.1: 1*32 letters or digits. */
static bool
id_is_sane(const char *id)
{
	static const char alphanumeric[] =
	    "0123456789abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(id);

	return len > 0 && strspn(id, alphanumeric) == len;
}

/* Reads a row of the store; unread when there may be one. */
static bool
row_from_store(struct policy_cache *cache, const char *domain,
    struct policy_row *row)
{
	if (cache->store == NULL)
		return false;
	switch (policy_store_get(cache->store, domain, row)) {
	case POLICY_ROW_FOUND:
		return true;
	case POLICY_ROW_UNREAD:
		cache->unread = true;
		return false;
	case POLICY_ROW_NONE:
		break;
	}
	return false;
}

/* What lies on disk may be older, or touched by others, than this program. */
static struct entry *
entry_from_store(struct policy_cache *cache, const char *domain)
{
	enum sts_policy_result result = STS_POLICY_INVALID;
	struct entry *entry = NULL;
	struct policy_row row;

	if (!row_from_store(cache, domain, &row))
		return NULL;
	if (id_is_sane(row.id) && row.fetched_at_s >= 0 &&
	    row.record_seen_at_s >= 0)
		entry = entry_new(&row, &result);
	if (entry != NULL && entry->cached.policy.max_age_s == 0) {
		result = STS_POLICY_INVALID;
		free(entry);
		entry = NULL;
	}
	if (entry == NULL && result == STS_POLICY_INVALID) {
		log_warning("stored policy of %s is of no use: dropped",
		    domain);
		(void)policy_store_drop(cache->store, domain);
	}
	if (entry != NULL && entry_keep(cache, entry))
		return entry;
	if (result != STS_POLICY_INVALID)
		cache->unread = true; /* no memory for it */
	return NULL;
}

/*
 * A time in the future is that of a wrong clock, then or now: it becomes now,
 * so that the life of the policy ends some day.
 */
static void
entry_leave_future(struct policy_cache *cache, struct entry *entry,
    int64_t now_s)
{
	struct cached_policy *cached = &entry->cached;
	struct policy_row row;

	if (cached->fetched_at_s <= now_s && cached->record_seen_at_s <= now_s)
		return;
	if (cached->fetched_at_s > now_s)
		cached->fetched_at_s = now_s;
	if (cached->record_seen_at_s > now_s)
		cached->record_seen_at_s = now_s;
	if (!row_from_store(cache, entry->domain, &row))
		return;
	row.fetched_at_s = cached->fetched_at_s;
	row.record_seen_at_s = cached->record_seen_at_s;
	(void)policy_store_put(cache->store, &row);
}

/* RFC 8461 3.2, 3.3: max_age counts from the last fetch. */
static bool
entry_is_live(struct policy_cache *cache, const struct entry *entry,
    int64_t now_s)
{
	int64_t end_s =
	    entry->cached.fetched_at_s + entry->cached.policy.max_age_s;

	/* Looked at first: a jump is seen by who asks, whatever he asks for. */
	int64_t old_s = policy_cache_old_time_s(cache, now_s);

	return now_s < end_s ||
	    (old_s < end_s && entry->tried_after != cache->jump.n);
}

const struct cached_policy *
policy_cache_get(struct policy_cache *cache, const char *domain, int64_t now_s)
{
	struct entry *entry = entry_find(cache, domain);

	cache->unread = false;
	if (entry == NULL)
		entry = entry_from_store(cache, domain);
	if (entry == NULL)
		return NULL;
	entry_leave_future(cache, entry, now_s);
	cache->table = uthash_quiet_move_last(cache->table, &entry->hh);
	return entry_is_live(cache, entry, now_s) ? &entry->cached : NULL;
}

bool
policy_cache_unread(const struct policy_cache *cache)
{
	return cache->unread;
}

/*
 * A day after the fetch, less a jitter of up to four hours that is the
 * domain's own, so that policies fetched together are not refreshed together;
 * when life is short, at three quarters of it. A life under some minutes is
 * not worth a refresh.
 */
static int64_t
first_refresh_s(const struct cached_policy *cached, const char *domain)
{
	uint32_t hash = uthash_quiet_hash(domain, strlen(domain));
	int64_t after_s = LIMIT_REFRESH_S - hash % LIMIT_REFRESH_JITTER_S;
	int64_t near_end_s = (int64_t)cached->policy.max_age_s * 3 / 4;

	if (near_end_s < after_s)
		after_s = near_end_s;
	return after_s < LIMIT_REFRESH_MIN_S ? INT64_MAX
					     : cached->fetched_at_s + after_s;
}

static void
set_refresh(struct policy_cache *cache, struct entry *entry, int64_t at_s)
{
	entry->cached.refresh_at_s = at_s;
	if (cache->store != NULL)
		(void)policy_store_postpone(cache->store, entry->domain, at_s);
}

void
policy_cache_refresh_later(struct policy_cache *cache, const char *domain,
    int64_t now_s)
{
	struct entry *entry = entry_find(cache, domain);
	const struct cached_policy *live;
	int64_t wait_s;

	if (entry != NULL)
		entry->tried_after = cache->jump.n;
	live = policy_cache_get(cache, domain, now_s);
	entry = entry_find(cache, domain); /* or from the store now */
	if (entry == NULL)
		return;
	if (live == NULL) {
		set_refresh(cache, entry, INT64_MAX);
		return;
	}
	wait_s = (live->fetched_at_s + live->policy.max_age_s - now_s) / 2;
	if (wait_s > LIMIT_REFRESH_RETRY_S)
		wait_s = LIMIT_REFRESH_RETRY_S;
	if (wait_s < LIMIT_REFRESH_MIN_S)
		wait_s = LIMIT_REFRESH_MIN_S;
	set_refresh(cache, entry, now_s + wait_s);
}

static bool
is_due(const struct cached_policy *cached, int64_t now_s)
{
	return cached->refresh_at_s <= now_s ||
	    (cached->refresh_at_s > now_s + LIMIT_REFRESH_S &&
		cached->refresh_at_s != INT64_MAX);
}

/* Without a store all that there is is in memory. */
static size_t
due_in_memory(struct policy_cache *cache, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max)
{
	struct entry *entry;
	size_t n = 0;

	for (entry = cache->table; entry != NULL; entry = entry->hh.next)
		if (is_due(&entry->cached, now_s) && n < max)
			memcpy(domains[n++], entry->domain,
			    strlen(entry->domain) + 1);
	return n;
}

size_t
policy_cache_due(struct policy_cache *cache, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max)
{
	return cache->store == NULL
	    ? due_in_memory(cache, now_s, domains, max)
	    : policy_store_due(cache->store, now_s, domains, max);
}

void
policy_cache_fresh_look(struct policy_cache *cache, const char *domain,
    int64_t now_s, bool good)
{
	struct entry *entry = entry_find(cache, domain);

	if (entry == NULL)
		return;
	entry->cached.fresh_look_at_s = now_s;
	entry->cached.fresh_look_good = good;
}

bool
policy_cache_put(struct policy_cache *cache, const char *domain, const char *id,
    struct span body, int64_t now_s)
{
	struct policy_row row = { .fetched_at_s = now_s,
		.record_seen_at_s = now_s,
		.body = body };
	enum sts_policy_result result;
	struct entry *entry;

	if (!span_copy(span_of(domain), row.domain, sizeof(row.domain)) ||
	    !span_copy(span_of(id), row.id, sizeof(row.id)))
		return false;
	entry = entry_new(&row, &result);
	if (entry != NULL && entry->cached.policy.max_age_s == 0) {
		free(entry);
		policy_cache_drop(cache, domain);
		return true;
	}
	if (entry != NULL)
		row.refresh_at_s = entry->cached.refresh_at_s =
		    first_refresh_s(&entry->cached, domain);
	if (result != STS_POLICY_INVALID && cache->store != NULL)
		(void)policy_store_put(cache->store, &row);
	if (entry == NULL) {
		entry_remove(cache, entry_find(cache, domain));
		return false;
	}
	return entry_keep(cache, entry);
}

void
policy_cache_record_seen(struct policy_cache *cache, const char *domain,
    int64_t now_s)
{
	struct entry *entry = entry_find(cache, domain);

	if (entry != NULL)
		entry->cached.record_seen_at_s = now_s;
	if (cache->store != NULL)
		(void)policy_store_touch(cache->store, domain, now_s);
}

void
policy_cache_drop(struct policy_cache *cache, const char *domain)
{
	entry_remove(cache, entry_find(cache, domain));
	if (cache->store != NULL)
		(void)policy_store_drop(cache->store, domain);
}

size_t
policy_cache_count(const struct policy_cache *cache)
{
	return HASH_COUNT(cache->table);
}

void
policy_cache_clear(struct policy_cache *cache)
{
	while (cache->table != NULL)
		entry_remove(cache, cache->table);
	if (cache->store != NULL)
		(void)policy_store_clear(cache->store);
}

bool
policy_cache_has_store(const struct policy_cache *cache)
{
	return cache->store != NULL;
}

size_t
policy_cache_count_stored(const struct policy_cache *cache)
{
	return cache->store == NULL ? 0 : policy_store_count(cache->store);
}

const struct cached_policy *
policy_cache_peek(struct policy_cache *cache, const char *domain)
{
	struct entry *entry = entry_find(cache, domain);

	if (entry == NULL)
		entry = entry_from_store(cache, domain);
	return entry == NULL ? NULL : &entry->cached;
}

/* Lists. What is in the store is read from there: memory may hold less. */

struct listing {
	policy_seen_fn *fn;
	void *arg;
	char *last;
};

static void
list_row(const struct policy_row *row, void *arg)
{
	struct listing *listing = arg;
	enum sts_policy_result result;
	struct entry *entry = entry_new(row, &result);

	memcpy(listing->last, row->domain, DOMAIN_SIZE);
	if (entry != NULL)
		listing->fn(row->domain, &entry->cached, listing->arg);
	free(entry);
}

/* Puts an entry to its place among the n first ones; returns how many. */
static size_t
first_add(const struct entry **first, size_t n, size_t max,
    const struct entry *entry)
{
	size_t at = n;

	while (at > 0 && strcmp(first[at - 1]->domain, entry->domain) > 0)
		at--;
	if (at == max)
		return n;
	if (n < max)
		n++;
	memmove(&first[at + 1], &first[at], (n - at - 1) * sizeof(*first));
	first[at] = entry;
	return n;
}

static size_t
list_memory(const struct policy_cache *cache, const char *after, size_t max,
    struct listing *listing)
{
	const struct entry **first = calloc(max, sizeof(const struct entry *));
	const struct entry *entry;
	size_t n = 0;

	if (first == NULL)
		return 0;
	for (entry = cache->table; entry != NULL; entry = entry->hh.next)
		if (strcmp(entry->domain, after) > 0)
			n = first_add(first, n, max, entry);
	for (size_t i = 0; i < n; i++) {
		memcpy(listing->last, first[i]->domain,
		    strlen(first[i]->domain) + 1);
		listing->fn(first[i]->domain, &first[i]->cached, listing->arg);
	}
	free(first);
	return n;
}

bool
policy_cache_list(struct policy_cache *cache, const char *after, size_t max,
    policy_seen_fn *fn, void *arg, char last[DOMAIN_SIZE])
{
	struct listing listing = { fn, arg, last };
	char from[DOMAIN_SIZE]; /* after may be last */

	snprintf(from, sizeof(from), "%s", after);
	return max ==
	    (cache->store == NULL ? list_memory(cache, from, max, &listing)
				  : policy_store_list(cache->store, from, max,
					list_row, &listing));
}
