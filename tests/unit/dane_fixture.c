/* SPDX-License-Identifier: ISC */
/* TLSA sets for tests: see dane_fixture.h. */
#include "tests/unit/dane_fixture.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "proto/dns_message.h"

struct span
dane_association(const struct dane_record *record)
{
	unsigned char *der = NULL, *out;
	unsigned digest_len = 0;
	int len = record->selector == TLSA_CERT
	    ? i2d_X509(record->of->x509, &der)
	    : i2d_PUBKEY(record->of->key, &der);

	assert(len > 0);
	if (record->matching_type == TLSA_FULL)
		return (struct span){ (char *)der, (size_t)len };
	out = malloc(EVP_MAX_MD_SIZE);
	assert(out != NULL);
	assert(EVP_Digest(der, (size_t)len, out, &digest_len,
		   record->matching_type == TLSA_SHA2_512 ? EVP_sha512()
							  : EVP_sha256(),
		   NULL) == 1);
	OPENSSL_free(der);
	return (struct span){ (char *)out, digest_len };
}

struct tlsa_set *
dane_set(const char *base, const struct dane_record *records, size_t n)
{
	struct dns_rr rr[LIMIT_TLSA_RECORDS] = { 0 };
	const struct dns_answer answer = { .outcome = DNS_FOUND,
		.type = DNS_TLSA,
		.secure = true,
		.n = n,
		.rr = rr };
	struct tlsa_set *set;

	assert(n <= LIMIT_TLSA_RECORDS);
	for (size_t i = 0; i < n; i++) {
		rr[i].tlsa.usage = (uint8_t)records[i].usage;
		rr[i].tlsa.selector = (uint8_t)records[i].selector;
		rr[i].tlsa.matching_type = (uint8_t)records[i].matching_type;
		rr[i].tlsa.association = dane_association(&records[i]);
	}
	set = tlsa_set_new(base, &answer);
	assert(set != NULL);
	for (size_t i = 0; i < n; i++)
		free((char *)(uintptr_t)rr[i].tlsa.association.p);
	return set;
}
