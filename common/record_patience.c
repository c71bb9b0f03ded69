/* SPDX-License-Identifier: ISC */
/* Since when a record could not be looked up: see record_patience.h. */
#include "common/record_patience.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/uthash_quiet.h"

struct trouble {
	int64_t since_ms;
	TAILQ_ENTRY(trouble) entry;
	UT_hash_handle hh;
	char domain[];
};

struct record_patience {
	struct trouble *table;
	TAILQ_HEAD(, trouble) oldest_first;
	size_t max;
};

struct record_patience *
record_patience_new(size_t max)
{
	struct record_patience *patience = calloc(1, sizeof(*patience));

	if (patience == NULL)
		return NULL;
	patience->max = max;
	TAILQ_INIT(&patience->oldest_first);
	return patience;
}

static void
trouble_remove(struct record_patience *patience, struct trouble *t)
{
	HASH_DEL(patience->table, t);
	TAILQ_REMOVE(&patience->oldest_first, t, entry);
	free(t);
}

static void
troubles_remove(struct record_patience *patience)
{
	while (!TAILQ_EMPTY(&patience->oldest_first))
		trouble_remove(patience, TAILQ_FIRST(&patience->oldest_first));
}

void
record_patience_free(struct record_patience *patience)
{
	if (patience == NULL)
		return;
	troubles_remove(patience);
	free(patience);
}

static struct trouble *
trouble_find(struct record_patience *patience, const char *domain)
{
	struct trouble *t;

	HASH_FIND_STR(patience->table, domain, t);
	return t;
}

int64_t
record_patience_failed(struct record_patience *patience, const char *domain,
    int64_t now_ms)
{
	struct trouble *t = trouble_find(patience, domain);
	size_t size = strlen(domain) + 1;

	if (t != NULL)
		return now_ms - t->since_ms;
	/* Without memory for it patience begins anew each time. */
	if ((t = calloc(1, sizeof(*t) + size)) == NULL)
		return 0;
	memcpy(t->domain, domain, size);
	t->since_ms = now_ms;
	HASH_ADD_STR(patience->table, domain, t);
	if (t->hh.tbl == NULL) {
		free(t);
		return 0;
	}
	TAILQ_INSERT_TAIL(&patience->oldest_first, t, entry);
	if (HASH_COUNT(patience->table) > patience->max)
		trouble_remove(patience, TAILQ_FIRST(&patience->oldest_first));
	return 0;
}

void
record_patience_forget(struct record_patience *patience, const char *domain)
{
	struct trouble *t;

	if (domain == NULL)
		troubles_remove(patience);
	else if ((t = trouble_find(patience, domain)) != NULL)
		trouble_remove(patience, t);
}
