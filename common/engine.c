/* SPDX-License-Identifier: ISC */
/*
 * Verdicts by domain: one lookup at a time for each, any number who wait for
 * it, and the verdicts that are still good, the least recently used of which
 * go first.
 */
#include "common/engine.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/dnssec_guard.h"
#include "common/failures.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/lookup.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/policy_update.h"
#include "common/ports.h"
#include "common/refresh.h"
#include "common/staging.h"
#include "common/stats.h"
#include "common/uthash_quiet.h"
#include "common/verdict.h"
#include "common/verdict_cache.h"

struct engine_ask {
	struct running *running;
	engine_done_fn *done;
	void *arg;
	TAILQ_ENTRY(engine_ask) entry;
};

/* A lookup and those who wait for it. */
struct running {
	struct engine *engine;
	enum gate gate;
	char domain[DOMAIN_SIZE];
	struct lookup *lookup;
	TAILQ_HEAD(, engine_ask) asks;
	UT_hash_handle hh;
};

struct engine {
	struct lookup_shared shared;
	struct policy_updates *updates;
	struct refresh *refresh;
	struct staging *staging;	/* NULL: nobody wants to know */
	struct running *running[GATES]; /* by domain */
	size_t n_asks;
	struct verdict_cache *kept[GATES];
};

/* RFC 8461 3.4: with a smart host it is that host's policy that counts. */
static const char *
policy_domain(const struct engine *e, const char *domain)
{
	const char *smarthost = e->shared.config->smarthost;

	return smarthost[0] == '\0' ? domain : smarthost;
}

/* Verdicts that are kept. */

/* RFC 8461 3.3: a new policy binds at once. */
static void
policy_changed(const char *domain, void *arg)
{
	struct engine *e = arg;

	for (int gate = 0; gate < GATES; gate++)
		verdict_cache_drop(e->kept[gate], domain);
}

void
engine_override_changed(struct engine *engine, const char *domain)
{
	policy_changed(domain, engine);
}

/*
 * Was it made from the policy that binds now? An update behind an earlier
 * answer may have brought another while the lookup ran.
 */
static bool
verdict_is_current(struct engine *e, const struct verdict *verdict)
{
	const struct policy_facts *sts = &verdict->facts.sts;
	const char *domain = verdict->facts.domain;
	int64_t now_s = clock_wall_s(e->shared.ports->clock);
	const struct override *set =
	    overrides_find(e->shared.overrides, e->shared.config, domain,
		policy_cache_old_time_s(e->shared.cache, now_s));
	const struct cached_policy *cached;

	if (set != NULL || sts->state == POLICY_OVERRIDE)
		return policy_facts_are_of(sts, set);
	cached = policy_cache_get(e->shared.cache, domain, now_s);
	if (cached == NULL)
		return !facts_have_policy(&verdict->facts);
	return facts_have_policy(&verdict->facts) &&
	    cached->fetched_at_s == sts->fetched_at_s &&
	    strcmp(cached->id, sts->id) == 0;
}

/*
 * RFC 8461 5.1: is the cached policy still the published one? Returns until
 * when this needs not be asked again; wall time is in seconds, so it may be one
 * of these too early.
 */
static int64_t
look_behind(struct engine *e, const struct verdict *verdict)
{
	int64_t now_ms = clock_mono_ms(e->shared.ports->clock);
	int64_t now_s = clock_wall_s(e->shared.ports->clock);
	const struct cached_policy *cached;
	int64_t age_s;

	if (!facts_have_policy(&verdict->facts) ||
	    verdict->facts.sts.state == POLICY_OVERRIDE)
		return INT64_MAX;
	cached =
	    policy_cache_get(e->shared.cache, verdict->facts.domain, now_s);
	if (cached == NULL)
		return now_ms;
	age_s = now_s - cached->record_seen_at_s;
	if (age_s <= LIMIT_RECORD_AGE_S)
		return now_ms + (LIMIT_RECORD_AGE_S - age_s) * 1000;
	policy_update_behind(e->updates, verdict->facts.domain);
	return now_ms;
}

