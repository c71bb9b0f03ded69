/* SPDX-License-Identifier: ISC */
/*
 * A live look at a domain: see tool_check_look.h.
 *
 *	1 policy   record and policy, past the DNS cache
 *	2 guard    where DANE is wanted: does the resolver validate?
 *	3 mx       the MX set, and the TLSA records of each host
 *	4 hosts    every host, on every address, all at once
 *
 * Each step's two halves stand together; look_advance() is the only way forward
 * and the only way out.
 */
#include "filter/tool_check_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/demand.h"
#include "common/dnssec_guard.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/mx_lookup.h"
#include "common/policy_update.h"
#include "filter/tool_progress.h"

#define PROBED 1 /* probe_expires_ms: something is known */

enum look_step {
	LOOK_START,
	LOOK_POLICY,
	LOOK_GUARD,
	LOOK_MX,
	LOOK_HOSTS,
	LOOK_DONE,
};

enum step_result {
	NEXT,
	WAIT
};

struct check_look {
	struct check_parts with;
	struct config config; /* with which is judged; its parts are borrowed */
	enum look_step step;
	struct clock_timer *begin;
	struct policy_wait *policy_wait;
	struct dnssec_wait *guard_wait;
	struct mx_lookup *mx_lookup;
	size_t n_open; /* hosts that are being tried */
	struct check check;
	check_done_fn *done;
	void *arg;
};

static void look_advance(struct check_look *l);

/* 1. Record and policy. */

static void
policy_done(const struct policy_facts *facts, void *arg)
{
	struct check_look *l = arg;

	l->policy_wait = NULL;
	if (!policy_facts_copy(facts, &l->check.verdict.facts.sts))
		fatal("out of memory");
	look_advance(l);
}

static enum step_result
step_policy(struct check_look *l)
{
	const char *domain = l->check.verdict.facts.domain;

	tool_progress_say(l->with.progress, "%s: record and policy", domain);
	l->policy_wait = policy_update_join(engine_updates(l->with.engine),
	    domain, true, policy_done, l);
	return l->policy_wait == NULL ? NEXT : WAIT;
}

/* 2. Whether what the resolver says of DNSSEC can be believed. */

static void
guard_done(bool works, void *arg)
{
	struct check_look *l = arg;

	(void)works; /* the guard itself says what follows from that */
	l->guard_wait = NULL;
	look_advance(l);
}

static enum step_result
step_guard(struct check_look *l)
{
	if (!l->config.dane)
		return NEXT;
	tool_progress_say(l->with.progress, "does the resolver validate?");
	l->guard_wait =
	    dnssec_guard_join(engine_guard(l->with.engine), guard_done, l);
	return l->guard_wait == NULL ? NEXT : WAIT;
}

/* 3. The MX set. */

static void
mx_done(void *arg)
{
	struct check_look *l = arg;

	l->mx_lookup = NULL;
	look_advance(l);
}

static enum step_result
step_mx(struct check_look *l)
{
	struct facts *f = &l->check.verdict.facts;
	const struct mx_lookup_opts opts = { .ports = l->with.ports,
		.config = &l->config,
		.dane = dnssec_guard_dane(engine_guard(l->with.engine)) };

	tool_progress_say(l->with.progress, "%s: MX hosts", f->domain);
	l->mx_lookup = mx_lookup_start(&opts, f, mx_done, l);
	return l->mx_lookup == NULL ? NEXT : WAIT;
}

/* 4. The hosts. The last one to end moves on. */

static void
hosts_say(const struct check_look *l)
{
	tool_progress_say(l->with.progress,
	    "%s: %zu of %zu MX hosts to be tried",
	    l->check.verdict.facts.domain, l->n_open,
	    l->check.verdict.facts.n_mx);
}

static void
host_done(void *arg)
{
	struct check_look *l = arg;

	l->n_open--;
	hosts_say(l);
	if (l->n_open == 0)
		look_advance(l);
}

