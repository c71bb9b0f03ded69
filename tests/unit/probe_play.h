/* SPDX-License-Identifier: ISC */
/*
 * The ports of a probe, played by a test: it answers the questions, ends the
 * sessions and turns the clock.
 */
#ifndef STRICTMX_TESTS_PROBE_PLAY_H
#define STRICTMX_TESTS_PROBE_PLAY_H

#include "common/clock.h"
#include "common/probe.h"

#define PLAY_MX "mx1.example.com"
#define PLAY_PROOFS (PROOF_ENCRYPTED | PROOF_PKIX)

/* The played ports, and what came of the probe. */
struct probe_play {
	struct ports ports;
	struct address_rules rules; /* all is allowed: this host's own
				       addresses are not known to tests */
	bool dns_refuses_a, dns_refuses_aaaa, smtp_refuses;
	struct dns_query *a, *aaaa; /* that run */
	struct smtp_session *session;
	struct smtp_target target; /* of the last session */
	char tried[512];	   /* addresses, in order */
	unsigned n_quits, n_cuts;

	struct probe *probe;
	unsigned n_done;
	struct probe_result result;
};

/* For each test: *state is the play. Nothing may be left at its end. */
int probe_play_set_up(void **state);
int probe_play_tear_down(void **state);

/* Starts a probe of PLAY_MX; NULL when it could not begin. */
struct probe *probe_play_start(struct probe_play *play);

/* Answers one of the two questions; addresses are set apart by blanks. */
void probe_play_answer(struct probe_play *play, enum dns_type type,
    enum dns_outcome outcome, const char *addresses);

/* A probe of a host with these addresses; NULL for none of the kind. */
void probe_play_start_with(struct probe_play *play, const char *v6,
    const char *v4);

/* Ends the session that runs. */
void probe_play_session_ends(struct probe_play *play,
    const struct smtp_result *result);
void probe_play_session_is_good(struct probe_play *play);
void probe_play_session_fails(struct probe_play *play, enum result_type result,
    const char *why);

#endif
