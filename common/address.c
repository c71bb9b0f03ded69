/* SPDX-License-Identifier: ISC */
/*
 * Addresses and the rules of where strictmx connects to: see address.h. An
 * IPv4 address in its IPv6 form (::ffff:192.0.2.1) reaches the same host, so
 * it is judged as the IPv4 address that it is. One that a translator or a
 * tunnel takes to an IPv4 address is judged as both.
 */
#include "common/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/limits.h"
#include "common/log.h"
#include "proto/dns_message.h"

bool
address_parse(const char *text, struct address *out)
{
	struct address a = { .family = AF_INET };

	if (inet_pton(AF_INET, text, &a.in) != 1) {
		a.family = AF_INET6;
		if (inet_pton(AF_INET6, text, &a.in6) != 1)
			return false;
	}
	*out = a;
	return true;
}

bool
address_of_mailbox(struct span mailbox, struct address *out)
{
	static const char ipv6[] = "IPv6:";
	struct span s = mailbox;
	char text[ADDRESS_SIZE];
	struct address a;
	bool is_ipv6;

	if (s.len > 1 && s.p[0] == '<' && s.p[s.len - 1] == '>')
		s.len--;
	for (size_t at = s.len; at > 0; at--)
		if (s.p[at - 1] == '@') {
			s.p += at;
			s.len -= at;
			break;
		}
	if (s.len < 2 || s.p[0] != '[' || s.p[s.len - 1] != ']')
		return false;
	s = (struct span){ s.p + 1, s.len - 2 };
	is_ipv6 = s.len >= strlen(ipv6) &&
	    span_is_nocase((struct span){ s.p, strlen(ipv6) }, ipv6);
	if (is_ipv6)
		s = (struct span){ s.p + strlen(ipv6), s.len - strlen(ipv6) };
	if (!span_copy(s, text, sizeof(text)) || !address_parse(text, &a) ||
	    (a.family == AF_INET6) != is_ipv6)
		return false;
	*out = a;
	return true;
}

const char *
address_format(const struct address *a, char buf[ADDRESS_SIZE])
{
	if (a->family == AF_INET)
		inet_ntop(AF_INET, &a->in, buf, ADDRESS_SIZE);
	else if (a->family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6, buf, ADDRESS_SIZE);
	else
		buf[0] = '\0';
	return buf;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->in.s_addr == b->in.s_addr;
	if (a->family == AF_INET6)
		return memcmp(&a->in6, &b->in6, sizeof(a->in6)) == 0;
	return true;
}

struct address
address_unmapped(const struct address *a)
{
	struct address plain = { .family = AF_INET };

	if (a->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6))
		return *a;
	memcpy(&plain.in, &a->in6.s6_addr[12], sizeof(plain.in));
	return plain;
}

/* Is a, an IPv4 address, within net/bits? */
static bool
in_net(const struct address *a, uint32_t net, unsigned bits)
{
	return (ntohl(a->in.s_addr) ^ net) >> (32 - bits) == 0;
}

bool
address_is_loopback(const struct address *a)
{
	struct address plain = address_unmapped(a);

	if (plain.family == AF_INET)
		return in_net(&plain, 0x7f000000, 8);
	return plain.family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&plain.in6);
}

socklen_t
address_to_sockaddr(const struct address *a, uint16_t port,
    struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (a->family == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		sin->sin_addr = a->in;
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	sin6->sin6_addr = a->in6;
	return sizeof(*sin6);
}

bool
address_from_sockaddr(const struct sockaddr *sa, struct address *out)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct address a;

	memset(&a, 0, sizeof(a));
	a.family = sa->sa_family;
	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		a.in = in.sin_addr;
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		a.in6 = in6.sin6_addr;
	} else {
		return false;
	}
	*out = a;
	return true;
}

size_t
address_add(struct address *list, size_t n, size_t max,
    const struct dns_answer *answer)
{
	if (answer->outcome != DNS_FOUND ||
	    (answer->type != DNS_A && answer->type != DNS_AAAA))
		return n;
	for (size_t i = 0; i < answer->n && n < max; i++) {
		struct address *a = &list[n++];

		memset(a, 0, sizeof(*a));
		if (answer->type == DNS_A) {
			a->family = AF_INET;
			memcpy(&a->in, answer->rr[i].a, sizeof(a->in));
		} else {
			a->family = AF_INET6;
			memcpy(&a->in6, answer->rr[i].aaaa, sizeof(a->in6));
		}
	}
	return n;
}

/* The addresses of this host's interfaces, as they were at read_s. */
static struct {
	struct address *list;
	size_t n;
	time_t read_s;
	bool known;
} own;

/* The new list replaces the old one only when it could be read whole. */
static bool
own_read(void)
{
	struct ifaddrs *interfaces, *i;
	struct address *list;
	size_t n = 0;

	if (getifaddrs(&interfaces) == -1)
		return false;
	for (i = interfaces; i != NULL; i = i->ifa_next)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (list != NULL) {
		n = 0;
		for (i = interfaces; i != NULL; i = i->ifa_next)
			if (i->ifa_addr != NULL &&
			    address_from_sockaddr(i->ifa_addr, &list[n]))
				n++;
		free(own.list);
		own.list = list;
		own.n = n;
		own.known = true;
	}
	freeifaddrs(interfaces);
	return list != NULL;
}

