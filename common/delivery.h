/* SPDX-License-Identifier: ISC */
/*
 * Finding the session that may carry a message, at the delivery gate: the
 * verdict on the destination, the walk along its MX hosts, and, before a
 * refusal under an enforced policy, a fresh look at the record; a new policy
 * has the walk begin anew, once (RFC 8461 5.1). A policy's failure is never
 * permanent here. That no MX host is listed is an outcome (common/outcome) as
 * if there had been a session.
 */
#ifndef STRICTMX_COMMON_DELIVERY_H
#define STRICTMX_COMMON_DELIVERY_H

#include "common/mx_walk.h"
#include "common/verdict.h"

struct delivery;
struct engine;
struct session_pool;

/* All borrowed; domain only for the time of the call. */
struct delivery_opts {
	struct engine *engine;
	const struct ports *ports;
	const struct config *config;
	const char *domain;	/* of the recipient, folded */
	struct address literal; /* family not 0: its address, without a domain;
				   with a smart host neither counts */
	bool is_report; /* of TLS failures (RFC 8460 5.3): goes out in spite of
			   the policy, and its sessions are not counted */
	/*
	 * Said to the host that is to have the mail; NULL: no MAIL is said.
	 * Only the struct is copied.
	 */
	const struct smtp_mail *mail;
	struct session_pool *pool; /* of sessions to use again; NULL: none */
};

/* Borrowed for the time of the call, but the session. */
struct delivery_result {
	const struct mx_walk_found *found; /* NULL: refused */
	const struct verdict *verdict;	   /* NULL: there was none */
	bool permanent; /* refused: no mail can ever go there */
	/* Refused: one line with reply code and enhanced status. */
	const char *reason;
};

typedef void delivery_done_fn(const struct delivery_result *result, void *arg);

/*
 * done runs once, within LIMIT_DELIVERY_MS, never before this call returned;
 * the delivery is spent then. NULL without memory.
 */
struct delivery *delivery_start(const struct delivery_opts *opts,
    delivery_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void delivery_cancel(struct delivery **delivery);

#endif
