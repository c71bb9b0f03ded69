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
#include "common/tlsa_set.h"
#include "tests/fake/fake_net_private.h"

void *
fake_table_room(void *table, size_t n, size_t size)
{
	if (n % TABLE_STEP != 0)
		return table;
	table = realloc(table, (n + TABLE_STEP) * size);
	assert(table != NULL);
	memset((char *)table + n * size, 0, TABLE_STEP * size);
	return table;
}

struct fake_request *
fake_request_new(struct fake_net *net, const char *name, int64_t delay_ms,
    clock_fn *fn, void *arg)
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

void
fake_request_end(struct fake_request *r)
{
	r->net->pending--;
	clock_timer_cancel(&r->timer);
	tlsa_set_drop(&r->tlsa);
	free(r);
}

void
fake_net_tell(struct fake_net *net, const struct fake_event *event)
{
	if (net->watch != NULL)
		net->watch(event, net->watch_arg);
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
	net->names = fake_table_room(net->names, i, sizeof(*n));
	n = &net->names[net->n_names++];
	snprintf(n->name, sizeof(n->name), "%s", name);
	n->type = type;
	n->outcome = DNS_NO_NAME;
	return n;
}

/* Room for records; those that were there are gone. */
static struct fake_name *
name_set(struct fake_net *net, const char *name, enum dns_type type,
    enum dns_outcome outcome)
{
	struct fake_name *n = name_get(net, name, type);

	for (size_t i = 0; i < n->n; i++)
		free(n->records[i]);
	n->n = 0;
	n->outcome = outcome;
	n->secure = false;
	n->alias[0] = '\0';
	return n;
}

static void
name_add(struct fake_name *n, struct span record)
{
	char *copy = malloc(record.len + 1);

	assert(n->n < RECORDS_MAX && copy != NULL);
	if (record.len > 0)
		memcpy(copy, record.p, record.len);
	copy[record.len] = '\0';
	n->records[n->n] = copy;
	n->lens[n->n++] = record.len;
}

void
fake_net_dns(struct fake_net *net, const char *name, enum dns_type type,
    enum dns_outcome outcome, ...)
{
	struct fake_name *n = name_set(net, name, type, outcome);
	const char *record;
	va_list ap;

	va_start(ap, outcome);
	while ((record = va_arg(ap, const char *)) != NULL)
		name_add(n, span_of(record));
	va_end(ap);
}

void
fake_net_records(struct fake_net *net, const char *name, enum dns_type type,
    const struct span *records, size_t n_records)
{
	struct fake_name *n =
	    name_set(net, name, type, n_records == 0 ? DNS_NO_DATA : DNS_FOUND);

	for (size_t i = 0; i < n_records; i++)
		name_add(n, records[i]);
}

void
fake_net_dnssec(struct fake_net *net, const char *name, enum dns_type type,
    bool secure, const char *alias)
{
	struct fake_name *n = name_get(net, name, type);

	n->secure = secure;
	snprintf(n->alias, sizeof(n->alias), "%s", alias == NULL ? "" : alias);
}

static void
record_read(struct dns_rr *rr, enum dns_type type, const char *text, size_t len)
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
		rr->txt = (struct span){ text, len };
		break;
	case DNS_CNAME:
		snprintf(rr->target, sizeof(rr->target), "%s", text);
		break;
	case DNS_TLSA:
		assert(len >= 3);
		rr->tlsa.usage = (uint8_t)text[0];
		rr->tlsa.selector = (uint8_t)text[1];
		rr->tlsa.matching_type = (uint8_t)text[2];
		rr->tlsa.association = (struct span){ text + 3, len - 3 };
		break;
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
		.secure = n->secure && n->outcome != DNS_TEMPFAIL,
		.aliased = n->alias[0] != '\0',
	};
	dns_done_fn *done = r->done.dns;
	void *done_arg = r->arg;

	for (size_t i = 0; i < n->n; i++)
		record_read(&rr[i], r->type, n->records[i], n->lens[i]);
	span_copy(span_of(answer.aliased ? n->alias : r->name),
	    answer.canonical, sizeof(answer.canonical));
	r->timer = NULL;
	fake_request_end(r);
	done(&answer, done_arg);
}

