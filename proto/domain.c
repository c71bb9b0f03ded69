/* SPDX-License-Identifier: ISC */
/*
 * Domain names: from a mailbox, and into the one form in which they are
 * compared, asked for and kept (see domain.h). This is the first step of every
 * lookup.
 *
 * RFC 8461 3.4 (which domain), RFC 5321 4.1.2 (mailbox), RFC 5890 2.3.2.1
 * (A-labels); libidn2 does the mapping of UTS 46.
 */
#include "proto/domain.h"

#include <idn2.h>
#include <string.h>

#include "proto/ascii.h"

/*
 * No name of 253 octets in A-labels is longer in UTF-8, as long as mapping
 * drops nothing: a code point takes at most 4 octets here and at least one
 * there. It keeps libidn2 from long input.
 */
#define UTF8_MAX (4 * DOMAIN_MAX)

static bool
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

static bool
label_fits(struct span label)
{
	return label.len >= 1 && label.len <= LABEL_MAX;
}

/* Letters, digits, hyphens and underscores, wherever they stand. */
static bool
label_is_askable(struct span label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-' &&
		    label.p[i] != '_')
			return false;
	return label_fits(label);
}

static bool
label_is_ldh(struct span label)
{
	for (size_t i = 0; i < label.len; i++)
		if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return label_fits(label) && label.p[0] != '-' &&
	    label.p[label.len - 1] != '-';
}

/* span_cut() would not show the empty label behind a last dot. */
static bool
ends_in_dot(struct span name)
{
	return name.len > 0 && name.p[name.len - 1] == '.';
}

/* The folding of a name in ASCII, A-labels or not. */
static enum domain_kind
fold_ascii(struct span name, char out[DOMAIN_SIZE])
{
	struct span rest, label;

	if (ends_in_dot(name))
		name.len--;
	if (name.len == 0)
		return DOMAIN_ABSENT;
	if (name.len > DOMAIN_MAX || ends_in_dot(name))
		return DOMAIN_INVALID;
	for (rest = name; span_cut(&rest, '.', &label);)
		if (!label_is_askable(label))
			return DOMAIN_INVALID;
	for (size_t i = 0; i < name.len; i++)
		out[i] = ascii_lower(name.p[i]);
	out[name.len] = '\0';
	return DOMAIN_OK;
}

/*
 * U-labels, valid or not, and the dots of other scripts. The result is judged
 * like any name in ASCII: some code points map to characters such as '/'. A
 * name that maps to nothing is no name, but it is not absent either.
 */
static enum domain_kind
fold_utf8(struct span name, char out[DOMAIN_SIZE])
{
	char utf8[UTF8_MAX + 1];
	uint8_t *ascii = NULL;
	enum domain_kind kind;
	int rc;

	if (!span_copy(name, utf8, sizeof(utf8)))
		return DOMAIN_INVALID;
	rc = idn2_lookup_u8((const uint8_t *)utf8, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return DOMAIN_NO_MEMORY;
	if (rc != IDN2_OK)
		return DOMAIN_INVALID;
	kind = fold_ascii(span_of((const char *)ascii), out);
	idn2_free(ascii);
	return kind == DOMAIN_OK ? DOMAIN_OK : DOMAIN_INVALID;
}

enum domain_kind
domain_fold(struct span name, char out[DOMAIN_SIZE])
{
	out[0] = '\0';
	return is_ascii(name) ? fold_ascii(name, out) : fold_utf8(name, out);
}

/* What stands after the last '@'; false without one. */
static bool
after_last_at(struct span mailbox, struct span *domain)
{
	for (size_t i = mailbox.len; i > 0; i--) {
		if (mailbox.p[i - 1] != '@')
			continue;
		domain->p = mailbox.p + i;
		domain->len = mailbox.len - i;
		return true;
	}
	return false;
}

enum domain_kind
domain_of_mailbox(struct span mailbox, char out[DOMAIN_SIZE])
{
	struct span domain;

	out[0] = '\0';
	if (mailbox.len >= 2 && mailbox.p[0] == '<' &&
	    mailbox.p[mailbox.len - 1] == '>') {
		mailbox.p++;
		mailbox.len -= 2;
	}
	if (!after_last_at(mailbox, &domain))
		return DOMAIN_ABSENT;
	/* RFC 5321 4.1.3: address literals have no domain to ask for. */
	if (domain.len >= 2 && domain.p[0] == '[' &&
	    domain.p[domain.len - 1] == ']')
		return DOMAIN_LITERAL;
	return domain_fold(domain, out);
}

static bool
is_all_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_digit(s.p[i]))
			return false;
	return true;
}

bool
domain_is_ldh(struct span name)
{
	struct span rest, label;

	if (name.len == 0 || name.len > DOMAIN_MAX || ends_in_dot(name))
		return false;
	for (rest = name; span_cut(&rest, '.', &label);)
		if (!label_is_ldh(label))
			return false;
	return !is_all_digits(label);
}
