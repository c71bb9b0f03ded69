/* SPDX-License-Identifier: ISC */
/*
 * What DANE says of one MX host (RFC 7672 2.2): are its addresses secure, and
 * if so, which TLSA records are there, at which base domain?
 */
#ifndef STRICTMX_COMMON_TLSA_LOOKUP_H
#define STRICTMX_COMMON_TLSA_LOOKUP_H

#include "common/facts.h"

struct ports;
struct tlsa_lookup;

/*
 * ttl_s: the smallest of what was asked. fact: borrowed but for its tlsa,
 * which is the caller's.
 */
typedef void tlsa_lookup_done_fn(const struct dane_fact *fact, uint32_t ttl_s,
    void *arg);

struct tlsa_lookup_opts {
	const struct ports *ports; /* borrowed; dns and clock are used */
	const char *mx;		   /* folded; copied */
	uint16_t port;
	bool fresh; /* past the DNS cache */
};

/*
 * done runs once, never before this call returned; the lookup is spent then.
 * NULL without memory.
 */
struct tlsa_lookup *tlsa_lookup_start(const struct tlsa_lookup_opts *opts,
    tlsa_lookup_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void tlsa_lookup_cancel(struct tlsa_lookup **lookup);

#endif
