/* SPDX-License-Identifier: ISC */
/*
 * The way of one domain, from its name to a verdict:
 *
 *	1 policy   what is cached, or what the domain says now; at the same
 *	           time the question of the next step is put
 *	2 mx       the MX hosts, their TLSA records (common/mx_lookup), and
 *	           what is asked of each
 *	3 guard    where DANE was in force and is not now: does the resolver
 *	           validate?
 *	4 probe    STARTTLS with those of which proofs are asked, in order,
 *	           until one is good
 *	5 look     before a refusal: is the policy still the published one?
 *	6 decide   verdict_decide()
 *
 * Each step's two halves, ask and answer, stand together in the order of time.
 * Steps gather facts; a failure is a fact; none is jumped over (one that has
 * nothing to do looks at the facts and says NEXT). lookup_advance() is the only
 * way forward and the only way out.
 */
#include "common/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/demand.h"
#include "common/dnssec_guard.h"
#include "common/facts.h"
#include "common/limits.h"
#include "common/mx_facts.h"
#include "common/mx_lookup.h"
#include "common/outcome.h"
#include "common/policy_cache.h"
#include "common/policy_known.h"
#include "common/policy_update.h"
#include "common/ports.h"
#include "common/trials.h"
#include "common/tlsa_set.h"
#include "common/verdict.h"

enum lookup_step {
	STEP_START,
	STEP_POLICY,
	STEP_MX,
	STEP_GUARD,
	STEP_PROBE,
	STEP_LOOK,
	STEP_DONE,
};

enum step_result {
	NEXT,
	WAIT
};

struct lookup {
	struct lookup_shared shared;
	enum lookup_step step;
	struct verdict *verdict; /* its facts are filled step by step */
	struct mx_fact *lent;	 /* probes of the verdict before this one */
	size_t n_lent;
	bool look_wanted;
	bool looked_stale; /* the look has joined one that was not past the
			      cache */
	int64_t started_ms;
	struct clock_timer *begin; /* runs the first step from the loop */
	struct clock_timer *deadline;
	struct policy_wait *policy_wait;
	bool mx_asked;
	bool mx_fresh; /* past the DNS cache: an answer was doubted */
	struct mx_lookup *mx_lookup;
	struct dnssec_wait *guard_wait;
	struct trials *trials;
	lookup_done_fn *done;
	void *arg;
};

static void lookup_advance(struct lookup *l);
static void lookup_rewind(struct lookup *l);

/* 1. The policy: a cached one binds at once (RFC 8461 3.3, 5.1). */

/*
 * That a policy is live, or may be, is not forgotten because an update has
 * found none.
 */
static void
policy_take(struct lookup *l, const struct policy_facts *found)
{
	struct policy_facts *sts = &l->verdict->facts.sts;
	bool unread = sts->state == POLICY_UNREAD;

	policy_facts_cleanup(sts);
	if (!policy_facts_copy(found, sts) ||
	    (unread && !facts_have_policy(&l->verdict->facts)))
		sts->state = POLICY_UNREAD;
}

static void
policy_done(const struct policy_facts *found, void *arg)
{
	struct lookup *l = arg;

	l->policy_wait = NULL;
	policy_take(l, found);
	lookup_advance(l);
}

static void mx_begin(struct lookup *l);

static enum step_result
step_policy(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;
	int64_t now_s = clock_wall_s(l->shared.ports->clock);
	int64_t old_s = policy_cache_old_time_s(l->shared.cache, now_s);

	mx_begin(l);
	if (policy_known_set(l->shared.overrides, l->shared.config, f->domain,
		old_s, &f->sts) ||
	    policy_known_needless(l->shared.config, f->domain, &f->sts) ||
	    policy_known_cached(l->shared.cache, f->domain, now_s, &f->sts))
		return NEXT;
	l->policy_wait = policy_update_join(l->shared.updates, f->domain, false,
	    policy_done, l);
	return l->policy_wait == NULL ? NEXT : WAIT;
}

