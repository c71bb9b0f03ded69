/* SPDX-License-Identifier: ISC */
/*
 * IPv4 and IPv6 addresses, and which of them strictmx connects to. A name in
 * somebody else's DNS must never make this host talk to itself or to its own
 * network's insides.
 */
#ifndef STRICTMX_COMMON_ADDRESS_H
#define STRICTMX_COMMON_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "proto/span.h"

struct dns_answer;

struct address {
	sa_family_t family; /* AF_INET or AF_INET6; 0 is none */
	union {
		struct in_addr in;
		struct in6_addr in6;
	};
};

#define ADDRESS_SIZE INET6_ADDRSTRLEN

/* From text, without brackets or port; false when it is no address. */
bool address_parse(const char *text, struct address *out);

/*
 * That of a mailbox with an address literal (RFC 5321 4.1.3): what stands in
 * "user@[192.0.2.1]" or "<user@[IPv6:2001:db8::1]>". False when it has none.
 */
bool address_of_mailbox(struct span mailbox, struct address *out);

/* Returns buf. */
const char *address_format(const struct address *a, char buf[ADDRESS_SIZE]);

bool address_equal(const struct address *a, const struct address *b);
/* The IPv4 address inside an IPv4-mapped one; any other as it is. */
struct address address_unmapped(const struct address *a);

bool address_is_loopback(const struct address *a);

/* Fills *ss for connect(2) and returns its length. */
socklen_t address_to_sockaddr(const struct address *a, uint16_t port,
    struct sockaddr_storage *ss);

/* The address in *sa; false when that is of another family. */
bool address_from_sockaddr(const struct sockaddr *sa, struct address *out);

/*
 * Appends the addresses of an A or AAAA answer; returns the new count, at most
 * max. An answer of another outcome than found adds none.
 */
size_t address_add(struct address *list, size_t n, size_t max,
    const struct dns_answer *answer);

enum address_purpose {
	ADDRESS_OF_MX,
	ADDRESS_OF_POLICY_HOST
};

struct address_rules {
	bool allow_internal;		/* everything: for laboratories */
	bool allow_private_policy_host; /* RFC 1918 and fc00::/7 there too */
	/* This host's, beside those of its interfaces; not even allow_internal
	   lets them pass. Borrowed. */
	const struct address *own;
	size_t n_own;
};

/*
 * NULL when it may be connected to, else static text that says why not. Never
 * allowed: 0/8, 127/8, ::, ::1, link-local, multicast, the broadcast address,
 * the addresses of this host's interfaces (read at most once a minute), and
 * what leads to these from IPv6: IPv4-mapped, NAT64, 6to4 and Teredo addresses.
 * Private ranges are allowed for MX hosts only.
 */
const char *address_refused(const struct address *a,
    enum address_purpose purpose, const struct address_rules *rules);

/*
 * Whoever connects there reaches this host: loopback, unspecified, an
 * interface's, or one of the rules'; with allow_internal only the last.
 */
bool address_is_own(const struct address *a, const struct address_rules *rules);

#endif
