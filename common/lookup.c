/* SPDX-License-Identifier: ISC */
/*
 * The way of one domain, from its name to a verdict:
 *
 *	1 policy   what is cached, or what the domain says now
 *	2 mx       the MX hosts, and which of them the policy lists
 *	3 probe    STARTTLS with the listed hosts, in order, until one is good
 *	4 look     before a refusal: is the policy still the published one?
 *	5 decide   verdict_decide()
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
#include "common/facts.h"
#include "common/limits.h"
#include "common/mx_facts.h"
#include "common/outcome.h"
#include "common/policy_cache.h"
#include "common/policy_update.h"
#include "common/ports.h"
#include "common/probe.h"
#include "common/verdict.h"

enum lookup_step {
	STEP_START,
	STEP_POLICY,
	STEP_MX,
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
	size_t probing; /* index of the mx whose turn it is */
	bool look_wanted;
	bool looked_stale; /* the look has joined one that was not past the
			      cache */
	int64_t started_ms;
	struct clock_timer *begin; /* runs the first step from the loop */
	struct clock_timer *deadline;
	struct policy_wait *policy_wait;
	struct dns_query *mx_query;
	struct probe *probe;
	lookup_done_fn *done;
	void *arg;
};

static void lookup_advance(struct lookup *l);
static void lookup_rewind(struct lookup *l);

/* 1. The policy: a cached one binds at once (RFC 8461 3.3, 5.1). */

