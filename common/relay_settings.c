/* SPDX-License-Identifier: ISC */
/* The settings of the relay: see relay_settings.h. */
#include "common/relay_settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

static const char bad_endpoint[] =
    "must be an address such as 127.8.0.1, 127.8.0.1-64 or [::1]:10050";

void
relay_settings_init(struct relay_settings *settings)
{
	*settings = (struct relay_settings){
		.port = RELAY_PORT,
		.sessions = LIMIT_RELAY_SESSIONS,
		.sessions_per_domain = LIMIT_RELAY_PER_DOMAIN,
		.idle_ms = LIMIT_RELAY_IDLE_MS,
		.messages = LIMIT_RELAY_MESSAGES,
	};
}

void
relay_settings_cleanup(struct relay_settings *settings)
{
	name_list_cleanup(&settings->own_names);
	free(settings->own_addresses);
	free(settings->endpoints);
	free(settings->allowed);
	memset(settings, 0, sizeof(*settings));
}

/* The list with room for one more behind n; NULL, and unchanged, without. */
static void *
list_grow(void *list, size_t n, size_t size)
{
	if (n == LIMIT_RELAY_LIST)
		return NULL;
	if ((n & (n - 1)) != 0) /* not 0, 1, 2, 4, 8, ... */
		return list;
	return realloc(list, (n == 0 ? 1 : 2 * n) * size);
}

/* "10050" or "10050-10113" */
static bool
parse_ports(struct span text, unsigned long *first, unsigned long *last)
{
	struct span from;

	if (!span_cut(&text, '-', &from) ||
	    !span_number(from, UINT16_MAX, first))
		return false;
	*last = *first;
	if (text.p != NULL && !span_number(text, UINT16_MAX, last))
		return false;
	return *first > 0 && *first <= *last;
}

/* "127.8.0.1-64": how many there are behind the first. */
static bool
parse_range(struct span text, struct address *first, unsigned *more)
{
	struct span from = text, to = text;
	char buf[ADDRESS_SIZE];
	unsigned long last, start;

	*more = 0;
	if (!span_cut(&to, '-', &from) || !span_copy(from, buf, sizeof(buf)) ||
	    !address_parse(buf, first))
		return false;
	if (to.p == NULL)
		return true;
	start = ntohl(first->in.s_addr) & 0xff;
	if (first->family != AF_INET || !span_number(to, 255, &last) ||
	    last < start)
		return false;
	*more = (unsigned)(last - start);
	return true;
}

/* Cuts "host" and "port" of "host:port", "[host]:port" or a bare host. */
static bool
split_port(struct span text, struct span *host, struct span *port)
{
	const char *p = text.p;
	size_t colon = text.len, n_colons = 0;

	for (size_t i = 0; i < text.len; i++)
		if (p[i] == ':') {
			n_colons++;
			colon = i;
		}
	*host = text;
	*port = (struct span){ NULL, 0 };
	if (text.len > 0 && p[0] == '[') {
		struct span rest = { p + 1, text.len - 1 };

		if (!span_cut(&rest, ']', host) || rest.p == NULL)
			return false;
		if (rest.len == 0)
			return true;
		*port = (struct span){ rest.p + 1, rest.len - 1 };
		return rest.p[0] == ':' && port->len > 0;
	}
	if (n_colons != 1)
		return true;
	host->len = colon;
	*port = (struct span){ p + colon + 1, text.len - colon - 1 };
	return port->len > 0;
}

static const char *
add_endpoint(struct relay_settings *s, const struct address *address,
    unsigned long port)
{
	struct relay_endpoint *grown =
	    list_grow(s->endpoints, s->n_endpoints, sizeof(*grown));

	if (grown == NULL)
		return "one address too many";
	s->endpoints = grown;
	grown[s->n_endpoints++] =
	    (struct relay_endpoint){ *address, (uint16_t)port };
	return NULL;
}

