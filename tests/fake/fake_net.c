/* SPDX-License-Identifier: ISC */
/* A network in memory: see fake_net.h. */
#include "tests/fake/fake_net.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#define TABLE_STEP 32
#define RECORDS_MAX 40

struct fake_name {
	char name[DOMAIN_SIZE + 16];
	enum dns_type type;
	enum dns_outcome outcome;
	char *records[RECORDS_MAX];
	size_t n, asked;
};

struct fake_policy {
	char domain[DOMAIN_SIZE];
	char *body;
	enum result_type failure;
	const char *why;
};

struct fake_mx {
	char mx[DOMAIN_SIZE];
	unsigned proofs;
	enum smtp_stage stage;
	enum result_type failure;
	const char *why;
	size_t sessions;
};

struct fake_net {
	struct clock *clock;
	struct fake_name *names;
	struct fake_policy *policies;
	struct fake_mx *mxs;
	size_t n_names, n_policies, n_mxs;
	size_t fetches, pending;
	int dns_ms, fetch_ms, smtp_ms;
	unsigned ttl_s;
	bool refuse_dns, refuse_fetch, refuse_smtp;
};

/* The table with room for one more behind its n entries, all zero. */
static void *
table_room(void *table, size_t n, size_t size)
{
	if (n % TABLE_STEP != 0)
		return table;
	table = realloc(table, (n + TABLE_STEP) * size);
	assert(table != NULL);
	memset((char *)table + n * size, 0, TABLE_STEP * size);
	return table;
}

/* One request of any kind. */
struct fake_request {
	struct fake_net *net;
	struct clock_timer *timer;
	char name[DOMAIN_SIZE + 16];
	enum dns_type type;
	union {
		dns_done_fn *dns;
		fetch_done_fn *fetch;
		smtp_ready_fn *smtp;
	} done;
	void *arg;
};

/* NULL without memory: then the request cannot be begun, as with real ports. */
static struct fake_request *
request_new(struct fake_net *net, const char *name, int delay_ms, clock_fn *fn,
    void *arg)
{
	struct fake_request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->net = net;
	r->arg = arg;
	snprintf(r->name, sizeof(r->name), "%s", name);
	if (delay_ms >= 0 &&
	    (r->timer = clock_timer_start(net->clock, delay_ms, fn, r)) ==
		NULL) {
		free(r);
		return NULL;
	}
	net->pending++;
	return r;
}

static void
request_end(struct fake_request *r)
{
	r->net->pending--;
	clock_timer_cancel(&r->timer);
	free(r);
}

/* DNS */

/* The index of a name, or n_names. */
static size_t
name_find(const struct fake_net *net, const char *name, enum dns_type type)
{
	size_t i = 0;

	while (i < net->n_names &&
	    (net->names[i].type != type ||
		strcmp(net->names[i].name, name) != 0))
		i++;
	return i;
}

static struct fake_name *
name_get(struct fake_net *net, const char *name, enum dns_type type)
{
	size_t i = name_find(net, name, type);
	struct fake_name *n;

	if (i < net->n_names)
		return &net->names[i];
	net->names = table_room(net->names, i, sizeof(*n));
	n = &net->names[net->n_names++];
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->type = type;
	n->outcome = DNS_NO_NAME;
	return n;
}

void
fake_net_dns(struct fake_net *net, const char *name, enum dns_type type,
    enum dns_outcome outcome, ...)
{
	struct fake_name *n = name_get(net, name, type);
	const char *record;
	va_list ap;

	for (size_t i = 0; i < n->n; i++)
		free(n->records[i]);
	n->n = 0;
	n->outcome = outcome;
	va_start(ap, outcome);
	while ((record = va_arg(ap, const char *)) != NULL) {
		assert(n->n < RECORDS_MAX);
		n->records[n->n++] = strdup(record);
	}
	va_end(ap);
}

static void
record_read(struct dns_rr *rr, enum dns_type type, const char *text)
{
	switch (type) {
	case DNS_A:
		assert(inet_pton(AF_INET, text, rr->a) == 1);
		break;
	case DNS_AAAA:
		assert(inet_pton(AF_INET6, text, rr->aaaa) == 1);
		break;
	case DNS_MX:
		rr->mx.preference = (uint16_t)strtoul(text, NULL, 10);
		snprintf(rr->mx.host, sizeof(rr->mx.host), "%s",
		    strchr(text, ' ') + 1);
		break;
	case DNS_TXT:
		rr->txt = span_of(text);
		break;
	case DNS_CNAME:
	case DNS_TLSA:
		abort(); /* no test asks for it */
	}
}

