/* SPDX-License-Identifier: ISC */
/*
 * The SMTP sessions that Exim tells of (strictmx-query(7), EXIM): each message
 * and host address has one, from its first certificate or event to its end.
 * Exim shows a chain certificate by certificate, each on a connection of its
 * own, the host's own last; what became of the session it says in events.
 */
#ifndef STRICTMX_FILTER_EXIM_SESSION_H
#define STRICTMX_FILTER_EXIM_SESSION_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/address.h"
#include "common/tls_verify.h"
#include "common/uthash_quiet.h"
#include "proto/domain.h"
#include "proto/exim_line.h"

struct clock;
struct exim_sessions;

#define EXIM_SESSION_KEY_SIZE (4 * (EXIM_WORD_MAX + 1))

struct exim_session {
	struct exim_sessions *sessions;
	char key[EXIM_SESSION_KEY_SIZE];
	char domain[DOMAIN_SIZE]; /* folded; of the policy */
	char host[DOMAIN_SIZE];	  /* folded; as Exim names it */
	struct address address;
	STACK_OF(X509) * chain; /* owned; being shown: the last one first */
	size_t chain_octets;
	unsigned depth; /* of the last one that came */

	/* How its certificates were judged; filled by who judges them. */
	bool judged;
	char mx[DOMAIN_SIZE]; /* the name that counted */
	struct tls_judgement judgement;

	/* How it ended; complete when ended() is told. */
	struct clock_timer *ending;
	bool clear;		  /* without TLS, as far as is known */
	bool good;		  /* Exim says that it was verified, or DANE */
	bool dane_said;		  /* failure is what Exim says of DANE */
	enum result_type failure; /* RFC 8460 4.3; NONE: not known, or good */
	char why[EXIM_WORD_MAX];

	int64_t since_ms;
	TAILQ_ENTRY(exim_session) entry;
	UT_hash_handle hh;
};

/* The end of a session is known; it is forgotten after that. */
typedef void exim_session_ended_fn(const struct exim_session *session,
    void *arg);

/* clock is borrowed. NULL without memory. */
struct exim_sessions *exim_sessions_new(struct clock *clock,
    exim_session_ended_fn *ended, void *arg);

/* Nobody is told any more. Safe on NULL. */
void exim_sessions_free(struct exim_sessions *sessions);

/* That of a request, or by its key; NULL when there is none. */
struct exim_session *exim_session_find(struct exim_sessions *sessions,
    const struct exim_request *request);
struct exim_session *exim_session_find_key(struct exim_sessions *sessions,
    const char *key);

/*
 * The same, but one is made when there is none; the oldest goes when there are
 * too many. A certificate begins a new session when the old one has ended:
 * ended() runs for that. NULL without memory, or for names that are none.
 */
struct exim_session *exim_session_take(struct exim_sessions *sessions,
    const struct exim_request *request);

enum exim_shown {
	EXIM_SHOWN_BAD,	  /* no certificate, out of order, or no memory */
	EXIM_SHOWN_PART,  /* more are to come */
	EXIM_SHOWN_WHOLE, /* it was the host's own */
};

/* Takes the certificate of a CERT request into its session's chain. */
enum exim_shown exim_session_show(struct exim_session *session,
    const struct exim_request *request);

/*
 * The chain that was shown, the host's own first, for the caller to free with
 * exim_chain_free(); the session has none then. NULL when it has none.
 */
STACK_OF(X509) * exim_session_take_chain(struct exim_session *session);
void exim_chain_free(STACK_OF(X509) * chain); /* safe on NULL */

/* Takes what an EVENT says; ended() will run, later, when that is the end. */
void exim_sessions_event(struct exim_sessions *sessions,
    const struct exim_request *request);

#endif
