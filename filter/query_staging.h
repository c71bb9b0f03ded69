/* SPDX-License-Identifier: ISC */
/* The engine's side of "strictmx staging": see filter/query_job.h. */
#ifndef STRICTMX_FILTER_QUERY_STAGING_H
#define STRICTMX_FILTER_QUERY_STAGING_H

#include "filter/query_job.h"

query_verb_fn query_staging;

#endif
