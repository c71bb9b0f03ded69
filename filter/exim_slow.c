/* SPDX-License-Identifier: ISC */
/* Domains that were slow to have no policy: see exim_slow.h. */
#include "filter/exim_slow.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/uthash_quiet.h"

struct slow_domain {
	int64_t at_ms;
	TAILQ_ENTRY(slow_domain) entry;
	UT_hash_handle hh;
	char domain[];
};

struct exim_slow {
	struct slow_domain *table;
	TAILQ_HEAD(, slow_domain) oldest_first;
	size_t max;
	int64_t life_ms;
};

struct exim_slow *
exim_slow_new(size_t max, int64_t life_ms)
{
	struct exim_slow *slow = calloc(1, sizeof(*slow));

	if (slow == NULL)
		return NULL;
	slow->max = max;
	slow->life_ms = life_ms;
	TAILQ_INIT(&slow->oldest_first);
	return slow;
}

static void
slow_remove(struct exim_slow *slow, struct slow_domain *d)
{
	HASH_DEL(slow->table, d);
	TAILQ_REMOVE(&slow->oldest_first, d, entry);
	free(d);
}

void
exim_slow_free(struct exim_slow *slow)
{
	if (slow == NULL)
		return;
	while (!TAILQ_EMPTY(&slow->oldest_first))
		slow_remove(slow, TAILQ_FIRST(&slow->oldest_first));
	free(slow);
}

void
exim_slow_forget(struct exim_slow *slow, const char *domain)
{
	struct slow_domain *d;

	HASH_FIND_STR(slow->table, domain, d);
	if (d != NULL)
		slow_remove(slow, d);
}

void
exim_slow_note(struct exim_slow *slow, const char *domain, int64_t now_ms)
{
	size_t size = strlen(domain) + 1;
	struct slow_domain *d;

	exim_slow_forget(slow, domain);
	if ((d = calloc(1, sizeof(*d) + size)) == NULL)
		return;
	memcpy(d->domain, domain, size);
	d->at_ms = now_ms;
	HASH_ADD_STR(slow->table, domain, d);
	if (d->hh.tbl == NULL) {
		free(d);
		return;
	}
	TAILQ_INSERT_TAIL(&slow->oldest_first, d, entry);
	if (HASH_COUNT(slow->table) > slow->max)
		slow_remove(slow, TAILQ_FIRST(&slow->oldest_first));
}

bool
exim_slow_knows(struct exim_slow *slow, const char *domain, int64_t now_ms)
{
	struct slow_domain *d;

	HASH_FIND_STR(slow->table, domain, d);
	return d != NULL && now_ms - d->at_ms < slow->life_ms;
}
