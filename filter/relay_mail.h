/* SPDX-License-Identifier: ISC */
/*
 * One mail on its way through the relay: from the first RCPT, which opens a
 * session with a server that may have it, to the server's answer to the final
 * dot. Its recipients are of one domain. It says what is to be answered to each
 * command, and never that something was taken which the server behind has not
 * taken.
 */
#ifndef STRICTMX_FILTER_RELAY_MAIL_H
#define STRICTMX_FILTER_RELAY_MAIL_H

#include <stdbool.h>

#include "common/address.h"
#include "proto/span.h"

struct relay;
struct relay_mail;
struct smtp_command;

/* Who hands the mail over; borrowed for the time of a call. */
struct relay_sender {
	const char *helo;
	bool esmtp; /* said EHLO */
	struct address peer;
};

/*
 * What is to be answered, borrowed for the time of the call; with line ends
 * where it has several lines, else without. NULL: there is room for more of
 * the message. Runs once for each call below that announces it, from the loop.
 */
typedef void relay_told_fn(const char *answer, void *arg);

/* mail: the command MAIL, without a refusal. NULL without memory. */
struct relay_mail *relay_mail_new(struct relay *relay,
    const struct smtp_command *mail, const struct relay_sender *sender,
    relay_told_fn *told, void *arg);

/*
 * The mail server has said RSET or QUIT, is gone, or the mail has had its last
 * answer. A session with a server that can be used again is kept; a message
 * that is not whole is never ended with a dot. Where the server behind still
 * owes the answer to the dot, it is waited for, for the log. Clears the
 * pointer; told will not run. Safe on NULL.
 */
void relay_mail_end(struct relay_mail **mail);

/* What is to be answered now, or NULL: told will say. */
const char *relay_mail_rcpt(struct relay_mail *mail,
    const struct smtp_command *rcpt);

/* The same. An answer that begins with 354 asks for the message. */
const char *relay_mail_data(struct relay_mail *mail);

enum relay_take {
	RELAY_TAKE_MORE, /* all was taken; more is to come */
	RELAY_TAKE_ROOM, /* told will say when there is room for the rest */
	RELAY_TAKE_END,	 /* the message is whole; *answer, or told will say */
};

/* Takes of the message from the front of *input. */
enum relay_take relay_mail_take(struct relay_mail *mail, struct span *input,
    const char **answer);

/* All mails there are; when the relay ends. */
void relay_mail_cut_all(struct relay *relay);

#endif
