/* SPDX-License-Identifier: ISC */
/* Memory of failed policy fetches: see fetch_backoff.h. */
#include "common/fetch_backoff.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/uthash_quiet.h"
#include "proto/domain.h"
#include "proto/sts_record.h"

#define BACKOFF_MS (LIMIT_FETCH_BACKOFF_S * INT64_C(1000))

struct failed_fetch {
	char domain[DOMAIN_SIZE];
	char id[STS_ID_SIZE];			  /* of the last one */
	int64_t at_ms[LIMIT_FETCHES_PER_BACKOFF]; /* newest first; 0: none */
	enum result_type failure;
	char why[256];
	TAILQ_ENTRY(failed_fetch) entry;
	UT_hash_handle hh;
};

struct fetch_backoff {
	struct failed_fetch *table;
	TAILQ_HEAD(fetch_list, failed_fetch) oldest_first;
	size_t n, max;
};

struct fetch_backoff *
fetch_backoff_new(size_t max)
{
	struct fetch_backoff *backoff = calloc(1, sizeof(*backoff));

	if (backoff == NULL)
		return NULL;
	backoff->max = max;
	TAILQ_INIT(&backoff->oldest_first);
	return backoff;
}

static void
entry_remove(struct fetch_backoff *backoff, struct failed_fetch *f)
{
	HASH_DEL(backoff->table, f);
	TAILQ_REMOVE(&backoff->oldest_first, f, entry);
	backoff->n--;
	free(f);
}

void
fetch_backoff_free(struct fetch_backoff *backoff)
{
	if (backoff == NULL)
		return;
	while (!TAILQ_EMPTY(&backoff->oldest_first))
		entry_remove(backoff, TAILQ_FIRST(&backoff->oldest_first));
	free(backoff);
}

static struct failed_fetch *
entry_find(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_fetch *f;

	HASH_FIND_STR(backoff->table, domain, f);
	return f;
}

bool
fetch_backoff_holds(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type *failure, const char **why)
{
	const struct failed_fetch *f = entry_find(backoff, domain);
	const int64_t *oldest;

	if (f == NULL)
		return false;
	oldest = &f->at_ms[LIMIT_FETCHES_PER_BACKOFF - 1];
	*failure = f->failure;
	*why = f->why;
	if (strcmp(f->id, id) == 0 && now_ms - f->at_ms[0] < BACKOFF_MS)
		return true;
	return *oldest != 0 && now_ms - *oldest < BACKOFF_MS;
}

static struct failed_fetch *
entry_add(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_fetch *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	snprintf(f->domain, sizeof(f->domain), "%s", domain);
	HASH_ADD_STR(backoff->table, domain, f);
	if (f->hh.tbl == NULL) {
		free(f);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&backoff->oldest_first, f, entry);
	if (++backoff->n > backoff->max)
		entry_remove(backoff, TAILQ_FIRST(&backoff->oldest_first));
	return f;
}

void
fetch_backoff_failed(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type failure, const char *why)
{
	struct failed_fetch *f = entry_find(backoff, domain);

	if (f != NULL) {
		TAILQ_REMOVE(&backoff->oldest_first, f, entry);
		TAILQ_INSERT_TAIL(&backoff->oldest_first, f, entry);
	} else if ((f = entry_add(backoff, domain)) == NULL) {
		return; /* without memory the next try comes early */
	}
	memmove(&f->at_ms[1], &f->at_ms[0],
	    sizeof(f->at_ms) - sizeof(f->at_ms[0]));
	/* 0 means none, and a clock may begin there. */
	f->at_ms[0] = now_ms == 0 ? 1 : now_ms;
	f->failure = failure;
	snprintf(f->id, sizeof(f->id), "%s", id);
	snprintf(f->why, sizeof(f->why), "%s", why);
}

void
fetch_backoff_forget(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_fetch *f = entry_find(backoff, domain);

	if (f != NULL)
		entry_remove(backoff, f);
}
