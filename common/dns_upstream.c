/* SPDX-License-Identifier: ISC */
/*
 * getdns as a plain transport: see dns_upstream.h. What this file knows of it:
 *
 *  - A new context is a full recursive resolver that reads files of the host;
 *    both are switched off, and checked. No search list, no hosts file, no
 *    DNSSEC extension (those fetch trust anchors over HTTP).
 *  - Over UDP it takes answers from any source address: hence TCP only.
 *  - Its status of an answer says the same for "no such name", SERVFAIL and
 *    garbage: only the wire octets are handed on.
 *  - It calls back from within getdns_general() when there is no connection,
 *    and from within getdns_context_destroy(), which in turn must not be called
 *    from a callback.
 *  - "ad" in the question asks for the AD bit in the answer (RFC 6840 5.7).
 */
#include "common/dns_upstream.h"

#include <getdns/getdns_extra.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/getdns_loop.h"
#include "common/limits.h"
#include "common/log.h"

struct dns_upstream {
	struct getdns_loop loop;
	struct clock *clock;
	struct address address;
	uint16_t port;

	getdns_context *context; /* NULL: could not be made, for now */
	getdns_dict *extensions;
	bool closing;

	unsigned failures; /* in a row, each after the back-off of the last */
	int64_t retry_ms;
	int64_t replied_ms; /* the last time that something came back */
	bool renew;
	bool warned; /* that it does not answer */
};

/* One question on its way; freed by its callback, or by ask. */
struct attempt {
	struct dns_upstream *upstream;
	dns_upstream_fn *done;
	void *arg;
	int64_t asked_ms;
	bool starting; /* getdns_general() has not returned yet */
	bool over;     /* and the callback has already run */
};

/* The address as getdns wants it, in a list of one. */
static getdns_list *
upstream_list(const struct dns_upstream *upstream)
{
	getdns_bindata bytes = { .size = 4 };
	getdns_dict *dict = getdns_dict_create();
	getdns_list *list = getdns_list_create();
	struct in6_addr copy = upstream->address.in6; /* both share the union */
	bool ok;

	if (upstream->address.family == AF_INET6)
		bytes.size = 16;
	bytes.data = (uint8_t *)&copy;
	ok = dict != NULL && list != NULL &&
	    getdns_dict_set_bindata(dict, "address_data", &bytes) == 0 &&
	    getdns_dict_set_int(dict, "port", upstream->port) == 0 &&
	    getdns_list_set_dict(list, 0, dict) == 0;
	getdns_dict_destroy(dict);
	if (!ok) {
		getdns_list_destroy(list);
		return NULL;
	}
	return list;
}

static bool
context_set_up(struct dns_upstream *upstream, getdns_context *c)
{
	getdns_namespace_t namespaces[] = { GETDNS_NAMESPACE_DNS };
	getdns_transport_list_t transports[] = { GETDNS_TRANSPORT_TCP };
	getdns_resolution_t resolution;
	getdns_list *list = upstream_list(upstream);
	bool ok;

	ok = list != NULL &&
	    getdns_context_set_eventloop(c, &upstream->loop.loop) == 0 &&
	    getdns_context_set_resolution_type(c, GETDNS_RESOLUTION_STUB) ==
		0 &&
	    getdns_context_set_namespaces(c, 1, namespaces) == 0 &&
	    getdns_context_set_append_name(c, GETDNS_APPEND_NAME_NEVER) == 0 &&
	    getdns_context_set_dns_transport_list(c, 1, transports) == 0 &&
	    getdns_context_set_idle_timeout(c, LIMIT_DNS_IDLE_MS) == 0 &&
	    getdns_context_set_timeout(c, LIMIT_DNS_TRY_MS) == 0 &&
	    getdns_context_set_limit_outstanding_queries(c,
		LIMIT_DNS_IN_FLIGHT) == 0 &&
	    getdns_context_set_upstream_recursive_servers(c, list) == 0 &&
	    getdns_context_get_resolution_type(c, &resolution) == 0 &&
	    resolution == GETDNS_RESOLUTION_STUB;
	getdns_list_destroy(list);
	return ok;
}

static getdns_context *
context_new(struct dns_upstream *upstream)
{
	getdns_context *context = NULL;

	/* 0: without the configuration of the host */
	if (getdns_context_create(&context, 0) != GETDNS_RETURN_GOOD)
		return NULL;
	if (!context_set_up(upstream, context)) {
		getdns_context_destroy(context);
		return NULL;
	}
	return context;
}

struct dns_upstream *
dns_upstream_new(struct event_base *base, struct clock *clock,
    const struct address *address, uint16_t port)
{
	struct dns_upstream *upstream = calloc(1, sizeof(*upstream));

	if (upstream == NULL)
		return NULL;
	getdns_loop_init(&upstream->loop, base);
	upstream->clock = clock;
	upstream->address = *address;
	upstream->port = port;
	upstream->retry_ms = upstream->replied_ms = clock_mono_ms(clock);
	upstream->context = context_new(upstream);
	if (upstream->context == NULL ||
	    getdns_str2dict("{header:{ad:1}}", &upstream->extensions) !=
		GETDNS_RETURN_GOOD) {
		dns_upstream_free(upstream);
		return NULL;
	}
	return upstream;
}

