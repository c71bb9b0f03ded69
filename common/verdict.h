/* SPDX-License-Identifier: ISC */
/*
 * The judgement of a domain: may mail for it go out, and if not, why. One pure
 * function decides, from facts and configuration only (RFC 8461 4 and 5).
 */
#ifndef STRICTMX_COMMON_VERDICT_H
#define STRICTMX_COMMON_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/facts.h"
#include "common/result_type.h"

struct config;

/* Where the demand comes from that the verdict makes. */
enum verdict_source {
	VERDICT_NONE,
	VERDICT_STS,
	VERDICT_DANE,
	VERDICT_PRELOAD,
	VERDICT_OVERRIDE,
};

enum verdict_action {
	ACTION_PROCEED,
	ACTION_WOULD_DEFER, /* proceed, but only because of a testing mode */
	ACTION_DEFER,
	ACTION_REJECT, /* permanently */
};

#define VERDICT_REASON_SIZE 400

struct verdict {
	enum gate gate;
	struct facts facts; /* owned */
	enum verdict_source source;
	enum verdict_action action;
	bool loops;    /* the walk found that this host is the best MX left */
	bool enforced; /* only hosts that show what is required may be used */
	enum result_type result; /* RFC 8460 4.3; NONE if not about TLS */
	char mx[DOMAIN_SIZE];	 /* that decided; "" if none did */
	/*
	 * One line for a person, printable ASCII. When not PROCEED it begins
	 * with the reply and enhanced status codes: "451 4.7.5 ...".
	 */
	char reason[VERDICT_REASON_SIZE];
	int64_t decided_ms; /* monotonic; its facts are that old */
	int64_t expires_ms; /* monotonic */
	int64_t look_ms;    /* monotonic; until then its record needs no look */
};

/*
 * Judges out->facts for out->gate and fills the rest of out but the times.
 * The pieces of text that come from the network are made printable.
 */
void verdict_decide(struct verdict *out, const struct config *config);

/*
 * At delivery, when the hosts have been tried and none took the mail; what
 * their sessions have shown stands in facts.mx[].probe. Action, result, mx and
 * reason become those of the refusal, which is never permanent but for a loop.
 */
void verdict_decide_refused(struct verdict *out, const struct config *config);

/* A deep copy, to be freed. NULL without memory. */
struct verdict *verdict_copy(const struct verdict *verdict);

/* How long this verdict may be given again, in seconds; 0: not at all. */
uint32_t verdict_life_s(const struct verdict *verdict, int64_t wall_s,
    int64_t mono_ms);

/* Safe on NULL. */
void verdict_free(struct verdict *verdict);

/* Of a policy that binds: published, or set by the administrator. */
enum verdict_source verdict_policy_source(const struct facts *facts);

/* What texts call it, before its domain. Static. */
const char *verdict_policy_name(const struct verdict *v);

const char *verdict_source_name(enum verdict_source source);
const char *verdict_action_name(enum verdict_action action);

#endif
