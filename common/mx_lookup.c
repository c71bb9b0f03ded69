/* SPDX-License-Identifier: ISC */
/*
 * The MX hosts of a domain and DANE's word on each: see mx_lookup.h.
 *
 *	1 mx     the MX question; none with a smart host
 *	2 hosts  a common/tlsa_lookup for each host, all at once
 */
#include "common/mx_lookup.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/facts.h"
#include "common/limits.h"
#include "common/mx_facts.h"
#include "common/ports.h"
#include "common/tlsa_lookup.h"

/* One host's lookup; NULL when none runs. */
struct host {
	struct mx_lookup *all;
	struct mx_fact *mx;
	struct tlsa_lookup *tlsa;
};

struct mx_lookup {
	struct mx_lookup_opts opts;
	struct facts *facts;
	mx_lookup_done_fn *done;
	void *arg;

	struct clock_timer *begin; /* in place of the MX question */
	struct dns_query *query;
	struct host hosts[LIMIT_MX_HOSTS];
	size_t pending; /* of the hosts */
};

static void
lookup_free(struct mx_lookup *l)
{
	const struct dns_port *dns = &l->opts.ports->dns;

	clock_timer_cancel(&l->begin);
	dns->cancel(dns->self, &l->query);
	for (size_t i = 0; i < LIMIT_MX_HOSTS; i++)
		tlsa_lookup_cancel(&l->hosts[i].tlsa);
	free(l);
}

static void
lookup_end(struct mx_lookup *l)
{
	mx_lookup_done_fn *done = l->done;
	void *arg = l->arg;

	lookup_free(l);
	done(arg);
}

/* 2. The hosts. */

static void
host_done(const struct dane_fact *fact, uint32_t ttl_s, void *arg)
{
	struct host *host = arg;
	struct mx_lookup *l = host->all;

	host->tlsa = NULL;
	host->mx->dane = *fact;
	if (ttl_s < l->facts->dane_ttl_s)
		l->facts->dane_ttl_s = ttl_s;
	if (--l->pending == 0)
		lookup_end(l);
}

static void
host_start(struct mx_lookup *l, size_t i)
{
	struct host *host = &l->hosts[i];
	struct mx_fact *mx = &l->facts->mx[i];
	const struct tlsa_lookup_opts opts = { .ports = l->opts.ports,
		.mx = mx->host,
		.port = l->facts->port,
		.fresh = l->opts.fresh };

	host->all = l;
	host->mx = mx;
	mx->dane.why = "out of time"; /* unless an answer comes */
	host->tlsa = tlsa_lookup_start(&opts, host_done, host);
	if (host->tlsa != NULL)
		l->pending++;
	else
		mx->dane.why = "out of memory";
}

/* RFC 7672 2.2.1: with an MX RRset that is not secure it ends here. */
static bool
dane_applies(const struct facts *f)
{
	switch (f->mx_state) {
	case MX_FOUND:
		return f->mx_dnssec == DNSSEC_SECURE;
	case MX_IMPLICIT: /* there the address says it all */
	case MX_SMARTHOST:
		return true;
	case MX_UNKNOWN:
	case MX_NULL:
	case MX_NO_DOMAIN:
	case MX_LITERAL:
		break;
	}
	return false;
}

static void
hosts_start(struct mx_lookup *l)
{
	struct facts *f = l->facts;

	f->dane = l->opts.dane && f->mx_state != MX_UNKNOWN;
	f->dane_ttl_s = f->mx_ttl_s;
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->dane && dane_applies(f))
			host_start(l, i);
		else
			f->mx[i].dane.state = DANE_NONE;
	if (l->pending == 0)
		lookup_end(l);
}

/* 1. The MX question. */

static void
mx_done(const struct dns_answer *answer, void *arg)
{
	struct mx_lookup *l = arg;

	l->query = NULL;
	mx_facts_take(l->facts, answer);
	hosts_start(l);
}

static void
smarthost_take(void *arg)
{
	struct mx_lookup *l = arg;

	l->begin = NULL;
	mx_facts_take_domain(l->facts, MX_SMARTHOST);
	hosts_start(l);
}

static bool
lookup_begin(struct mx_lookup *l)
{
	const struct dns_port *dns = &l->opts.ports->dns;

	if (l->opts.config->smarthost[0] != '\0') {
		l->facts->mx_why = "out of memory";
		l->begin = clock_timer_start(l->opts.ports->clock, 0,
		    smarthost_take, l);
		return l->begin != NULL;
	}
	l->facts->mx_why = "too many questions are waiting";
	l->query = dns->start(dns->self, l->facts->domain, DNS_MX,
	    l->opts.fresh, mx_done, l);
	return l->query != NULL;
}

struct mx_lookup *
mx_lookup_start(const struct mx_lookup_opts *opts, struct facts *facts,
    mx_lookup_done_fn *done, void *arg)
{
	struct mx_lookup *l = calloc(1, sizeof(*l));

	facts->mx_why = "out of memory";
	if (l == NULL)
		return NULL;
	l->opts = *opts;
	l->facts = facts;
	l->done = done;
	l->arg = arg;
	if (!lookup_begin(l)) {
		lookup_free(l);
		return NULL;
	}
	facts->mx_why = NULL;
	return l;
}

void
mx_lookup_cancel(struct mx_lookup **lookup)
{
	if (*lookup != NULL)
		lookup_free(*lookup);
	*lookup = NULL;
}
