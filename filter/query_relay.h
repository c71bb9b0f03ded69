/* SPDX-License-Identifier: ISC */
/* What the relay has done (common/relay_counts), as parts of answers. */
#ifndef STRICTMX_FILTER_QUERY_RELAY_H
#define STRICTMX_FILTER_QUERY_RELAY_H

#include <jansson.h>
#include <stdint.h>

/* Of all mails, and the domains of the latest. NULL without memory. */
json_t *query_relay_all(int64_t wall_s);

/* Of one domain; null when it had no mail lately. NULL without memory. */
json_t *query_relay_domain(const char *domain, int64_t wall_s);

#endif
