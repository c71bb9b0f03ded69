/* SPDX-License-Identifier: ISC */
/*
 * The relay: SMTP on loopback for this host's mail server, which hands its
 * outgoing mail to it and keeps queue, retries and bounces. For each mail the
 * relay finds the MX hosts, has the session show what the domain's policy asks
 * for, and passes the dialogue through. It keeps no mail: nothing is said to be
 * taken before the server behind has said so.
 *
 *	relay_listener   where it listens, whom it serves
 *	relay_session    one connection: commands, replies
 *	relay_mail       one mail on its way: verdict, session, DATA, answer
 */
#ifndef STRICTMX_FILTER_RELAY_H
#define STRICTMX_FILTER_RELAY_H

#include <stdbool.h>
#include <stddef.h>

struct address;
struct clock;
struct config;
struct engine;
struct event_base;
struct ports;
struct relay;

/*
 * What the relay works with. All is borrowed, and stays as long as *users,
 * which the relay counts up and down, is not 0.
 */
struct relay_backend {
	struct engine *engine;
	const struct ports *ports;
	const struct config *config;
	size_t *users;
};

/* How long to wait for what; limits.h has the values that hold unless set. */
struct relay_times {
	unsigned setup_ms;   /* first RCPT: up to its answer */
	unsigned command_ms; /* each later answer of the server behind */
	unsigned room_ms;    /* for it to take some of the message */
	unsigned dot_ms;     /* its answer to the final dot */
	unsigned late_ms;    /* the same, for the log only */
	unsigned mta_ms;     /* a silent mail server */
};

/* NULL without memory. base and clock are borrowed. */
struct relay *relay_new(struct event_base *base, struct clock *clock,
    const struct relay_backend *backend);

/* Cuts everything. Safe on NULL. */
void relay_free(struct relay *relay);

/* For mail that begins from now on; sessions that are kept end. */
void relay_use(struct relay *relay, const struct relay_backend *backend);
void relay_set_times(struct relay *relay, const struct relay_times *times);

/*
 * Listens where the configuration says; once. False, with a line in the log,
 * when that is not possible.
 */
bool relay_listen(struct relay *relay);

/*
 * Serves a connected socket, which is the relay's from now on: it is closed
 * when the peer is not to be served, or without memory.
 */
void relay_serve(struct relay *relay, int fd, const struct address *peer);

#endif
