/* SPDX-License-Identifier: ISC */
/*
 * A STARTTLS trial of one MX host: its addresses are asked for, IPv6 and IPv4,
 * and tried in turn until one session shows the proofs. No mail is sent.
 * Outcomes of several addresses are weighed: one good session makes the host
 * good; a TLS failure tells more than an address that cannot be reached.
 */
#ifndef STRICTMX_COMMON_PROBE_H
#define STRICTMX_COMMON_PROBE_H

#include "common/ports.h"

struct probe;

struct probe_opts {
	const char *mx; /* folded */
	const char *helo;
	uint16_t port;
	unsigned proofs;       /* that a session must show */
	struct tlsa_set *tlsa; /* with PROOF_DANE among these; held */
	const char *next_hop;  /* see struct smtp_target */
	struct address_rules rules;
};

enum probe_state {
	PROBE_UNKNOWN, /* not tried, not begun, or not ended */
	PROBE_GOOD,
	PROBE_TLS_FAILED,  /* reached, but without the proofs: result, why */
	PROBE_UNREACHABLE, /* no session at all: why */
};

struct probe_result {
	enum probe_state state;
	unsigned proofs;	 /* shown, when GOOD */
	enum result_type result; /* when TLS_FAILED */
	bool certificate_bad;	 /* see struct smtp_result */
	int tlsa_matched;	 /* when GOOD: likewise */
	char why[512];
	struct address address; /* that decided; family 0 if none */
};

typedef void probe_done_fn(const struct probe_result *result, void *arg);

/*
 * All of opts is copied. done runs within LIMIT_PROBE_MS, never before this
 * call returned. NULL when nothing could be begun.
 */
struct probe *probe_start(const struct ports *ports,
    const struct probe_opts *opts, probe_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void probe_cancel(struct probe **probe);

/* What a session that is not good makes of its host. */
enum probe_state probe_state_of_failure(const struct smtp_result *result);

/* "good", "tls-failed", "unreachable", "unknown". */
const char *probe_state_name(enum probe_state state);

#endif
