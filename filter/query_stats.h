/* SPDX-License-Identifier: ISC */
/* The engine's side of "strictmx stats": see filter/query_job.h. */
#ifndef STRICTMX_FILTER_QUERY_STATS_H
#define STRICTMX_FILTER_QUERY_STATS_H

#include "filter/query_job.h"

query_verb_fn query_stats;

#endif