void
dns_upstream_free(struct dns_upstream *upstream)
{
	if (upstream == NULL)
		return;
	upstream->closing = true;
	if (upstream->context != NULL)
		getdns_context_destroy(upstream->context);
	getdns_dict_destroy(upstream->extensions);
	free(upstream);
}

/* Once per outage, when it is more than a restart. */
static void
outage_warn(struct dns_upstream *upstream)
{
	char text[ADDRESS_SIZE];

	if (!upstream->warned)
		log_warning("resolver %s port %u does not answer",
		    address_format(&upstream->address, text), upstream->port);
	upstream->warned = true;
}

static void
outage_over(struct dns_upstream *upstream)
{
	char text[ADDRESS_SIZE];

	if (upstream->warned)
		log_warning("resolver %s port %u answers again",
		    address_format(&upstream->address, text), upstream->port);
	upstream->warned = false;
}

/* Failures of questions that went out together count as one. */
static void
failure_note(struct dns_upstream *upstream)
{
	int64_t now_ms = clock_mono_ms(upstream->clock);
	int64_t wait_ms = LIMIT_DNS_BACKOFF_MIN_MS;

	if (now_ms < upstream->retry_ms)
		return;
	for (unsigned i = 0; i < upstream->failures; i++)
		if (wait_ms < LIMIT_DNS_BACKOFF_MAX_MS)
			wait_ms *= 2;
	if (wait_ms > LIMIT_DNS_BACKOFF_MAX_MS)
		wait_ms = LIMIT_DNS_BACKOFF_MAX_MS;
	upstream->failures++;
	upstream->retry_ms = now_ms + wait_ms;
	if (upstream->failures % LIMIT_DNS_RENEW_AFTER != 0)
		return;
	upstream->renew = true;
	outage_warn(upstream);
}

static void
result_note(struct dns_upstream *upstream, enum dns_upstream_result result,
    int64_t asked_ms)
{
	switch (result) {
	case UPSTREAM_REPLIED:
		upstream->failures = 0;
		upstream->replied_ms = clock_mono_ms(upstream->clock);
		upstream->retry_ms = upstream->replied_ms;
		upstream->renew = false;
		outage_over(upstream);
		break;
	case UPSTREAM_SILENT:
		/* One slow question among others that are answered is no sign
		 * of a bad upstream. */
		if (upstream->replied_ms > asked_ms)
			break;
		failure_note(upstream);
		/* An answer of less than a header makes a context deaf. */
		upstream->renew = true;
		break;
	case UPSTREAM_LOST:
		failure_note(upstream);
		break;
	}
}

static enum dns_upstream_result
result_of(getdns_callback_type_t type)
{
	switch (type) {
	case GETDNS_CALLBACK_COMPLETE:
		return UPSTREAM_REPLIED;
	case GETDNS_CALLBACK_TIMEOUT:
		return UPSTREAM_SILENT;
	case GETDNS_CALLBACK_CANCEL:
	case GETDNS_CALLBACK_ERROR:
		break;
	}
	return UPSTREAM_LOST;
}

static void
attempt_done(getdns_context *context, getdns_callback_type_t type,
    getdns_dict *response, void *arg, getdns_transaction_t id)
{
	struct attempt *attempt = arg;
	struct dns_upstream *upstream = attempt->upstream;
	enum dns_upstream_result result = result_of(type);
	getdns_bindata none = { 0, NULL }, *wire = &none;

	(void)context;
	(void)id;
	if (attempt->starting) {
		attempt->over = true; /* ask will see it and free it */
		goto out;
	}
	if (upstream->closing) {
		free(attempt);
		goto out;
	}
	if (result == UPSTREAM_REPLIED && response != NULL)
		(void)getdns_dict_get_bindata(response, "/replies_full/0",
		    &wire);
	result_note(upstream, result, attempt->asked_ms);
	attempt->done(result, wire->data, wire->size, attempt->arg);
	free(attempt);
out:
	getdns_dict_destroy(response);
}

bool
dns_upstream_ask(struct dns_upstream *upstream, const char *name,
    enum dns_type type, dns_upstream_fn *done, void *arg)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	char fqdn[DOMAIN_SIZE + 1];
	getdns_return_t status = GETDNS_RETURN_GENERIC_ERROR;

	if (attempt == NULL || upstream->context == NULL)
		goto lost;
	attempt->upstream = upstream;
	attempt->done = done;
	attempt->arg = arg;
	attempt->asked_ms = clock_mono_ms(upstream->clock);
	attempt->starting = true;
	snprintf(fqdn, sizeof(fqdn), "%s.", name);
	status = getdns_general(upstream->context, fqdn, (uint16_t)type,
	    upstream->extensions, attempt, NULL, attempt_done);
	attempt->starting = false;
	if (status == GETDNS_RETURN_GOOD && !attempt->over)
		return true;
lost:
	free(attempt);
	failure_note(upstream);
	return false;
}

bool
dns_upstream_failing(const struct dns_upstream *upstream)
{
	return upstream->failures > 0;
}

int64_t
dns_upstream_retry_ms(const struct dns_upstream *upstream)
{
	return upstream->retry_ms;
}

void
dns_upstream_tend(struct dns_upstream *upstream)
{
	getdns_context *old = upstream->context;

	if (!upstream->renew && old != NULL)
		return;
	upstream->renew = false;
	upstream->context = NULL;
	if (old != NULL)
		getdns_context_destroy(old);
	upstream->context = context_new(upstream);
}
