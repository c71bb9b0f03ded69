/* SPDX-License-Identifier: ISC */
/*
 * Finding the session that may carry a message: see delivery.h.
 *
 *	1 verdict   of the engine: who may take the mail, and what is asked
 *	2 reuse     of a session that is left from another delivery
 *	3 walk      along those hosts (mx_walk.c)
 *	4 look      before a refusal; with a new policy, 2 and 3 once more
 *
 * delivery_advance() is the only way forward and the only way out.
 */
#include "common/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/mx_facts.h"
#include "common/outcome.h"
#include "common/session_pool.h"
#include "common/smtp_transaction.h"
#include "common/upstream.h"
#include "proto/smtp_reply.h"

enum delivery_step {
	STEP_START,
	STEP_VERDICT,
	STEP_REUSE,
	STEP_WALK,
	STEP_LOOK,
	STEP_DONE,
};

enum step_result {
	NEXT,
	WAIT
};

struct delivery {
	struct delivery_opts opts;
	struct smtp_mail mail;
	char domain[DOMAIN_SIZE];
	delivery_done_fn *done;
	void *arg;

	enum delivery_step step;
	struct verdict *verdict; /* a copy, which the walk writes to */
	const char *failure;	 /* why there is no verdict; static */
	bool walked;		 /* in vain */
	bool policy_is_fresh;	 /* the look has been had, or is not needed */
	int64_t started_ms;
	struct clock_timer *begin; /* runs the first step from the loop */
	struct clock_timer *deadline;
	struct engine_ask *ask;
	struct mx_walk *walk;
	struct upstream *reused; /* MAIL is said on it */
};

static void delivery_advance(struct delivery *d);

static void
delivery_free(struct delivery *d)
{
	clock_timer_cancel(&d->begin);
	clock_timer_cancel(&d->deadline);
	engine_ask_cancel(&d->ask);
	mx_walk_cancel(&d->walk);
	upstream_cut(&d->reused);
	verdict_free(d->verdict);
	free(d);
}

/*
 * A policy that refuses before any session, since no host is listed, is a
 * failure to be told of like one in a session; so is each host that DANE keeps
 * out.
 */
static void
refusal_report(const struct delivery *d)
{
	const struct verdict *v = d->verdict;
	struct outcome outcome = {
		.kind = OUTCOME_SESSION,
		.domain = v->facts.domain,
		.source = v->source,
		.mode = v->facts.sts.policy.mode,
		.mx = v->mx,
		.result = v->result,
		.why = v->reason,
	};

	if ((v->source == VERDICT_STS || v->source == VERDICT_OVERRIDE) &&
	    v->result != RESULT_NONE)
		outcome_report(&outcome);
	for (size_t i = 0; i < v->facts.n_mx; i++) {
		if (v->facts.mx[i].refused == RESULT_NONE)
			continue;
		outcome.source = VERDICT_DANE;
		outcome.mx = v->facts.mx[i].host;
		outcome.result = v->facts.mx[i].refused;
		outcome_report(&outcome);
	}
}

/* The end: with a session, or with the words of a refusal. */
static void
delivery_end(struct delivery *d, const struct mx_walk_found *found)
{
	struct delivery_result result = { .found = found,
		.verdict = d->verdict };
	delivery_done_fn *done = d->done;
	struct verdict *verdict = d->verdict;
	void *arg = d->arg;

	if (found == NULL && verdict != NULL && d->walked)
		verdict_decide_refused(verdict, d->opts.config);
	else if (found == NULL && verdict != NULL)
		refusal_report(d);
	if (found == NULL && verdict != NULL) {
		result.permanent = verdict->action == ACTION_REJECT;
		result.reason = verdict->reason;
	} else if (found == NULL) {
		result.reason = d->failure;
	}
	d->verdict = NULL;
	delivery_free(d);
	done(&result, arg);
	verdict_free(verdict);
}

/* 1. The verdict. */

/*
 * RFC 8460 5.3: a report about failures goes out in spite of them, as under a
 * policy in mode testing.
 */
static void
verdict_take(struct delivery *d, const struct verdict *verdict)
{
	struct config testing = *d->opts.config;

	verdict_free(d->verdict);
	d->verdict = verdict_copy(verdict);
	d->failure = "451 4.3.0 out of memory, try again later";
	testing.testing = true;
	if (d->verdict != NULL && d->opts.is_report)
		verdict_decide(d->verdict, &testing);
}

