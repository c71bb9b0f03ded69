/* SPDX-License-Identifier: ISC */
/* The updates that run, by domain, and who waits for them: policy_update.h. */
#include "common/policy_update_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/fetch_backoff.h"
#include "common/limits.h"
#include "common/policy_cache.h"
#include "common/record_patience.h"

static struct policy_update *
update_find(struct policy_updates *updates, const char *domain)
{
	struct policy_update *u;

	HASH_FIND_STR(updates->table, domain, u);
	return u;
}

static struct policy_update *
update_start(struct policy_updates *updates, const char *domain)
{
	struct policy_update *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->all = updates;
	TAILQ_INIT(&u->waits);
	snprintf(u->domain, sizeof(u->domain), "%s", domain);
	u->begin =
	    clock_timer_start(updates->ports->clock, 0, policy_update_begin, u);
	if (u->begin == NULL)
		goto fail;
	HASH_ADD_STR(updates->table, domain, u);
	if (u->hh.tbl == NULL)
		goto fail;
	return u;
fail:
	policy_update_free(u);
	return NULL;
}

struct policy_wait *
policy_update_join(struct policy_updates *updates, const char *domain,
    bool fresh, policy_update_done_fn *done, void *arg)
{
	struct policy_update *u = update_find(updates, domain);
	struct policy_wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL)
		return NULL;
	if (u == NULL && (u = update_start(updates, domain)) == NULL) {
		free(wait);
		return NULL;
	}
	if (fresh && u->step == UPDATE_START)
		u->facts.record_fresh = true;
	wait->update = u;
	wait->done = done;
	wait->arg = arg;
	TAILQ_INSERT_TAIL(&u->waits, wait, entry);
	return wait;
}

void
policy_wait_cancel(struct policy_wait **wait)
{
	if (*wait == NULL)
		return;
	TAILQ_REMOVE(&(*wait)->update->waits, *wait, entry);
	free(*wait);
	*wait = NULL;
}

const struct policy_facts *
policy_wait_facts(const struct policy_wait *wait)
{
	return &wait->update->facts;
}

void
policy_update_behind(struct policy_updates *updates, const char *domain)
{
	/* Without a place or memory for it the next answer tries again. */
	if (HASH_COUNT(updates->table) < LIMIT_UPDATES_BEHIND &&
	    update_find(updates, domain) == NULL)
		update_start(updates, domain);
}

void
policy_update_refresh(struct policy_updates *updates, const char *domain)
{
	struct policy_update *u;

	/* One that runs already may not fetch: the next look comes soon. */
	if (update_find(updates, domain) == NULL &&
	    (u = update_start(updates, domain)) != NULL)
		u->refresh = true;
}

struct policy_wait *
policy_update_refresh_join(struct policy_updates *updates, const char *domain,
    policy_update_done_fn *done, void *arg)
{
	struct policy_wait *wait =
	    policy_update_join(updates, domain, true, done, arg);
	int64_t now_s = clock_wall_s(updates->ports->clock);

	/* One that runs has not read its record yet, or is fetching. */
	if (wait != NULL &&
	    policy_cache_get(updates->cache, domain, now_s) != NULL)
		wait->update->refresh = true;
	return wait;
}

struct policy_updates *
policy_updates_new(const struct config *config, const struct ports *ports,
    struct policy_cache *cache, policy_changed_fn *changed, void *arg)
{
	struct policy_updates *updates = calloc(1, sizeof(*updates));

	if (updates == NULL)
		return NULL;
	updates->config = config;
	updates->ports = ports;
	updates->cache = cache;
	updates->changed = changed;
	updates->changed_arg = arg;
	updates->backoff = fetch_backoff_new(LIMIT_BACKOFFS);
	updates->attempts = fetch_backoff_new(LIMIT_BACKOFFS);
	updates->patience = record_patience_new(LIMIT_RECORD_TROUBLES);
	if (updates->backoff == NULL || updates->attempts == NULL ||
	    updates->patience == NULL) {
		policy_updates_free(updates);
		return NULL;
	}
	return updates;
}

void
policy_updates_free(struct policy_updates *updates)
{
	struct policy_update *u, *next;

	if (updates == NULL)
		return;
	HASH_ITER (hh, updates->table, u, next) {
		HASH_DEL(updates->table, u);
		policy_update_free(u);
	}
	fetch_backoff_free(updates->backoff);
	fetch_backoff_free(updates->attempts);
	record_patience_free(updates->patience);
	free(updates);
}

int64_t
policy_updates_backoff_ms(const struct policy_updates *updates,
    const char *domain, const char *id)
{
	return fetch_backoff_left_ms(updates->backoff, domain, id,
	    clock_mono_ms(updates->ports->clock));
}

void
policy_updates_forget(struct policy_updates *updates, const char *domain)
{
	fetch_backoff_forget(updates->backoff, domain);
	record_patience_forget(updates->patience, domain);
}

size_t
policy_updates_running(const struct policy_updates *updates)
{
	return HASH_COUNT(updates->table);
}
