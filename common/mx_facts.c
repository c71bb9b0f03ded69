/* SPDX-License-Identifier: ISC */
/* The MX hosts of a domain, as facts: see mx_facts.h. */
#include "common/mx_facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/facts.h"
#include "common/limits.h"
#include "common/tlsa_set.h"
#include "proto/dns_message.h"

static int
mx_compare(const void *a, const void *b)
{
	const struct dns_rr *const *x = a, *const *y = b;

	if ((*x)->mx.preference != (*y)->mx.preference)
		return (*x)->mx.preference < (*y)->mx.preference ? -1 : 1;
	return (*x > *y) - (*x < *y); /* as in the answer */
}

static bool
mx_list_new(struct facts *facts, size_t n)
{
	facts->mx = calloc(n, sizeof(*facts->mx));
	if (facts->mx == NULL) {
		facts->mx_why = "not enough memory";
		return false;
	}
	return true;
}

/* A host that is named twice is one host. */
static void
mx_add(struct facts *facts, const struct dns_rr *rr)
{
	struct mx_fact *mx = &facts->mx[facts->n_mx];

	for (size_t i = 0; i < facts->n_mx; i++)
		if (strcmp(facts->mx[i].host, rr->mx.host) == 0)
			return;
	mx->preference = rr->mx.preference;
	memcpy(mx->host, rr->mx.host, sizeof(mx->host));
	facts->n_mx++;
}

static void
mx_read(struct facts *facts, const struct dns_answer *answer)
{
	const struct dns_rr *hosts[DNS_RECORDS_MAX];
	size_t n = 0;

	/* RFC 7505 3: "." is no host; alone it says that there is none. */
	for (size_t i = 0; i < answer->n; i++)
		if (answer->rr[i].mx.host[0] != '\0')
			hosts[n++] = &answer->rr[i];
	if (n == 0) {
		facts->mx_state = MX_NULL;
		return;
	}
	qsort(hosts, n, sizeof(*hosts), mx_compare);
	if (!mx_list_new(facts, LIMIT_MX_HOSTS))
		return;
	for (size_t i = 0; i < n && facts->n_mx < LIMIT_MX_HOSTS; i++)
		mx_add(facts, hosts[i]);
	facts->mx_state = MX_FOUND;
}

void
mx_facts_take_domain(struct facts *facts, enum mx_state state)
{
	if (!mx_list_new(facts, 1))
		return;
	memcpy(facts->mx[0].host, facts->domain, sizeof(facts->mx[0].host));
	facts->n_mx = 1;
	facts->mx_state = state;
	if (state == MX_SMARTHOST)
		facts->mx_ttl_s = LIMIT_VERDICT_MAX_S;
}

void
mx_facts_forget(struct facts *facts)
{
	for (size_t i = 0; i < facts->n_mx; i++)
		tlsa_set_drop(&facts->mx[i].dane.tlsa);
	free(facts->mx);
	facts->mx = NULL;
	facts->n_mx = 0;
	facts->mx_state = MX_UNKNOWN;
	facts->mx_dnssec = DNSSEC_UNKNOWN;
	facts->mx_why = NULL;
	facts->dane = facts->dane_lost = false;
}

void
mx_facts_take(struct facts *facts, const struct dns_answer *answer)
{
	facts->mx_ttl_s = answer->ttl_s;
	facts->mx_dnssec = answer->secure ? DNSSEC_SECURE : DNSSEC_INSECURE;
	switch (answer->outcome) {
	case DNS_FOUND:
		mx_read(facts, answer);
		break;
	case DNS_NO_DATA:
		mx_facts_take_domain(facts, MX_IMPLICIT);
		break;
	case DNS_NO_NAME:
		facts->mx_state = MX_NO_DOMAIN;
		break;
	case DNS_TEMPFAIL:
		facts->mx_dnssec = DNSSEC_UNKNOWN;
		facts->mx_why = answer->why;
		break;
	}
}