static void
verdict_done(const struct verdict *verdict, void *arg)
{
	struct delivery *d = arg;

	d->ask = NULL;
	verdict_take(d, verdict);
	d->policy_is_fresh = verdict->facts.sts.state == POLICY_FETCHED ||
	    verdict->facts.sts.state == POLICY_OVERRIDE;
	delivery_advance(d);
}

/* Of an address no policy is: there is nothing to find out. */
static enum step_result
verdict_of_literal(struct delivery *d)
{
	struct verdict *v = calloc(1, sizeof(*v));

	d->verdict = v;
	d->failure = "451 4.3.0 out of memory, try again later";
	if (v == NULL)
		return NEXT;
	v->gate = GATE_DELIVERY;
	address_format(&d->opts.literal, v->facts.domain);
	v->facts.sts.state = POLICY_NONE;
	v->facts.sts.record = RECORD_NONE;
	v->facts.port = SMTP_PORT;
	mx_facts_take_domain(&v->facts, MX_LITERAL);
	verdict_decide(v, d->opts.config);
	return NEXT;
}

static enum step_result
step_verdict(struct delivery *d)
{
	const struct verdict *kept;

	if (d->opts.literal.family != 0 && d->opts.config->smarthost[0] == '\0')
		return verdict_of_literal(d);
	kept = engine_cached(d->opts.engine, GATE_DELIVERY, d->domain);
	if (kept != NULL) {
		verdict_take(d, kept);
		return NEXT;
	}
	d->ask = engine_ask(d->opts.engine, GATE_DELIVERY, d->domain,
	    verdict_done, d);
	if (d->ask != NULL)
		return WAIT;
	d->failure = "451 4.3.2 too many deliveries, try again later";
	return NEXT;
}

static bool
may_go_out(const struct delivery *d)
{
	return d->verdict != NULL &&
	    (d->verdict->action == ACTION_PROCEED ||
		d->verdict->action == ACTION_WOULD_DEFER);
}

/* That no host is listed has been told by the engine. */
static void
staging_note(const struct delivery *d, const struct mx_walk_found *found)
{
	char why[VERDICT_REASON_SIZE];

	if (found == NULL || found->minded == RESULT_NONE ||
	    found->refusal != NULL || d->opts.is_report ||
	    d->verdict->action == ACTION_WOULD_DEFER)
		return;
	snprintf(why, sizeof(why), "delivered to %s in spite of %s%s%.*s",
	    found->mx, result_type_name(found->minded),
	    found->result->why[0] == '\0' ? "" : ": ", UPSTREAM_WHY_SIZE - 1,
	    found->result->why);
	engine_staged_session(d->opts.engine, d->verdict, found->minded, why);
}

/*
 * 2. A session that has shown what is asked for now. One that is of no use
 * after all is no reason to refuse anything: there are others.
 */

static void
reuse_found(struct delivery *d)
{
	struct upstream *u = d->reused;
	struct smtp_result result = { .stage = SMTP_STAGE_READY,
		.proofs = u->proofs };
	const struct mx_walk_found found = { .session = u->session,
		.mx = u->mx,
		.address = u->address,
		.result = &result,
		.n_messages = u->n_messages,
		.since_ms = u->since_ms,
		.minded = u->minded };

	memcpy(result.tls_version, u->tls_version, sizeof(u->tls_version));
	memcpy(result.why, u->minded_why, sizeof(u->minded_why));
	staging_note(d, &found);
	d->reused = NULL;
	u->session = NULL; /* goes on to who asked */
	delivery_end(d, &found);
	upstream_cut(&u);
}

/*
 * A server may refuse one message too many of a session, and for good: only
 * what it says in a new session is about the mail.
 */
static void
reuse_done(const struct smtp_said *said, void *arg)
{
	struct delivery *d = arg;

	if (said->reply != NULL && said->reply->code / 100 == 2) {
		reuse_found(d);
		return;
	}
	if (said->unfit[0] == '\0')
		upstream_quit(&d->reused);
	else
		upstream_cut(&d->reused);
	delivery_advance(d);
}

static enum step_result
step_reuse(struct delivery *d)
{
	if (!may_go_out(d) || d->opts.pool == NULL)
		return NEXT;
	d->reused = session_pool_take(d->opts.pool, d->verdict);
	if (d->reused == NULL)
		return NEXT;
	if (d->mail.smtputf8 &&
	    !smtp_transaction_offers(d->reused->session)->smtputf8) {
		upstream_quit(&d->reused);
		return NEXT;
	}
	smtp_transaction_mail(d->reused->session, &d->mail,
	    LIMIT_DELIVERY_REUSE_MS, reuse_done, d);
	return WAIT;
}

