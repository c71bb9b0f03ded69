/* SPDX-License-Identifier: ISC */
/*
 * One walk over a DNS message that checks the form of everything in it and
 * notes where the records lie that dns_message judges by. Of no use to others.
 */
#ifndef STRICTMX_PROTO_DNS_WIRE_H
#define STRICTMX_PROTO_DNS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/dns_message.h"
#include "proto/domain.h"

/* A record of class IN whose form has been checked. */
struct dns_record {
	char owner[DOMAIN_SIZE]; /* "" for the root and unreadable names */
	uint16_t type;
	uint32_t ttl_s;
	size_t rdata, len; /* within the message */
	bool used;	   /* by dns_message, for the answer */
};

/* The caller sets the first four and frees records, whatever came of it. */
struct dns_wire {
	const uint8_t *wire;
	size_t len;
	const char *name; /* asked for */
	enum dns_type type;

	size_t pos;	/* of the walk */
	bool no_memory; /* the reason of a failure, then */

	/* Of the answer section: the aliases and the type asked for. */
	size_t n, size;
	struct dns_record *records;
	size_t n_other; /* of other types, DNAME and RRSIG not counted */

	/* Of the authority section. */
	size_t n_soa, n_ns;
	struct dns_record soa; /* the last one */
	uint32_t soa_minimum_s;

	size_t n_opt;
};

/*
 * Walks over the whole message. NULL, or static text that says why it is not
 * an answer to (name, type, IN), or not well-formed.
 */
const char *dns_wire_walk(struct dns_wire *w);

enum dns_name_form {
	DNS_NAME_BROKEN,
	DNS_NAME_UNREADABLE, /* well-formed, but not to be written as text */
	DNS_NAME_ROOT,
	DNS_NAME_READABLE,
};

/*
 * Reads the name at *pos and moves behind it. out is its text in lower case,
 * "" unless readable.
 */
enum dns_name_form dns_wire_name(struct dns_wire *w, size_t *pos,
    char out[DOMAIN_SIZE]);

#endif
