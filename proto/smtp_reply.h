/* SPDX-License-Identifier: ISC */
/*
 * Replies of an SMTP server (RFC 5321 4.2), read line by line: three digits, a
 * "-" on all lines but the last, the same code on each. Bounded in lines and
 * octets by the caller's reader and by SMTP_REPLY_MAX.
 */
#ifndef STRICTMX_PROTO_SMTP_REPLY_H
#define STRICTMX_PROTO_SMTP_REPLY_H

#include <stdbool.h>

#include "proto/span.h"

/* Octets of one whole reply, line ends (two octets each) included. */
#define SMTP_REPLY_MAX 16384
#define SMTP_REPLY_TEXT_MAX 512
#define SMTP_REPLY_WHOLE_MAX 2048

enum smtp_reply_state {
	SMTP_REPLY_MORE, /* wants the next line */
	SMTP_REPLY_DONE,
	SMTP_REPLY_BAD, /* no reply at all; why says more */
};

struct smtp_reply {
	enum smtp_reply_state state;
	unsigned code;	      /* 200 to 599; 0 before the first line */
	size_t octets, lines; /* taken so far */
	const char *why;      /* static text when BAD */
	char text[SMTP_REPLY_TEXT_MAX]; /* of the last line, printable ASCII,
					   other octets as '?', cut to fit */
	/* The same of all lines, with a LF between two; cut to fit. */
	char whole[SMTP_REPLY_WHOLE_MAX + 1];
	size_t whole_len;
	/*
	 * For the reply to EHLO (250): which extensions were named on the lines
	 * after the first, which is the greeting.
	 */
	bool starttls, pipelining, smtputf8, eightbitmime, size;
};

/* Begins a new reply. */
void smtp_reply_init(struct smtp_reply *reply);

/*
 * Takes the next line, without its line end, and returns reply->state. After
 * DONE or BAD no line may follow before smtp_reply_init().
 */
enum smtp_reply_state smtp_reply_line(struct smtp_reply *reply,
    struct span line);

#endif
