/* SPDX-License-Identifier: ISC */
/*
 * A DNS answer, read strictly from its wire bytes. The resolver library's own
 * opinion of an answer is not asked: only bytes that are an answer to exactly
 * this question become FOUND, NO_DATA or NO_NAME; all else is TEMPFAIL, and
 * TEMPFAIL is never "there is none".
 */
#ifndef STRICTMX_PROTO_DNS_MESSAGE_H
#define STRICTMX_PROTO_DNS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/span.h"

/* The numbers of the DNS protocol. */
enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

enum dns_outcome {
	DNS_TEMPFAIL, /* no answer that could be trusted; why says more */
	DNS_FOUND,    /* at least one record of the type */
	DNS_NO_DATA,  /* the name is there, the type is not */
	DNS_NO_NAME,  /* no such name (NXDOMAIN) */
};

struct dns_rr {
	union {
		uint8_t a[4];
		uint8_t aaaa[16];
		char target[DOMAIN_SIZE]; /* CNAME */
		struct {
			uint16_t preference;
			char
			    host[DOMAIN_SIZE]; /* folded; "" is "." (null MX) */
		} mx;
		struct span txt; /* character-strings joined */
		struct {
			uint8_t usage, selector, matching_type;
			struct span association;
		} tlsa;
	};
};

struct dns_answer {
	enum dns_outcome outcome;
	enum dns_type type; /* that was asked for: says which part of rr */
	bool secure;	 /* the AD bit; false unless the upstream is trusted */
	bool aliased;	 /* a CNAME was followed */
	uint32_t ttl_s;	 /* smallest TTL of what was used; for the negative ones
			    the SOA minimum; 0 for TEMPFAIL */
	const char *why; /* static text; NULL unless TEMPFAIL */
	char canonical[DOMAIN_SIZE]; /* owner of the records; asked name else */
	size_t n;
	struct dns_rr *rr; /* n records in the order of the packet */
};

/*
 * Reads the answer to (name, type, IN). name is folded, without trailing dot
 * (underscore labels are fine). Checked: QR, opcode, rcode 0 or 3, TC, exactly
 * the asked question, every record of every section parses, no trailing byte,
 * no extended rcode, a CNAME chain that is complete and free of loops, and no
 * records of the type beside NXDOMAIN. An MX whose host cannot be a name is
 * dropped; if all are, TEMPFAIL. At most DNS_RECORDS_MAX records are kept.
 *
 * Always gives an answer, to be freed with dns_answer_free(); NULL only when
 * there is no memory, which callers treat as TEMPFAIL.
 */
#define DNS_RECORDS_MAX 256
struct dns_answer *dns_message_read(const uint8_t *wire, size_t len,
    const char *name, enum dns_type type);

/* An answer that says TEMPFAIL, with static text. NULL without memory. */
struct dns_answer *dns_answer_tempfail(const char *why);

/* Safe on NULL. */
void dns_answer_free(struct dns_answer *answer);

/* "A", "MX", ... */
const char *dns_type_name(enum dns_type type);

#endif
