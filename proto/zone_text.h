/* SPDX-License-Identifier: ISC */
/*
 * The text of a TXT record as zone files and DNS tools write it (RFC 1035
 * 5.1): '"v=STSv1; " "id=1;"'.
 */
#ifndef STRICTMX_PROTO_ZONE_TEXT_H
#define STRICTMX_PROTO_ZONE_TEXT_H

#include "proto/span.h"

/*
 * Joins the character-strings of a record. When text begins with a quote, it is
 * read as in a zone file: strings in quotes or without, blanks and parentheses
 * between them, and from a ";" outside of quotes on a comment. Else the whole
 * text is one string, so that a record can be given as it is. "\DDD" is the
 * octet of that number, "\" and another character that character.
 *
 * out has room for text.len octets. NULL, or static text that says what is
 * wrong; *len octets have been written then as well: those before the fault.
 */
const char *zone_text_join(struct span text, char *out, size_t *len);

#endif
