/* SPDX-License-Identifier: ISC */
/*
 * The section "relay" of strictmx.conf(5), read: where the relay listens, whom
 * it serves, what else is this host, and its bounds.
 */
#ifndef STRICTMX_COMMON_RELAY_SETTINGS_H
#define STRICTMX_COMMON_RELAY_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/name_list.h"

struct relay_endpoint {
	struct address address;
	uint16_t port; /* 0 until the section was read: that of the section */
};

struct relay_network {
	struct address address;
	unsigned bits;
};

struct relay_settings {
	bool on;		/* the section is there */
	bool default_endpoints; /* none were named */
	/* Owned lists */
	size_t n_endpoints, n_allowed, n_own_addresses;
	struct relay_endpoint *endpoints;
	struct relay_network *allowed; /* beside loopback */
	struct name_list own_names;
	struct address *own_addresses;
	uint16_t port;
	unsigned sessions, sessions_per_domain; /* with mail at once */
	unsigned idle_ms, messages;		/* of a session that is kept */
};

/* Nothing is on; the bounds have their defaults. */
void relay_settings_init(struct relay_settings *settings);
void relay_settings_cleanup(struct relay_settings *settings);

/*
 * Adds what text says: "127.8.0.1", "127.8.0.1-64" (the last part of an IPv4
 * address up to that number), "::1", "[::1]", each with a port or a range of
 * ports behind a colon, "127.0.0.1:10050-10113", IPv6 in brackets then. NULL,
 * or static text that says what is wrong.
 */
const char *relay_settings_listen(struct relay_settings *settings,
    const char *text);

/* "192.0.2.7" or "192.0.2.0/24". As above. */
const char *relay_settings_allow(struct relay_settings *settings,
    const char *text);

/* A host name or an address. As above. */
const char *relay_settings_own(struct relay_settings *settings,
    const char *text);

/* At the end: the default addresses when there are none, and the port. */
const char *relay_settings_finish(struct relay_settings *settings);

/* Both are off, or listen at the same places. */
bool relay_settings_same_endpoints(const struct relay_settings *a,
    const struct relay_settings *b);

/* Loopback, or within what is allowed. */
bool relay_settings_serve(const struct relay_settings *settings,
    const struct address *peer);

#endif
