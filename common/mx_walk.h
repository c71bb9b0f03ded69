/* SPDX-License-Identifier: ISC */
/*
 * The walk along the MX hosts at delivery: by preference, equal ones in random
 * order (RFC 5321 5.1), each host's addresses in turn, until one session may
 * carry the mail. Under an enforced policy only the hosts that it lists, with
 * the proofs that it asks for (RFC 8461 5); else every host, TLS where it is
 * offered, verified or not, and clear text on a new connection when the
 * handshake fails.
 *
 * Who has mail to hand over has the walk say MAIL to each host: one that
 * refuses it for now, or breaks the session, is passed over for the next. A
 * host of the MX set that is this host is left out, and with it all of the same
 * or a higher preference (RFC 5321 5.1).
 *
 * One record goes to common/outcome for each session; under a policy in mode
 * testing it says what enforcing would have minded.
 */
#ifndef STRICTMX_COMMON_MX_WALK_H
#define STRICTMX_COMMON_MX_WALK_H

#include "common/ports.h"

struct config;
struct mx_walk;
struct smtp_mail;
struct smtp_reply;
struct verdict;

/* The session that may carry the mail. */
struct mx_walk_found {
	struct smtp_session *session; /* the caller's now */
	const char *mx;
	struct address address; /* that the session is with */
	const struct smtp_result *result;
	/* MAIL was refused for good, in these words; NULL: it was not. */
	const struct smtp_reply *refusal;
	unsigned n_messages; /* that the session has had before */
	int64_t since_ms;    /* monotonic: when it became ready */
	/* What a policy in a testing mode minds in it; NONE: nothing. */
	enum result_type minded;
};

/* found: borrowed for the time of the call; NULL: no host would do. */
typedef void mx_walk_done_fn(const struct mx_walk_found *found, void *arg);

struct mx_walk_opts {
	const struct ports *ports;
	const struct config *config;
	int64_t ends_ms; /* monotonic: no session goes on after that */
	bool uncounted;	 /* no outcome records */
	const struct smtp_mail *mail; /* NULL: MAIL is not said */
};

/*
 * verdict is borrowed until the end: its facts.mx[].probe and loops take what
 * the walk finds, for verdict_decide_refused(). opts is copied, what it points
 * to is borrowed. done runs once, never before this call returned; the walk is
 * spent then. NULL without memory.
 */
struct mx_walk *mx_walk_start(const struct mx_walk_opts *opts,
    struct verdict *verdict, mx_walk_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void mx_walk_cancel(struct mx_walk **walk);

#endif
