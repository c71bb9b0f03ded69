/* SPDX-License-Identifier: ISC */
/*
 * One SMTP session, and what the sessions of a dialer share. Only for
 * smtp_client.c and smtp_session.c; the contract stands in ports.h.
 */
#ifndef STRICTMX_COMMON_SMTP_SESSION_H
#define STRICTMX_COMMON_SMTP_SESSION_H

#include <sys/queue.h>

#include "common/ports.h"
#include "common/smtp_client.h"
#include "common/smtp_wire.h"

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

/* Says QUIT when it is ready, then ends; a session before that is cut. */
void smtp_session_quit(struct smtp_session *s);

/* Cuts the connection. No callback runs. */
void smtp_session_free(struct smtp_session *s);

#endif
