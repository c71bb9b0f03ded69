/* SPDX-License-Identifier: ISC */
/*
 * Netstrings: "LENGTH:OCTETS,", LENGTH in decimal digits without needless
 * zeros. They carry the questions and answers of a socketmap.
 */
#ifndef STRICTMX_PROTO_NETSTRING_H
#define STRICTMX_PROTO_NETSTRING_H

#include <stddef.h>

#include "proto/span.h"

enum netstring_state {
	NETSTRING_MORE,	 /* the rest has not come yet */
	NETSTRING_WHOLE, /* *octets and *used are set */
	NETSTRING_BAD,	 /* it never will be one, or is longer than max */
};

/*
 * Reads the netstring that input begins with. octets point into input; used
 * counts all of it, the comma too. BAD is known as soon as it can be: no more
 * than NETSTRING_AROUND + max octets are ever needed.
 */
enum netstring_state netstring_parse(struct span input, size_t max,
    struct span *octets, size_t *used);

/* What stands around the octets, at most. */
#define NETSTRING_HEAD_MAX 21 /* digits of a size_t, and the colon */
#define NETSTRING_AROUND (NETSTRING_HEAD_MAX + 1)

/* Writes "LENGTH:", without a NUL, and returns how many octets that are. */
size_t netstring_head(char out[NETSTRING_HEAD_MAX], size_t len);

#endif