/* 3. The walk. */

static void
walk_done(const struct mx_walk_found *found, void *arg)
{
	struct delivery *d = arg;

	d->walk = NULL;
	d->walked = found == NULL;
	staging_note(d, found);
	if (found != NULL)
		delivery_end(d, found);
	else
		delivery_advance(d);
}

static enum step_result
step_walk(struct delivery *d)
{
	struct mx_walk_opts opts = {
		.ports = d->opts.ports,
		.config = d->opts.config,
		.ends_ms = d->started_ms + LIMIT_DELIVERY_WALK_MS,
		.uncounted = d->opts.is_report,
		.mail = d->opts.mail == NULL ? NULL : &d->mail,
	};

	d->walked = false;
	if (!may_go_out(d))
		return NEXT;
	d->walk = mx_walk_start(&opts, d->verdict, walk_done, d);
	if (d->walk != NULL)
		return WAIT;
	d->walked = true; /* nothing was tried: that refuses for now */
	return NEXT;
}

/*
 * 4. Hosts that an enforced policy asks for have failed. Is it still the
 * published one?
 */

static void
look_done(const struct verdict *verdict, void *arg)
{
	struct delivery *d = arg;
	bool same;

	d->ask = NULL;
	same =
	    facts_have_same_policy(&verdict->facts.sts, &d->verdict->facts.sts);
	if (same) {
		d->verdict->facts.fresh_look = verdict->facts.fresh_look;
	} else {
		verdict_take(d, verdict);
		d->step = STEP_VERDICT; /* which has been answered */
	}
	delivery_advance(d);
}

static enum step_result
step_look(struct delivery *d)
{
	if (!d->walked || !d->verdict->enforced || d->verdict->loops ||
	    d->policy_is_fresh)
		return NEXT;
	d->policy_is_fresh = true; /* one look is enough */
	d->ask = engine_ask_again(d->opts.engine, GATE_DELIVERY, d->domain,
	    look_done, d);
	if (d->ask != NULL)
		return WAIT;
	d->verdict->facts.fresh_look = LOOK_FAILED;
	return NEXT;
}

/* The driver. */

static enum step_result (*const steps[])(struct delivery *) = {
	[STEP_VERDICT] = step_verdict,
	[STEP_REUSE] = step_reuse,
	[STEP_WALK] = step_walk,
	[STEP_LOOK] = step_look,
};

static void
delivery_advance(struct delivery *d)
{
	while (++d->step != STEP_DONE)
		if (steps[d->step](d) == WAIT)
			return;
	delivery_end(d, NULL);
}

static void
delivery_begin(void *arg)
{
	struct delivery *d = arg;

	d->begin = NULL;
	delivery_advance(d);
}

/*
 * Time is up: while a verdict, a look, or MAIL on a session that was kept is
 * waited for, since walks end. What could have gone out has been in vain then:
 * the verdict's words are no refusal.
 */
static void
delivery_late(void *arg)
{
	struct delivery *d = arg;

	d->deadline = NULL;
	if (d->verdict == NULL)
		d->failure = "451 4.4.3 out of time, try again later";
	else
		d->verdict->facts.fresh_look = LOOK_FAILED;
	d->walked = d->walked || may_go_out(d);
	delivery_end(d, NULL);
}

struct delivery *
delivery_start(const struct delivery_opts *opts, delivery_done_fn *done,
    void *arg)
{
	struct clock *clock = opts->ports->clock;
	struct delivery *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->opts = *opts;
	d->opts.domain = NULL;
	if (opts->mail != NULL)
		d->mail = *opts->mail;
	snprintf(d->domain, sizeof(d->domain), "%s", opts->domain);
	d->done = done;
	d->arg = arg;
	d->started_ms = clock_mono_ms(clock);
	d->begin = clock_timer_start(clock, 0, delivery_begin, d);
	d->deadline =
	    clock_timer_start(clock, LIMIT_DELIVERY_MS, delivery_late, d);
	if (d->begin == NULL || d->deadline == NULL) {
		delivery_free(d);
		return NULL;
	}
	return d;
}

void
delivery_cancel(struct delivery **delivery)
{
	if (*delivery != NULL)
		delivery_free(*delivery);
	*delivery = NULL;
}
