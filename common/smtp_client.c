/* SPDX-License-Identifier: ISC */
/*
 * The dialer: what all SMTP sessions share, and the port through which they
 * are had: see smtp_client.h. The sessions themselves are in smtp_session.c.
 */
#include "common/smtp_client.h"

#include <stdlib.h>

#include "common/limits.h"
#include "common/smtp_session.h"

static struct smtp_session *
smtp_start(void *self, const struct smtp_target *target, smtp_ready_fn *ready,
    void *arg)
{
	struct smtp_dialer *dialer = self;

	if (dialer->n_sessions >= LIMIT_SMTP_SESSIONS)
		return NULL;
	return smtp_session_new(dialer, target, ready, arg);
}

static void
smtp_quit(void *self, struct smtp_session **session)
{
	struct smtp_session *s = *session;

	(void)self;
	*session = NULL;
	if (s != NULL)
		smtp_session_quit(s);
}

static void
smtp_cancel(void *self, struct smtp_session **session)
{
	struct smtp_session *s = *session;

	(void)self;
	*session = NULL;
	if (s != NULL)
		smtp_session_free(s);
}

struct smtp_port
smtp_dialer_port(struct smtp_dialer *dialer)
{
	return (struct smtp_port){ .self = dialer,
		.start = smtp_start,
		.quit = smtp_quit,
		.cancel = smtp_cancel };
}

struct smtp_dialer *
smtp_dialer_new(struct event_base *base, const struct tls_verify *verify)
{
	struct smtp_dialer *dialer = calloc(1, sizeof(*dialer));

	if (dialer == NULL)
		return NULL;
	dialer->base = base;
	dialer->verify = verify;
	dialer->limits =
	    (struct smtp_limits){ .connect_ms = LIMIT_SMTP_CONNECT_MS,
		    .tls_ms = LIMIT_SMTP_TLS_MS,
		    .command_ms = LIMIT_SMTP_COMMAND_MS,
		    .quit_ms = LIMIT_SMTP_QUIT_MS };
	TAILQ_INIT(&dialer->sessions);
	return dialer;
}

void
smtp_dialer_set_limits(struct smtp_dialer *dialer,
    const struct smtp_limits *limits)
{
	dialer->limits = *limits;
}

void
smtp_dialer_free(struct smtp_dialer *dialer)
{
	if (dialer == NULL)
		return;
	while (!TAILQ_EMPTY(&dialer->sessions))
		smtp_session_free(TAILQ_FIRST(&dialer->sessions));
	free(dialer);
}
