/* SPDX-License-Identifier: ISC */
/*
 * The walk along the MX hosts at delivery: see mx_walk.h. Three steps for each
 * host, each with its half that asks and its half that takes the answer:
 *
 *	1 addresses   2 sessions, one address after the other   3 MAIL
 *
 * walk_go() is the only way forward and the only way out.
 */
#include "common/mx_walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/limits.h"
#include "common/mx_addresses.h"
#include "common/outcome.h"
#include "common/mx_order.h"
#include "common/own_host.h"
#include "common/smtp_transaction.h"
#include "common/verdict.h"
#include "proto/smtp_reply.h"

enum outcome_of_step {
	NEXT,
	WAIT
};

struct mx_walk {
	struct mx_walk_opts opts;
	struct verdict *verdict;
	mx_walk_done_fn *done;
	void *arg;

	struct mx_order order; /* of the verdict's hosts */
	size_t turn;	       /* that one of them has its turn */
	size_t peer;	/* of the same preference, to be looked at before */
	bool looked_up; /* the addresses of that host */
	struct mx_addresses_found found;
	size_t next;   /* address to be tried */
	bool in_clear; /* the one before it, without TLS this time */
	struct clock_timer *begin;    /* runs the first step from the loop */
	struct clock_timer *deadline; /* of all */
	struct mx_addresses *lookup;
	struct smtp_session *session;
	struct smtp_result result; /* of the session that MAIL is said on */
	int64_t since_ms;	   /* when it became ready */
};

static void
walk_free(struct mx_walk *w)
{
	const struct smtp_port *smtp = &w->opts.ports->smtp;

	clock_timer_cancel(&w->begin);
	clock_timer_cancel(&w->deadline);
	mx_addresses_cancel(&w->lookup);
	smtp->cancel(smtp->self, &w->session);
	free(w);
}

static void
walk_end(struct mx_walk *w, const struct mx_walk_found *found)
{
	mx_walk_done_fn *done = w->done;
	void *arg = w->arg;

	walk_free(w);
	done(found, arg);
}

/* The host whose turn it is. */
static struct mx_fact *
walk_host(struct mx_walk *w)
{
	return &w->verdict->facts.mx[w->order.list[w->turn]];
}

/* What a session with it must show. */
static unsigned
walk_proofs(struct mx_walk *w)
{
	return walk_host(w)->enforced ? walk_host(w)->required : 0;
}

/*
 * What is known of a host is what its last and most telling session has shown.
 * NULL when this one tells less than one before.
 */
static struct probe_result *
host_failed(struct mx_walk *w, enum probe_state state, const char *why)
{
	struct probe_result *kept = &walk_host(w)->probe;

	if (kept->state == PROBE_TLS_FAILED && state != PROBE_TLS_FAILED)
		return NULL;
	memset(kept, 0, sizeof(*kept));
	kept->state = state;
	snprintf(kept->why, sizeof(kept->why), "%s", why);
	if (w->next > 0)
		kept->address = w->found.list[w->next - 1];
	return kept;
}

static void
session_failed(struct mx_walk *w, const struct smtp_result *result)
{
	struct probe_result *kept =
	    host_failed(w, probe_state_of_failure(result), result->why);

	if (kept == NULL)
		return;
	kept->result = result->result;
	kept->certificate_bad = result->certificate_bad;
}

/* Outcomes. */

/* Mode none is as no policy: nothing is minded. */
static bool
policy_minds(const struct mx_walk *w)
{
	return facts_have_policy(&w->verdict->facts) &&
	    w->verdict->facts.sts.policy.mode != STS_MODE_NONE;
}

/* Whose demand a session is tested by: that of DANE goes first. */
static enum verdict_source
session_source(struct mx_walk *w, const struct smtp_result *result)
{
	const struct mx_fact *mx = walk_host(w);

	/* DANE asks for no more than was shown; the policy does. */
	if (mx->under_dane && result->stage == SMTP_STAGE_READY &&
	    mx->dane.state == DANE_UNUSABLE && policy_minds(w))
		return verdict_policy_source(&w->verdict->facts);
	if (mx->under_dane)
		return VERDICT_DANE;
	return policy_minds(w) ? verdict_policy_source(&w->verdict->facts)
			       : VERDICT_NONE;
}

