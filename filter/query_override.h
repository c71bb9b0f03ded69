/* SPDX-License-Identifier: ISC */
/* The engine's side of "strictmx override": see filter/query_job.h. */
#ifndef STRICTMX_FILTER_QUERY_OVERRIDE_H
#define STRICTMX_FILTER_QUERY_OVERRIDE_H

#include "filter/query_job.h"

query_verb_fn query_override_drop;
query_verb_fn query_override_list;
query_verb_fn query_override_set;

#endif