/* That a policy is live is not forgotten because an update knows nothing. */
static void
policy_take(struct lookup *l, const struct policy_facts *found)
{
	struct policy_facts *sts = &l->verdict->facts.sts;
	bool unread = sts->state == POLICY_UNREAD;

	policy_facts_cleanup(sts);
	if (!policy_facts_copy(found, sts) ||
	    (unread && sts->state == POLICY_UNKNOWN))
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

static bool
use_cached(struct lookup *l)
{
	struct policy_facts *sts = &l->verdict->facts.sts;
	int64_t now_s = clock_wall_s(l->shared.ports->clock);
	const struct cached_policy *cached =
	    policy_cache_get(l->shared.cache, l->verdict->facts.domain, now_s);

	if (cached == NULL)
		return false;
	if (!sts_policy_copy(&cached->policy, &sts->policy)) {
		sts->state = POLICY_UNREAD;
		return false;
	}
	sts->state = POLICY_CACHED;
	memcpy(sts->id, cached->id, sizeof(sts->id));
	sts->fetched_at_s = cached->fetched_at_s;
	return true;
}

static enum step_result
step_policy(struct lookup *l)
{
	if (use_cached(l))
		return NEXT;
	l->policy_wait = policy_update_join(l->shared.updates,
	    l->verdict->facts.domain, false, policy_done, l);
	return l->policy_wait == NULL ? NEXT : WAIT;
}

/* 2. The MX hosts. */

/* What the policy says of each host, and what is known of it already. */
static void
mx_hosts_mark(struct lookup *l)
{
	struct facts *f = &l->verdict->facts;

	for (size_t i = 0; i < f->n_mx; i++) {
		struct mx_fact *mx = &f->mx[i];

		mx->listed = facts_have_policy(f) &&
		    sts_policy_lists(&f->sts.policy, mx->host);
		if (!mx->listed)
			continue;
		mx->required = PROOF_ENCRYPTED | PROOF_PKIX;
		for (size_t j = 0; j < l->n_lent; j++)
			if (strcmp(l->lent[j].host, mx->host) == 0 &&
			    l->lent[j].required == mx->required) {
				mx->probe = l->lent[j].probe;
				mx->probe_expires_ms =
				    l->lent[j].probe_expires_ms;
			}
	}
}

static void
mx_done(const struct dns_answer *answer, void *arg)
{
	struct lookup *l = arg;

	l->mx_query = NULL;
	mx_facts_take(&l->verdict->facts, answer);
	mx_hosts_mark(l);
	lookup_advance(l);
}

static enum step_result
step_mx(struct lookup *l)
{
	const struct dns_port *dns = &l->shared.ports->dns;

	if (l->shared.config->smarthost[0] != '\0') {
		mx_facts_take_domain(&l->verdict->facts, MX_SMARTHOST);
		mx_hosts_mark(l);
		return NEXT;
	}
	l->mx_query = dns->start(dns->self, l->verdict->facts.domain, DNS_MX,
	    false, mx_done, l);
	if (l->mx_query != NULL)
		return WAIT;
	l->verdict->facts.mx_why = "too many questions are waiting";
	return NEXT;
}

/* 3. Trials of the listed hosts; only where the policy wants proofs. */

static void
probe_keep(struct lookup *l, struct mx_fact *mx,
    const struct probe_result *result)
{
	const struct facts *f = &l->verdict->facts;
	int64_t holds_s = result->state == PROBE_GOOD ? LIMIT_PROBE_GOOD_S
						      : LIMIT_PROBE_BAD_S;
	struct outcome outcome = {
		.kind = OUTCOME_PROBE,
		.domain = f->domain,
		.source = VERDICT_STS,
		.mode = f->sts.policy.mode,
		.mx = mx->host,
		.address = &result->address,
		.result = result->result,
		.why = result->why,
	};

	mx->probe = *result;
	if (result->state != PROBE_UNKNOWN)
		mx->probe_expires_ms =
		    clock_mono_ms(l->shared.ports->clock) + holds_s * 1000;
	outcome_report(&outcome);
}

static void
probe_done(const struct probe_result *result, void *arg)
{
	struct lookup *l = arg;

	l->probe = NULL;
	probe_keep(l, &l->verdict->facts.mx[l->probing], result);
	if (result->state != PROBE_GOOD)
		l->probing++; /* a host has one turn, whatever came of it */
	l->step--;	      /* whose turn is it now? */
	lookup_advance(l);
}

static bool
probe_begin(struct lookup *l, const struct mx_fact *mx)
{
	struct probe_opts opts = {
		.mx = mx->host,
		.helo = l->shared.config->hostname,
		.port = l->verdict->facts.port,
		.proofs = mx->required,
		.rules = l->shared.config->addresses,
	};

	l->probe = probe_start(l->shared.ports, &opts, probe_done, l);
	return l->probe != NULL;
}

static enum step_result
step_probe(struct lookup *l)
{
	const struct facts *f = &l->verdict->facts;

	if (l->verdict->gate == GATE_DELIVERY || !facts_have_policy(f) ||
	    f->sts.policy.mode == STS_MODE_NONE)
		return NEXT;
	for (; l->probing < f->n_mx; l->probing++) {
		const struct mx_fact *mx = &f->mx[l->probing];

		if (mx->probe.state == PROBE_GOOD)
			return NEXT;
		if (mx->listed && mx->probe_expires_ms == 0 &&
		    probe_begin(l, mx))
			return WAIT;
	}
	return NEXT;
}

/*
 * 4. A cached policy is about to refuse. Is it still the published one (RFC
 * 8461 5.1)? Past the DNS cache, once a minute and domain. A new policy has
 * the whole walk begin anew, once. At delivery the refusal comes from the hosts
 * themselves, after this lookup: then the look is asked for.
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
		l->verdict->action == ACTION_PROCEED))
		return NEXT;
	cached = policy_cache_get(l->shared.cache, f->domain, now_s);
	if (cached != NULL && cached->fresh_look_at_s != 0 &&
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
	l->probing = 0;
}

static void
lookup_free(struct lookup *l)
{
	const struct ports *ports = l->shared.ports;

	clock_timer_cancel(&l->begin);
	clock_timer_cancel(&l->deadline);
	policy_wait_cancel(&l->policy_wait);
	ports->dns.cancel(ports->dns.self, &l->mx_query);
	probe_cancel(&l->probe);
	verdict_free(l->verdict);
	free(l->lent);
	free(l);
}

/* 5. The end: judged with what is known. */
static void
lookup_finish(struct lookup *l)
{
	const struct clock *clock = l->shared.ports->clock;
	struct verdict *verdict = l->verdict;
	int64_t now_ms = clock_mono_ms(clock);

	l->verdict = NULL;
	verdict_decide(verdict, l->shared.config);
	verdict->expires_ms = now_ms +
	    (int64_t)verdict_life_s(verdict, clock_wall_s(clock), now_ms) *
		1000;
	l->done(verdict, now_ms - l->started_ms, l->arg);
	lookup_free(l);
}

static enum step_result (*const steps[])(struct lookup *) = {
	[STEP_POLICY] = step_policy,
	[STEP_MX] = step_mx,
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
	lookup_finish(l);
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
			l->lent[l->n_lent++] = f->mx[i];
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
