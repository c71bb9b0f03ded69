/* SPDX-License-Identifier: ISC */
/*
 * What the engine of this process has done since it started, in numbers. Each
 * event is counted at the one place that sees all of its kind: outcomes of
 * sessions, probes and fetches by outcome_report(), answers and lookups by the
 * engine. A reload does not begin anew. Like the log, one for the process.
 */
#ifndef STRICTMX_COMMON_STATS_H
#define STRICTMX_COMMON_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "common/outcome.h"
#include "common/result_type.h"
#include "common/verdict.h"

#define STATS_ACTIONS (ACTION_REJECT + 1)
#define STATS_RESULTS (RESULT_STS_WEBPKI_INVALID + 1)
#define STATS_KINDS (OUTCOME_FETCH + 1)

/* How many took up to so many ms; the last bucket has no bound. */
#define STATS_BUCKETS 12
extern const int64_t stats_bounds_ms[STATS_BUCKETS - 1];

struct stats_outcomes {
	uint64_t good;
	/* By what is wrong with TLS; RESULT_NONE: not reached, or refused. */
	uint64_t failed[STATS_RESULTS];
};

struct stats {
	uint64_t hits;			 /* answers from kept verdicts */
	uint64_t waited;		 /* answers that a lookup gave */
	uint64_t answers[STATS_ACTIONS]; /* both, by action */
	uint64_t lookups;
	uint64_t took_ms; /* all lookups together */
	uint64_t longest_ms;
	uint64_t buckets[STATS_BUCKETS]; /* of lookups by time */
	struct stats_outcomes outcomes[STATS_KINDS];
};

/* A kept verdict was given. */
void stats_hit(const struct verdict *verdict);

/* A lookup has ended, and its verdict was given to so many. */
void stats_lookup(const struct verdict *verdict, int64_t took_ms,
    size_t n_waited);

/* For outcome_report() only. */
void stats_outcome(const struct outcome *outcome);

const struct stats *stats_get(void);

/* For tests: all begins anew. */
void stats_reset(void);

/*
 * So many ms or less took that part (0.5, 0.99) of all lookups: the bound of a
 * bucket, but never more than the longest took. 0 without lookups.
 */
uint64_t stats_quantile_ms(const struct stats *stats, double part);

#endif
