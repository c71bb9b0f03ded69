/* SPDX-License-Identifier: ISC */
/* TLSA records for SMTP: see tlsa.h. */
#include "proto/tlsa.h"

#include <stdio.h>
#include <string.h>

#define SHA2_256_SIZE 32
#define SHA2_512_SIZE 64

/* Is it one SEQUENCE of DER and nothing behind it? Full data are no other. */
static bool
is_sequence(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t len, n;

	if (s.len < 2 || p[0] != 0x30)
		return false;
	if (p[1] < 0x80)
		return s.len == 2 + (size_t)p[1];
	n = p[1] & 0x7f;
	if (n == 0 || n > sizeof(uint32_t) || s.len < 2 + n)
		return false;
	len = 0;
	for (size_t i = 0; i < n; i++)
		len = len << 8 | p[2 + i];
	return s.len - 2 - n == len;
}

const char *
tlsa_unusable_why(const struct tlsa_record *record)
{
	/* RFC 7672 3.1.3: the PKIX usages are not to be used with SMTP. */
	if (record->usage == TLSA_PKIX_TA)
		return "has usage 0, which is not for SMTP";
	if (record->usage == TLSA_PKIX_EE)
		return "has usage 1, which is not for SMTP";
	if (record->usage != TLSA_DANE_TA && record->usage != TLSA_DANE_EE)
		return "has an unknown usage";
	if (record->selector != TLSA_CERT && record->selector != TLSA_SPKI)
		return "has an unknown selector";
	switch (record->matching_type) {
	case TLSA_FULL:
		return is_sequence(record->association)
		    ? NULL
		    : "holds no certificate and no key";
	case TLSA_SHA2_256:
		return record->association.len == SHA2_256_SIZE
		    ? NULL
		    : "has a digest of the wrong length";
	case TLSA_SHA2_512:
		return record->association.len == SHA2_512_SIZE
		    ? NULL
		    : "has a digest of the wrong length";
	default:
		return "has an unknown matching type";
	}
}

bool
tlsa_name(uint16_t port, const char *host, char name[TLSA_NAME_SIZE])
{
	int len =
	    snprintf(name, TLSA_NAME_SIZE, "_%u._tcp.%s", (unsigned)port, host);

	if (len > 0 && len <= DOMAIN_MAX && host[0] != '\0')
		return true;
	name[0] = '\0';
	return false;
}

const char *
tlsa_format(const struct tlsa_record *record, char text[TLSA_TEXT_SIZE])
{
	struct span data = record->association;
	bool whole = data.len <= TLSA_TEXT_OCTETS;
	size_t n = whole ? data.len : TLSA_TEXT_OCTETS;
	int len = snprintf(text, TLSA_TEXT_SIZE, "%u %u %u ", record->usage,
	    record->selector, record->matching_type);
	char *p = text + len;

	for (size_t i = 0; i < n; i++)
		p += snprintf(p, 3, "%02x", (unsigned char)data.p[i]);
	memcpy(p, whole ? "" : "...", whole ? 1 : 4);
	return text;
}
