/* SPDX-License-Identifier: ISC */
/* What the engine has done, in numbers: see stats.h. */
#include "common/stats.h"

#include <string.h>

const int64_t stats_bounds_ms[STATS_BUCKETS - 1] = { 1, 3, 10, 30, 100, 300,
	1000, 3000, 10000, 30000, 100000 };

static struct stats all;

void
stats_hit(const struct verdict *verdict)
{
	all.hits++;
	all.answers[verdict->action]++;
}

static size_t
bucket_of(int64_t took_ms)
{
	size_t i = 0;

	while (i < STATS_BUCKETS - 1 && took_ms > stats_bounds_ms[i])
		i++;
	return i;
}

void
stats_lookup(const struct verdict *verdict, int64_t took_ms, size_t n_waited)
{
	uint64_t ms = took_ms < 0 ? 0 : (uint64_t)took_ms;

	all.lookups++;
	all.took_ms += ms;
	if (ms > all.longest_ms)
		all.longest_ms = ms;
	all.buckets[bucket_of(took_ms)]++;
	all.waited += n_waited;
	all.answers[verdict->action] += n_waited;
}

void
stats_outcome(const struct outcome *outcome)
{
	struct stats_outcomes *kind = &all.outcomes[outcome->kind];

	if (outcome_is_good(outcome))
		kind->good++;
	else
		kind->failed[outcome->result]++;
}

const struct stats *
stats_get(void)
{
	return &all;
}

void
stats_reset(void)
{
	memset(&all, 0, sizeof(all));
}

uint64_t
stats_quantile_ms(const struct stats *stats, double part)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < STATS_BUCKETS - 1; i++) {
		seen += stats->buckets[i];
		if (seen > 0 && (double)seen >= part * (double)stats->lookups)
			return (uint64_t)stats_bounds_ms[i] < stats->longest_ms
			    ? (uint64_t)stats_bounds_ms[i]
			    : stats->longest_ms;
	}
	return stats->longest_ms;
}
