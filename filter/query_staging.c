/* SPDX-License-Identifier: ISC */
/*
 * What would have been refused, shown to an administrator: see
 * filter/query_job.h and common/staging.h.
 */
#include "filter/query_staging.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/json_line.h"
#include "common/limits.h"
#include "common/staging.h"

/* By domain, both causes of one together. */
static int
by_domain(const void *a, const void *b)
{
	const struct staged *const *x = a, *const *y = b;
	int order = strcmp((*x)->domain, (*y)->domain);

	return order != 0 ? order : (int)(*x)->cause - (int)(*y)->cause;
}

static json_t *
staged_json(const struct staged *s)
{
	return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:s, s:o}",
	    "domain", json_text(s->domain), "cause",
	    staging_cause_name(s->cause), "source",
	    verdict_source_name(s->source), "since", (json_int_t)s->since_s,
	    "last", (json_int_t)s->last_s, "times", (json_int_t)s->times,
	    "good_since",
	    s->good_at_s == 0 ? json_null() : json_integer(s->good_at_s),
	    "result", result_type_name(s->result), "reason",
	    json_text(s->reason));
}

/* All that stand behind a domain, in order; NULL without memory. */
static const struct staged **
collect(const struct staging *staging, const char *after, size_t *n)
{
	const struct staged **all = calloc(LIMIT_STAGED, sizeof(*all));
	const struct staged *s = NULL;

	*n = 0;
	if (all == NULL)
		return NULL;
	while ((s = staging_next(staging, s)) != NULL)
		if (strcmp(s->domain, after) > 0)
			all[(*n)++] = s;
	qsort(all, *n, sizeof(const struct staged *), by_domain);
	return all;
}

/* A page ends between domains. */
void
query_staging(struct query_job *job)
{
	const struct staging *staging = engine_staging(job->scope->engine);
	char after[DOMAIN_SIZE] = "";
	const struct staged **all;
	json_t *list = json_array();
	size_t n, i = 0;

	if (job->argument[0] != '\0' && !query_job_domain(job, after)) {
		json_decref(list);
		return;
	}
	if ((all = collect(staging, after, &n)) == NULL) {
		json_decref(list);
		query_job_refuse(job, "out of memory");
		return;
	}
	for (; i < n; i++) {
		if (i >= LIMIT_QUERY_PAGE &&
		    strcmp(all[i]->domain, all[i - 1]->domain) != 0)
			break;
		list = json_list_add(list, staged_json(all[i]));
	}
	query_job_answer(job,
	    json_pack("{s:I, s:I, s:o, s:s?}", "now",
		(json_int_t)clock_wall_s(job->scope->clock), "since",
		(json_int_t)staging_since_s(staging), "staged", list, "next",
		i < n ? all[i - 1]->domain : NULL));
	free(all);
}
