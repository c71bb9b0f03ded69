/* SPDX-License-Identifier: ISC */
/*
 * Why is mail for a domain judged as it is? The kept verdict, or one that is
 * made now; each fact behind it with its age, where it came from and when it
 * will be looked at again; what failed last. See filter/query_job.h.
 */
#include "filter/query_why.h"

#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/explain.h"
#include "common/failures.h"
#include "common/json_line.h"
#include "common/limits.h"
#include "common/policy_cache.h"
#include "common/policy_update.h"
#include "common/verdict.h"
#include "filter/query_relay.h"

/* What is told, and the times that it is told of. */
struct why {
	const struct query_scope *scope;
	const struct verdict *verdict;
	int64_t now_s, now_ms;
	const struct cached_policy *cached; /* NULL: none */
	json_t *list;			    /* that is being filled */
};

/* in_s below 0: not by itself. */
static void
fact_add(struct why *why, const char *fact, const char *about,
    const char *state, const char *source, int64_t age_s, int64_t in_s)
{
	why->list = json_list_add(why->list,
	    json_pack("{s:s, s:o, s:s, s:s, s:I, s:o}", "fact", fact, "about",
		json_text(about), "state", state, "source", source, "age",
		(json_int_t)(age_s < 0 ? 0 : age_s), "refresh_in",
		in_s < 0 ? json_null() : json_integer(in_s)));
}

static int64_t
verdict_age_s(const struct why *why)
{
	return (why->now_ms - why->verdict->decided_ms) / 1000;
}

/* With the verdict everything in it ends that is not kept elsewhere. */
static int64_t
verdict_left_s(const struct why *why)
{
	int64_t left_ms = why->verdict->expires_ms - why->now_ms;

	return left_ms < 0 ? 0 : left_ms / 1000;
}

/*
 * RFC 8461 5.1: under a cached policy the record is looked at behind an answer
 * when it has not been seen for a minute; nobody looks when no mail comes.
 */
static void
record_add(struct why *why)
{
	const struct policy_facts *sts = &why->verdict->facts.sts;
	int64_t age_s, left_s;

	if (why->cached == NULL) {
		fact_add(why, "record", sts->record_id,
		    record_state_name(sts->record), "dns", verdict_age_s(why),
		    verdict_left_s(why));
		return;
	}
	age_s = why->now_s - why->cached->record_seen_at_s;
	left_s = LIMIT_RECORD_AGE_S - age_s;
	fact_add(why, "record", why->cached->id, "found", "dns", age_s,
	    left_s < 0 ? 0 : left_s);
}

/* Whatever is published and cached: it is not asked for again. */
static void
override_add_fact(struct why *why)
{
	const struct override_facts *o = &why->verdict->facts.sts.override;

	fact_add(why, "policy", o->reason, policy_state_name(POLICY_OVERRIDE),
	    o->line == 0 ? "override" : "configuration", verdict_age_s(why),
	    -1);
}

static void
policy_add(struct why *why)
{
	const struct policy_facts *sts = &why->verdict->facts.sts;
	const struct facts *f = &why->verdict->facts;
	int64_t left_s;

	if (sts->state == POLICY_OVERRIDE) {
		override_add_fact(why);
		return;
	}
	if (why->cached == NULL) {
		fact_add(why, "policy", sts->id, policy_state_name(sts->state),
		    "https", verdict_age_s(why),
		    sts->failure == RESULT_NONE
			? verdict_left_s(why)
			: policy_updates_backoff_ms(engine_updates(
							why->scope->engine),
			      f->domain, sts->record_id) /
			    1000);
		return;
	}
	left_s = why->cached->refresh_at_s == INT64_MAX
	    ? -1
	    : why->cached->refresh_at_s - why->now_s;
	fact_add(why, "policy", why->cached->id, "cached", "https",
	    why->now_s - why->cached->fetched_at_s,
	    why->cached->refresh_at_s != INT64_MAX && left_s < 0 ? 0 : left_s);
}

/* With the MX set: what DNSSEC says of a host, and whether it has records. */
static void
tlsa_add(struct why *why, const struct mx_fact *mx)
{
	const struct facts *f = &why->verdict->facts;
	int64_t ttl_left_s = (int64_t)f->dane_ttl_s - verdict_age_s(why);

	if (ttl_left_s > verdict_left_s(why))
		ttl_left_s = verdict_left_s(why);
	fact_add(why, "tlsa", mx->host, dane_state_name(mx->dane.state), "dns",
	    verdict_age_s(why), ttl_left_s < 0 ? 0 : ttl_left_s);
}

