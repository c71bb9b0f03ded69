/* SPDX-License-Identifier: ISC */
/* Policies set at run time, by domain: see overrides.h. */
#include "common/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/override_store.h"
#include "common/policy_store.h"
#include "common/uthash_quiet.h"
#include "proto/rfc3339.h"

struct entry {
	struct override override; /* the first member: see overrides_next() */
	UT_hash_handle hh;
};

struct overrides {
	struct policy_store *store;
	struct entry *table;
	unsigned serial; /* of the last one */
	unsigned begun;	 /* of the store: the file that has them */
	bool unread;	 /* not all of the store could be read */
	bool in_doubt;	 /* the last find: see overrides_unread() */
	int64_t read_s;	 /* the last time that this was tried */
};

static void
entry_free(struct entry *entry)
{
	override_cleanup(&entry->override);
	free(entry);
}

/* Safe on NULL. */
static void
entry_remove(struct overrides *overrides, struct entry *entry)
{
	if (entry == NULL)
		return;
	HASH_DEL(overrides->table, entry);
	entry_free(entry);
}

static struct entry *
entry_find(struct overrides *overrides, const char *domain)
{
	struct entry *entry;

	HASH_FIND_STR(overrides->table, domain, entry);
	return entry;
}

/* Takes what the override holds; it is empty then. */
static struct entry *
entry_new(struct overrides *overrides, struct override *override)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL) {
		override_cleanup(override);
		return NULL;
	}
	entry->override = *override;
	entry->override.line = 0;
	entry->override.serial = ++overrides->serial;
	memset(override, 0, sizeof(*override));
	return entry;
}

/* False: no memory, entry is freed. One of the same domain is still there. */
static bool
entry_add(struct overrides *overrides, struct entry *entry)
{
	HASH_ADD_KEYPTR(hh, overrides->table, entry->override.domain,
	    strlen(entry->override.domain), entry);
	if (entry->hh.tbl != NULL)
		return true;
	entry_free(entry);
	return false;
}

/* One that is there already has come of the same row, or is younger. */
static void
stored_found(struct override *override, void *arg)
{
	struct overrides *overrides = arg;
	struct entry *entry;

	if (entry_find(overrides, override->domain) != NULL)
		return;
	entry = entry_new(overrides, override);
	if (entry != NULL && entry_add(overrides, entry))
		return;
	overrides->unread = true;
	log_error("policies set here: out of memory for one of them");
}

static void
stored_read(struct overrides *overrides, int64_t now_s)
{
	overrides->unread = false;
	overrides->read_s = now_s;
	if (!override_store_load(overrides->store, stored_found, overrides))
		overrides->unread = true;
}

/* What could not be read at the start may be readable now. */
static void
read_again(struct overrides *overrides, int64_t now_s)
{
	int64_t age_s = now_s - overrides->read_s;

	if (overrides->unread && (age_s < 0 || age_s >= LIMIT_OVERRIDE_READ_S))
		stored_read(overrides, now_s);
}

struct overrides *
overrides_new(struct policy_store *store, int64_t now_s)
{
	struct overrides *overrides = calloc(1, sizeof(*overrides));

	if (overrides == NULL)
		return NULL;
	overrides->store = store;
	if (store != NULL) {
		(void)override_store_drop_ended(store,
		    now_s - LIMIT_OVERRIDE_ENDED_S);
		stored_read(overrides, now_s);
	}
	return overrides;
}

void
overrides_free(struct overrides *overrides)
{
	struct entry *entry, *next;

	if (overrides == NULL)
		return;
	HASH_ITER (hh, overrides->table, entry, next)
		entry_remove(overrides, entry);
	free(overrides);
}

/* A new file was begun for damage: what was set is written once more. */
static void
store_again(struct overrides *overrides)
{
	struct entry *entry, *next;

	if (overrides->store == NULL ||
	    overrides->begun == policy_store_begun(overrides->store))
		return;
	overrides->begun = policy_store_begun(overrides->store);
	HASH_ITER (hh, overrides->table, entry, next)
		(void)override_store_put(overrides->store, &entry->override);
}

static bool
holds(const struct override *override, int64_t now_s)
{
	return override != NULL && now_s < override->until_s;
}

