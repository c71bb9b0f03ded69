/* SPDX-License-Identifier: ISC */
/*
 * An SMTP server for tests, on the loop of the test itself. It says what its
 * script says, well or badly, and writes down what it hears:
 *
 *	+ connected   E EHLO   S STARTTLS   h first octets of a handshake
 *	T handshake finished   Q QUIT   . closed   ! cut or failed
 *	M MAIL   R RCPT   D DATA   d final dot   Z RSET
 */
#ifndef STRICTMX_TESTS_SMTP_SINK_H
#define STRICTMX_TESTS_SMTP_SINK_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct smtp_sink;

/* In place of a text; NULL is silence. */
extern const char sink_silent[]; /* where NULL is something else */
extern const char sink_closes[];
extern const char sink_resets[];

/* What is said at each step, octet by octet as it stands. */
struct smtp_sink_script {
	const char *greeting;
	const char *ehlo;
	const char *starttls; /* a 220 begins the handshake */
	const char *ehlo_tls;
	const char *mail, *rcpt, *data, *dot, *rset;
	const char *quit;
	/* Asked first when a command has come, or "." behind a message: what
	   to say, or NULL for the texts above. NULL: nobody is. */
	const char *(*speaks)(const char *line, void *arg);
	void *arg;
	bool reads_slowly; /* does not read the message until told to */
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
const char *smtp_sink_mail(const struct smtp_sink *sink); /* last line */

/* The last message, as it came on the wire, up to the dot; its first 64 KiB. */
const char *smtp_sink_message(const struct smtp_sink *sink);
size_t smtp_sink_octets(const struct smtp_sink *sink); /* of all of it */

/* Says something out of turn, to all; ends them; lets them read. */
void smtp_sink_say(struct smtp_sink *sink, const char *text);
void smtp_sink_cut(struct smtp_sink *sink);
void smtp_sink_read(struct smtp_sink *sink);

#endif
