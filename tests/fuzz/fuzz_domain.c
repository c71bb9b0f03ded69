/* SPDX-License-Identifier: ISC */
/* Any bytes as a name and as a mailbox: what comes out is one of our names. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/domain.h"

static void
check(enum domain_kind kind, const char *out)
{
	struct span rest = span_of(out), label;
	char again[DOMAIN_SIZE];

	assert((kind == DOMAIN_OK) == (out[0] != '\0'));
	assert(rest.len <= DOMAIN_MAX);
	if (kind != DOMAIN_OK)
		return;
	assert(out[rest.len - 1] != '.');
	while (span_cut(&rest, '.', &label)) {
		assert(label.len >= 1 && label.len <= LABEL_MAX);
		for (size_t i = 0; i < label.len; i++)
			assert(strchr("abcdefghijklmnopqrstuvwxyz0123456789-_",
				   label.p[i]) != NULL);
	}
	assert(domain_fold(span_of(out), again) == DOMAIN_OK);
	assert(strcmp(again, out) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span s = fuzz_span(bytes, len);
	char out[DOMAIN_SIZE];
	enum domain_kind kind;

	kind = domain_fold(s, out);
	assert(kind != DOMAIN_LITERAL);
	check(kind, out);
	/* A name that needs no folding but in case is its own folding. */
	if (domain_is_ldh(s))
		assert(kind == DOMAIN_OK && span_is_nocase(s, out));
	check(domain_of_mailbox(s, out), out);
	return 0;
}
