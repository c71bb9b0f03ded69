/* SPDX-License-Identifier: ISC */
/* Memory of failed policy fetches: see fetch_backoff.h. */
#include "common/fetch_backoff.h"

#include <sys/queue.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/uthash_quiet.h"
#include "proto/domain.h"
#include "proto/sts_record.h"

#define BACKOFF_MS (LIMIT_FETCH_BACKOFF_S * INT64_C(1000))

struct failed_fetch {
	char id[STS_ID_SIZE];
	int64_t at_ms;
};

/* A domain, and how the last of its fetches failed. */
struct failed_domain {
	char domain[DOMAIN_SIZE];
	struct failed_fetch last[LIMIT_FETCHES_PER_BACKOFF]; /* newest first */
	size_t n;
	enum result_type failure;
	char why[256];
	TAILQ_ENTRY(failed_domain) entry;
	UT_hash_handle hh;
};

struct fetch_backoff {
	struct failed_domain *table;
	TAILQ_HEAD(, failed_domain) oldest_first;
	size_t n, max;
};

struct fetch_backoff *
fetch_backoff_new(size_t max)
{
	struct fetch_backoff *backoff = calloc(1, sizeof(*backoff));

	assert(max > 0);
	if (backoff == NULL)
		return NULL;
	backoff->max = max;
	TAILQ_INIT(&backoff->oldest_first);
	return backoff;
}

static void
domain_remove(struct fetch_backoff *backoff, struct failed_domain *d)
{
	HASH_DEL(backoff->table, d);
	TAILQ_REMOVE(&backoff->oldest_first, d, entry);
	backoff->n--;
	free(d);
}

static void
domains_remove(struct fetch_backoff *backoff)
{
	while (!TAILQ_EMPTY(&backoff->oldest_first))
		domain_remove(backoff, TAILQ_FIRST(&backoff->oldest_first));
}

void
fetch_backoff_free(struct fetch_backoff *backoff)
{
	if (backoff == NULL)
		return;
	domains_remove(backoff);
	free(backoff);
}

static struct failed_domain *
domain_find(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_domain *d;

	HASH_FIND_STR(backoff->table, domain, d);
	return d;
}

bool
fetch_backoff_holds(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type *failure, const char **why)
{
	const struct failed_domain *d = domain_find(backoff, domain);
	size_t n_recent = 0;
	bool same_id = false;

	if (d == NULL)
		return false;
	*failure = d->failure;
	*why = d->why;
	for (size_t i = 0; i < d->n; i++)
		if (now_ms - d->last[i].at_ms < BACKOFF_MS) {
			n_recent++;
			same_id |= strcmp(d->last[i].id, id) == 0;
		}
	return same_id || n_recent == LIMIT_FETCHES_PER_BACKOFF;
}

int64_t
fetch_backoff_left_ms(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms)
{
	const struct failed_domain *d = domain_find(backoff, domain);
	int64_t free_ms = now_ms;

	if (d == NULL)
		return 0;
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->last[i].id, id) == 0 ||
		    i == LIMIT_FETCHES_PER_BACKOFF - 1) {
			free_ms = d->last[i].at_ms + BACKOFF_MS > free_ms
			    ? d->last[i].at_ms + BACKOFF_MS
			    : free_ms;
		}
	return free_ms - now_ms;
}

static struct failed_domain *
domain_add(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_domain *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	snprintf(d->domain, sizeof(d->domain), "%s", domain);
	HASH_ADD_STR(backoff->table, domain, d);
	if (d->hh.tbl == NULL) {
		free(d);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&backoff->oldest_first, d, entry);
	if (++backoff->n > backoff->max)
		domain_remove(backoff, TAILQ_FIRST(&backoff->oldest_first));
	return d;
}

void
fetch_backoff_failed(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type failure, const char *why)
{
	struct failed_domain *d = domain_find(backoff, domain);

	if (d != NULL) {
		TAILQ_REMOVE(&backoff->oldest_first, d, entry);
		TAILQ_INSERT_TAIL(&backoff->oldest_first, d, entry);
	} else if ((d = domain_add(backoff, domain)) == NULL) {
		return; /* without memory the next try comes early */
	}
	memmove(&d->last[1], &d->last[0], sizeof(d->last) - sizeof(d->last[0]));
	d->last[0].at_ms = now_ms;
	snprintf(d->last[0].id, sizeof(d->last[0].id), "%s", id);
	if (d->n < LIMIT_FETCHES_PER_BACKOFF)
		d->n++;
	d->failure = failure;
	snprintf(d->why, sizeof(d->why), "%s", why);
}

void
fetch_backoff_forget(struct fetch_backoff *backoff, const char *domain)
{
	struct failed_domain *d;

	if (domain == NULL)
		domains_remove(backoff);
	else if ((d = domain_find(backoff, domain)) != NULL)
		domain_remove(backoff, d);
}
