/* SPDX-License-Identifier: ISC */
/*
 * What DANE says of one MX host: see tlsa_lookup.h. The steps, each with its
 * two halves:
 *
 *	1 addresses  both families at once; secure?
 *	2 alias      addresses that are not secure, under an alias: is the MX
 *	             name's own CNAME secure? (RFC 7672 2.2.2)
 *	3 tlsa       at the final name, then at the MX name itself (2.2.3)
 *
 * lookup_go() is the only way forward and the only way out.
 */
#include "common/tlsa_lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/ports.h"
#include "common/tlsa_set.h"

enum step_result {
	NEXT,
	WAIT
};

enum step {
	STEP_START,
	STEP_ADDRESSES,
	STEP_ALIAS,
	STEP_TLSA,
	STEP_DONE
};

#define BASES_MAX 2

struct tlsa_lookup {
	const struct ports *ports;
	char mx[DOMAIN_SIZE];
	uint16_t port;
	bool fresh;
	tlsa_lookup_done_fn *done;
	void *arg;

	enum step step;
	struct clock_timer *begin; /* runs the first step from the loop */
	struct dns_query *v6, *v4, *other;
	bool unasked; /* an address question was not begun */
	bool failed;  /* one got no answer */
	bool found;   /* addresses */
	bool secure;  /* all that were found */
	bool aliased; /* and under an alias */
	char bases[BASES_MAX][DOMAIN_SIZE];
	size_t n_bases, base; /* the one whose turn it is */
	uint32_t ttl_s;
	struct dane_fact fact; /* what is known so far */
};

static void lookup_go(struct tlsa_lookup *l);

static void
lookup_free(struct tlsa_lookup *l)
{
	const struct dns_port *dns = &l->ports->dns;

	clock_timer_cancel(&l->begin);
	dns->cancel(dns->self, &l->v6);
	dns->cancel(dns->self, &l->v4);
	dns->cancel(dns->self, &l->other);
	tlsa_set_drop(&l->fact.tlsa);
	free(l);
}

static void
ttl_take(struct tlsa_lookup *l, const struct dns_answer *answer)
{
	if (answer->ttl_s < l->ttl_s)
		l->ttl_s = answer->ttl_s;
}

/* The host must wait: this is not known. */
static void
unknown(struct tlsa_lookup *l, enum result_type failure, const char *why)
{
	l->fact.state = DANE_UNKNOWN;
	l->fact.failure = failure;
	l->fact.why = why;
	l->n_bases = 0;
}

static void
base_add(struct tlsa_lookup *l, const char *name)
{
	for (size_t i = 0; i < l->n_bases; i++)
		if (strcmp(l->bases[i], name) == 0)
			return;
	memcpy(l->bases[l->n_bases++], name, strlen(name) + 1);
}

/* 1. The addresses. */

static void
addresses_judge(struct tlsa_lookup *l)
{
	if (!l->found) {
		/* Secure or not: there is no host to connect to. */
		if (l->unasked)
			unknown(l, RESULT_NONE, "address lookup was not begun");
		else if (l->failed)
			unknown(l, RESULT_NONE, "address lookup failed");
		return;
	}
	l->fact.addresses = l->secure ? DNSSEC_SECURE : DNSSEC_INSECURE;
	if (l->secure)
		base_add(l, l->mx); /* behind the final name, if there is one */
}

static void
address_take(struct tlsa_lookup *l, const struct dns_answer *answer)
{
	if (answer->outcome == DNS_TEMPFAIL) {
		l->failed = true;
		return;
	}
	ttl_take(l, answer);
	if (answer->outcome != DNS_FOUND)
		return;
	l->secure = answer->secure && (l->secure || !l->found);
	l->found = true;
	if (!answer->aliased)
		return;
	l->aliased = true;
	if (l->n_bases == 0)
		base_add(l, answer->canonical);
}

static void
address_done(struct tlsa_lookup *l, const struct dns_answer *answer)
{
	address_take(l, answer);
	if (l->v6 != NULL || l->v4 != NULL)
		return;
	addresses_judge(l);
	lookup_go(l);
}

static void
v6_done(const struct dns_answer *answer, void *arg)
{
	struct tlsa_lookup *l = arg;

	l->v6 = NULL;
	address_done(l, answer);
}

static void
v4_done(const struct dns_answer *answer, void *arg)
{
	struct tlsa_lookup *l = arg;

	l->v4 = NULL;
	address_done(l, answer);
}

static enum step_result
step_addresses(struct tlsa_lookup *l)
{
	const struct dns_port *dns = &l->ports->dns;

	l->v6 = dns->start(dns->self, l->mx, DNS_AAAA, l->fresh, v6_done, l);
	l->v4 = dns->start(dns->self, l->mx, DNS_A, l->fresh, v4_done, l);
	l->unasked = l->v6 == NULL || l->v4 == NULL;
	if (l->v6 != NULL || l->v4 != NULL)
		return WAIT;
	addresses_judge(l);
	return NEXT;
}

