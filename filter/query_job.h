/* SPDX-License-Identifier: ISC */
/*
 * An administrator's request while it is under way: what a verb gets and how it
 * answers. The verbs of one noun stand in a file of their own, query_NOUN.c,
 * and in the table of query_admin.c; the server knows none of them.
 */
#ifndef STRICTMX_FILTER_QUERY_JOB_H
#define STRICTMX_FILTER_QUERY_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/query_line.h"

struct clock;
struct clock_timer;
struct config;
struct engine;
struct loop_meter;
struct query_job;

/*
 * What the verbs look at and change; all borrowed. A reload changes engine and
 * configuration: what a verb waits for stays with those it began with.
 */
struct query_scope {
	struct clock *clock;
	struct engine *engine;
	const struct config *config;
	struct loop_meter *meter; /* may be NULL */
	size_t n_clients;
	int64_t began_ms; /* monotonic */
};

/* What the verb of a job does: from the loop, once. */
typedef void query_verb_fn(struct query_job *job);

/* One of both is not NULL, and borrowed for the time of the call. */
typedef void query_job_done_fn(const char *json, const char *why, void *arg);

struct query_job {
	const struct query_scope *scope; /* as it is now */
	char argument[QUERY_REQUEST_MAX + 1];
	/*
	 * A verb that does not answer before it returns sets these: what it
	 * waits for, and how to wait no more when the client has left or time
	 * is up, which is LIMIT_QUERY_JOB_SLACK_MS past the engine's deadline.
	 */
	void *running;
	void (*stop)(struct query_job *job);

	/* Not for verbs. */
	query_verb_fn *run;
	struct clock_timer *begin, *deadline;
	query_job_done_fn *done;
	void *arg;
};

/*
 * Answers with an object, which is given up; NULL is lack of memory. The job
 * is gone.
 */
void query_job_answer(struct query_job *job, json_t *object);

/* Answers that it cannot be, or may not be. The job is gone. */
void query_job_refuse(struct query_job *job, const char *why);

/* Folds the argument; false when it is no domain: then the job is gone. */
bool query_job_domain(struct query_job *job, char domain[DOMAIN_SIZE]);

#endif