const char *
relay_settings_listen(struct relay_settings *settings, const char *text)
{
	struct span host, port;
	struct address address;
	unsigned long first = 0, last = 0;
	unsigned more;
	const char *why = NULL;

	if (!split_port(span_of(text), &host, &port) ||
	    !parse_range(host, &address, &more) ||
	    (port.p != NULL && !parse_ports(port, &first, &last)))
		return bad_endpoint;
	for (unsigned i = 0; i <= more && why == NULL; i++) {
		for (unsigned long p = first; p <= last && why == NULL; p++)
			why = add_endpoint(settings, &address, p);
		if (address.family == AF_INET)
			address.in.s_addr = htonl(ntohl(address.in.s_addr) + 1);
	}
	return why;
}

const char *
relay_settings_allow(struct relay_settings *settings, const char *text)
{
	struct span address = span_of(text), rest = address;
	struct relay_network *grown;
	struct relay_network value = { .bits = 0 };
	char buf[ADDRESS_SIZE];
	unsigned long bits, most;

	if (!span_cut(&rest, '/', &address) ||
	    !span_copy(address, buf, sizeof(buf)) ||
	    !address_parse(buf, &value.address))
		return "must be an address or a network";
	most = value.address.family == AF_INET ? 32 : 128;
	bits = most;
	if (rest.p != NULL && !span_number(rest, most, &bits))
		return "must be an address or a network";
	value.bits = (unsigned)bits;
	grown =
	    list_grow(settings->allowed, settings->n_allowed, sizeof(value));
	if (grown == NULL)
		return "one network too many";
	settings->allowed = grown;
	grown[settings->n_allowed++] = value;
	return NULL;
}

static const char *
add_own_address(struct relay_settings *s, const struct address *address)
{
	struct address *grown =
	    list_grow(s->own_addresses, s->n_own_addresses, sizeof(*grown));

	if (grown == NULL)
		return "one address too many";
	s->own_addresses = grown;
	grown[s->n_own_addresses++] = *address;
	return NULL;
}

const char *
relay_settings_own(struct relay_settings *settings, const char *text)
{
	struct address address;
	const char *why;

	if (address_parse(text, &address))
		return add_own_address(settings, &address);
	return name_list_add(&settings->own_names, span_of(text), &why) ? NULL
									: why;
}

/* Where each endpoint is, without "allow", must be loopback. */
static const char *
check_endpoints(const struct relay_settings *s)
{
	for (size_t i = 0; i < s->n_endpoints; i++)
		if (!address_is_loopback(&s->endpoints[i].address) &&
		    s->n_allowed == 0)
			return "the relay listens beyond loopback only with "
			       "'allow', which says whom it serves";
	return NULL;
}

const char *
relay_settings_finish(struct relay_settings *settings)
{
	const char *why = NULL;

	if (settings->n_endpoints == 0) {
		settings->default_endpoints = true;
		why = relay_settings_listen(settings, "127.8.0.1-64");
		if (why == NULL)
			why = relay_settings_listen(settings, "::1");
	}
	for (size_t i = 0; i < settings->n_endpoints; i++)
		if (settings->endpoints[i].port == 0)
			settings->endpoints[i].port = settings->port;
	name_list_finish(&settings->own_names);
	return why == NULL ? check_endpoints(settings) : why;
}

bool
relay_settings_same_endpoints(const struct relay_settings *a,
    const struct relay_settings *b)
{
	if (a->on != b->on || a->n_endpoints != b->n_endpoints)
		return false;
	for (size_t i = 0; i < a->n_endpoints; i++)
		if (a->endpoints[i].port != b->endpoints[i].port ||
		    !address_equal(&a->endpoints[i].address,
			&b->endpoints[i].address))
			return false;
	return true;
}

static bool
is_within(const struct address *a, const struct relay_network *network)
{
	const unsigned char *left = (const unsigned char *)&a->in6;
	const unsigned char *right =
	    (const unsigned char *)&network->address.in6;
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	return a->family == network->address.family &&
	    memcmp(left, right, whole) == 0 &&
	    (rest == 0 || (left[whole] ^ right[whole]) >> (8 - rest) == 0);
}

bool
relay_settings_serve(const struct relay_settings *settings,
    const struct address *peer)
{
	const struct address plain = address_unmapped(peer);

	if (address_is_loopback(&plain))
		return true;
	for (size_t i = 0; i < settings->n_allowed; i++)
		if (is_within(&plain, &settings->allowed[i]))
			return true;
	return false;
}
