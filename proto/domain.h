/* SPDX-License-Identifier: ISC */
/*
 * Domain names as strictmx keeps them: A-labels (UTS 46, non-transitional,
 * through libidn2), lower case, without a trailing dot, at most 253 octets.
 * Also the first question of all: which domain's policy is asked for when mail
 * goes to this mailbox (RFC 8461 3.4: the domain of the recipient address).
 */
#ifndef STRICTMX_PROTO_DOMAIN_H
#define STRICTMX_PROTO_DOMAIN_H

#include <stdbool.h>

#include "proto/span.h"

#define DOMAIN_MAX 253
#define DOMAIN_SIZE (DOMAIN_MAX + 1)
#define LABEL_MAX 63

enum domain_kind {
	DOMAIN_OK,
	DOMAIN_ABSENT,	  /* no '@', or nothing behind it */
	DOMAIN_LITERAL,	  /* an address literal, "[192.0.2.1]" */
	DOMAIN_INVALID,	  /* no name that DNS could be asked for */
	DOMAIN_NO_MEMORY, /* to make A-labels; nothing is known of the name */
};

/*
 * The domain of a mailbox: what stands after the last '@', so source routes
 * drop out. A "<" at the start with a ">" at the end is dropped. out is the
 * empty string unless DOMAIN_OK; for DOMAIN_LITERAL it stays empty too.
 */
enum domain_kind domain_of_mailbox(struct span mailbox, char out[DOMAIN_SIZE]);

/*
 * Makes a name one of ours: UTF-8 whatever the locale, U-labels become
 * A-labels, one trailing dot is dropped. Labels hold letters, digits, hyphens
 * and underscores (common in host names of the field), nothing else. A name in
 * ASCII is not judged by IDNA, its "xn--" labels neither: DNS holds many that
 * break its rules, and mail goes there. DOMAIN_OK, DOMAIN_INVALID,
 * DOMAIN_NO_MEMORY, or DOMAIN_ABSENT for an empty name or ".". What was
 * folded folds to itself.
 */
enum domain_kind domain_fold(struct span name, char out[DOMAIN_SIZE]);

/*
 * Letters, digits and hyphens in labels of 1 to 63, no hyphen at either end of
 * a label, at most 253, at least one label, no trailing dot, and not an IPv4
 * address (the last label is not all digits). Case does not matter.
 */
bool domain_is_ldh(struct span name);

#endif
