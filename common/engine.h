/* SPDX-License-Identifier: ISC */
/*
 * The engine: who asks about a domain gets its verdict, from the cache or by
 * waiting for the one lookup that runs for it. Front ends know nothing deeper.
 *
 * The way of one recipient:
 *
 *	front end  -> engine_cached(), else engine_ask()
 *	engine     -> joins or starts the lookup of the domain
 *	lookup     -> policy, mx, probe, decide
 *	engine     -> keeps the verdict, tells all who wait
 *
 * When a smart host is configured, every domain stands for that host's name,
 * whose policy counts and whose address gets the mail.
 */
#ifndef STRICTMX_COMMON_ENGINE_H
#define STRICTMX_COMMON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/facts.h"

struct config;
struct dnssec_guard;
struct engine;
struct engine_ask;
struct overrides;
struct policy_cache;
struct policy_updates;
struct ports;
struct staging;
struct verdict;

/* Everything is borrowed and outlives the engine. NULL without memory. */
struct engine *engine_new(const struct config *config,
    const struct ports *ports, struct policy_cache *cache);

/*
 * Policies that the administrator sets at run time are looked for there from
 * now on, before those of the configuration. Borrowed.
 */
void engine_use_overrides(struct engine *engine, struct overrides *overrides);

/* What would have been refused is told there from now on. Borrowed. */
void engine_use_staging(struct engine *engine, struct staging *staging);

/* A delivery went out only because of a testing mode: see staging.h. */
void engine_staged_session(struct engine *engine, const struct verdict *verdict,
    enum result_type result, const char *why);

/* Those of a domain (folded) have changed: what was built on them is void. */
void engine_override_changed(struct engine *engine, const char *domain);

/* Who still waits is not called. Not from an engine callback. Safe on NULL. */
void engine_free(struct engine *engine);

/*
 * The kept verdict of a domain (folded), borrowed until the next call; NULL
 * when there is none that is still good: then ask.
 */
const struct verdict *engine_cached(struct engine *engine, enum gate gate,
    const char *domain);

/* The same for who only looks: not logged, not counted, nothing begins. */
const struct verdict *engine_peek(struct engine *engine, enum gate gate,
    const char *domain);

/* verdict: borrowed for the time of the call. */
typedef void engine_done_fn(const struct verdict *verdict, void *arg);

/*
 * done runs once, within the configured deadline, never before this call
 * returned. NULL when too many wait or there is no memory: who asked defers.
 */
struct engine_ask *engine_ask(struct engine *engine, enum gate gate,
    const char *domain, engine_done_fn *done, void *arg);

/*
 * The same, but the record is looked at past the DNS cache (once a minute and
 * domain) and a new policy taken, before the verdict: for who is about to
 * refuse mail for what the hosts have shown (RFC 8461 5.1). facts.fresh_look
 * says what came of it.
 */
struct engine_ask *engine_ask_again(struct engine *engine, enum gate gate,
    const char *domain, engine_done_fn *done, void *arg);

/* Leaves; the lookup goes on and fills the cache. Safe on NULL. */
void engine_ask_cancel(struct engine_ask **ask);

/*
 * What from has learned of domains under DANE is known to heir, which takes its
 * place with another configuration.
 */
void engine_inherit(struct engine *heir, struct engine *from);

/*
 * Does a policy of a domain (folded) bind, as far as can be told at once: a
 * cached one, or one that the administrator has set? Also true when what is
 * kept cannot be read.
 */
bool engine_may_have_policy(struct engine *engine, const char *domain);

/* Fetches the cached policy of a domain again, now, behind all answers. */
void engine_refresh(struct engine *engine, const char *domain);

/*
 * Forgets what is known of a domain (folded), or, with NULL, of all: policies,
 * failed fetches, verdicts. What runs goes on.
 */
void engine_forget(struct engine *engine, const char *domain);

/* How many there are of what. */
struct engine_numbers {
	size_t lookups, asks, updates; /* that run, or wait */
	size_t verdicts;	       /* kept */
};

void engine_count(const struct engine *engine, struct engine_numbers *out);

/* Parts of the engine, for who shows them to an administrator. */
struct policy_cache *engine_policies(const struct engine *engine);
struct policy_updates *engine_updates(const struct engine *engine);
struct overrides *engine_overrides(const struct engine *engine);
struct staging *engine_staging(const struct engine *engine);
struct dnssec_guard *engine_guard(const struct engine *engine);

/* Nothing runs: no lookup, no policy update. */
bool engine_is_idle(const struct engine *engine);

#endif
