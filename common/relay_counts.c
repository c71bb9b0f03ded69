/* SPDX-License-Identifier: ISC */
/*
 * What the relay has done, in numbers: see relay_counts.h. The table is in the
 * order of the last mail: the first domain is the first to be forgotten.
 */
#include "common/relay_counts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/uthash_quiet.h"

struct entry {
	struct relay_domain domain;
	UT_hash_handle hh;
};

static struct relay_counts all;
static struct entry *domains;

static const char *const names[RELAY_OUTCOMES] = {
	[RELAY_ABANDONED] = "abandoned",
	[RELAY_DELIVERED] = "delivered",
	[RELAY_DEFERRED] = "deferred",
	[RELAY_REFUSED] = "refused",
	[RELAY_HELD] = "held",
	[RELAY_UNDELIVERABLE] = "undeliverable",
	[RELAY_LIMITED] = "limited",
	[RELAY_BROKEN] = "broken",
	[RELAY_UNSURE] = "unsure",
};

const char *
relay_outcome_name(enum relay_outcome outcome)
{
	return names[outcome];
}

static struct entry *
entry_find(const char *domain)
{
	struct entry *e;

	HASH_FIND_STR(domains, domain, e);
	return e;
}

/* Taken out of the table, or made; NULL without memory. */
static struct entry *
entry_take(const char *domain)
{
	struct entry *e = entry_find(domain);

	if (e == NULL && HASH_COUNT(domains) >= LIMIT_RELAY_DOMAINS)
		e = domains; /* the one whose mail is the longest ago */
	if (e != NULL) {
		HASH_DEL(domains, e);
		if (strcmp(e->domain.domain, domain) == 0)
			return e;
		memset(e, 0, sizeof(*e));
	} else if ((e = calloc(1, sizeof(*e))) == NULL) {
		return NULL;
	}
	snprintf(e->domain.domain, sizeof(e->domain.domain), "%s", domain);
	return e;
}

static void
domain_add(const struct relay_ended *ended)
{
	struct entry *e = entry_take(ended->domain);
	struct relay_domain *d;

	if (e == NULL)
		return; /* the log has it */
	d = &e->domain;
	d->mails[ended->outcome]++;
	d->outcome = ended->outcome;
	d->wall_s = ended->wall_s;
	snprintf(d->mx, sizeof(d->mx), "%s", ended->mx);
	snprintf(d->reply, sizeof(d->reply), "%s", ended->reply);
	HASH_ADD_STR(domains, domain.domain, e);
	if (e->hh.tbl == NULL) /* no memory for the table */
		free(e);
}

void
relay_counts_add(const struct relay_ended *ended)
{
	all.mails[ended->outcome]++;
	all.sessions += ended->had_session;
	all.sessions_reused += ended->was_reused;
	if (ended->outcome == RELAY_DELIVERED)
		all.octets += ended->octets;
	domain_add(ended);
}

const struct relay_counts *
relay_counts_get(void)
{
	return &all;
}

const struct relay_domain *
relay_counts_domain(const char *domain)
{
	const struct entry *e = entry_find(domain);

	return e == NULL ? NULL : &e->domain;
}

size_t
relay_counts_domains(void)
{
	return HASH_COUNT(domains);
}

void
relay_counts_each(relay_domain_fn *fn, void *arg)
{
	for (const struct entry *e = domains; e != NULL; e = e->hh.next)
		if (!fn(&e->domain, arg))
			return;
}

void
relay_counts_reset(void)
{
	struct entry *e, *next;

	HASH_ITER (hh, domains, e, next) {
		HASH_DEL(domains, e);
		free(e);
	}
	memset(&all, 0, sizeof(all));
}
