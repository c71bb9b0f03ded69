/* SPDX-License-Identifier: ISC */
/*
 * The message behind DATA, as it passes through the relay (RFC 5321 4.1.1.4,
 * 4.5.2). Only CR LF "." CR LF ends it, whatever else looks like an end to
 * somebody: a CR or LF that stands alone becomes one blank, so that no server
 * behind can see a line end, or an end of the message, that was none here
 * (known as SMTP smuggling). Dots, long lines and 8-bit octets stay as they
 * are.
 */
#ifndef STRICTMX_PROTO_SMTP_BODY_H
#define STRICTMX_PROTO_SMTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

enum smtp_body_state {
	SMTP_BODY_LINE_START,
	SMTP_BODY_IN_LINE,
	SMTP_BODY_CR,	  /* seen, and held back */
	SMTP_BODY_DOT,	  /* at the start of a line, held back */
	SMTP_BODY_DOT_CR, /* both held back */
	SMTP_BODY_END,
};

/* So much is held back at most. */
#define SMTP_BODY_HELD 2

struct smtp_body {
	enum smtp_body_state state;
	uint64_t octets;   /* given out so far */
	unsigned received; /* lines "Received:" in the header */
	bool eight_bit;	   /* an octet above 127 was in it */
	bool repaired;	   /* a CR or LF that stood alone was */
	/* Its own */
	bool past_header;
	bool line_is_empty;
	size_t matched; /* of "received:", at the start of this line */
};

void smtp_body_init(struct smtp_body *body);

/*
 * Takes octets from the front of *input, which must not be at the END yet, and
 * writes what is to be sent on to out: at most SMTP_BODY_HELD more than were
 * taken, and never more than size, which is above SMTP_BODY_HELD. Returns how
 * many were written. All of *input is taken unless out is full or the end of
 * the message was found: its "." and CR LF are taken and not written, and what
 * follows is left in *input.
 */
size_t smtp_body_take(struct smtp_body *body, struct span *input, char *out,
    size_t size);

#endif