/* 2. The MX hosts. */

/* What is asked of each host, and what is known of it already. */
static void
mx_hosts_mark(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;

	for (size_t i = 0; i < f->n_mx; i++)
		f->mx[i].listed = facts_have_policy(f) &&
		    sts_policy_lists(&f->sts.policy, f->mx[i].host);
	demand_mark(l->verdict, l->shared.config);
	for (size_t i = 0; i < f->n_mx; i++)
		for (size_t j = 0; f->mx[i].required != 0 && j < l->n_lent; j++)
			if (mx_fact_same_trial(&l->lent[j], &f->mx[i])) {
				f->mx[i].probe = l->lent[j].probe;
				f->mx[i].probe_expires_ms =
				    l->lent[j].probe_expires_ms;
			}
}

static void
mx_done(void *arg)
{
	struct lookup *l = arg;

	l->mx_lookup = NULL;
	if (l->step == STEP_MX) { /* else the policy is still waited for */
		l->step--;
		lookup_advance(l);
	}
}

static void
mx_begin(struct lookup *l)
{
	const struct mx_lookup_opts opts = { .ports = l->shared.ports,
		.config = l->shared.config,
		.dane = dnssec_guard_dane(l->shared.guard),
		.fresh = l->mx_fresh };

	if (l->mx_asked)
		return;
	l->mx_asked = true;
	l->mx_lookup = mx_lookup_start(&opts, &l->verdict->facts, mx_done, l);
}

static enum step_result
step_mx(struct lookup *l)
{
	mx_begin(l);
	if (l->mx_lookup != NULL)
		return WAIT;
	mx_hosts_mark(l);
	return NEXT;
}

/*
 * 3. DANE was in force for this domain, and is not now. When the resolver
 * still validates, and says the same once more, past the DNS cache, that is the
 * domain's own will; else its mail waits.
 */

static void
guard_done(bool works, void *arg)
{
	struct lookup *l = arg;

	l->guard_wait = NULL;
	if (works) {
		mx_facts_forget(&l->verdict->facts);
		l->verdict->facts.dane_lost = true; /* until then */
		l->mx_asked = false;
		l->mx_fresh = true;
		l->step = STEP_MX - 1;
	}
	lookup_advance(l);
}

static enum step_result
step_guard(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;

	if (f->dane_lost) {
		f->dane_lost = false;
		mx_hosts_mark(l);
	}
	if (!l->shared.config->dane)
		return NEXT;
	if (facts_have_tlsa(f))
		dnssec_guard_note(l->shared.guard, f->domain);
	if (facts_may_have_dane(f) ||
	    !dnssec_guard_remembers(l->shared.guard, f->domain))
		return NEXT;
	if (l->mx_fresh && f->dane) {
		dnssec_guard_forget(l->shared.guard, f->domain);
		return NEXT;
	}
	f->dane_lost = true; /* unless the resolver is found to validate */
	demand_mark(l->verdict, l->shared.config);
	if (f->mx_state == MX_UNKNOWN || l->mx_fresh)
		return NEXT;
	l->guard_wait = dnssec_guard_join(l->shared.guard, guard_done, l);
	return l->guard_wait == NULL ? NEXT : WAIT;
}

/* 4. Trials of the hosts; only where proofs are asked for. */

static void
trials_done(void *arg)
{
	struct lookup *l = arg;

	l->trials = NULL;
	lookup_advance(l);
}

/* One of which nothing is asked takes the mail, whatever trials would show. */
static bool
is_trial_needed(const struct facts *f)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].allowed && f->mx[i].required == 0)
			return false;
	return true;
}

static enum step_result
step_probe(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;

	if (l->verdict->gate == GATE_DELIVERY || !is_trial_needed(f))
		return NEXT;
	l->trials =
	    trials_start(l->shared.ports, l->shared.config, f, trials_done, l);
	return l->trials == NULL ? NEXT : WAIT;
}