static void
dns_fire(void *arg)
{
	struct fake_request *r = arg;
	const struct fake_name *n = name_get(r->net, r->name, r->type);
	struct dns_rr rr[RECORDS_MAX] = { 0 };
	struct dns_answer answer = {
		.type = r->type,
		.outcome = n->outcome,
		.ttl_s = n->outcome == DNS_TEMPFAIL ? 0 : r->net->ttl_s,
		.why = n->outcome == DNS_TEMPFAIL ? "SERVFAIL" : NULL,
		.n = n->n,
		.rr = rr,
	};
	dns_done_fn *done = r->done.dns;
	void *done_arg = r->arg;

	for (size_t i = 0; i < n->n; i++)
		record_read(&rr[i], r->type, n->records[i]);
	r->timer = NULL;
	request_end(r);
	done(&answer, done_arg);
}

static struct dns_query *
dns_start(void *self, const char *name, enum dns_type type, bool fresh,
    dns_done_fn *done, void *arg)
{
	struct fake_net *net = self;
	struct fake_request *r;

	(void)fresh;
	if (net->refuse_dns)
		return NULL;
	name_get(net, name, type)->asked++;
	r = request_new(net, name, net->dns_ms, dns_fire, arg);
	if (r == NULL)
		return NULL;
	r->type = type;
	r->done.dns = done;
	return (struct dns_query *)r;
}

static void
dns_cancel(void *self, struct dns_query **query)
{
	(void)self;
	if (*query != NULL)
		request_end((struct fake_request *)*query);
	*query = NULL;
}

/* HTTPS */

static struct fake_policy *
policy_get(struct fake_net *net, const char *domain)
{
	struct fake_policy *p;

	for (size_t i = 0; i < net->n_policies; i++)
		if (strcmp(net->policies[i].domain, domain) == 0)
			return &net->policies[i];
	net->policies = table_room(net->policies, net->n_policies, sizeof(*p));
	p = &net->policies[net->n_policies++];
	snprintf(p->domain, sizeof(p->domain), "%s", domain);
	p->failure = RESULT_STS_POLICY_FETCH_ERROR;
	p->why = "connection refused";
	return p;
}

void
fake_net_policy(struct fake_net *net, const char *domain, const char *body,
    enum result_type failure, const char *why)
{
	struct fake_policy *p = policy_get(net, domain);

	free(p->body);
	p->body = body == NULL ? NULL : strdup(body);
	p->failure = failure;
	p->why = why;
}

static void
fetch_fire(void *arg)
{
	struct fake_request *r = arg;
	const struct fake_policy *p = policy_get(r->net, r->name);
	struct fetch_result result = { .result = p->failure,
		.body = span_of(p->body) };
	fetch_done_fn *done = r->done.fetch;
	void *done_arg = r->arg;

	if (p->failure != RESULT_NONE)
		snprintf(result.why, sizeof(result.why), "%s", p->why);
	r->timer = NULL;
	request_end(r);
	done(&result, done_arg);
}

static struct fetch *
fetch_start(void *self, const struct fetch_request *request,
    fetch_done_fn *done, void *arg)
{
	struct fake_net *net = self;
	struct fake_request *r;

	assert(request->n_addresses > 0);
	if (net->refuse_fetch)
		return NULL;
	net->fetches++;
	r = request_new(net, request->domain, net->fetch_ms, fetch_fire, arg);
	if (r == NULL)
		return NULL;
	r->done.fetch = done;
	return (struct fetch *)r;
}

static void
fetch_cancel(void *self, struct fetch **fetch)
{
	(void)self;
	if (*fetch != NULL)
		request_end((struct fake_request *)*fetch);
	*fetch = NULL;
}

/* SMTP */

