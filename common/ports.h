/* SPDX-License-Identifier: ISC */
/*
 * The ways out of the engine: DNS, HTTPS, SMTP and time. The engine knows only
 * these structs, so tests and the scenario player can stand in for the network.
 *
 * Laws for every port:
 *  - start never calls done before it has returned; it returns NULL, and done
 *    will not run, when the request could not be begun (queue full, no
 *    memory). Then the fact stays unknown; it is never "there is none".
 *  - done runs exactly once, from the loop. The handle is spent when done
 *    runs; results are borrowed for the time of the call.
 *  - cancel clears the pointer and stops; done will not run. Safe on NULL.
 */
#ifndef STRICTMX_COMMON_PORTS_H
#define STRICTMX_COMMON_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/result_type.h"
#include "proto/dns_message.h"

struct clock;
struct tlsa_set;

/* DNS */

struct dns_query;
typedef void dns_done_fn(const struct dns_answer *answer, void *arg);

struct dns_port {
	void *self;
	/*
	 * name: folded, without trailing dot; copied. fresh: past the cache of
	 * this process (the upstream may still cache).
	 */
	struct dns_query *(*start)(void *self, const char *name,
	    enum dns_type type, bool fresh, dns_done_fn *done, void *arg);
	void (*cancel)(void *self, struct dns_query **query);
};

/* HTTPS */

struct fetch;

struct fetch_request {
	const char *domain;		 /* policy domain, folded; copied */
	const struct address *addresses; /* of mta-sts.DOMAIN; copied */
	size_t n_addresses;		 /* at least 1 */
};

struct fetch_result {
	enum result_type result; /* RESULT_NONE: body holds what was served */
	char why[256];		 /* one sentence for a person; "" if fetched */
	struct span body;
};

typedef void fetch_done_fn(const struct fetch_result *result, void *arg);

struct fetch_port {
	void *self;
	struct fetch *(*start)(void *self, const struct fetch_request *request,
	    fetch_done_fn *done, void *arg);
	void (*cancel)(void *self, struct fetch **fetch);
};

/* SMTP */

#define SMTP_PORT 25

/* What a session has shown, or must show: a set, not an order. */
#define PROOF_ENCRYPTED 0x1u
#define PROOF_PKIX 0x2u /* chain and name against the web's roots */
#define PROOF_DANE 0x4u

/* How far a session came. */
enum smtp_stage {
	SMTP_STAGE_CONNECT,
	SMTP_STAGE_GREETING,
	SMTP_STAGE_EHLO,
	SMTP_STAGE_STARTTLS,
	SMTP_STAGE_TLS,
	SMTP_STAGE_EHLO_TLS,
	SMTP_STAGE_READY,
};

struct smtp_target {
	const char *mx; /* folded: SNI and the name to verify; copied */
	struct address address;
	uint16_t port;
	const char *helo; /* copied */
	unsigned proofs;  /* to be shown, or the session fails; PROOF_ENCRYPTED
			     makes STARTTLS a must, 0 leaves it to the server */
	bool in_clear;	  /* not even an offered STARTTLS is taken */
	/*
	 * With PROOF_DANE, and only then: the records, one of which must match
	 * (at least one is usable), and SNI is their base domain. next_hop is
	 * one more name that a certificate under usage 2 may have.
	 */
	struct tlsa_set *tlsa; /* held */
	const char *next_hop;  /* copied; NULL: none */
	unsigned deadline_ms;  /* for all up to ready; 0: stage limits only */
};

struct smtp_session;

struct smtp_result {
	enum smtp_stage stage;	 /* SMTP_STAGE_READY: all went well */
	unsigned proofs;	 /* shown */
	enum result_type result; /* what is wrong with TLS; NONE if not that */
	char why[512];		 /* one sentence about this host, without its
				    name: "does not offer STARTTLS" */
	char tls_version[16];	 /* "TLSv1.3"; "" without TLS */
	bool certificate_bad;	 /* the failure is the certificate's: then why
				    follows "certificate of HOST" */
	bool starved;		 /* the failure is ours, for want of memory or
				    a descriptor: no fact about the host */
	unsigned reply_code;	 /* of the server's last reply; 0: none */
	int tlsa_matched;	 /* index in the target's tlsa; -1: none */
	int64_t certificate_until_s; /* wall clock; 0: nobody knows */
};

/*
 * session: the live session when the stage is READY, to be ended with quit,
 * or cancel; NULL else.
 */
typedef void smtp_ready_fn(const struct smtp_result *result,
    struct smtp_session *session, void *arg);

struct smtp_port {
	void *self;
	struct smtp_session *(*start)(void *self,
	    const struct smtp_target *target, smtp_ready_fn *ready, void *arg);
	/* Says QUIT in its own time and is gone for the caller. */
	void (*quit)(void *self, struct smtp_session **session);
	/* Cuts the connection, at any stage. */
	void (*cancel)(void *self, struct smtp_session **session);
};

struct ports {
	struct dns_port dns;
	struct fetch_port fetch;
	struct smtp_port smtp;
	struct clock *clock;
	/*
	 * Evenly from 0 to n - 1; n is not 0. NULL: nothing is left to chance.
	 */
	uint32_t (*random_below)(uint32_t n);
};

#endif
