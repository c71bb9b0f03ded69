/* SPDX-License-Identifier: ISC */
/*
 * How a session or a probe ended: one record each, to one function. What is
 * counted for reports (RFC 8460) will be counted there; probes are not
 * sessions and never are.
 */
#ifndef STRICTMX_COMMON_OUTCOME_H
#define STRICTMX_COMMON_OUTCOME_H

#include <stdbool.h>

#include "common/address.h"
#include "common/result_type.h"
#include "common/verdict.h"
#include "proto/sts_policy.h"

/* All borrowed for the time of the call. */
struct outcome {
	const char *domain;	    /* policy domain */
	enum verdict_source source; /* of the demand that was tested */
	enum sts_mode mode;
	const char *mx;
	const struct address *address; /* family 0: none was reached */
	bool is_probe;
	enum result_type result; /* RESULT_NONE: good, or not about TLS */
	const char *why;	 /* "" when good */
};

void outcome_report(const struct outcome *outcome);

#endif
