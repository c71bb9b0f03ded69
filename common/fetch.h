/* SPDX-License-Identifier: ISC */
/*
 * Fetching a policy over HTTPS (RFC 8461 3.2, 3.3): libcurl's multi interface
 * on the engine's loop. Addresses are pinned by the caller, nothing is
 * resolved here. https only, no redirects, no proxy, no cookies, TLS 1.2 or
 * later, 64 KiB, one minute; pools keep tarpits from starving the rest.
 */
#ifndef STRICTMX_COMMON_FETCH_H
#define STRICTMX_COMMON_FETCH_H

#include <openssl/types.h>

#include "common/address.h"
#include "common/ports.h"

struct event_base;
struct fetcher;

struct fetcher_opts {
	X509_STORE *roots;	    /* trusted; borrowed; NULL: nobody is */
	struct address_rules rules; /* checked again on each connect */
	uint16_t port;		    /* 443 */
	/* 0: as in limits.h. Tests have less patience. */
	unsigned deadline_ms;
	unsigned connect_ms;
	unsigned slow_ms;
	unsigned handshake_ms;
	unsigned low_speed_s;
};

/*
 * opts is copied. NULL without memory, or when libcurl lacks an option.
 * curl_global_init() has been called, and SIGPIPE is ignored. No thread is
 * ever started. A fetch for which this host lacks memory or descriptors is no
 * failure of the policy host: it goes on waiting, for as long as the caller
 * lets it. The deadline begins when its turn has come. One that is slow while
 * others wait may have to begin anew, behind them, until its deadline is over.
 */
struct fetcher *fetcher_new(struct event_base *base,
    const struct fetcher_opts *opts);

/* Running fetches end without a callback. Not from a callback. Safe on NULL. */
void fetcher_free(struct fetcher *fetcher);

/* As the engine takes it: see struct fetch_port. */
struct fetch_port fetcher_port(struct fetcher *fetcher);

#endif