/*
 * To find the policy among thousands takes a good part of the time of an
 * answer: not for each.
 */
static void
look_behind_kept(struct engine *e, enum gate gate,
    const struct verdict *verdict, int64_t now_ms)
{
	if (verdict->look_ms <= now_ms)
		verdict_cache_look_later(e->kept[gate], verdict->facts.domain,
		    look_behind(e, verdict));
}

/*
 * One whose time is over, or that came too late, still lends its trials to the
 * next lookup: hosts are not tried more often because of a short TTL, and those
 * that do not answer eat up one deadline, not each.
 */
static bool
is_worth_keeping(const struct verdict *verdict, int64_t now_ms)
{
	const struct facts *f = &verdict->facts;

	if (verdict->expires_ms > now_ms)
		return true;
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].probe_expires_ms > now_ms)
			return true;
	return false;
}

/* The log line of a verdict. Refusals are said each time, the rest once. */
static void
verdict_log(const struct verdict *v, int64_t took_ms, bool cached)
{
	char reason[LOG_QUOTE_SIZE];

	log_info("domain=%s source=%s mode=%s action=%s mx=%s reason=%s "
		 "result=%s ms=%lld cached=%s",
	    v->facts.domain, verdict_source_name(v->source),
	    facts_have_policy(&v->facts)
		? sts_mode_name(v->facts.sts.policy.mode)
		: "none",
	    verdict_action_name(v->action), v->mx[0] == '\0' ? "none" : v->mx,
	    log_quote(reason, v->reason, strlen(v->reason)),
	    result_type_name(v->result), (long long)took_ms,
	    cached ? "yes" : "no");
}

const struct verdict *
engine_cached(struct engine *engine, enum gate gate, const char *domain)
{
	const struct verdict *verdict = verdict_cache_get(engine->kept[gate],
	    policy_domain(engine, domain));
	int64_t now_ms = clock_mono_ms(engine->shared.ports->clock);

	if (verdict == NULL || verdict->expires_ms <= now_ms)
		return NULL;
	if (verdict->action != ACTION_PROCEED) {
		verdict_log(verdict, 0, true);
		staging_take(engine->staging, verdict, 1,
		    clock_wall_s(engine->shared.ports->clock));
	}
	stats_hit(verdict);
	look_behind_kept(engine, gate, verdict, now_ms);
	return verdict;
}

const struct verdict *
engine_peek(struct engine *engine, enum gate gate, const char *domain)
{
	const struct verdict *verdict = verdict_cache_get(engine->kept[gate],
	    policy_domain(engine, domain));

	if (verdict == NULL ||
	    verdict->expires_ms <= clock_mono_ms(engine->shared.ports->clock))
		return NULL;
	return verdict;
}

/* Lookups that run, and those who wait. */

static void
ask_remove(struct engine_ask *ask)
{
	TAILQ_REMOVE(&ask->running->asks, ask, entry);
	ask->running->engine->n_asks--;
	free(ask);
}

static void
running_free(struct running *r)
{
	while (!TAILQ_EMPTY(&r->asks))
		ask_remove(TAILQ_FIRST(&r->asks));
	lookup_cancel(&r->lookup);
	free(r);
}

/* It is counted, and remembered when mail is not to go. */
static void
verdict_note(const struct running *r, const struct verdict *verdict,
    int64_t took_ms)
{
	const struct engine_ask *ask;
	size_t n = 0;

	TAILQ_FOREACH (ask, &r->asks, entry)
		n++;
	stats_lookup(verdict, took_ms, n);
	staging_take(r->engine->staging, verdict, n,
	    clock_wall_s(r->engine->shared.ports->clock));
	if (verdict->action != ACTION_PROCEED)
		failures_add(verdict->facts.domain,
		    &(struct failure){ .what = "verdict",
			.mx = verdict->mx[0] == '\0' ? NULL : verdict->mx,
			.why = verdict->reason,
			.result = verdict->result });
}

