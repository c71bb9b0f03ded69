/* SPDX-License-Identifier: ISC */
/* Three octets and the association data of a TLSA record. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/tlsa.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char name[TLSA_NAME_SIZE], text[TLSA_TEXT_SIZE], host[DOMAIN_SIZE];
	struct tlsa_record record;

	if (len < 3)
		return 0;
	record = (struct tlsa_record){ bytes[0], bytes[1], bytes[2],
		fuzz_span(bytes + 3, len - 3) };
	if (tlsa_unusable_why(&record) == NULL) {
		assert(record.usage == TLSA_DANE_TA ||
		    record.usage == TLSA_DANE_EE);
		assert(record.selector <= TLSA_SPKI);
		assert(record.matching_type <= TLSA_SHA2_512);
		assert(record.association.len > 0);
	}
	assert(tlsa_format(&record, text) == text);
	assert(strlen(text) < TLSA_TEXT_SIZE);
	assert(strncmp(text + strlen(text) - 3, "...", 3) == 0 ||
	    len - 3 <= TLSA_TEXT_OCTETS);
	if (span_copy(record.association, host, sizeof(host)))
		assert(tlsa_name((uint16_t)(bytes[0] << 8 | bytes[1]), host,
			   name) == (name[0] != '\0'));
	return 0;
}