static struct dns_query *
dns_start(void *self, const char *name, enum dns_type type, bool fresh,
    dns_done_fn *done, void *arg)
{
	const struct fake_event event = { .kind = FAKE_DNS,
		.name = name,
		.type = type,
		.fresh = fresh };
	struct fake_net *net = self;
	struct fake_request *r;

	fake_net_tell(net, &event);
	if (net->refuse_dns)
		return NULL;
	name_get(net, name, type)->asked++;
	r = fake_request_new(net, name, net->dns_ms, dns_fire, arg);
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
		fake_request_end((struct fake_request *)*query);
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
	net->policies =
	    fake_table_room(net->policies, net->n_policies, sizeof(*p));
	p = &net->policies[net->n_policies++];
	snprintf(p->domain, sizeof(p->domain), "%s", domain);
	p->failure = RESULT_STS_POLICY_FETCH_ERROR;
	snprintf(p->why, sizeof(p->why), "connection refused");
	return p;
}

void
fake_net_policy(struct fake_net *net, const char *domain, const char *body,
    enum result_type failure, const char *why)
{
	fake_net_body(net, domain, span_of(body), failure, why);
}

void
fake_net_body(struct fake_net *net, const char *domain, struct span body,
    enum result_type failure, const char *why)
{
	struct fake_policy *p = policy_get(net, domain);

	free(p->body);
	p->body = NULL;
	if (body.len > 0 && (p->body = malloc(body.len)) != NULL)
		memcpy(p->body, body.p, body.len);
	p->len = body.len;
	p->failure = failure;
	snprintf(p->why, sizeof(p->why), "%s", why == NULL ? "" : why);
}

static void
fetch_fire(void *arg)
{
	struct fake_request *r = arg;
	const struct fake_policy *p = policy_get(r->net, r->name);
	struct fetch_result result = { .result = p->failure,
		.body = { p->body, p->len } };
	fetch_done_fn *done = r->done.fetch;
	void *done_arg = r->arg;

	if (p->failure != RESULT_NONE)
		snprintf(result.why, sizeof(result.why), "%s", p->why);
	r->timer = NULL;
	fake_request_end(r);
	done(&result, done_arg);
}

static struct fetch *
fetch_start(void *self, const struct fetch_request *request,
    fetch_done_fn *done, void *arg)
{
	const struct fake_event event = { .kind = FAKE_FETCH,
		.name = request->domain };
	struct fake_net *net = self;
	struct fake_request *r;

	assert(request->n_addresses > 0);
	fake_net_tell(net, &event);
	if (net->refuse_fetch)
		return NULL;
	net->fetches++;
	r = fake_request_new(net, request->domain, net->fetch_ms, fetch_fire,
	    arg);
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
		fake_request_end((struct fake_request *)*fetch);
	*fetch = NULL;
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
	fake_net_forget(net);
	free(net);
}

void
fake_net_forget(struct fake_net *net)
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
	net->names = NULL;
	net->policies = NULL;
	net->mxs = NULL;
	net->n_names = net->n_policies = net->n_mxs = net->fetches = 0;
}

void
fake_net_watch(struct fake_net *net, fake_watch_fn *watch, void *arg)
{
	net->watch = watch;
	net->watch_arg = arg;
}

struct ports
fake_net_ports(struct fake_net *net)
{
	struct ports ports = {
		.dns = { net, dns_start, dns_cancel },
		.fetch = { net, fetch_start, fetch_cancel },
		.smtp = fake_smtp_port(net),
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
fake_net_pending(const struct fake_net *net)
{
	return net->pending;
}
