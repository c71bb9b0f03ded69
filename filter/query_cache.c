/* SPDX-License-Identifier: ISC */
/*
 * The policies that the engine has cached, shown and changed on behalf of an
 * administrator: see filter/query_job.h.
 */
#include "filter/query_cache.h"

#include "common/clock.h"
#include "common/engine.h"
#include "common/json_line.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/policy_update.h"

static int64_t
now_s(const struct query_job *job)
{
	return clock_wall_s(job->scope->clock);
}

/* INT64_MAX is never. */
static json_t *
time_or_null(int64_t at_s)
{
	return at_s == INT64_MAX ? json_null() : json_integer(at_s);
}

static json_t *
policy_json(const char *domain, const struct cached_policy *p, int64_t at_s)
{
	int64_t expires_at_s = p->fetched_at_s + p->policy.max_age_s;

	return json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:I, s:o}",
	    "domain", json_text(domain), "id", p->id, "mode",
	    sts_mode_name(p->policy.mode), "n_mx", (json_int_t)p->policy.n_mx,
	    "max_age", (json_int_t)p->policy.max_age_s, "fetched_at",
	    (json_int_t)p->fetched_at_s, "expires_at", (json_int_t)expires_at_s,
	    "expired", (int)(expires_at_s <= at_s), "record_seen_at",
	    (json_int_t)p->record_seen_at_s, "refresh_at",
	    time_or_null(p->refresh_at_s));
}

/* cache-show DOMAIN */

static json_t *
patterns_json(const struct sts_policy *policy)
{
	json_t *list = json_array();

	for (size_t i = 0; i < policy->n_mx; i++)
		list = json_list_add(list, json_text(policy->mx[i]));
	return list;
}

void
query_cache_show(struct query_job *job)
{
	char domain[DOMAIN_SIZE];
	const struct cached_policy *cached;

	if (!query_job_domain(job, domain))
		return;
	cached = policy_cache_peek(engine_policies(job->scope->engine), domain);
	query_job_answer(job,
	    cached == NULL ? json_pack("{s:s, s:n}", "domain", domain, "policy")
			   : json_pack("{s:s, s:I, s:o, s:o}", "domain", domain,
				 "now", (json_int_t)now_s(job), "policy",
				 policy_json(domain, cached, now_s(job)), "mx",
				 patterns_json(&cached->policy)));
}

/* cache-list [DOMAIN] */

struct page {
	int64_t now_s;
	json_t *policies;
};

static void
page_add(const char *domain, const struct cached_policy *policy, void *arg)
{
	struct page *page = arg;

	page->policies = json_list_add(page->policies,
	    policy_json(domain, policy, page->now_s));
}

void
query_cache_list(struct query_job *job)
{
	struct page page = { now_s(job), json_array() };
	char after[DOMAIN_SIZE] = "", last[DOMAIN_SIZE] = "";
	bool more;

	if (job->argument[0] != '\0' && !query_job_domain(job, after)) {
		json_decref(page.policies);
		return;
	}
	more = policy_cache_list(engine_policies(job->scope->engine), after,
	    LIMIT_QUERY_PAGE, page_add, &page, last);
	query_job_answer(job,
	    json_pack("{s:I, s:o, s:s?}", "now", (json_int_t)page.now_s,
		"policies", page.policies, "next", more ? last : NULL));
}

/* cache-drop DOMAIN, cache-clear */

void
query_cache_drop(struct query_job *job)
{
	char domain[DOMAIN_SIZE];
	bool was_there;

	if (!query_job_domain(job, domain))
		return;
	was_there = policy_cache_peek(engine_policies(job->scope->engine),
			domain) != NULL;
	engine_forget(job->scope->engine, domain);
	if (was_there)
		log_notice("domain=%s policy dropped by the administrator",
		    domain);
	query_job_answer(job,
	    json_pack("{s:s, s:b}", "domain", domain, "dropped",
		(int)was_there));
}

void
query_cache_clear(struct query_job *job)
{
	struct policy_cache *policies = engine_policies(job->scope->engine);
	size_t n = policy_cache_has_store(policies)
	    ? policy_cache_count_stored(policies)
	    : policy_cache_count(policies);

	engine_forget(job->scope->engine, NULL);
	log_notice("all policies dropped by the administrator: %zu", n);
	query_job_answer(job, json_pack("{s:I}", "dropped", (json_int_t)n));
}

/* cache-refresh DOMAIN */

static json_t *
failure_json(const struct policy_facts *facts)
{
	if (facts->failure != RESULT_NONE)
		return json_pack("{s:s, s:o}", "result",
		    result_type_name(facts->failure), "why",
		    json_text(facts->failure_why));
	return json_pack("{s:s, s:o}", "result", result_type_name(RESULT_NONE),
	    "why",
	    json_text(facts->record == RECORD_FOUND ? "the fetch was not begun"
						    : facts->record_why));
}

static void
refresh_done(const struct policy_facts *facts, void *arg)
{
	struct query_job *job = arg;
	bool fetched = facts->state == POLICY_FETCHED;

	job->running = NULL;
	query_job_answer(job,
	    json_pack("{s:s, s:b, s:s, s:{s:s, s:o}, s:o}", "domain",
		job->argument, "refreshed", (int)fetched, "state",
		policy_state_name(facts->state), "record", "state",
		record_state_name(facts->record), "id",
		json_text(facts->record_id), "failure",
		fetched ? json_null() : failure_json(facts)));
}

static void
refresh_stop(struct query_job *job)
{
	struct policy_wait *wait = job->running;

	policy_wait_cancel(&wait);
	job->running = NULL;
}

/* It is begun whatever failed before: it is not the engine's own idea. */
void
query_cache_refresh(struct query_job *job)
{
	struct policy_updates *updates = engine_updates(job->scope->engine);
	char domain[DOMAIN_SIZE];

	if (!query_job_domain(job, domain))
		return;
	span_copy(span_of(domain), job->argument, sizeof(job->argument));
	policy_updates_forget(updates, domain);
	job->running =
	    policy_update_refresh_join(updates, domain, refresh_done, job);
	job->stop = refresh_stop;
	if (job->running == NULL)
		query_job_refuse(job, "out of memory");
}
