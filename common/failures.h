/* SPDX-License-Identifier: ISC */
/*
 * The last failures of each domain, for an administrator who asks why: records
 * and policies that could not be had, hosts that did not show what they must,
 * mail that was refused. Bounded: LIMIT_FAILURE_DOMAINS, those that failed
 * longest ago go first, and LIMIT_FAILURES of each. In memory only. Like the
 * log, one for the process.
 */
#ifndef STRICTMX_COMMON_FAILURES_H
#define STRICTMX_COMMON_FAILURES_H

#include <stdint.h>

#include "common/address.h"
#include "common/result_type.h"

struct clock;

/* From now on failures are remembered; clock is borrowed until the end. */
void failures_begin(const struct clock *clock);
void failures_end(void); /* safe when not begun */

struct failure {
	int64_t at_s;	  /* wall clock; set by failures_add() */
	const char *what; /* static: "record", "fetch", "probe", "session",
			     "verdict" */
	const char *mx;	  /* NULL: about none */
	const char *why;
	struct address address; /* family 0: about none */
	enum result_type result;
};

/* All is copied. Not begun, or without memory, it is not remembered. */
void failures_add(const char *domain, const struct failure *failure);

/* The newest first; borrowed for the time of the call, which adds none. */
typedef void failure_fn(const struct failure *failure, void *arg);
void failures_each(const char *domain, failure_fn *fn, void *arg);

#endif
