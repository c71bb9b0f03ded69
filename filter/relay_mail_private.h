/* SPDX-License-Identifier: ISC */
/* A mail on its way; only for relay_mail.c and relay_message.c. */
#ifndef STRICTMX_FILTER_RELAY_MAIL_PRIVATE_H
#define STRICTMX_FILTER_RELAY_MAIL_PRIVATE_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/delivery.h"
#include "common/relay_counts.h"
#include "common/smtp_transaction.h"
#include "common/upstream.h"
#include "filter/relay_mail.h"
#include "filter/relay_private.h"
#include "filter/relay_received.h"
#include "proto/smtp_body.h"
#include "proto/smtp_command.h"

struct relay_mail {
	struct relay *relay;
	struct relay_backend backend;
	LIST_ENTRY(relay_mail) entry;
	relay_told_fn *told; /* NULL when nobody listens any more */
	void *arg;
	uint64_t id;
	char from[SMTP_PATH_SIZE];
	struct smtp_mail mail;
	char received[RELAY_RECEIVED_SIZE]; /* the line to be added */

	/* Of the destination */
	char domain[DOMAIN_SIZE]; /* "": none yet */
	struct address literal;
	int64_t started_ms;
	struct delivery *delivery;
	struct upstream *upstream;
	bool waits;    /* the server behind owes an answer */
	char *refusal; /* for every recipient; NULL: none; may be no_memory */
	char rcpt[SMTP_PATH_SIZE]; /* the last one */
	unsigned n_rcpts, n_accepted;

	struct smtp_body body;
	bool in_message; /* between 354 and the final dot */
	bool traced;	 /* the Received line is on its way */
	bool dot_said;
	char failure[512];	  /* "": the message goes through */
	struct clock_timer *late; /* the answer to the dot */

	/* For the log */
	enum relay_outcome outcome;
	enum verdict_source source;
	enum sts_mode mode;
	bool was_reused;
	char mx[DOMAIN_SIZE];
	struct address address;
	char tls_version[16];
	unsigned proofs;
	char reply[RELAY_COUNTS_REPLY];
};

/* How the mail has ended as far as is known, and in which words. */
void relay_mail_note(struct relay_mail *m, enum relay_outcome outcome,
    const char *reply);

/* The one line that is left of it, and the place where it is counted. */
void relay_mail_log(const struct relay_mail *m);

/* The answer that told announces. The mail may be gone after that. */
void relay_mail_tell(struct relay_mail *m, const char *answer);

/*
 * The session is wanted no more, and is kept if it can be; or it is of no use
 * any more, which every further recipient is told: that answer is returned.
 */
void relay_mail_release(struct relay_mail *m, bool in_transaction);
const char *relay_mail_lose(struct relay_mail *m, const struct smtp_said *said);

void relay_mail_free(struct relay_mail *m);

#endif