/* What is asked of each host, and by whom. */
static void
hosts_mark(struct check_look *l)
{
	struct facts *f = &l->check.verdict.facts;

	for (size_t i = 0; i < f->n_mx; i++)
		f->mx[i].listed = facts_have_policy(f) &&
		    sts_policy_lists(&f->sts.policy, f->mx[i].host);
	demand_mark(&l->check.verdict, &l->config);
}

/* Where nothing is asked: would the host keep a policy, if there were one? */
static void
host_start(struct check_look *l, size_t i)
{
	struct facts *f = &l->check.verdict.facts;
	const struct mx_fact *mx = &f->mx[i];
	struct probe_opts opts = { .mx = mx->host,
		.helo = l->config.hostname,
		.port = f->port,
		.proofs = PROOF_ENCRYPTED | PROOF_PKIX,
		.rules = l->config.addresses };

	if (mx->under_dane && mx->allowed) {
		opts.proofs = mx->required;
		opts.next_hop = f->domain;
		if (mx->required & PROOF_DANE)
			opts.tlsa = mx->dane.tlsa;
	}
	l->n_open += check_host_start(&l->check.hosts[i], l->with.ports, &opts,
	    host_done, l);
}

static enum step_result
step_hosts(struct check_look *l)
{
	const struct facts *f = &l->check.verdict.facts;

	hosts_mark(l);
	if (f->n_mx == 0)
		return NEXT;
	l->check.hosts = calloc(f->n_mx, sizeof(*l->check.hosts));
	if (l->check.hosts == NULL)
		fatal("out of memory");
	for (size_t i = 0; i < f->n_mx; i++)
		host_start(l, i);
	hosts_say(l);
	return l->n_open == 0 ? NEXT : WAIT;
}

/* The end: judged by the engine's own rules. */

static void
look_judge(struct check_look *l)
{
	struct facts *f = &l->check.verdict.facts;

	for (size_t i = 0; i < f->n_mx; i++) {
		struct mx_fact *mx = &f->mx[i];

		check_host_weigh(&l->check.hosts[i], &mx->probe);
		mx->probe_expires_ms = PROBED;
	}
	verdict_decide(&l->check.verdict, &l->config);
}

static void
look_free(struct check_look *l)
{
	struct facts *f = &l->check.verdict.facts;

	clock_timer_cancel(&l->begin);
	policy_wait_cancel(&l->policy_wait);
	dnssec_wait_cancel(&l->guard_wait);
	mx_lookup_cancel(&l->mx_lookup);
	for (size_t i = 0; l->check.hosts != NULL && i < f->n_mx; i++)
		check_host_cleanup(&l->check.hosts[i]);
	free(l->check.hosts);
	facts_cleanup(f);
	free(l);
}

static enum step_result (*const steps[])(struct check_look *) = {
	[LOOK_POLICY] = step_policy,
	[LOOK_GUARD] = step_guard,
	[LOOK_MX] = step_mx,
	[LOOK_HOSTS] = step_hosts,
};

static void
look_advance(struct check_look *l)
{
	while (++l->step != LOOK_DONE)
		if (steps[l->step](l) == WAIT)
			return;
	look_judge(l);
	tool_progress_clear(l->with.progress);
	l->done(&l->check, l->arg);
	look_free(l);
}

static void
look_begin(void *arg)
{
	struct check_look *l = arg;

	l->begin = NULL;
	look_advance(l);
}

void
check_look_start(const struct check_parts *parts, const char *domain,
    check_done_fn *done, void *arg)
{
	struct check_look *l = calloc(1, sizeof(*l));
	struct facts *f;

	if (l == NULL)
		fatal("out of memory");
	l->with = *parts;
	l->done = done;
	l->arg = arg;
	/* What this host is lenient about is not the question. */
	l->config = *parts->config;
	l->config.testing = false;
	l->config.reject_on_failure = false;
	l->config.unreachable = CHOICE_DEFER;
	f = &l->check.verdict.facts;
	f->port = SMTP_PORT;
	snprintf(f->domain, sizeof(f->domain), "%s", domain);
	l->begin = clock_timer_start(l->with.ports->clock, 0, look_begin, l);
	if (l->begin == NULL)
		fatal("out of memory");
}