const struct override *
overrides_find(struct overrides *overrides, const struct config *config,
    const char *domain, int64_t now_s)
{
	const struct override *configured;
	bool local = config_is_local(config, domain);
	struct entry *entry = NULL;

	if (overrides != NULL) {
		store_again(overrides);
		read_again(overrides, now_s);
		entry = entry_find(overrides, domain);
		overrides->in_doubt =
		    overrides->unread && entry == NULL && !local;
	}
	if (local || overrides_unread(overrides))
		return NULL;
	if (entry != NULL && holds(&entry->override, now_s))
		return &entry->override;
	configured = config_policy(config, domain);
	return holds(configured, now_s) ? configured : NULL;
}

bool
overrides_unread(const struct overrides *overrides)
{
	return overrides != NULL && overrides->in_doubt;
}

/* Those that have ended make room. */
static bool
has_room(struct overrides *overrides, int64_t now_s)
{
	struct entry *entry, *next;

	if (HASH_COUNT(overrides->table) < LIMIT_OVERRIDES)
		return true;
	HASH_ITER (hh, overrides->table, entry, next)
		if (!holds(&entry->override, now_s) &&
		    (overrides->store == NULL ||
			override_store_drop(overrides->store,
			    entry->override.domain)))
			entry_remove(overrides, entry);
	return HASH_COUNT(overrides->table) < LIMIT_OVERRIDES;
}

enum overrides_result
overrides_set(struct overrides *overrides, struct override *override,
    int64_t now_s)
{
	struct entry *old = entry_find(overrides, override->domain);
	struct entry *entry;

	if (old == NULL && !has_room(overrides, now_s)) {
		override_cleanup(override);
		return OVERRIDES_FULL;
	}
	entry = entry_new(overrides, override);
	if (entry == NULL || !entry_add(overrides, entry))
		return OVERRIDES_NO_MEMORY;
	if (overrides->store != NULL &&
	    !override_store_put(overrides->store, &entry->override)) {
		entry_remove(overrides, entry);
		return OVERRIDES_NOT_STORED;
	}
	entry_remove(overrides, old);
	return OVERRIDES_DONE;
}

const struct override *
overrides_get(struct overrides *overrides, const char *domain)
{
	const struct entry *entry = entry_find(overrides, domain);

	return entry == NULL ? NULL : &entry->override;
}

enum overrides_result
overrides_drop(struct overrides *overrides, const char *domain)
{
	struct entry *entry = entry_find(overrides, domain);

	if (entry == NULL)
		return OVERRIDES_NONE_SET;
	if (overrides->store != NULL &&
	    !override_store_drop(overrides->store, domain))
		return OVERRIDES_NOT_STORED;
	entry_remove(overrides, entry);
	return OVERRIDES_DONE;
}

const struct override *
overrides_next(const struct overrides *overrides,
    const struct override *previous)
{
	const struct entry *entry = (const struct entry *)previous;

	entry = entry == NULL ? overrides->table : entry->hh.next;
	return entry == NULL ? NULL : &entry->override;
}

bool
overrides_are_stored(const struct overrides *overrides)
{
	return overrides->store != NULL;
}

/* Where it was set, as log lines begin. */
static void
log_one(const struct override *o, const char *path, const char *what)
{
	char until[RFC3339_SIZE];

	rfc3339_write(o->until_s, until);
	if (o->line == 0)
		log_warning("policy set at run time for %s until %s: %s",
		    o->domain, until, what);
	else
		log_warning("%s:%u: policy \"%s\" until %s: %s", path, o->line,
		    o->domain, until, what);
}

static void
look_at(const struct override *o, const struct config *config, const char *path,
    int64_t now_s)
{
	if (!holds(o, now_s))
		log_one(o, path, "its time is over: ignored");
	else if (config_is_local(config, o->domain))
		log_one(o, path, "without effect: local domains are exempt");
	else if (config->smarthost[0] != '\0' &&
	    strcmp(config->smarthost, o->domain) != 0)
		log_one(o, path,
		    "without effect: all mail goes to the smart host");
}

void
overrides_log(const struct overrides *overrides, const struct config *config,
    const char *path, int64_t now_s)
{
	const struct override *o = NULL;

	for (size_t i = 0; i < config->n_policies; i++)
		look_at(&config->policies[i], config, path, now_s);
	while (overrides != NULL && (o = overrides_next(overrides, o)) != NULL)
		look_at(o, config, path, now_s);
}