/*
 * What the policy minds in a session, RFC 8460 4.3; without an enforced one
 * also when the session could be used. No certificate is wrong where none is
 * asked for.
 */
static enum result_type
session_fault(struct mx_walk *w, const struct smtp_result *result)
{
	bool ready = result->stage == SMTP_STAGE_READY;
	enum verdict_source source = session_source(w, result);
	bool by_policy = source != VERDICT_NONE && source != VERDICT_DANE;

	if (!ready)
		return result->result;
	if (by_policy && !walk_host(w)->listed)
		return RESULT_VALIDATION_FAILURE;
	if ((result->proofs & PROOF_ENCRYPTED) == 0)
		return RESULT_STARTTLS_NOT_SUPPORTED;
	return by_policy ? result->result : RESULT_NONE;
}

/* address: NULL when there was no session. */
static void
outcome_of_host(struct mx_walk *w, const struct smtp_result *result,
    const struct address *address)
{
	struct outcome outcome = {
		.kind = OUTCOME_SESSION,
		.domain = w->verdict->facts.domain,
		.source = session_source(w, result),
		.mode = w->verdict->facts.sts.policy.mode,
		.mx = walk_host(w)->host,
		.address = address,
		.result = session_fault(w, result),
		.why = result->why,
	};

	/* What nobody minds about a session that is ready is no failure. */
	if (result->stage == SMTP_STAGE_READY && outcome.result == RESULT_NONE)
		outcome.why = "";
	if (!w->opts.uncounted)
		outcome_report(&outcome);
}

/* A second try in clear was told of by the first: a session counts once. */
static void
session_report(struct mx_walk *w, const struct smtp_result *result)
{
	if (!w->in_clear)
		outcome_of_host(w, result, &w->found.list[w->next - 1]);
}

static void walk_go(struct mx_walk *w);

/* This host has that preference: those before it have had their turn. */
static void
walk_is_here(struct mx_walk *w, unsigned preference)
{
	w->verdict->loops =
	    mx_order_cut(&w->order, &w->verdict->facts, preference);
	w->turn = w->order.n;
}

/*
 * Before the first of several hosts of one preference has its turn: none of
 * them may have the mail when one of them is at an address of this host.
 */

static void
peer_done(const struct mx_addresses_found *found, void *arg)
{
	struct mx_walk *w = arg;

	w->lookup = NULL;
	w->peer++;
	if (found->is_own) {
		walk_is_here(w, walk_host(w)->preference);
	}
	walk_go(w);
}

static enum outcome_of_step
step_peers(struct mx_walk *w)
{
	const struct facts *f = &w->verdict->facts;
	size_t end = mx_order_peers_end(&w->order, f, w->turn);

	if (w->peer <= w->turn) /* the first of its preference */
		w->peer = w->turn + 1;
	while (own_host_matters(f) && w->peer < end) {
		w->lookup = mx_addresses_start(w->opts.ports,
		    f->mx[w->order.list[w->peer]].host,
		    &w->opts.config->addresses, peer_done, w);
		if (w->lookup != NULL)
			return WAIT;
		w->peer++; /* not begun: it is looked up in its turn */
	}
	return NEXT;
}

/* 1. The addresses of the host. */

static void
addresses_done(const struct mx_addresses_found *found, void *arg)
{
	struct mx_walk *w = arg;

	w->lookup = NULL;
	w->found = *found;
	if (found->is_own && own_host_matters(&w->verdict->facts)) {
		w->found.n = 0;
		host_failed(w, PROBE_UNREACHABLE, "is this host");
		walk_is_here(w, walk_host(w)->preference);
	} else if (found->n == 0)
		host_failed(w,
		    found->unasked ? PROBE_UNKNOWN : PROBE_UNREACHABLE,
		    found->why);
	walk_go(w);
}

static void
literal_take(struct mx_walk *w)
{
	const char *why;

	w->found.n =
	    address_parse(walk_host(w)->host, &w->found.list[0]) ? 1 : 0;
	w->verdict->loops = w->found.n > 0 &&
	    address_is_own(&w->found.list[0], &w->opts.config->addresses);
	why = w->found.n == 0 ? "is no address"
			      : address_refused(&w->found.list[0],
				    ADDRESS_OF_MX, &w->opts.config->addresses);
	if (why == NULL)
		return;
	w->found.n = 0;
	host_failed(w, PROBE_UNREACHABLE, why);
}

