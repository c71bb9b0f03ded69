/* SPDX-License-Identifier: ISC */
/* The engine's side of "strictmx cache": see filter/query_job.h. */
#ifndef STRICTMX_FILTER_QUERY_CACHE_H
#define STRICTMX_FILTER_QUERY_CACHE_H

#include "filter/query_job.h"

query_verb_fn query_cache_clear;
query_verb_fn query_cache_drop;
query_verb_fn query_cache_list;
query_verb_fn query_cache_refresh;
query_verb_fn query_cache_show;

#endif
