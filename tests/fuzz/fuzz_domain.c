/* SPDX-License-Identifier: ISC */
/* Any bytes as a name and as a mailbox: what comes out is one of our names. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
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

/* Neither the case of ASCII letters nor one trailing dot makes a difference. */
static void
check_variant(struct span s, enum domain_kind kind, const char *out)
{
	char variant[1024], again[DOMAIN_SIZE];
	struct span v = { variant, s.len };

	if (s.len == 0 || s.len >= sizeof(variant) - 1)
		return;
	for (size_t i = 0; i < s.len; i++)
		variant[i] = s.p[i] >= 'a' && s.p[i] <= 'z'
		    ? (char)(s.p[i] - 'a' + 'A')
		    : s.p[i];
	assert(domain_fold(v, again) == kind && strcmp(again, out) == 0);
	if (kind != DOMAIN_OK || (s.p[s.len - 1] & 0x80) != 0 ||
	    s.p[s.len - 1] == '.')
		return;
	variant[v.len++] = '.';
	assert(domain_fold(v, again) == kind && strcmp(again, out) == 0);
	variant[v.len++] = '.';
	assert(domain_fold(v, again) == DOMAIN_INVALID);
}

static bool
is_digits(struct span label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!ascii_is_digit(label.p[i]))
			return false;
	return true;
}

/* The rule of domain_is_ldh() once more, label by label. */
static bool
is_ldh(struct span name)
{
	struct span rest = name, label = { NULL, 0 };

	if (name.len == 0 || name.len > DOMAIN_MAX ||
	    name.p[name.len - 1] == '.')
		return false;
	while (span_cut(&rest, '.', &label)) {
		if (label.len == 0 || label.len > LABEL_MAX ||
		    label.p[0] == '-' || label.p[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
				return false;
	}
	return !is_digits(label);
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
	check_variant(s, kind, out);
	/* A name that needs no folding but in case is its own folding. */
	assert(domain_is_ldh(s) == is_ldh(s));
	if (domain_is_ldh(s))
		assert(kind == DOMAIN_OK && span_is_nocase(s, out));
	kind = domain_of_mailbox(s, out);
	check(kind, out);
	assert(kind == DOMAIN_ABSENT || memchr(s.p, '@', len) != NULL);
	return 0;
}
