/* SPDX-License-Identifier: ISC */
/* The administrator's verbs, found and begun: see query_admin.h. */
#include "filter/query_admin.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/json_line.h"
#include "common/limits.h"
#include "filter/query_cache.h"
#include "filter/query_override.h"
#include "filter/query_staging.h"
#include "filter/query_stats.h"
#include "filter/query_why.h"

static const struct {
	enum query_verb verb;
	query_verb_fn *run;
	bool changes;
} verbs[] = {
	{ QUERY_CACHE_CLEAR, query_cache_clear, true },
	{ QUERY_CACHE_DROP, query_cache_drop, true },
	{ QUERY_CACHE_LIST, query_cache_list, false },
	{ QUERY_CACHE_REFRESH, query_cache_refresh, true },
	{ QUERY_CACHE_SHOW, query_cache_show, false },
	{ QUERY_OVERRIDE_DROP, query_override_drop, true },
	{ QUERY_OVERRIDE_LIST, query_override_list, false },
	{ QUERY_OVERRIDE_SET, query_override_set, true },
	{ QUERY_STAGING, query_staging, false },
	{ QUERY_STATS, query_stats, false },
	{ QUERY_WHY, query_why, false },
};

/* The end of a job. */

static void
job_free(struct query_job *job)
{
	if (job->running != NULL)
		job->stop(job);
	clock_timer_cancel(&job->begin);
	clock_timer_cancel(&job->deadline);
	free(job);
}

static void
job_done(struct query_job *job, const char *json, const char *why)
{
	query_job_done_fn *done = job->done;
	void *arg = job->arg;

	job_free(job);
	done(json, why, arg);
}

void
query_job_answer(struct query_job *job, json_t *object)
{
	char *json = json_line(object);

	job_done(job, json, json == NULL ? "out of memory" : NULL);
	free(json);
}

void
query_job_refuse(struct query_job *job, const char *why)
{
	job_done(job, NULL, why);
}

bool
query_job_domain(struct query_job *job, char domain[DOMAIN_SIZE])
{
	switch (domain_fold(span_of(job->argument), domain)) {
	case DOMAIN_OK:
		return true;
	case DOMAIN_NO_MEMORY:
		query_job_refuse(job, "out of memory");
		return false;
	case DOMAIN_ABSENT:
	case DOMAIN_LITERAL:
	case DOMAIN_INVALID:
		break;
	}
	query_job_refuse(job, "not a domain that DNS could be asked for");
	return false;
}

static void
time_is_up(void *arg)
{
	struct query_job *job = arg;

	job->deadline = NULL;
	query_job_refuse(job, "not ended in time; it goes on");
}

/* The beginning. */

static void
refuse_stranger(struct query_job *job)
{
	query_job_refuse(job,
	    "only root and the user that the engine runs as may do this");
}

static bool
may_change(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid());
}

static query_verb_fn *
verb_find(enum query_verb verb, int fd)
{
	size_t i = 0;

	while (verbs[i].verb != verb) /* the server asks for no others */
		i++;
	return verbs[i].changes && !may_change(fd) ? refuse_stranger
						   : verbs[i].run;
}

static void
job_begin(void *arg)
{
	struct query_job *job = arg;

	job->begin = NULL;
	job->run(job);
}

struct query_job *
query_admin_start(const struct query_scope *scope,
    const struct query_request *q, int fd, query_job_done_fn *done, void *arg)
{
	struct query_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return NULL;
	job->scope = scope;
	span_copy(q->argument, job->argument, sizeof(job->argument));
	job->run = verb_find(q->verb, fd);
	job->done = done;
	job->arg = arg;
	job->begin = clock_timer_start(scope->clock, 0, job_begin, job);
	job->deadline = clock_timer_start(scope->clock,
	    (int64_t)scope->config->deadline_s * 1000 +
		LIMIT_QUERY_JOB_SLACK_MS,
	    time_is_up, job);
	if (job->begin == NULL || job->deadline == NULL) {
		job_free(job);
		return NULL;
	}
	return job;
}

void
query_admin_cancel(struct query_job **job)
{
	if (*job != NULL)
		job_free(*job);
	*job = NULL;
}
