/* SPDX-License-Identifier: ISC */
/*
 * The administrator's verbs of strictmx-query(7): they look at the running
 * engine, or change something in it, and are answered with one JSON object. Who
 * may connect may look. What changes something is for root and for the user
 * that the engine runs as.
 */
#ifndef STRICTMX_FILTER_QUERY_ADMIN_H
#define STRICTMX_FILTER_QUERY_ADMIN_H

#include "filter/query_job.h"

/*
 * Begins what q asks for, on behalf of the process at the other end of fd. done
 * runs once, from the loop, never before this call returned. scope is
 * borrowed. NULL without memory.
 */
struct query_job *query_admin_start(const struct query_scope *scope,
    const struct query_request *q, int fd, query_job_done_fn *done, void *arg);

/* The job stops; done will not run. Clears the pointer; safe on NULL. */
void query_admin_cancel(struct query_job **job);

#endif