/* 2. An alias into what is not secure; its own CNAME may be. */

static void
alias_done(const struct dns_answer *answer, void *arg)
{
	struct tlsa_lookup *l = arg;

	l->other = NULL;
	if (answer->outcome == DNS_TEMPFAIL) {
		unknown(l, RESULT_NONE, "address lookup failed");
	} else {
		ttl_take(l, answer);
		if (answer->outcome == DNS_FOUND && answer->secure)
			base_add(l, l->mx);
	}
	lookup_go(l);
}

static enum step_result
step_alias(struct tlsa_lookup *l)
{
	const struct dns_port *dns = &l->ports->dns;

	if (!l->found || l->secure)
		return NEXT;
	l->n_bases = 0; /* the final name is not to be believed */
	if (!l->aliased)
		return NEXT;
	l->other =
	    dns->start(dns->self, l->mx, DNS_CNAME, l->fresh, alias_done, l);
	if (l->other != NULL)
		return WAIT;
	unknown(l, RESULT_NONE, "address lookup was not begun");
	return NEXT;
}

/* 3. The records. */

static void
records_take(struct tlsa_lookup *l, const struct dns_answer *answer)
{
	l->n_bases = 0; /* found: no other place is asked */
	l->fact.tlsa = tlsa_set_new(l->bases[l->base], answer);
	if (l->fact.tlsa == NULL)
		unknown(l, RESULT_NONE, "out of memory");
	else if (l->fact.tlsa->n_usable > 0)
		l->fact.state = DANE_USABLE;
	else
		l->fact.state = DANE_UNUSABLE;
}

static void
tlsa_done(const struct dns_answer *answer, void *arg)
{
	struct tlsa_lookup *l = arg;

	l->other = NULL;
	if (answer->outcome == DNS_TEMPFAIL) {
		/* RFC 7672 2.1.2: bogus, or no answer: not to be used now. */
		unknown(l, RESULT_DNSSEC_INVALID, answer->why);
	} else {
		ttl_take(l, answer);
		/* RFC 7672 2.1.1: records that are not secure are none. */
		if (answer->outcome == DNS_FOUND && answer->secure)
			records_take(l, answer);
	}
	if (++l->base < l->n_bases)
		l->step--;
	lookup_go(l);
}

static enum step_result
step_tlsa(struct tlsa_lookup *l)
{
	const struct dns_port *dns = &l->ports->dns;
	char name[TLSA_NAME_SIZE];

	for (; l->base < l->n_bases; l->base++) {
		/* At a name that cannot be, no records can be. */
		if (!tlsa_name(l->port, l->bases[l->base], name))
			continue;
		l->other = dns->start(dns->self, name, DNS_TLSA, l->fresh,
		    tlsa_done, l);
		if (l->other != NULL)
			return WAIT;
		unknown(l, RESULT_NONE, "too many questions are waiting");
	}
	return NEXT;
}

/* The driver. */

static void
lookup_end(struct tlsa_lookup *l)
{
	struct dane_fact fact = l->fact;
	tlsa_lookup_done_fn *done = l->done;
	uint32_t ttl_s = l->ttl_s;
	void *arg = l->arg;

	l->fact.tlsa = NULL; /* goes with the fact */
	lookup_free(l);
	done(&fact, ttl_s, arg);
}

static enum step_result (*const steps[])(struct tlsa_lookup *) = {
	[STEP_ADDRESSES] = step_addresses,
	[STEP_ALIAS] = step_alias,
	[STEP_TLSA] = step_tlsa,
};

static void
lookup_go(struct tlsa_lookup *l)
{
	while (++l->step != STEP_DONE)
		if (steps[l->step](l) == WAIT)
			return;
	lookup_end(l);
}

static void
lookup_begin(void *arg)
{
	struct tlsa_lookup *l = arg;

	l->begin = NULL;
	lookup_go(l);
}

struct tlsa_lookup *
tlsa_lookup_start(const struct tlsa_lookup_opts *opts,
    tlsa_lookup_done_fn *done, void *arg)
{
	struct tlsa_lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->ports = opts->ports;
	snprintf(l->mx, sizeof(l->mx), "%s", opts->mx);
	l->port = opts->port;
	l->fresh = opts->fresh;
	l->done = done;
	l->arg = arg;
	l->ttl_s = UINT32_MAX;
	l->fact.state = DANE_NONE; /* unless something says otherwise */
	l->begin = clock_timer_start(opts->ports->clock, 0, lookup_begin, l);
	if (l->begin == NULL) {
		lookup_free(l);
		return NULL;
	}
	return l;
}

void
tlsa_lookup_cancel(struct tlsa_lookup **lookup)
{
	if (*lookup != NULL)
		lookup_free(*lookup);
	*lookup = NULL;
}
