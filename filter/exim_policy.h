/* SPDX-License-Identifier: ISC */
/*
 * A verdict of the delivery gate as the answer to Exim's POLICY and ROUTE
 * (strictmx-query(7), EXIM): what Exim, which resolves and connects by itself,
 * is to require of the hosts of a domain.
 */
#ifndef STRICTMX_FILTER_EXIM_POLICY_H
#define STRICTMX_FILTER_EXIM_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/limits.h"
#include "proto/exim_line.h"

struct config;
struct verdict;

/*
 * ENFORCE only where an MTA-STS policy binds and asks for it, or DANE is what
 * the domain must have, and all is not a test: other DANE is Exim's own matter.
 */
enum exim_mode exim_policy_mode(const struct verdict *verdict,
    const struct config *config);

/*
 * The line, without LF. with_hosts: ROUTE wants the hosts that may be used, in
 * their order, beside the patterns. Returns out.
 */
const char *exim_policy_format(char out[LIMIT_EXIM_ANSWER],
    const struct verdict *verdict, const struct config *config,
    bool with_hosts);

/* The line of a mode that comes with a reason and nothing else. */
const char *exim_policy_format_mode(char out[LIMIT_EXIM_ANSWER],
    enum exim_mode mode, const char *why);

#endif