/* A trial holds for a while that depends on how it ended. */
static void
probe_add(struct why *why, const struct mx_fact *mx)
{
	int64_t holds_s = mx->probe.state == PROBE_GOOD ? LIMIT_PROBE_GOOD_S
							: LIMIT_PROBE_BAD_S;
	int64_t left_s = (mx->probe_expires_ms - why->now_ms) / 1000;

	fact_add(why, "probe", mx->host, probe_state_name(mx->probe.state),
	    "smtp", holds_s - left_s, left_s < 0 ? 0 : left_s);
}

static json_t *
facts_json(struct why *why)
{
	const struct facts *f = &why->verdict->facts;

	why->list = json_array();
	record_add(why);
	policy_add(why);
	if (f->mx_state != MX_UNKNOWN || f->mx_why != NULL)
		fact_add(why, "mx_set", f->domain, mx_state_name(f->mx_state),
		    f->mx_state == MX_SMARTHOST ? "configuration" : "dns",
		    verdict_age_s(why), verdict_left_s(why));
	for (size_t i = 0; i < f->n_mx; i++) {
		if (f->dane)
			tlsa_add(why, &f->mx[i]);
		if (f->mx[i].probe_expires_ms != 0)
			probe_add(why, &f->mx[i]);
	}
	return why->list;
}

static void
failure_add(const struct failure *failure, void *arg)
{
	struct why *why = arg;
	char address[ADDRESS_SIZE] = "";

	if (failure->address.family != 0)
		address_format(&failure->address, address);
	why->list = json_list_add(why->list,
	    json_pack("{s:I, s:s, s:o, s:o, s:s, s:o}", "age",
		(json_int_t)(why->now_s - failure->at_s), "what", failure->what,
		"mx", json_text(failure->mx), "address", json_text(address),
		"result", result_type_name(failure->result), "why",
		json_text(failure->why)));
}

static json_t *
failures_json(struct why *why)
{
	why->list = json_array();
	failures_each(why->verdict->facts.domain, failure_add, why);
	return why->list;
}

/* How long the policy binds, whatever DNS says. */
static json_t *
life_json(const struct why *why)
{
	const struct policy_facts *sts = &why->verdict->facts.sts;

	if (sts->state == POLICY_OVERRIDE)
		return json_integer(sts->override.until_s - why->now_s);
	if (why->cached == NULL)
		return json_null();
	return json_integer(why->cached->fetched_at_s +
	    why->cached->policy.max_age_s - why->now_s);
}

static json_t *
why_json(const struct query_scope *scope, const struct verdict *verdict,
    bool kept)
{
	struct why why = { .scope = scope,
		.verdict = verdict,
		.now_s = clock_wall_s(scope->clock),
		.now_ms = clock_mono_ms(scope->clock) };
	json_t *facts;

	why.cached = policy_cache_get(engine_policies(scope->engine),
	    verdict->facts.domain, why.now_s);
	facts = facts_json(&why);
	return json_pack("{s:s, s:I, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
	    "domain", verdict->facts.domain, "now", (json_int_t)why.now_s,
	    "kept", (int)kept, "age", (json_int_t)verdict_age_s(&why),
	    "expires_in", (json_int_t)verdict_left_s(&why), "policy_life",
	    life_json(&why), "verdict", explain_verdict_object(verdict),
	    "facts", facts, "failures", failures_json(&why), "relay",
	    query_relay_domain(verdict->facts.domain, why.now_s));
}

static void
verdict_made(const struct verdict *verdict, void *arg)
{
	struct query_job *job = arg;

	job->running = NULL;
	query_job_answer(job, why_json(job->scope, verdict, false));
}

static void
why_stop(struct query_job *job)
{
	struct engine_ask *ask = job->running;

	engine_ask_cancel(&ask);
	job->running = NULL;
}

static void
answer_local(struct query_job *job, const char *domain)
{
	query_job_answer(job,
	    json_pack("{s:s, s:I, s:{s:s, s:s, s:s}, s:[], s:[]}", "domain",
		domain, "now", (json_int_t)clock_wall_s(job->scope->clock),
		"verdict", "action", verdict_action_name(ACTION_PROCEED),
		"source", verdict_source_name(VERDICT_NONE), "reason",
		"local domain", "facts", "failures"));
}

void
query_why(struct query_job *job)
{
	struct engine *engine = job->scope->engine;
	const struct verdict *kept;
	char domain[DOMAIN_SIZE];

	if (!query_job_domain(job, domain))
		return;
	if (config_is_local(job->scope->config, domain)) {
		answer_local(job, domain);
		return;
	}
	kept = engine_peek(engine, GATE_ADMISSION, domain);
	if (kept != NULL) {
		query_job_answer(job, why_json(job->scope, kept, true));
		return;
	}
	job->running =
	    engine_ask(engine, GATE_ADMISSION, domain, verdict_made, job);
	job->stop = why_stop;
	if (job->running == NULL)
		query_job_refuse(job, "too many lookups are waiting");
}
