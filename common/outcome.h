/* SPDX-License-Identifier: ISC */
/*
 * How a session, a probe or a fetch of a policy ended: one record each, to one
 * function. It counts them (common/stats) and remembers failures
 * (common/failures). What is counted for reports (RFC 8460) will be counted
 * there; probes are not sessions and never are.
 */
#ifndef STRICTMX_COMMON_OUTCOME_H
#define STRICTMX_COMMON_OUTCOME_H

#include <stdbool.h>

#include "common/address.h"
#include "common/result_type.h"
#include "common/verdict.h"
#include "proto/sts_policy.h"

enum outcome_kind {
	OUTCOME_SESSION, /* to deliver mail, as far as MAIL could be said */
	OUTCOME_PROBE,
	OUTCOME_FETCH,
};

/* All borrowed for the time of the call. */
struct outcome {
	enum outcome_kind kind;
	const char *domain;	    /* policy domain */
	enum verdict_source source; /* of the demand that was tested */
	enum sts_mode mode;
	const char *mx;		       /* NULL of a fetch */
	const struct address *address; /* NULL, or family 0: none */
	enum result_type result;       /* NONE: good, or not about TLS */
	const char *why;	       /* "" when good */
};

/* Nothing was wrong, TLS or other. */
bool outcome_is_good(const struct outcome *outcome);

void outcome_report(const struct outcome *outcome);

/* Gets every record from now on; NULL: nobody does. */
typedef void outcome_sink_fn(const struct outcome *outcome, void *arg);
void outcome_set_sink(outcome_sink_fn *sink, void *arg);

#endif
