/* SPDX-License-Identifier: ISC */
/*
 * A session with an MX host, once it is had: whom it is with, for which domain,
 * and what it has shown under which policy; so that it can be told whether the
 * next mail may go over it, and so that a log line can be written.
 */
#ifndef STRICTMX_COMMON_UPSTREAM_H
#define STRICTMX_COMMON_UPSTREAM_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "common/ports.h"
#include "common/verdict.h"

struct mx_walk_found;
struct session_pool;
struct tlsa_set;

#define UPSTREAM_WHY_SIZE 81 /* as much as staging shows of it */

struct upstream {
	struct smtp_port port;	      /* who gave the session */
	struct smtp_session *session; /* owned; NULL when it was taken out */
	char domain[DOMAIN_SIZE];     /* as the verdict has it */
	char mx[DOMAIN_SIZE];
	struct address address;
	unsigned proofs;
	struct tlsa_set *tlsa; /* held; by which PROOF_DANE was shown */
	char tls_version[16];
	enum result_type minded; /* as it was found, see mx_walk_found */
	char minded_why[UPSTREAM_WHY_SIZE];
	unsigned n_messages; /* that it has had, or been asked to have */
	int64_t since_ms;    /* monotonic: when it became ready */
	/* The policy that it was chosen by */
	enum verdict_source source;
	bool enforced;
	char policy_id[STS_ID_SIZE];
	/* Of the pool */
	TAILQ_ENTRY(upstream) entry;
	struct session_pool *pool;
	struct clock_timer *idle;
};

/*
 * Takes over the session of found, which is cancelled when there is no memory:
 * NULL then.
 */
struct upstream *upstream_new(const struct smtp_port *port,
    const struct mx_walk_found *found, const struct verdict *verdict);

/* Would the verdict have this host, and has the session shown all it asks? */
bool upstream_satisfies(const struct upstream *upstream,
    const struct verdict *verdict);

/* Ends the session with QUIT, or cuts it. Clear the pointer; safe on NULL. */
void upstream_quit(struct upstream **upstream);
void upstream_cut(struct upstream **upstream);

#endif
