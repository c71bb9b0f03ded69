/* SPDX-License-Identifier: ISC */
/*
 * Next hops as Postfix writes them (transport(5), smtp_tls_policy_maps in
 * postconf(5)): see nexthop.h. The key comes as somebody has typed it, or as it
 * stands in an address: in any case, with U-labels where SMTPUTF8 is on.
 */
#include "proto/nexthop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "proto/ascii.h"

#define IPV6_TAG "IPv6:" /* RFC 5321 4.1.3 */
#define SERVICE_MAX 64

static bool
is_address(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr any;

	return span_copy(s, text, sizeof(text)) &&
	    (inet_pton(AF_INET, text, &any) == 1 ||
		inet_pton(AF_INET6, text, &any) == 1);
}

static struct span
without_tag(struct span s)
{
	const size_t len = sizeof(IPV6_TAG) - 1;

	if (s.len >= len && span_is_nocase((struct span){ s.p, len }, IPV6_TAG))
		return (struct span){ s.p + len, s.len - len };
	return s;
}

/* A number or the name of a service, as in services(5). */
static bool
is_service(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return s.len > 0 && s.len <= SERVICE_MAX;
}

static bool
is_smtp(struct span service)
{
	return span_is(service, "25") || span_is(service, "smtp");
}

/* ":SERVICE" or nothing behind the host. */
static bool
take_service(struct span rest, struct nexthop *out)
{
	if (rest.len == 0)
		return true;
	if (rest.p[0] != ':')
		return false;
	rest.p++;
	rest.len--;
	out->other_port = !is_smtp(rest);
	return is_service(rest);
}

/* "192.0.2.1." folds to an address too, and so do digits of other scripts. */
static void
take_name(struct span name, enum nexthop_kind kind, struct nexthop *out)
{
	switch (domain_fold(name, out->domain)) {
	case DOMAIN_OK:
		out->kind = kind;
		if (is_address(span_of(out->domain))) {
			out->kind = NEXTHOP_LITERAL;
			out->domain[0] = '\0';
		}
		break;
	case DOMAIN_NO_MEMORY:
		out->kind = NEXTHOP_NO_MEMORY;
		break;
	case DOMAIN_ABSENT:
	case DOMAIN_LITERAL:
	case DOMAIN_INVALID:
		break;
	}
}

/* "[HOST]" or "[HOST]:SERVICE" */
static void
parse_brackets(struct span key, struct nexthop *out)
{
	const char *end = memchr(key.p, ']', key.len);
	struct span host = { key.p + 1, 0 }, rest;

	if (end == NULL)
		return;
	host.len = (size_t)(end - host.p);
	rest.p = end + 1;
	rest.len = key.len - host.len - 2;
	if (!take_service(rest, out))
		return;
	if (is_address(without_tag(host)))
		out->kind = NEXTHOP_LITERAL;
	else
		take_name(host, NEXTHOP_HOST, out);
}

/* "DOMAIN" or "DOMAIN:SERVICE" */
static void
parse_bare(struct span key, struct nexthop *out)
{
	const char *colon = memchr(key.p, ':', key.len);
	struct span name = key, rest = { NULL, 0 };

	if (colon != NULL) {
		name.len = (size_t)(colon - key.p);
		rest.p = colon;
		rest.len = key.len - name.len;
	}
	if (!take_service(rest, out))
		return;
	take_name(name, NEXTHOP_DOMAIN, out);
}

void
nexthop_parse(struct span key, struct nexthop *out)
{
	*out = (struct nexthop){ .kind = NEXTHOP_INVALID };
	if (key.len == 0)
		return;
	if (key.p[0] == '.')
		out->kind = NEXTHOP_PARENT;
	else if (is_address(key)) /* IPv6, before its colons are a port's */
		out->kind = NEXTHOP_LITERAL;
	else if (key.p[0] == '[')
		parse_brackets(key, out);
	else
		parse_bare(key, out);
}
