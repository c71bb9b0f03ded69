/* SPDX-License-Identifier: ISC */
/*
 * Matching an MX host against one "mx" pattern of a policy (RFC 8461 4.1): the
 * name itself, or "*." and exactly one label in its place.
 */
#ifndef STRICTMX_PROTO_MX_MATCH_H
#define STRICTMX_PROTO_MX_MATCH_H

#include <stdbool.h>

#include "proto/span.h"

/* An LDH domain, or "*." and an LDH domain. */
bool mx_pattern_is_valid(struct span pattern);

/*
 * host is folded (domain_fold). ASCII case does not matter. A pattern that is
 * not valid never matches.
 */
bool mx_match(const char *pattern, const char *host);

#endif
