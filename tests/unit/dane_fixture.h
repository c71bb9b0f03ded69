/* SPDX-License-Identifier: ISC */
/* TLSA sets for tests, with real records of certificates made on the spot. */
#ifndef STRICTMX_TESTS_DANE_FIXTURE_H
#define STRICTMX_TESTS_DANE_FIXTURE_H

#include <stddef.h>

#include "common/tlsa_set.h"
#include "tests/unit/test_certificates.h"

/* "3 1 1" as numbers, and the certificate that the record is of. */
struct dane_record {
	unsigned usage, selector, matching_type;
	const struct test_certificate *of;
};

/* The octets of a record's association data, to be freed. */
struct span dane_association(const struct dane_record *record);

/* A set at base; to be dropped. A failure to make one ends the program. */
struct tlsa_set *dane_set(const char *base, const struct dane_record *records,
    size_t n);

#endif
