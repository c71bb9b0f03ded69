/* SPDX-License-Identifier: ISC */
/* What would have been refused: see staging.h. */
#include "common/staging.h"

#include <sys/queue.h>

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/uthash_quiet.h"

struct entry {
	struct staged staged; /* the first member: see staging_next() */
	TAILQ_ENTRY(entry) entry;
	TAILQ_ENTRY(entry) change;
	bool is_changed;
	UT_hash_handle hh;
	char key[]; /* the cause in one letter, and the domain */
};

struct staging {
	size_t max;
	int64_t since_s;
	struct entry *table;
	TAILQ_HEAD(newest, entry) newest_first;
	TAILQ_HEAD(, entry) changed; /* the longest so first */
};

#define KEY_SIZE (DOMAIN_SIZE + 1)

static void
key_make(char key[KEY_SIZE], enum staging_cause cause, const char *domain)
{
	snprintf(key, KEY_SIZE, "%c%s", cause == STAGING_OURS ? 'o' : 'p',
	    domain);
}

struct staging *
staging_new(size_t max, int64_t now_s)
{
	struct staging *staging = calloc(1, sizeof(*staging));

	assert(max > 0);
	if (staging == NULL)
		return NULL;
	staging->max = max;
	staging->since_s = now_s;
	TAILQ_INIT(&staging->newest_first);
	TAILQ_INIT(&staging->changed);
	return staging;
}

static void
entry_changed(struct staging *staging, struct entry *entry)
{
	if (!entry->is_changed)
		TAILQ_INSERT_TAIL(&staging->changed, entry, change);
	entry->is_changed = true;
}

static void
entry_unchanged(struct staging *staging, struct entry *entry)
{
	if (entry->is_changed)
		TAILQ_REMOVE(&staging->changed, entry, change);
	entry->is_changed = false;
}

static void
entry_remove(struct staging *staging, struct entry *entry)
{
	HASH_DEL(staging->table, entry);
	TAILQ_REMOVE(&staging->newest_first, entry, entry);
	entry_unchanged(staging, entry);
	free(entry);
}

void
staging_free(struct staging *staging)
{
	if (staging == NULL)
		return;
	while (!TAILQ_EMPTY(&staging->newest_first))
		entry_remove(staging, TAILQ_FIRST(&staging->newest_first));
	free(staging);
}

static struct entry *
entry_find(struct staging *staging, enum staging_cause cause,
    const char *domain)
{
	char key[KEY_SIZE];
	struct entry *entry;

	key_make(key, cause, domain);
	HASH_FIND_STR(staging->table, key, entry);
	return entry;
}

static struct entry *
entry_add(struct staging *staging, enum staging_cause cause, const char *domain)
{
	struct entry *entry = calloc(1, sizeof(*entry) + KEY_SIZE);

	if (entry == NULL)
		return NULL;
	key_make(entry->key, cause, domain);
	entry->staged.domain = entry->key + 1;
	entry->staged.cause = cause;
	HASH_ADD_STR(staging->table, key, entry);
	if (entry->hh.tbl == NULL) {
		free(entry);
		return NULL;
	}
	TAILQ_INSERT_HEAD(&staging->newest_first, entry, entry);
	if (HASH_COUNT(staging->table) > staging->max)
		entry_remove(staging,
		    TAILQ_LAST(&staging->newest_first, newest));
	return entry;
}

static void
add(struct staging *staging, const struct verdict *verdict,
    enum result_type result, const char *reason, size_t times, int64_t now_s)
{
	enum staging_cause cause =
	    verdict->facts.sts.policy.mode == STS_MODE_TESTING ? STAGING_POLICY
							       : STAGING_OURS;
	struct entry *entry = entry_find(staging, cause, verdict->facts.domain);

	if (entry == NULL)
		entry = entry_add(staging, cause, verdict->facts.domain);
	if (entry == NULL)
		return;
	TAILQ_REMOVE(&staging->newest_first, entry, entry);
	TAILQ_INSERT_HEAD(&staging->newest_first, entry, entry);
	if (entry->staged.times == 0)
		entry->staged.since_s = now_s;
	entry->staged.times += times;
	entry->staged.last_s = now_s;
	entry->staged.good_at_s = 0;
	entry->staged.source = verdict->source;
	entry->staged.result = result;
	snprintf(entry->staged.reason, sizeof(entry->staged.reason), "%s",
	    reason);
	entry_changed(staging, entry);
}

/* Whatever was refused before would not be now. */
static void
note_good(struct staging *staging, const char *domain, int64_t now_s)
{
	static const enum staging_cause causes[] = { STAGING_OURS,
		STAGING_POLICY };

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		struct entry *entry = entry_find(staging, causes[i], domain);

		if (entry == NULL || entry->staged.good_at_s != 0)
			continue;
		entry->staged.good_at_s = now_s;
		entry_changed(staging, entry);
	}
}

void
staging_take(struct staging *staging, const struct verdict *verdict,
    size_t times, int64_t now_s)
{
	if (staging == NULL || times == 0)
		return;
	if (verdict->action == ACTION_WOULD_DEFER)
		add(staging, verdict, verdict->result, verdict->reason, times,
		    now_s);
	else if (verdict->action == ACTION_PROCEED &&
	    verdict->gate == GATE_ADMISSION)
		note_good(staging, verdict->facts.domain, now_s);
}

void
staging_take_session(struct staging *staging, const struct verdict *verdict,
    enum result_type result, const char *why, int64_t now_s)
{
	if (staging != NULL)
		add(staging, verdict, result, why, 1, now_s);
}

const struct staged *
staging_next(const struct staging *staging, const struct staged *previous)
{
	const struct entry *entry = (const struct entry *)previous;

	entry = entry == NULL ? TAILQ_FIRST(&staging->newest_first)
			      : TAILQ_NEXT(entry, entry);
	return entry == NULL ? NULL : &entry->staged;
}

int64_t
staging_since_s(const struct staging *staging)
{
	return staging->since_s;
}

size_t
staging_max(const struct staging *staging)
{
	return staging->max;
}

void
staging_restore(struct staging *staging, const struct staged *staged)
{
	struct entry *entry;
	const char *domain;

	if (entry_find(staging, staged->cause, staged->domain) != NULL)
		return;
	entry = entry_add(staging, staged->cause, staged->domain);
	if (entry == NULL)
		return;
	domain = entry->staged.domain;
	entry->staged = *staged;
	entry->staged.domain = domain;
}

void
staging_set_since(struct staging *staging, int64_t since_s)
{
	staging->since_s = since_s;
}

const struct staged *
staging_changed(const struct staging *staging)
{
	const struct entry *entry = TAILQ_FIRST(&staging->changed);

	return entry == NULL ? NULL : &entry->staged;
}

void
staging_written(struct staging *staging, const struct staged *staged)
{
	entry_unchanged(staging,
	    entry_find(staging, staged->cause, staged->domain));
}

void
staging_change_all(struct staging *staging)
{
	struct entry *entry;

	TAILQ_FOREACH (entry, &staging->newest_first, entry)
		entry_changed(staging, entry);
}

const char *
staging_cause_name(enum staging_cause cause)
{
	static const char *const names[] = {
		[STAGING_OURS] = "our-mode",
		[STAGING_POLICY] = "policy",
	};

	return names[cause];
}
