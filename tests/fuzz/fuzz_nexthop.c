/* SPDX-License-Identifier: ISC */
/*
 * Any bytes are read as a next hop without harm. A name that is found folds to
 * itself, and alone it is a next hop of its own.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "proto/nexthop.h"

static void
check_name(const struct nexthop *hop)
{
	char folded[DOMAIN_SIZE], key[DOMAIN_SIZE + 16];
	struct nexthop again;

	assert(domain_fold(span_of(hop->domain), folded) == DOMAIN_OK);
	assert(strcmp(folded, hop->domain) == 0);
	snprintf(key, sizeof(key),
	    hop->kind == NEXTHOP_HOST ? "[%s]:587" : "%s:587", hop->domain);
	nexthop_parse(span_of(key), &again);
	assert(again.kind == hop->kind && again.other_port);
	assert(strcmp(again.domain, hop->domain) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span key = fuzz_span(bytes, len);
	struct nexthop hop;

	nexthop_parse(key, &hop);
	switch (hop.kind) {
	case NEXTHOP_DOMAIN:
	case NEXTHOP_HOST:
		check_name(&hop);
		break;
	case NEXTHOP_PARENT:
		assert(key.p[0] == '.' && hop.domain[0] == '\0');
		break;
	case NEXTHOP_LITERAL:
	case NEXTHOP_INVALID:
	case NEXTHOP_NO_MEMORY:
		assert(hop.domain[0] == '\0');
		break;
	}
	return 0;
}
