/* SPDX-License-Identifier: ISC */
/* What the engine has done so far, in numbers: see filter/query_job.h. */
#include "filter/query_stats.h"

#include "common/clock.h"
#include "common/engine.h"
#include "common/loop_meter.h"
#include "common/policy_cache.h"
#include "common/stats.h"
#include "filter/query_relay.h"

static json_t *
count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* By the words of RFC 8460 4.3; what did not happen is left out. */
static json_t *
failed_json(const struct stats_outcomes *outcomes)
{
	json_t *by_type = json_object();

	/* RESULT_NONE is about no TLS: it has a name of its own. */
	for (int i = RESULT_NONE + 1; i < STATS_RESULTS; i++)
		if (outcomes->failed[i] > 0 &&
		    json_object_set_new(by_type,
			result_type_name((enum result_type)i),
			count(outcomes->failed[i])) != 0) {
			json_decref(by_type);
			return NULL;
		}
	return by_type;
}

static json_t *
outcomes_json(const struct stats *stats, enum outcome_kind kind)
{
	const struct stats_outcomes *outcomes = &stats->outcomes[kind];

	return json_pack("{s:o, s:o, s:o}", "good", count(outcomes->good),
	    "unreachable", count(outcomes->failed[RESULT_NONE]), "failed",
	    failed_json(outcomes));
}

static json_t *
verdicts_json(const struct stats *stats)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "proceed",
	    count(stats->answers[ACTION_PROCEED]), "would-defer",
	    count(stats->answers[ACTION_WOULD_DEFER]), "defer",
	    count(stats->answers[ACTION_DEFER]), "reject",
	    count(stats->answers[ACTION_REJECT]));
}

static json_t *
latency_json(const struct stats *stats)
{
	return json_pack("{s:f, s:o, s:o, s:o, s:o}", "mean",
	    stats->lookups == 0
		? 0.0
		: (double)stats->took_ms / (double)stats->lookups,
	    "p50", count(stats_quantile_ms(stats, 0.5)), "p90",
	    count(stats_quantile_ms(stats, 0.9)), "p99",
	    count(stats_quantile_ms(stats, 0.99)), "max",
	    count(stats->longest_ms));
}

static json_t *
sizes_json(const struct query_scope *scope)
{
	const struct policy_cache *policies = engine_policies(scope->engine);
	struct engine_numbers n;

	engine_count(scope->engine, &n);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "policies_in_memory", count(policy_cache_count(policies)),
	    "policies_stored",
	    policy_cache_has_store(policies)
		? count(policy_cache_count_stored(policies))
		: json_null(),
	    "verdicts", count(n.verdicts), "lookups", count(n.lookups),
	    "updates", count(n.updates), "waiting", count(n.asks), "clients",
	    count(scope->n_clients));
}

void
query_stats(struct query_job *job)
{
	const struct query_scope *scope = job->scope;
	const struct stats *stats = stats_get();
	int64_t up_ms = clock_mono_ms(scope->clock) - scope->began_ms;

	query_job_answer(job,
	    json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		      "s:o, s:o}",
		"version", PACKAGE_VERSION, "uptime",
		(json_int_t)(up_ms / 1000), "asked",
		count(stats->hits + stats->waited), "hits", count(stats->hits),
		"lookups", count(stats->lookups), "verdicts",
		verdicts_json(stats), "latency_ms", latency_json(stats),
		"fetches", outcomes_json(stats, OUTCOME_FETCH), "probes",
		outcomes_json(stats, OUTCOME_PROBE), "sessions",
		outcomes_json(stats, OUTCOME_SESSION), "relay",
		query_relay_all(clock_wall_s(scope->clock)), "sizes",
		sizes_json(scope), "longest_stall_ms",
		scope->meter == NULL
		    ? json_null()
		    : json_real(
			  (double)loop_meter_longest_us(scope->meter) / 1000)));
}
