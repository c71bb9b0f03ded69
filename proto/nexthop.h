/* SPDX-License-Identifier: ISC */
/*
 * A next hop as Postfix writes it, which is the key of its TLS policy table:
 * where mail is handed on to, by way of the MX hosts of a domain or without.
 */
#ifndef STRICTMX_PROTO_NEXTHOP_H
#define STRICTMX_PROTO_NEXTHOP_H

#include <stdbool.h>

#include "proto/domain.h"
#include "proto/span.h"

enum nexthop_kind {
	NEXTHOP_DOMAIN,	   /* "example.com", "example.com:587": its MX hosts */
	NEXTHOP_HOST,	   /* "[mx.example.com]", "[..]:587": this very host */
	NEXTHOP_LITERAL,   /* an address, bare or in brackets */
	NEXTHOP_PARENT,	   /* ".example.com": asked for by way of "a.example.
			      com", when that itself was not found */
	NEXTHOP_INVALID,   /* no name that DNS could be asked for */
	NEXTHOP_NO_MEMORY, /* to make A-labels; nothing is known of it */
};

struct nexthop {
	enum nexthop_kind kind;
	char domain[DOMAIN_SIZE]; /* folded; of DOMAIN and HOST, else "" */
	bool other_port;	  /* than that of SMTP, 25 */
};

/* key: any octets. */
void nexthop_parse(struct span key, struct nexthop *out);

#endif
