/* SPDX-License-Identifier: ISC */
/*
 * What the relay of this process has done since it started, in numbers: of all
 * mails, and of the domains that had one lately. A mail is counted once, when
 * it has ended, at the place that writes its line in the log. Like the log, one
 * for the process.
 */
#ifndef STRICTMX_COMMON_RELAY_COUNTS_H
#define STRICTMX_COMMON_RELAY_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/domain.h"

/* How a mail ended. */
enum relay_outcome {
	RELAY_ABANDONED,     /* by the mail server, before any answer */
	RELAY_DELIVERED,     /* the server behind has said so */
	RELAY_DEFERRED,	     /* it, or nobody, takes it now */
	RELAY_REFUSED,	     /* the server behind does not take it */
	RELAY_HELD,	     /* no server shows what the policy asks for */
	RELAY_UNDELIVERABLE, /* there is nobody to take it */
	RELAY_LIMITED,	     /* the relay has no place */
	RELAY_BROKEN,	     /* the session broke before the final dot */
	RELAY_UNSURE,	     /* no answer to the final dot: maybe twice */
};

#define RELAY_OUTCOMES (RELAY_UNSURE + 1)

/* "delivered", as the log has it. */
const char *relay_outcome_name(enum relay_outcome outcome);

#define RELAY_COUNTS_REPLY 200 /* octets of an answer that are kept */

/* All borrowed for the time of the call. */
struct relay_ended {
	const char *domain;
	enum relay_outcome outcome;
	const char *mx;	   /* "": none */
	const char *reply; /* what was answered last, one line */
	bool had_session, was_reused;
	uint64_t octets; /* of the message */
	int64_t wall_s;	 /* now */
};

void relay_counts_add(const struct relay_ended *ended);

struct relay_counts {
	uint64_t mails[RELAY_OUTCOMES];
	uint64_t sessions;	  /* mails that had a session with a server */
	uint64_t sessions_reused; /* of these, those that were used again */
	uint64_t octets;	  /* of messages that were delivered */
};

const struct relay_counts *relay_counts_get(void);

struct relay_domain {
	char domain[DOMAIN_SIZE];
	uint64_t mails[RELAY_OUTCOMES];
	/* The last one: */
	enum relay_outcome outcome;
	int64_t wall_s;
	char mx[DOMAIN_SIZE];
	char reply[RELAY_COUNTS_REPLY];
};

/* NULL: it had no mail lately. Borrowed until the next mail is counted. */
const struct relay_domain *relay_counts_domain(const char *domain);

/* How many domains there are numbers of. */
size_t relay_counts_domains(void);

/*
 * Each domain, the one with the latest mail last; stops when the function
 * returns false.
 */
typedef bool relay_domain_fn(const struct relay_domain *domain, void *arg);
void relay_counts_each(relay_domain_fn *fn, void *arg);

/* All begins anew; for tests, and for the end of the process. */
void relay_counts_reset(void);

#endif