static void
own_refresh(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	if (own.known && now.tv_sec - own.read_s < LIMIT_OWN_ADDRESSES_AGE_S)
		return;
	if (!own_read() && own.known)
		log_warning("the addresses of this host cannot be read again");
	own.read_s = now.tv_sec;
}

static const char *
refused_as_own(const struct address *a)
{
	own_refresh();
	if (!own.known)
		return "the addresses of this host are not known";
	for (size_t i = 0; i < own.n; i++)
		if (address_equal(&own.list[i], a))
			return "is an address of this host";
	return NULL;
}

static const char *
refused_ipv4(const struct address *a)
{
	if (in_net(a, 0x00000000, 8))
		return "is in 0.0.0.0/8";
	if (in_net(a, 0x7f000000, 8))
		return "is a loopback address";
	if (in_net(a, 0xa9fe0000, 16))
		return "is a link-local address";
	if (in_net(a, 0xe0000000, 4))
		return "is a multicast address";
	if (a->in.s_addr == INADDR_NONE)
		return "is the broadcast address";
	return NULL;
}

static const char *
refused_ipv6(const struct address *a)
{
	if (IN6_IS_ADDR_UNSPECIFIED(&a->in6))
		return "is the unspecified address";
	if (IN6_IS_ADDR_LOOPBACK(&a->in6))
		return "is a loopback address";
	if (IN6_IS_ADDR_LINKLOCAL(&a->in6))
		return "is a link-local address";
	if (IN6_IS_ADDR_MULTICAST(&a->in6))
		return "is a multicast address";
	return NULL;
}

/* RFC 1918 3, RFC 4193 3.1 */
static bool
is_private(const struct address *a)
{
	if (a->family == AF_INET)
		return in_net(a, 0x0a000000, 8) || in_net(a, 0xac100000, 12) ||
		    in_net(a, 0xc0a80000, 16);
	return (a->in6.s6_addr[0] & 0xfe) == 0xfc;
}

static bool
is_named_own(const struct address *a, const struct address_rules *rules)
{
	for (size_t i = 0; i < rules->n_own; i++)
		if (address_equal(&rules->own[i], a))
			return true;
	return false;
}

static bool
is_unspecified(const struct address *a)
{
	return a->family == AF_INET ? in_net(a, 0x00000000, 8)
				    : IN6_IS_ADDR_UNSPECIFIED(&a->in6);
}

bool
address_is_own(const struct address *a, const struct address_rules *rules)
{
	struct address plain = address_unmapped(a);

	if (is_named_own(&plain, rules))
		return true;
	if (rules->allow_internal)
		return false;
	if (address_is_loopback(&plain) || is_unspecified(&plain))
		return true;
	own_refresh();
	for (size_t i = 0; i < own.n; i++)
		if (address_equal(&own.list[i], &plain))
			return true;
	return false;
}

/*
 * The IPv4 address that a gateway on the way would make of an IPv6 address:
 * NAT64 (RFC 6052 2.1, RFC 8215), 6to4 (RFC 3056 2), Teredo (RFC 4380 4, with
 * the bits turned over). False when there is none.
 */
static bool
gateway_ipv4(const struct address *a, struct address *out)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
	static const uint8_t local_nat64[6] = { 0x00, 0x64, 0xff, 0x9b, 0x00,
		0x01 };
	static const uint8_t to4[2] = { 0x20, 0x02 };
	static const uint8_t teredo[4] = { 0x20, 0x01, 0x00, 0x00 };
	const uint8_t *octets = a->in6.s6_addr;

	if (a->family != AF_INET6)
		return false;
	*out = (struct address){ .family = AF_INET };
	if (memcmp(octets, to4, sizeof(to4)) == 0) {
		memcpy(&out->in, octets + 2, sizeof(out->in));
		return true;
	}
	memcpy(&out->in, octets + 12, sizeof(out->in));
	if (memcmp(octets, teredo, sizeof(teredo)) == 0) {
		out->in.s_addr = ~out->in.s_addr;
		return true;
	}
	return memcmp(octets, nat64, sizeof(nat64)) == 0 ||
	    memcmp(octets, local_nat64, sizeof(local_nat64)) == 0;
}

static const char *
refused_plain(const struct address *a, enum address_purpose purpose,
    const struct address_rules *rules)
{
	const char *why =
	    a->family == AF_INET ? refused_ipv4(a) : refused_ipv6(a);

	if (why == NULL)
		why = refused_as_own(a);
	if (why == NULL && purpose == ADDRESS_OF_POLICY_HOST &&
	    !rules->allow_private_policy_host && is_private(a))
		why = "is a private address";
	return why;
}

const char *
address_refused(const struct address *a, enum address_purpose purpose,
    const struct address_rules *rules)
{
	struct address plain = address_unmapped(a), behind;
	bool carries = gateway_ipv4(&plain, &behind);
	const char *why;

	if (plain.family != AF_INET && plain.family != AF_INET6)
		return "is no address";
	if (is_named_own(&plain, rules) ||
	    (carries && is_named_own(&behind, rules)))
		return "is an address of this host";
	if (rules->allow_internal)
		return NULL;
	why = refused_plain(&plain, purpose, rules);
	if (why == NULL && carries)
		why = refused_plain(&behind, purpose, rules);
	return why;
}
