/* SPDX-License-Identifier: ISC */
/* The last failures of each domain: see failures.h. */
#include "common/failures.h"

#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/uthash_quiet.h"

struct kept {
	struct failure failure; /* its words stand in text */
	TAILQ_ENTRY(kept) entry;
	char text[];
};

struct domain {
	TAILQ_HEAD(keeps, kept) newest_first;
	size_t n;
	TAILQ_ENTRY(domain) entry;
	UT_hash_handle hh;
	char name[];
};

static struct {
	const struct clock *clock; /* NULL: not begun */
	struct domain *table;
	TAILQ_HEAD(, domain) oldest_first; /* by the last failure */
} all;

static void
kept_remove(struct domain *d, struct kept *kept)
{
	TAILQ_REMOVE(&d->newest_first, kept, entry);
	d->n--;
	free(kept);
}

static void
domain_remove(struct domain *d)
{
	while (!TAILQ_EMPTY(&d->newest_first))
		kept_remove(d, TAILQ_FIRST(&d->newest_first));
	HASH_DEL(all.table, d);
	TAILQ_REMOVE(&all.oldest_first, d, entry);
	free(d);
}

void
failures_begin(const struct clock *clock)
{
	failures_end();
	all.clock = clock;
	TAILQ_INIT(&all.oldest_first);
}

void
failures_end(void)
{
	if (all.clock == NULL)
		return;
	while (!TAILQ_EMPTY(&all.oldest_first))
		domain_remove(TAILQ_FIRST(&all.oldest_first));
	all.clock = NULL;
}

static struct domain *
domain_find(const char *name)
{
	struct domain *d;

	HASH_FIND_STR(all.table, name, d);
	return d;
}

static struct domain *
domain_add(const char *name)
{
	size_t size = strlen(name) + 1;
	struct domain *d = calloc(1, sizeof(*d) + size);

	if (d == NULL)
		return NULL;
	memcpy(d->name, name, size);
	TAILQ_INIT(&d->newest_first);
	HASH_ADD_STR(all.table, name, d);
	if (d->hh.tbl == NULL) {
		free(d);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&all.oldest_first, d, entry);
	if (HASH_COUNT(all.table) > LIMIT_FAILURE_DOMAINS)
		domain_remove(TAILQ_FIRST(&all.oldest_first));
	return d;
}

static struct kept *
kept_new(const struct failure *failure)
{
	size_t mx_size = failure->mx == NULL ? 0 : strlen(failure->mx) + 1;
	size_t why_size = strlen(failure->why) + 1;
	struct kept *kept = calloc(1, sizeof(*kept) + mx_size + why_size);

	if (kept == NULL)
		return NULL;
	kept->failure = *failure;
	kept->failure.at_s = clock_wall_s(all.clock);
	kept->failure.why = memcpy(kept->text, failure->why, why_size);
	if (failure->mx != NULL)
		kept->failure.mx =
		    memcpy(kept->text + why_size, failure->mx, mx_size);
	return kept;
}

void
failures_add(const char *domain, const struct failure *failure)
{
	struct domain *d;
	struct kept *kept;

	if (all.clock == NULL || (kept = kept_new(failure)) == NULL)
		return;
	if ((d = domain_find(domain)) == NULL &&
	    (d = domain_add(domain)) == NULL) {
		free(kept);
		return;
	}
	TAILQ_REMOVE(&all.oldest_first, d, entry);
	TAILQ_INSERT_TAIL(&all.oldest_first, d, entry);
	TAILQ_INSERT_HEAD(&d->newest_first, kept, entry);
	if (++d->n > LIMIT_FAILURES)
		kept_remove(d, TAILQ_LAST(&d->newest_first, keeps));
}

void
failures_each(const char *domain, failure_fn *fn, void *arg)
{
	const struct domain *d = domain_find(domain);
	const struct kept *kept;

	if (d == NULL)
		return;
	TAILQ_FOREACH (kept, &d->newest_first, entry)
		fn(&kept->failure, arg);
}
