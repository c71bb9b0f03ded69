/* SPDX-License-Identifier: ISC */
/*
 * One SMTP session to one address of one MX host, up to the point where mail
 * could be sent: greeting, EHLO, STARTTLS, handshake, judgement of the
 * certificate, EHLO again. The prober ends it there with QUIT, the relay goes
 * on with MAIL. OpenSSL on libevent's bufferevents.
 *
 * Plain text that follows the 220 to STARTTLS ends the session (nothing that
 * was said in clear is believed after the handshake). STARTTLS is used wherever
 * it is offered; only a target that asks for no proof goes on without it when
 * it is not, or is refused. A handshake that fails always ends the session.
 *
 * The certificate is judged whatever was asked for: a session that is ready
 * without PROOF_PKIX has, under TLS, the reason in result, certificate_bad and
 * why of its struct smtp_result.
 */
#ifndef STRICTMX_COMMON_SMTP_CLIENT_H
#define STRICTMX_COMMON_SMTP_CLIENT_H

#include "common/ports.h"

struct event_base;
struct smtp_dialer;
struct tls_verify;

/*
 * What all sessions share. verify is borrowed and outlives the dialer. NULL
 * without memory.
 */
struct smtp_dialer *smtp_dialer_new(struct event_base *base,
    const struct tls_verify *verify);

/* How long to wait for what; limits.h has the values that hold unless set. */
struct smtp_limits {
	unsigned connect_ms;
	unsigned tls_ms;     /* the handshake */
	unsigned command_ms; /* each reply, the greeting too */
	unsigned quit_ms;    /* the reply to QUIT */
};

/* For sessions that start from now on. */
void smtp_dialer_set_limits(struct smtp_dialer *dialer,
    const struct smtp_limits *limits);

/*
 * Running sessions end without a callback, those that say QUIT are cut. Not
 * from a callback. Safe on NULL.
 */
void smtp_dialer_free(struct smtp_dialer *dialer);

/* As the engine takes it: see struct smtp_port. */
struct smtp_port smtp_dialer_port(struct smtp_dialer *dialer);

#endif