/*
 * 5. A cached policy is about to refuse. Is it still the published one (RFC
 * 8461 5.1)? One that the administrator has set need not be, and one in mode
 * testing refuses nothing: it keeps no mail waiting. Past the DNS cache, once a
 * minute and domain. A new policy has the whole walk begin anew, once. At
 * delivery the refusal comes from the hosts themselves, after this lookup: then
 * the look is asked for.
 */

static enum fresh_look
look_result(const struct policy_facts *found)
{
	if (!found->record_fresh || found->record == RECORD_UNKNOWN)
		return LOOK_FAILED;
	if (found->record == RECORD_FOUND &&
	    strcmp(found->record_id, found->id) != 0)
		return LOOK_FAILED; /* a new one that cannot be fetched */
	return LOOK_SAME;
}

static void look_done(const struct policy_facts *found, void *arg);

static bool
look_begin(struct lookup *l)
{
	l->policy_wait = policy_update_join(l->shared.updates,
	    l->verdict->facts.domain, true, look_done, l);
	return l->policy_wait != NULL;
}

/* An update that ran already had asked the DNS cache: once more, then. */
static bool
look_begin_again(struct lookup *l, const struct policy_facts *found)
{
	if (found->record_fresh || l->looked_stale)
		return false;
	l->looked_stale = true;
	return look_begin(l);
}

static void
look_done(const struct policy_facts *found, void *arg)
{
	struct lookup *l = arg;
	struct facts *f = &l->verdict->facts;
	bool changed = !facts_have_same_policy(found, &f->sts);

	l->policy_wait = NULL;
	if (!changed && look_begin_again(l, found))
		return;
	f->fresh_look = look_result(found);
	policy_cache_fresh_look(l->shared.cache, f->domain,
	    clock_wall_s(l->shared.ports->clock), f->fresh_look == LOOK_SAME);
	if (changed) {
		lookup_rewind(l);
		policy_take(l, found);
		f->fresh_look = LOOK_SAME;
		l->step = STEP_POLICY; /* which has been answered */
	}
	lookup_advance(l);
}

static enum step_result
step_look(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;
	const struct cached_policy *cached;
	int64_t now_s = clock_wall_s(l->shared.ports->clock);

	verdict_decide(l->verdict, l->shared.config);
	if (f->sts.state != POLICY_CACHED || f->fresh_look != LOOK_NONE)
		return NEXT;
	if (!l->look_wanted &&
	    (l->verdict->source != VERDICT_STS ||
		f->sts.policy.mode != STS_MODE_ENFORCE ||
		l->verdict->action == ACTION_PROCEED))
		return NEXT;
	cached = policy_cache_get(l->shared.cache, f->domain, now_s);
	if (cached != NULL && cached->fresh_look_at_s != 0 &&
	    cached->fresh_look_at_s <= now_s &&
	    now_s - cached->fresh_look_at_s < LIMIT_FRESH_LOOK_S) {
		f->fresh_look =
		    cached->fresh_look_good ? LOOK_SAME : LOOK_FAILED;
		return NEXT;
	}
	if (look_begin(l))
		return WAIT;
	f->fresh_look = LOOK_FAILED;
	return NEXT;
}

/* The driver. */

/* All facts but the domain are to be gathered anew. */
static void
lookup_rewind(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;
	char domain[DOMAIN_SIZE];
	uint16_t port = f->port;

	memcpy(domain, f->domain, sizeof(domain));
	facts_cleanup(f);
	memcpy(f->domain, domain, sizeof(domain));
	f->port = port;
	l->mx_asked = false;
}

static void
lookup_free(struct lookup *l)
{
	clock_timer_cancel(&l->begin);
	clock_timer_cancel(&l->deadline);
	policy_wait_cancel(&l->policy_wait);
	mx_lookup_cancel(&l->mx_lookup);
	dnssec_wait_cancel(&l->guard_wait);
	trials_cancel(&l->trials);
	verdict_free(l->verdict);
	for (size_t i = 0; i < l->n_lent; i++)
		tlsa_set_drop(&l->lent[i].dane.tlsa);
	free(l->lent);
	free(l);
}

