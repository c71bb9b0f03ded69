/* SPDX-License-Identifier: ISC */
/*
 * What is said to a server to hand mail over, on a session that is ready (RFC
 * 5321 3.3): MAIL, RCPT, DATA, the message, its final dot, RSET. One thing at a
 * time; the server must be silent before each, and its replies must be of a
 * class that the command can have, or the session is of no use any more.
 *
 * The functions keep nothing: all stands in the session, which is cancelled
 * (struct smtp_port) to end whatever waits.
 */
#ifndef STRICTMX_COMMON_SMTP_TRANSACTION_H
#define STRICTMX_COMMON_SMTP_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtp_reply;
struct smtp_session;

/* What the server has offered after the last EHLO. */
struct smtp_offers {
	bool smtputf8, eight_bit_mime, size;
};

/* Borrowed for the time of the call. */
struct smtp_said {
	/* The server's: as wanted, or 4xx, 5xx. NULL when there is none. */
	const struct smtp_reply *reply;
	/*
	 * The session is of no use any more, and is to be cancelled: there was
	 * no reply, or it was 421. "" else. Follows the host's name: "closed
	 * the connection".
	 */
	const char *unfit;
};

/*
 * Each function below that takes one begins one wait: done runs once, from the
 * loop, never before the call returned, and may cancel the session or begin the
 * next wait.
 */
typedef void smtp_said_fn(const struct smtp_said *said, void *arg);

struct smtp_mail {
	const char *from; /* without brackets; "" for <> */
	bool smtputf8;	  /* wanted; see smtp_transaction_offers() */
	bool eight_bit_mime;
	bool has_size;
	uint64_t size;
};

const struct smtp_offers *smtp_transaction_offers(struct smtp_session *s);

/*
 * What a server that does not offer SMTPUTF8 would say if it knew better (RFC
 * 6531 3.1.1), for mail that needs it.
 */
void smtp_transaction_refuse_smtputf8(struct smtp_reply *out);

/* BODY and SIZE are said to servers that offer them, else left out. */
void smtp_transaction_mail(struct smtp_session *s, const struct smtp_mail *mail,
    unsigned limit_ms, smtp_said_fn *done, void *arg);
void smtp_transaction_rcpt(struct smtp_session *s, const char *to,
    unsigned limit_ms, smtp_said_fn *done, void *arg);
void smtp_transaction_data(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg);

/*
 * Octets of the message, as they are to be sent: with dots doubled. False when
 * the session is of no use any more: see smtp_transaction_unfit().
 */
bool smtp_transaction_write(struct smtp_session *s, const char *p, size_t len);

/*
 * So much is written and not sent that no more is to come for now. done tells
 * of room (neither reply nor unfit).
 */
bool smtp_transaction_is_full(struct smtp_session *s);
void smtp_transaction_wait_room(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg);

/*
 * The final dot. Without a reply nobody knows whether the server has the
 * message, unless smtp_transaction_unfit() told before that it cannot.
 */
void smtp_transaction_end(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg);

void smtp_transaction_reset(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg);

/*
 * NULL when the server is there and silent, as it has to be before the next
 * command and while the session is kept; else what follows the host's name.
 */
const char *smtp_transaction_unfit(struct smtp_session *s);

#endif
