/* SPDX-License-Identifier: ISC */
/*
 * Policies that an administrator sets, lists and drops while the engine runs:
 * see filter/query_job.h and common/overrides.h.
 */
#include "filter/query_override.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/json_line.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/overrides.h"
#include "proto/mx_match.h"
#include "proto/rfc3339.h"

static int64_t
now_s(const struct query_job *job)
{
	return clock_wall_s(job->scope->clock);
}

static json_t *
patterns_json(const struct sts_policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_mx; i++)
		list = json_list_add(list, json_text(policy->mx[i]));
	return list;
}

/* state: "holds", "ended", or "hidden": another one does, or none may. */
static json_t *
override_json(const struct override *o, const char *state)
{
	return json_pack("{s:o, s:s, s:o, s:I, s:o, s:o, s:s}", "domain",
	    json_text(o->domain), "mode", sts_mode_name(o->policy.mode), "mx",
	    patterns_json(&o->policy), "until", (json_int_t)o->until_s,
	    "reason", json_text(o->reason), "line",
	    o->line == 0 ? json_null() : json_integer(o->line), "state", state);
}

static const char *
state_of(const struct query_job *job, const struct override *o)
{
	if (o->until_s <= now_s(job))
		return "ended";
	return overrides_find(engine_overrides(job->scope->engine),
		   job->scope->config, o->domain, now_s(job)) == o
	    ? "holds"
	    : "hidden";
}

/* override-set DOMAIN MODE UNTIL MX[,MX...]|- [REASON] */

/* The next word of a line. */
static struct span
next_word(struct span *rest)
{
	struct span word = { NULL, 0 }; /* when there is none left */

	span_cut(rest, ' ', &word);
	return word;
}

