/* SPDX-License-Identifier: ISC */
/* The engine's side of "strictmx why": see filter/query_job.h. */
#ifndef STRICTMX_FILTER_QUERY_WHY_H
#define STRICTMX_FILTER_QUERY_WHY_H

#include "filter/query_job.h"

query_verb_fn query_why;

#endif
