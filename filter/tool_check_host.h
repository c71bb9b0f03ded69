/* SPDX-License-Identifier: ISC */
/*
 * One MX host as "strictmx check" sees it: a session with each of its addresses
 * at once, up to the point where mail could be sent. A sender stops at the
 * first good one; who looks after the host wants to know of all.
 */
#ifndef STRICTMX_FILTER_TOOL_CHECK_HOST_H
#define STRICTMX_FILTER_TOOL_CHECK_HOST_H

#include "common/limits.h"
#include "common/ports.h"
#include "common/probe.h"

struct check_host;

/* A session that was tried. */
struct check_session {
	struct check_host *host;
	struct address address;
	struct smtp_session *session; /* while it runs */
	bool begun;		      /* else there was no place for it */
	struct smtp_result result;
};

typedef void check_host_done_fn(void *arg);

struct check_host {
	const struct ports *ports;
	struct smtp_target target; /* less the address */
	struct mx_addresses *lookup;
	size_t n_open; /* sessions that run */
	check_host_done_fn *done;
	void *arg;

	/* What was found; whole when done has run. */
	bool unasked;		      /* nothing is known of its addresses */
	char why[ADDRESS_SIZE + 128]; /* when n is 0: follows its name */
	size_t n;
	struct check_session sessions[LIMIT_PROBE_ADDRESSES];
};

/*
 * opts: its strings and its TLSA records are borrowed until the end. done runs
 * once, never before this call returned. False when nothing could be asked;
 * then unasked is true.
 */
bool check_host_start(struct check_host *host, const struct ports *ports,
    const struct probe_opts *opts, check_host_done_fn *done, void *arg);

/* Stops what runs. Safe when all zero. */
void check_host_cleanup(struct check_host *host);

/* The session has shown all that was asked for. */
bool check_session_is_good(const struct check_session *session);

/* The weightiest of its sessions, as common/probe would tell it. */
void check_host_weigh(const struct check_host *host, struct probe_result *out);

#endif
