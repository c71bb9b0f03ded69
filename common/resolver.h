/* SPDX-License-Identifier: ISC */
/*
 * Questions to DNS. Backend-neutral: getdns stands behind it as a stub over
 * TCP, and only its transport is used; each answer is read by
 * proto/dns_message. The resolver owns retries (LIMIT_DNS_TRIES of
 * LIMIT_DNS_TRY_MS, the next upstream after a failure), the cap in flight, a
 * bounded queue behind it, joining of equal questions, and a cache of answers
 * by their TTL.
 */
#ifndef STRICTMX_COMMON_RESOLVER_H
#define STRICTMX_COMMON_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/limits.h"
#include "common/ports.h"

struct event_base;
struct clock;
struct resolver;

struct resolver_upstream {
	struct address address;
	uint16_t port;
	bool trusted_ad; /* its AD bit counts */
};

struct resolver_opts {
	size_t n_upstreams; /* 1 to LIMIT_DNS_UPSTREAMS */
	struct resolver_upstream upstreams[LIMIT_DNS_UPSTREAMS];
};

/* opts is copied. NULL without memory or when getdns refuses the set-up. */
struct resolver *resolver_new(struct event_base *base, struct clock *clock,
    const struct resolver_opts *opts);

/*
 * Running questions end without a callback. May be called from a callback of
 * its own: what cannot be freed there is freed on the next turn of the loop.
 * Safe on NULL.
 */
void resolver_free(struct resolver *resolver);

/*
 * As the engine takes it: see struct dns_port. A name that DNS cannot be asked
 * for (an empty or too long label, octets that are not visible ASCII, a
 * backslash) is not begun.
 */
struct dns_port resolver_port(struct resolver *resolver);

#endif
