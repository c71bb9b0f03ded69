/* SPDX-License-Identifier: ISC */
/*
 * What would have been refused, had nothing been in a testing mode: what an
 * administrator reads before he turns enforcement on, and what a domain that
 * tests its own policy would want to know. One entry for each domain and cause,
 * in memory, bounded; those that were added to longest ago go first. It changes
 * with each answer, so common/staging_store keeps it on disk behind that.
 */
#ifndef STRICTMX_COMMON_STAGING_H
#define STRICTMX_COMMON_STAGING_H

#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"

struct staging;

/* Why it was not refused. */
enum staging_cause {
	STAGING_OURS,	/* "mode = testing" in strictmx.conf(5) */
	STAGING_POLICY, /* the policy is in mode testing: it never would be */
};

struct staged {
	enum staging_cause cause;
	enum verdict_source source; /* of the policy */
	enum result_type result;    /* of the last one; and so are these: */
	char reason[VERDICT_REASON_SIZE];
	int64_t since_s, last_s; /* wall clock: the first and the last one */
	int64_t good_at_s; /* when all was well since then; 0: not since */
	uint64_t times;	   /* recipients and deliveries */
	const char *domain;
};

/* Remembers at most max entries. NULL without memory. */
struct staging *staging_new(size_t max, int64_t now_s);
void staging_free(struct staging *staging); /* safe on NULL */

/*
 * So many askers were told this verdict. What would have been refused is added;
 * that a policy let mail pass is noted where something was refused before.
 * Without memory it is not remembered. Safe on NULL.
 */
void staging_take(struct staging *staging, const struct verdict *verdict,
    size_t times, int64_t now_s);

/*
 * A delivery under a policy in a testing mode went out by a session that the
 * policy minds, for this reason. Safe on NULL.
 */
void staging_take_session(struct staging *staging,
    const struct verdict *verdict, enum result_type result, const char *why,
    int64_t now_s);

/* Borrowed until the next call that is not this one; NULL: the end. In the
 * order of the last ones, newest first; previous NULL begins. */
const struct staged *staging_next(const struct staging *staging,
    const struct staged *previous);

int64_t staging_since_s(const struct staging *staging); /* it began then */
size_t staging_max(const struct staging *staging);

/* What is stored of before. One that there is of its domain and cause stays;
 * the newest come last. Without memory it is not remembered. */
void staging_restore(struct staging *staging, const struct staged *staged);
void staging_set_since(struct staging *staging, int64_t since_s);

/* The one that has changed and waits the longest for staging_written(); NULL:
 * none. Borrowed until the next call that is not that one. */
const struct staged *staging_changed(const struct staging *staging);
void staging_written(struct staging *staging, const struct staged *staged);
void staging_change_all(struct staging *staging);

const char *staging_cause_name(enum staging_cause cause);

#endif