/* 6. The end: judged with what is known. */
static void
lookup_finish(struct lookup *l)
{
	const struct clock *clock = l->shared.ports->clock;
	struct verdict *verdict = l->verdict;
	int64_t now_ms = clock_mono_ms(clock);

	mx_lookup_cancel(&l->mx_lookup); /* it writes into the verdict */
	l->verdict = NULL;
	verdict_decide(verdict, l->shared.config);
	verdict->decided_ms = now_ms;
	verdict->expires_ms = now_ms +
	    (int64_t)verdict_life_s(verdict, clock_wall_s(clock), now_ms) *
		1000;
	l->done(verdict, now_ms - l->started_ms, l->arg);
	lookup_free(l);
}

static enum step_result (*const steps[])(struct lookup *) = {
	[STEP_POLICY] = step_policy,
	[STEP_MX] = step_mx,
	[STEP_GUARD] = step_guard,
	[STEP_PROBE] = step_probe,
	[STEP_LOOK] = step_look,
};

static void
lookup_advance(struct lookup *l)
{
	while (++l->step != STEP_DONE)
		if (steps[l->step](l) == WAIT)
			return;
	lookup_finish(l);
}

static void
lookup_begin(void *arg)
{
	struct lookup *l = arg;

	l->begin = NULL;
	lookup_advance(l);
}

/* Time is up: what the policy's update has found so far are facts too. */
static void
lookup_deadline(void *arg)
{
	struct lookup *l = arg;
	struct facts *f = &l->verdict->facts;

	l->deadline = NULL;
	f->deadline_hit = true;
	if (l->policy_wait != NULL && l->step == STEP_POLICY)
		policy_take(l, policy_wait_facts(l->policy_wait));
	if (l->step <= STEP_MX)
		mx_hosts_mark(l);
	lookup_finish(l);
}

static void
lend(struct lookup *l, const struct mx_fact *mx)
{
	tlsa_set_hold(mx->dane.tlsa);
	l->lent[l->n_lent++] = *mx;
}

/* Probes of the last verdict that still hold (good 5 minutes, bad 1). */
static bool
probes_lend(struct lookup *l, const struct verdict *previous)
{
	const struct facts *f = &previous->facts;

	if (f->n_mx == 0)
		return true;
	l->lent = calloc(f->n_mx, sizeof(*l->lent));
	if (l->lent == NULL)
		return false;
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].probe_expires_ms > l->started_ms)
			lend(l, &f->mx[i]);
	return true;
}

struct lookup *
lookup_start(const struct lookup_shared *shared, enum gate gate,
    const char *domain, const struct verdict *previous, lookup_done_fn *done,
    void *arg)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->shared = *shared;
	l->done = done;
	l->arg = arg;
	l->started_ms = clock_mono_ms(shared->ports->clock);
	l->verdict = calloc(1, sizeof(*l->verdict));
	if (l->verdict == NULL)
		goto fail;
	l->verdict->gate = gate;
	l->verdict->facts.port = shared->config->smarthost[0] == '\0'
	    ? SMTP_PORT
	    : shared->config->smarthost_port;
	snprintf(l->verdict->facts.domain, sizeof(l->verdict->facts.domain),
	    "%s", domain);
	if (previous != NULL && !probes_lend(l, previous))
		goto fail;
	l->begin = clock_timer_start(shared->ports->clock, 0, lookup_begin, l);
	l->deadline = clock_timer_start(shared->ports->clock,
	    (int64_t)shared->config->deadline_s * 1000, lookup_deadline, l);
	if (l->begin == NULL || l->deadline == NULL)
		goto fail;
	return l;
fail:
	lookup_free(l);
	return NULL;
}

void
lookup_want_look(struct lookup *lookup)
{
	lookup->look_wanted = true;
}

void
lookup_cancel(struct lookup **lookup)
{
	struct lookup *l = *lookup;

	*lookup = NULL;
	if (l != NULL)
		lookup_free(l);
}
