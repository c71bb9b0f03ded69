/* SPDX-License-Identifier: ISC */
/*
 * One SMTP session, and what the sessions of a dialer share. Only for
 * smtp_client.c, smtp_session.c and smtp_transaction.c; the contract stands in
 * ports.h.
 */
#ifndef STRICTMX_COMMON_SMTP_SESSION_H
#define STRICTMX_COMMON_SMTP_SESSION_H

#include <sys/queue.h>

#include "common/ports.h"
#include "common/smtp_client.h"
#include "common/smtp_transaction.h"
#include "common/smtp_wire.h"

/*
 * What is said to the server of a session that is ready, a command at a time.
 * The session's own, and it tells what becomes of the wire.
 */
struct smtp_dialog {
	struct smtp_wire *wire;
	struct smtp_offers offers; /* in the last answer to EHLO */
	struct event *later;	   /* runs smtp_dialog_later() when activated */
	smtp_said_fn *done;	   /* NULL when nobody waits */
	void *arg;
	unsigned wanted; /* the class of a reply that is good news */
	char why[160];	 /* what has gone wrong */
};

void smtp_dialog_happened(struct smtp_dialog *dialog,
    enum smtp_wire_event event);
void smtp_dialog_later(struct smtp_dialog *dialog);

struct smtp_dialer {
	struct event_base *base;
	const struct tls_verify *verify;
	struct smtp_limits limits;
	size_t n_sessions;
	TAILQ_HEAD(, smtp_session) sessions;
};

/* Begins a session and puts it into the list. NULL without memory. */
struct smtp_session *smtp_session_new(struct smtp_dialer *dialer,
    const struct smtp_target *target, smtp_ready_fn *ready, void *arg);

struct smtp_dialog *smtp_session_dialog(struct smtp_session *s);

/* Says QUIT when it is ready, then ends; a session before that is cut. */
void smtp_session_quit(struct smtp_session *s);

/* Cuts the connection. No callback runs. */
void smtp_session_free(struct smtp_session *s);

#endif
