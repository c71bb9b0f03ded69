/* SPDX-License-Identifier: ISC */
/*
 * What a mail server says to the relay, line by line (RFC 5321 4.1): the verb,
 * its argument, and the parameters of MAIL that the relay offers: SIZE (RFC
 * 1870), BODY (RFC 6152) and SMTPUTF8 (RFC 6531). Whatever else comes has its
 * refusal here, ready to be sent.
 */
#ifndef STRICTMX_PROTO_SMTP_COMMAND_H
#define STRICTMX_PROTO_SMTP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

/*
 * Octets of a mailbox, without its brackets. RFC 5321 4.5.3.1.3 has 256 for
 * all of a path; RFC 6531 lets characters take more than one.
 */
#define SMTP_PATH_MAX 512
#define SMTP_PATH_SIZE (SMTP_PATH_MAX + 1)

enum smtp_verb {
	SMTP_VERB_UNKNOWN,
	SMTP_VERB_EHLO,
	SMTP_VERB_HELO,
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_VRFY,
	SMTP_VERB_QUIT,
};

enum smtp_body_type {
	SMTP_BODY_UNSAID,
	SMTP_BODY_7BIT,
	SMTP_BODY_8BITMIME,
};

struct smtp_command {
	enum smtp_verb verb;
	/* Static: the whole reply, without its line end, to a line that cannot
	   be followed; NULL when it can. */
	const char *refusal;
	/*
	 * Borrowed from the line. EHLO, HELO: the name, which holds no control
	 * character and no blank. MAIL, RCPT: the mailbox, without brackets and
	 * without a source route (RFC 5321 F.2); empty for "<>".
	 */
	struct span argument;
	bool is_utf8; /* MAIL, RCPT: the mailbox is not all ASCII */
	/* Of MAIL */
	bool smtputf8;
	bool has_size;
	uint64_t size;
	enum smtp_body_type body;
};

/* Takes a line without its line end. */
void smtp_command_parse(struct span line, struct smtp_command *out);

#endif
