/* SPDX-License-Identifier: ISC */
/*
 * An SMTP server for tests, on the loop of the test itself. It says what its
 * script says, well or badly, and writes down what it hears:
 *
 *	+ connected   E EHLO   S STARTTLS   h first octets of a handshake
 *	T handshake finished   Q QUIT   . closed   ! cut or failed
 */
#ifndef STRICTMX_TESTS_SMTP_SINK_H
#define STRICTMX_TESTS_SMTP_SINK_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct smtp_sink;

/* In place of a text; NULL is silence. */
extern const char sink_closes[];
extern const char sink_resets[];

/* What is said at each step, octet by octet as it stands. */
struct smtp_sink_script {
	const char *greeting;
	const char *ehlo;
	const char *starttls; /* a 220 begins the handshake */
	const char *ehlo_tls;
	const char *quit;
	SSL_CTX *ctx;
	/* Instead of the handshake: after the first octets of the client's,
	   says this; sink_closes does not wait for them. */
	bool no_handshake;
	const char *instead;
	bool drips; /* octet by octet, with drip_ms between two */
	unsigned drip_ms;
};

/* Listens on a port of the system's choice. NULL when address is not there. */
struct smtp_sink *smtp_sink_new(struct event_base *base, const char *address,
    const struct smtp_sink_script *script);
void smtp_sink_free(struct smtp_sink *sink);

uint16_t smtp_sink_port(const struct smtp_sink *sink);
const char *smtp_sink_log(const struct smtp_sink *sink);
const char *smtp_sink_sni(const struct smtp_sink *sink);  /* "": none */
const char *smtp_sink_ehlo(const struct smtp_sink *sink); /* last argument */

#endif
