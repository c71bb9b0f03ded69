/* SPDX-License-Identifier: ISC */
/*
 * A connection to an SMTP server: commands go out, whole replies come in, each
 * wait has its limit, and TLS begins when told to. What is said, and what a
 * reply means, is for the session (smtp_client.h).
 */
#ifndef STRICTMX_COMMON_SMTP_WIRE_H
#define STRICTMX_COMMON_SMTP_WIRE_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/smtp_reply.h"

struct address;
struct bufferevent;
struct event;
struct event_base;

/* What became of a wait. */
enum smtp_wire_event {
	SMTP_WIRE_OPEN,	  /* connected, or the handshake is finished */
	SMTP_WIRE_REPLY,  /* wire->reply holds it */
	SMTP_WIRE_ROOM,	  /* most of what was written has gone out */
	SMTP_WIRE_CLOSED, /* by the server */
	SMTP_WIRE_FAILED, /* wire->why says how */
	SMTP_WIRE_LATE,	  /* the limit has passed */
};

enum smtp_wire_wait {
	SMTP_WIRE_WAITS_NOT,
	SMTP_WIRE_WAITS_OPEN,
	SMTP_WIRE_WAITS_REPLY,
	SMTP_WIRE_WAITS_ROOM,
};

typedef void smtp_wire_fn(enum smtp_wire_event event, void *arg);

struct smtp_wire {
	/* For the owner to read */
	struct smtp_reply reply;
	const char *why;
	SSL *ssl; /* NULL in clear */

	/* Its own */
	struct event_base *base;
	smtp_wire_fn *happened;
	void *arg;
	struct event *limit;
	struct bufferevent *bev; /* NULL before connect; a new one for TLS */
	enum smtp_wire_wait waits;
	bool broken; /* ended while nothing was waited for */
	bool cut;    /* by the server, without a word */
};

/* To be cleaned up even when it failed; false without memory. */
bool smtp_wire_init(struct smtp_wire *wire, struct event_base *base,
    smtp_wire_fn *happened, void *arg);

/* Cuts the connection. Safe after init, and on zeroes. */
void smtp_wire_cleanup(struct smtp_wire *wire);

/*
 * Each of these begins a wait and is false without memory or, for connect,
 * when the system refuses it (errno). happened() then runs once, from the
 * loop, and may clean up the wire or begin the next wait.
 */
bool smtp_wire_connect(struct smtp_wire *wire, const struct address *address,
    uint16_t port, unsigned limit_ms);
bool smtp_wire_wait_reply(struct smtp_wire *wire, unsigned limit_ms);
bool smtp_wire_command(struct smtp_wire *wire, const char *verb,
    const char *argument, unsigned limit_ms);

/* For the server to take what was written; limit_ms is for that much of it. */
bool smtp_wire_wait_room(struct smtp_wire *wire, unsigned limit_ms);

/*
 * Octets as they are; false without memory. When smtp_wire_is_full(), the
 * server is behind with its reading: then wait for room.
 */
bool smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len);
bool smtp_wire_is_full(const struct smtp_wire *wire);

/*
 * The handshake, on a bufferevent of its own: no byte that came in clear can
 * be read as one that came under TLS (the fault of CVE-2011-0411); what the
 * kernel still holds goes to OpenSSL and fails there. Takes ssl over.
 */
bool smtp_wire_start_tls(struct smtp_wire *wire, SSL *ssl, unsigned limit_ms);

/*
 * NULL when the server is there and has said nothing since its last reply;
 * else static text. To be asked before each command.
 */
const char *smtp_wire_unfit(const struct smtp_wire *wire);

/* Tells the server that TLS ends here, before the connection is cut. */
void smtp_wire_close_tls(struct smtp_wire *wire);

#endif