/* A host that is not tried for what its lookups have come to. */
static void
keep_out(struct mx_walk *w)
{
	const struct mx_fact *mx = walk_host(w);
	struct smtp_result result = { .result = mx->refused };

	snprintf(result.why, sizeof(result.why), "%s",
	    mx->dane.why == NULL ? "is not under DANE" : mx->dane.why);
	session_failed(w, &result);
	if (result.result != RESULT_NONE)
		outcome_of_host(w, &result, NULL);
}

static enum outcome_of_step
step_addresses(struct mx_walk *w)
{
	if (w->looked_up)
		return NEXT;
	w->looked_up = true;
	w->next = 0;
	memset(&w->found, 0, sizeof(w->found));
	if (mx_order_is_kept_out(walk_host(w))) {
		keep_out(w);
		return NEXT;
	}
	if (w->verdict->facts.mx_state == MX_LITERAL) {
		literal_take(w);
		return NEXT;
	}
	w->lookup = mx_addresses_start(w->opts.ports, walk_host(w)->host,
	    &w->opts.config->addresses, addresses_done, w);
	if (w->lookup != NULL)
		return WAIT;
	host_failed(w, PROBE_UNKNOWN, "address lookup was not begun");
	return NEXT;
}

/* 2. Sessions with one address after the other. */

static bool session_begin(struct mx_walk *w);
static void mail_begin(struct mx_walk *w);

/* RFC 7435: TLS that does not work is no better than none, if none is asked. */
static bool
retry_in_clear(struct mx_walk *w, const struct smtp_result *result)
{
	if (walk_proofs(w) != 0 || w->in_clear ||
	    result->stage < SMTP_STAGE_STARTTLS ||
	    result->result == RESULT_NONE)
		return false;
	w->in_clear = true;
	return session_begin(w);
}

/* The session is the one. */
static void
walk_found(struct mx_walk *w, const struct smtp_reply *refusal)
{
	const struct smtp_result result = w->result;
	const struct mx_walk_found found = { .session = w->session,
		.mx = walk_host(w)->host,
		.address = w->found.list[w->next - 1],
		.result = &result,
		.minded =
		    policy_minds(w) ? session_fault(w, &result) : RESULT_NONE,
		.refusal = refusal,
		.since_ms = w->since_ms };

	w->session = NULL;
	walk_host(w)->probe.state = PROBE_GOOD;
	walk_end(w, &found);
}

static void
session_ready(const struct smtp_result *result, struct smtp_session *session,
    void *arg)
{
	struct mx_walk *w = arg;

	w->session = session;
	session_report(w, result);
	if (session != NULL) {
		w->result = *result;
		w->since_ms = clock_mono_ms(w->opts.ports->clock);
		if (w->opts.mail != NULL)
			mail_begin(w);
		else
			walk_found(w, NULL);
		return;
	}
	session_failed(w, result);
	if (!retry_in_clear(w, result))
		walk_go(w);
}

/*
 * One that answers nothing must not keep the others from being tried: as long
 * as there are others, a session has half of what is left. The session ends
 * itself a little before the walk does: only it can tell how far it came.
 */
static unsigned
session_deadline_ms(struct mx_walk *w)
{
	int64_t left_ms = w->opts.ends_ms -
	    clock_mono_ms(w->opts.ports->clock) - LIMIT_PROBE_GRACE_MS;

	if (w->next < w->found.n || w->turn + 1 < w->order.n)
		left_ms /= 2;
	return left_ms > 0 ? (unsigned)left_ms : 1;
}

static bool
session_begin(struct mx_walk *w)
{
	const struct smtp_port *smtp = &w->opts.ports->smtp;
	struct smtp_target target = {
		.mx = walk_host(w)->host,
		.address = w->found.list[w->next - 1],
		.port = w->verdict->facts.port,
		.helo = w->opts.config->hostname,
		.proofs = walk_proofs(w),
		.in_clear = w->in_clear,
		.deadline_ms = session_deadline_ms(w),
	};

	if (target.proofs & PROOF_DANE) {
		target.tlsa = walk_host(w)->dane.tlsa;
		target.next_hop = w->verdict->facts.domain;
	}

	w->session = smtp->start(smtp->self, &target, session_ready, w);
	if (w->session == NULL)
		host_failed(w, PROBE_UNKNOWN, "session was not begun");
	return w->session != NULL;
}