static const char *
read_patterns(struct span list, struct override *o)
{
	char pattern[DOMAIN_SIZE + 2];
	struct span one;

	if (span_is(list, "-"))
		return NULL;
	while (span_cut(&list, ',', &one)) {
		if (!mx_pattern_is_valid(one) ||
		    !span_copy(one, pattern, sizeof(pattern)))
			return "mx is neither a host name nor \"*.\" and one";
		if (!override_add(o, "mx", pattern))
			return "out of memory";
	}
	return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *
read_line(struct span line, int64_t at_s, struct override *o)
{
	struct span domain = next_word(&line), mode = next_word(&line);
	struct span until = next_word(&line), mx = next_word(&line);
	const char *why;
	char word[16];

	if (domain_fold(domain, o->domain) != DOMAIN_OK)
		return "not a domain that DNS could be asked for";
	if (!span_copy(mode, word, sizeof(word)) ||
	    !override_add(o, "mode", word))
		return "mode is not enforce, testing or none";
	if (!rfc3339_read(until, &o->until_s))
		return "its end is not a time like 2026-12-01T00:00:00Z";
	if (o->until_s <= at_s)
		return "its end is not in the future";
	if ((why = read_patterns(mx, o)) != NULL)
		return why;
	if (!span_copy(span_trim(line), o->reason, sizeof(o->reason)))
		return "its reason is too long";
	return override_finish(o);
}

static const char *
failure_text(enum overrides_result result)
{
	switch (result) {
	case OVERRIDES_DONE:
	case OVERRIDES_NONE_SET:
		break;
	case OVERRIDES_FULL:
		return "too many are set: drop some";
	case OVERRIDES_NOT_STORED:
		return "it could not be written to the store, so nothing has "
		       "changed; see the log of strictmxd";
	case OVERRIDES_NO_MEMORY:
		return "out of memory";
	}
	return NULL;
}

/* Without effect, and why: what an administrator should not find out later. */
static const char *
warning(const struct config *config, const char *domain)
{
	if (config_is_local(config, domain))
		return "without effect: local domains are exempt";
	if (config->smarthost[0] != '\0' &&
	    strcmp(config->smarthost, domain) != 0)
		return "without effect: all mail goes to the smart host";
	return NULL;
}

static void
answer_set(struct query_job *job, const char *domain)
{
	struct overrides *overrides = engine_overrides(job->scope->engine);
	const struct override *o = overrides_get(overrides, domain);
	char until[RFC3339_SIZE], reason[LOG_QUOTE_SIZE];

	engine_override_changed(job->scope->engine, domain);
	rfc3339_write(o->until_s, until);
	log_notice("domain=%s policy set by the administrator: mode=%s "
		   "until=%s reason=%s",
	    domain, sts_mode_name(o->policy.mode), until,
	    log_quote(reason, o->reason, strlen(o->reason)));
	query_job_answer(job,
	    json_pack("{s:o, s:b, s:s?}", "override",
		override_json(o, state_of(job, o)), "stored",
		(int)overrides_are_stored(overrides), "warning",
		warning(job->scope->config, domain)));
}

void
query_override_set(struct query_job *job)
{
	struct overrides *overrides = engine_overrides(job->scope->engine);
	struct override o = { .until_s = 0 };
	char domain[DOMAIN_SIZE];
	const char *why = read_line(span_of(job->argument), now_s(job), &o);

	memcpy(domain, o.domain, sizeof(domain));
	if (why == NULL)
		why = failure_text(overrides_set(overrides, &o, now_s(job)));
	override_cleanup(&o);
	if (why != NULL)
		query_job_refuse(job, why);
	else
		answer_set(job, domain);
}

/* override-drop DOMAIN */

void
query_override_drop(struct query_job *job)
{
	char domain[DOMAIN_SIZE];
	enum overrides_result result;
	const char *why;

	if (!query_job_domain(job, domain))
		return;
	result = overrides_drop(engine_overrides(job->scope->engine), domain);
	if ((why = failure_text(result)) != NULL) {
		query_job_refuse(job, why);
		return;
	}
	engine_override_changed(job->scope->engine, domain);
	if (result == OVERRIDES_DONE)
		log_notice("domain=%s policy set at run time dropped by the "
			   "administrator",
		    domain);
	query_job_answer(job,
	    json_pack("{s:s, s:b, s:b}", "domain", domain, "dropped",
		(int)(result == OVERRIDES_DONE), "configured",
		(int)(config_policy(job->scope->config, domain) != NULL)));
}

/* override-list [DOMAIN] */

/* By domain; one of the configuration behind one set at run time. */
static int
by_domain(const void *a, const void *b)
{
	const struct override *const *x = a, *const *y = b;
	int order = strcmp((*x)->domain, (*y)->domain);

	return order != 0 ? order : (int)((*x)->line > 0) - ((*y)->line > 0);
}

/* All that stand behind a domain, in order; NULL without memory. */
static const struct override **
collect(const struct query_job *job, const char *after, size_t *n)
{
	const struct config *config = job->scope->config;
	const struct override **all =
	    calloc(LIMIT_OVERRIDES + LIMIT_CONFIG_POLICIES, sizeof(*all));
	const struct override *o = NULL;

	*n = 0;
	if (all == NULL)
		return NULL;
	for (size_t i = 0; i < config->n_policies; i++)
		if (strcmp(config->policies[i].domain, after) > 0)
			all[(*n)++] = &config->policies[i];
	while ((o = overrides_next(engine_overrides(job->scope->engine), o)) !=
	    NULL)
		if (strcmp(o->domain, after) > 0)
			all[(*n)++] = o;
	qsort(all, *n, sizeof(const struct override *), by_domain);
	return all;
}

/* Both of a domain stand in one page: a page ends between domains. */
void
query_override_list(struct query_job *job)
{
	char after[DOMAIN_SIZE] = "";
	const struct override **all;
	json_t *list = json_array();
	size_t n, i = 0;

	if (job->argument[0] != '\0' && !query_job_domain(job, after)) {
		json_decref(list);
		return;
	}
	if ((all = collect(job, after, &n)) == NULL) {
		json_decref(list);
		query_job_refuse(job, "out of memory");
		return;
	}
	for (; i < n; i++) {
		if (i >= LIMIT_QUERY_PAGE &&
		    strcmp(all[i]->domain, all[i - 1]->domain) != 0)
			break;
		list = json_list_add(list,
		    override_json(all[i], state_of(job, all[i])));
	}
	query_job_answer(job,
	    json_pack("{s:I, s:o, s:s?}", "now", (json_int_t)now_s(job),
		"overrides", list, "next", i < n ? all[i - 1]->domain : NULL));
	free(all);
}