static struct fake_mx *
mx_get(struct fake_net *net, const char *mx)
{
	struct fake_mx *m;

	for (size_t i = 0; i < net->n_mxs; i++)
		if (strcmp(net->mxs[i].mx, mx) == 0)
			return &net->mxs[i];
	net->mxs = table_room(net->mxs, net->n_mxs, sizeof(*m));
	m = &net->mxs[net->n_mxs++];
	snprintf(m->mx, sizeof(m->mx), "%s", mx);
	m->why = "connection refused";
	return m;
}

void
fake_net_mx(struct fake_net *net, const char *mx, unsigned proofs,
    enum smtp_stage stage, enum result_type failure, const char *why)
{
	struct fake_mx *m = mx_get(net, mx);

	m->proofs = proofs;
	m->stage = stage;
	m->failure = failure;
	m->why = why;
}

static void
smtp_fire(void *arg)
{
	struct fake_request *r = arg;
	const struct fake_mx *m = mx_get(r->net, r->name);
	struct smtp_result result = { .stage = m->stage,
		.proofs = m->proofs,
		.result = m->failure };
	smtp_ready_fn *ready = r->done.smtp;
	void *ready_arg = r->arg;

	snprintf(result.why, sizeof(result.why), "%s", m->why);
	r->timer = NULL;
	if (m->stage == SMTP_STAGE_READY) {
		ready(&result, (struct smtp_session *)r, ready_arg);
		return;
	}
	request_end(r);
	ready(&result, NULL, ready_arg);
}

static struct smtp_session *
smtp_start(void *self, const struct smtp_target *target, smtp_ready_fn *ready,
    void *arg)
{
	struct fake_net *net = self;
	struct fake_request *r;

	if (net->refuse_smtp)
		return NULL;
	mx_get(net, target->mx)->sessions++;
	r = request_new(net, target->mx, net->smtp_ms, smtp_fire, arg);
	if (r == NULL)
		return NULL;
	r->done.smtp = ready;
	return (struct smtp_session *)r;
}

static void
smtp_end(void *self, struct smtp_session **session)
{
	(void)self;
	if (*session != NULL)
		request_end((struct fake_request *)*session);
	*session = NULL;
}

/* The net. */

struct fake_net *
fake_net_new(struct clock *clock)
{
	struct fake_net *net = calloc(1, sizeof(*net));

	assert(net != NULL);
	net->clock = clock;
	net->ttl_s = 300;
	fake_net_delay(net, 1, 1, 1);
	return net;
}

void
fake_net_free(struct fake_net *net)
{
	assert(net->pending == 0);
	for (size_t i = 0; i < net->n_names; i++)
		for (size_t j = 0; j < net->names[i].n; j++)
			free(net->names[i].records[j]);
	for (size_t i = 0; i < net->n_policies; i++)
		free(net->policies[i].body);
	free(net->names);
	free(net->policies);
	free(net->mxs);
	free(net);
}

struct ports
fake_net_ports(struct fake_net *net)
{
	struct ports ports = {
		.dns = { net, dns_start, dns_cancel },
		.fetch = { net, fetch_start, fetch_cancel },
		.smtp = { net, smtp_start, smtp_end, smtp_end },
		.clock = net->clock,
	};

	return ports;
}

void
fake_net_delay(struct fake_net *net, int dns_ms, int fetch_ms, int smtp_ms)
{
	net->dns_ms = dns_ms;
	net->fetch_ms = fetch_ms;
	net->smtp_ms = smtp_ms;
}

void
fake_net_ttl(struct fake_net *net, unsigned ttl_s)
{
	net->ttl_s = ttl_s;
}

void
fake_net_refuse(struct fake_net *net, bool dns, bool fetch, bool smtp)
{
	net->refuse_dns = dns;
	net->refuse_fetch = fetch;
	net->refuse_smtp = smtp;
}

size_t
fake_net_dns_asked(const struct fake_net *net, const char *name,
    enum dns_type type)
{
	size_t i = name_find(net, name, type);

	return i == net->n_names ? 0 : net->names[i].asked;
}

size_t
fake_net_fetches(const struct fake_net *net)
{
	return net->fetches;
}

size_t
fake_net_sessions(const struct fake_net *net, const char *mx)
{
	for (size_t i = 0; i < net->n_mxs; i++)
		if (strcmp(net->mxs[i].mx, mx) == 0)
			return net->mxs[i].sessions;
	return 0;
}

size_t
fake_net_pending(const struct fake_net *net)
{
	return net->pending;
}