static enum outcome_of_step
step_sessions(struct mx_walk *w)
{
	while (w->next < w->found.n) {
		w->next++;
		w->in_clear = false;
		if (session_begin(w))
			return WAIT;
	}
	return NEXT;
}

/*
 * 3. MAIL, before the mail server in front hears of any recipient: what is
 * wrong here can still be mended by another host.
 */

static void
mail_done(const struct smtp_said *said, void *arg)
{
	const struct smtp_reply *reply = said->reply;
	struct mx_walk *w = arg;
	const struct smtp_port *smtp = &w->opts.ports->smtp;
	char why[sizeof(walk_host(w)->probe.why)];

	if (reply != NULL && reply->code / 100 != 4) {
		walk_found(w, reply->code / 100 == 5 ? reply : NULL);
		return;
	}
	if (reply != NULL)
		snprintf(why, sizeof(why), "refused MAIL: %u %.400s",
		    reply->code, reply->text);
	else
		snprintf(why, sizeof(why), "failed at MAIL: %s", said->unfit);
	host_failed(w, PROBE_UNREACHABLE, why);
	if (said->unfit[0] == '\0')
		smtp->quit(smtp->self, &w->session);
	else
		smtp->cancel(smtp->self, &w->session);
	walk_go(w);
}

static void
mail_begin(struct mx_walk *w)
{
	const struct smtp_mail *mail = w->opts.mail;
	int64_t left_ms = w->opts.ends_ms - clock_mono_ms(w->opts.ports->clock);
	unsigned limit_ms = left_ms < LIMIT_SMTP_COMMAND_MS
	    ? (unsigned)(left_ms > 0 ? left_ms : 1)
	    : LIMIT_SMTP_COMMAND_MS;
	struct smtp_reply refusal;

	if (!mail->smtputf8 || smtp_transaction_offers(w->session)->smtputf8) {
		smtp_transaction_mail(w->session, mail, limit_ms, mail_done, w);
		return;
	}
	smtp_transaction_refuse_smtputf8(&refusal);
	walk_found(w, &refusal);
}

/* The driver. */

static void
walk_go(struct mx_walk *w)
{
	for (; w->turn < w->order.n; w->turn++, w->looked_up = false) {
		if (step_peers(w) == WAIT || step_addresses(w) == WAIT)
			return;
		if (step_sessions(w) == WAIT)
			return;
	}
	walk_end(w, NULL);
}

static void
walk_begin(void *arg)
{
	struct mx_walk *w = arg;

	w->begin = NULL;
	walk_go(w);
}

/* What has not been tried by now stays unknown. */
static void
walk_late(void *arg)
{
	struct mx_walk *w = arg;

	w->deadline = NULL;
	if (w->turn < w->order.n && w->begin == NULL)
		host_failed(w, PROBE_UNREACHABLE, "did not answer in time");
	walk_end(w, NULL);
}

struct mx_walk *
mx_walk_start(const struct mx_walk_opts *opts, struct verdict *verdict,
    mx_walk_done_fn *done, void *arg)
{
	struct clock *clock = opts->ports->clock;
	struct mx_walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->opts = *opts;
	w->verdict = verdict;
	w->done = done;
	w->arg = arg;
	verdict->loops = mx_order_make(&w->order, &verdict->facts, opts->config,
	    opts->ports);
	w->begin = clock_timer_start(clock, 0, walk_begin, w);
	w->deadline = clock_timer_start(clock,
	    opts->ends_ms - clock_mono_ms(clock), walk_late, w);
	if (w->begin == NULL || w->deadline == NULL) {
		walk_free(w);
		return NULL;
	}
	return w;
}

void
mx_walk_cancel(struct mx_walk **walk)
{
	if (*walk != NULL)
		walk_free(*walk);
	*walk = NULL;
}
