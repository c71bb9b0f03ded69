/* SPDX-License-Identifier: ISC */
/*
 * What lies on disk may be older than this program, or touched by others: the
 * cache above a store (that of this file) whose one row holds anything. The
 * input is the times of the row, as text, its id and, from the third line on,
 * its body. What comes out is live and valid, or nothing; and a row that is of
 * no use is dropped, one from the future is set right.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "proto/ascii.h"

#define NOW_S 1700000000
#define DOMAIN "example.com"

struct policy_store {
	bool has_row;
	struct policy_row row;
	unsigned puts, drops;
};

/* The store that is played */

enum policy_read
policy_store_get(struct policy_store *store, const char *domain,
    struct policy_row *row)
{
	assert(strcmp(domain, DOMAIN) == 0);
	if (store->has_row)
		*row = store->row;
	return store->has_row ? POLICY_ROW_FOUND : POLICY_ROW_NONE;
}

bool
policy_store_put(struct policy_store *store, const struct policy_row *row)
{
	assert(strcmp(row->domain, DOMAIN) == 0);
	assert(row->fetched_at_s <= NOW_S && row->record_seen_at_s <= NOW_S);
	assert(row->fetched_at_s >= 0 && row->record_seen_at_s >= 0);
	store->row = *row;
	store->puts++;
	return true;
}

bool
policy_store_touch(struct policy_store *store, const char *domain,
    int64_t record_seen_at_s)
{
	assert(strcmp(domain, DOMAIN) == 0);
	store->row.record_seen_at_s = record_seen_at_s;
	return true;
}

bool
policy_store_postpone(struct policy_store *store, const char *domain,
    int64_t refresh_at_s)
{
	assert(strcmp(domain, DOMAIN) == 0);
	store->row.refresh_at_s = refresh_at_s;
	return true;
}

size_t
policy_store_due(struct policy_store *store, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max)
{
	(void)domains;
	assert(max > 0);
	return store->has_row && store->row.refresh_at_s <= now_s ? 1 : 0;
}

bool
policy_store_drop(struct policy_store *store, const char *domain)
{
	assert(strcmp(domain, DOMAIN) == 0);
	store->has_row = false;
	store->drops++;
	return true;
}

bool
policy_store_clear(struct policy_store *store)
{
	return policy_store_drop(store, DOMAIN);
}

size_t
policy_store_count(struct policy_store *store)
{
	return store->has_row ? 1 : 0;
}

size_t
policy_store_list(struct policy_store *store, const char *after, size_t max,
    policy_store_row_fn *fn, void *arg)
{
	if (max == 0 || !store->has_row || strcmp(DOMAIN, after) <= 0)
		return 0;
	fn(&store->row, arg);
	return 1;
}

/* The row */

/* "123", "-123" or "+123", the latter counted from now; else raw octets. */
static int64_t
read_time(struct span text)
{
	unsigned long number;
	int64_t time_s = 0;

	if (text.len == 0)
		return 0;
	if (span_number(text, INT64_MAX, &number))
		return (int64_t)number;
	if (span_number((struct span){ text.p + 1, text.len - 1 },
		INT64_MAX - NOW_S, &number))
		return text.p[0] == '-' ? -(int64_t)number
					: NOW_S + (int64_t)number;
	memcpy(&time_s, text.p,
	    text.len < sizeof(time_s) ? text.len : sizeof(time_s));
	return time_s;
}

static void
row_read(struct policy_row *row, struct span text)
{
	struct span times = { NULL, 0 }, time = { NULL, 0 }, id = { NULL, 0 };

	*row = (struct policy_row){ .domain = DOMAIN };
	span_cut(&text, '\n', &times);
	if (span_cut(&times, ' ', &time))
		row->fetched_at_s = read_time(time);
	row->record_seen_at_s = read_time(times);
	span_cut(&text, '\n', &id);
	if (id.len > STS_ID_MAX)
		id.len = STS_ID_MAX;
	span_copy(id, row->id, sizeof(row->id));
	row->body = text;
}

/* What must come of it */

static bool
id_is_sane(const char *id)
{
	for (const char *c = id; *c != '\0'; c++)
		if (!ascii_is_alnum(*c))
			return false;
	return id[0] != '\0';
}

static bool
is_useful(const struct policy_row *row, const struct sts_policy *policy)
{
	return policy->mode != STS_MODE_UNKNOWN && policy->max_age_s > 0 &&
	    id_is_sane(row->id) && row->fetched_at_s >= 0 &&
	    row->record_seen_at_s >= 0;
}

static int64_t
not_later(int64_t time_s)
{
	return time_s < NOW_S ? time_s : NOW_S;
}

static void
check_cached(const struct cached_policy *cached, const struct policy_row *row,
    const struct sts_policy *policy)
{
	assert(strcmp(cached->id, row->id) == 0);
	assert(cached->fetched_at_s == not_later(row->fetched_at_s));
	assert(cached->record_seen_at_s == not_later(row->record_seen_at_s));
	assert(cached->policy.mode == policy->mode);
	assert(cached->policy.max_age_s == policy->max_age_s);
	assert(cached->policy.n_mx == policy->n_mx);
	for (size_t i = 0; i < policy->n_mx; i++)
		assert(strcmp(cached->policy.mx[i], policy->mx[i]) == 0);
}

static void
check_get(struct policy_store *store, const struct sts_policy *policy)
{
	const struct policy_row row = store->row;
	struct policy_cache *cache = policy_cache_new(store, 2);
	const struct cached_policy *cached;
	bool useful = is_useful(&row, policy);
	bool future = row.fetched_at_s > NOW_S || row.record_seen_at_s > NOW_S;
	bool live = useful &&
	    NOW_S - not_later(row.fetched_at_s) < (int64_t)policy->max_age_s;

	assert(cache != NULL);
	cached = policy_cache_get(cache, DOMAIN, NOW_S);
	assert((cached != NULL) == live);
	if (live)
		check_cached(cached, &row, policy);
	assert(store->drops == !useful && store->has_row == useful);
	assert(store->puts == (useful && future));
	/* From memory it is the same; nothing is written a second time. */
	cached = policy_cache_get(cache, DOMAIN, NOW_S);
	assert((cached != NULL) == live);
	assert(store->puts == (useful && future) && store->drops == !useful);
	assert(policy_cache_get(cache, DOMAIN,
		   NOW_S + (int64_t)STS_MAX_AGE_MAX_S) == NULL);
	policy_cache_free(cache);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct policy_store store = { .has_row = true };
	struct sts_policy policy;
	struct sts_policy_error error;

	log_init("fuzz", false, LOG_LEVEL_ERROR);
	row_read(&store.row, fuzz_span(bytes, len));
	(void)sts_policy_parse(store.row.body, &policy, &error);
	check_get(&store, &policy);
	sts_policy_cleanup(&policy);
	return 0;
}