static void
lookup_done(struct verdict *verdict, int64_t took_ms, void *arg)
{
	struct running *r = arg;
	struct engine *e = r->engine;
	struct engine_ask *ask;

	r->lookup = NULL;
	/* Whoever asks from now on, a waiter's callback too, begins anew. */
	HASH_DEL(e->running[r->gate], r);
	verdict_log(verdict, took_ms, false);
	verdict_note(r, verdict, took_ms);
	verdict->look_ms = look_behind(e, verdict);
	if (is_worth_keeping(verdict, clock_mono_ms(e->shared.ports->clock)) &&
	    verdict_is_current(e, verdict))
		verdict_cache_put(e->kept[r->gate], verdict);
	while ((ask = TAILQ_FIRST(&r->asks)) != NULL) {
		engine_done_fn *done = ask->done;
		void *done_arg = ask->arg;

		ask_remove(ask);
		done(verdict, done_arg);
	}
	verdict_free(verdict);
	running_free(r);
}

static struct running *
running_start(struct engine *e, enum gate gate, const char *domain)
{
	struct running *r;

	if (HASH_COUNT(e->running[gate]) >= LIMIT_LOOKUPS ||
	    (r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->engine = e;
	r->gate = gate;
	TAILQ_INIT(&r->asks);
	snprintf(r->domain, sizeof(r->domain), "%s", domain);
	r->lookup = lookup_start(&e->shared, gate, domain,
	    verdict_cache_get(e->kept[gate], domain), lookup_done, r);
	if (r->lookup == NULL)
		goto fail;
	HASH_ADD_STR(e->running[gate], domain, r);
	if (r->hh.tbl == NULL)
		goto fail;
	return r;
fail:
	running_free(r);
	return NULL;
}

static struct engine_ask *
ask_start(struct engine *engine, enum gate gate, const char *domain,
    engine_done_fn *done, void *arg)
{
	struct engine_ask *ask;
	struct running *r;

	if (engine->n_asks >= LIMIT_WAITERS ||
	    (ask = calloc(1, sizeof(*ask))) == NULL)
		return NULL;
	HASH_FIND_STR(engine->running[gate], domain, r);
	if (r == NULL && (r = running_start(engine, gate, domain)) == NULL) {
		free(ask);
		return NULL;
	}
	ask->running = r;
	ask->done = done;
	ask->arg = arg;
	TAILQ_INSERT_TAIL(&r->asks, ask, entry);
	engine->n_asks++;
	return ask;
}

struct engine_ask *
engine_ask(struct engine *engine, enum gate gate, const char *domain,
    engine_done_fn *done, void *arg)
{
	return ask_start(engine, gate, policy_domain(engine, domain), done,
	    arg);
}

struct engine_ask *
engine_ask_again(struct engine *engine, enum gate gate, const char *domain,
    engine_done_fn *done, void *arg)
{
	struct engine_ask *ask = engine_ask(engine, gate, domain, done, arg);

	if (ask != NULL)
		lookup_want_look(ask->running->lookup);
	return ask;
}

void
engine_ask_cancel(struct engine_ask **ask)
{
	if (*ask != NULL)
		ask_remove(*ask);
	*ask = NULL;
}

/* Life. */

struct engine *
engine_new(const struct config *config, const struct ports *ports,
    struct policy_cache *cache)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	for (int gate = 0; gate < GATES; gate++)
		if ((e->kept[gate] = verdict_cache_new(LIMIT_VERDICTS)) == NULL)
			goto fail;
	e->updates =
	    policy_updates_new(config, ports, cache, policy_changed, e);
	if (e->updates != NULL)
		e->refresh = refresh_new(ports->clock, cache, e->updates);
	if (e->refresh == NULL)
		goto fail;
	policy_cache_watch(cache, ports->clock);
	e->shared.ports = ports;
	e->shared.config = config;
	e->shared.cache = cache;
	e->shared.updates = e->updates;
	e->shared.guard = dnssec_guard_new(config, ports);
	if (e->shared.guard == NULL)
		goto fail;
	return e;
fail:
	engine_free(e);
	return NULL;
}

void
engine_use_overrides(struct engine *engine, struct overrides *overrides)
{
	engine->shared.overrides = overrides;
}

void
engine_use_staging(struct engine *engine, struct staging *staging)
{
	engine->staging = staging;
}

void
engine_staged_session(struct engine *engine, const struct verdict *verdict,
    enum result_type result, const char *why)
{
	staging_take_session(engine->staging, verdict, result, why,
	    clock_wall_s(engine->shared.ports->clock));
}

void
engine_free(struct engine *engine)
{
	struct running *r, *next;

	if (engine == NULL)
		return;
	refresh_free(engine->refresh);
	for (int gate = 0; gate < GATES; gate++) {
		HASH_ITER (hh, engine->running[gate], r, next) {
			HASH_DEL(engine->running[gate], r);
			running_free(r);
		}
		verdict_cache_free(engine->kept[gate]);
	}
	dnssec_guard_free(engine->shared.guard);
	policy_updates_free(engine->updates);
	free(engine);
}

void
engine_inherit(struct engine *heir, struct engine *from)
{
	dnssec_guard_inherit(heir->shared.guard, from->shared.guard);
}

void
engine_refresh(struct engine *engine, const char *domain)
{
	policy_update_refresh(engine->updates, domain);
}

void
engine_forget(struct engine *engine, const char *domain)
{
	policy_updates_forget(engine->updates, domain);
	if (domain != NULL) {
		policy_cache_drop(engine->shared.cache, domain);
		policy_changed(domain, engine);
		return;
	}
	policy_cache_clear(engine->shared.cache);
	for (int gate = 0; gate < GATES; gate++)
		verdict_cache_clear(engine->kept[gate]);
}

void
engine_count(const struct engine *engine, struct engine_numbers *out)
{
	*out = (struct engine_numbers){ .asks = engine->n_asks,
		.updates = policy_updates_running(engine->updates) };
	for (int gate = 0; gate < GATES; gate++) {
		out->lookups += HASH_COUNT(engine->running[gate]);
		out->verdicts += verdict_cache_count(engine->kept[gate]);
	}
}

struct policy_cache *
engine_policies(const struct engine *engine)
{
	return engine->shared.cache;
}

struct dnssec_guard *
engine_guard(const struct engine *engine)
{
	return engine->shared.guard;
}

struct policy_updates *
engine_updates(const struct engine *engine)
{
	return engine->updates;
}

bool
engine_may_have_policy(struct engine *engine, const char *domain)
{
	const struct lookup_shared *shared = &engine->shared;
	int64_t now_s = clock_wall_s(shared->ports->clock);
	const char *name = policy_domain(engine, domain);

	return overrides_find(shared->overrides, shared->config, name,
		   policy_cache_old_time_s(shared->cache, now_s)) != NULL ||
	    overrides_unread(shared->overrides) ||
	    policy_cache_get(shared->cache, name, now_s) != NULL ||
	    policy_cache_unread(shared->cache);
}

bool
engine_is_idle(const struct engine *engine)
{
	return HASH_COUNT(engine->running[GATE_ADMISSION]) == 0 &&
	    HASH_COUNT(engine->running[GATE_DELIVERY]) == 0 &&
	    policy_updates_running(engine->updates) == 0;
}

struct overrides *
engine_overrides(const struct engine *engine)
{
	return engine->shared.overrides;
}

struct staging *
engine_staging(const struct engine *engine)
{
	return engine->staging;
}
