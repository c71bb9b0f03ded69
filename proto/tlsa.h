/* SPDX-License-Identifier: ISC */
/*
 * TLSA records for SMTP: which of them a client can use, the name they stand
 * at, and how they are written (RFC 6698 2 and 3, RFC 7671 4, RFC 7672 3.1).
 * Whether the octets of a full certificate or key can be read is not known
 * here: see tls_verify_takes().
 */
#ifndef STRICTMX_PROTO_TLSA_H
#define STRICTMX_PROTO_TLSA_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/span.h"

/* Certificate usages, RFC 7218. */
enum tlsa_usage {
	TLSA_PKIX_TA = 0,
	TLSA_PKIX_EE = 1,
	TLSA_DANE_TA = 2,
	TLSA_DANE_EE = 3,
};

enum tlsa_selector {
	TLSA_CERT = 0, /* the whole certificate */
	TLSA_SPKI = 1, /* its public key */
};

enum tlsa_matching_type {
	TLSA_FULL = 0,
	TLSA_SHA2_256 = 1,
	TLSA_SHA2_512 = 2,
};

struct tlsa_record {
	uint8_t usage, selector, matching_type;
	struct span association; /* borrowed */
};

/*
 * NULL for a record that SMTP can use; else static text that can follow "TLSA
 * record ...", such as "has usage 1, which is not for SMTP".
 */
const char *tlsa_unusable_why(const struct tlsa_record *record);

/* "_25._tcp." and the host; longer than a name can be when that is. */
#define TLSA_NAME_SIZE (DOMAIN_SIZE + sizeof("_65535._tcp.") - 1)

/* False, with name empty, when no name of DNS is that long. */
bool tlsa_name(uint16_t port, const char *host, char name[TLSA_NAME_SIZE]);

/*
 * "3 1 1 0123...", as in a zone file. Association data that is longer than
 * TLSA_TEXT_OCTETS is cut off, and "..." follows.
 */
#define TLSA_TEXT_OCTETS 64
#define TLSA_TEXT_SIZE (sizeof("255 255 255 ...") + 2 * TLSA_TEXT_OCTETS)
const char *tlsa_format(const struct tlsa_record *record,
    char text[TLSA_TEXT_SIZE]);

#endif
