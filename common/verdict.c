/* SPDX-License-Identifier: ISC */
/*
 * The judgement: facts in, verdict out, nothing else touched. The manual has
 * it as a table (strictmxd(8), "ANSWERS"). Here is what concerns the
 * destination as a whole; common/demand says what is asked of each MX host, and
 * verdict_hosts.c what comes of that.
 */
#include "common/verdict_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/demand.h"
#include "common/limits.h"

/* Replies are one line of printable ASCII; peers choose some of the words. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

void
verdict_set_reason(struct verdict *v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(v->reason, sizeof(v->reason), format, ap);
	va_end(ap);
	make_printable(v->reason);
}

void
verdict_set_mx(struct verdict *v, const struct mx_fact *mx)
{
	snprintf(v->mx, sizeof(v->mx), "%s", mx->host);
	if (mx->under_dane)
		v->source = VERDICT_DANE;
}

void
verdict_refuse(struct verdict *v, const struct config *config,
    const char *status, const char *format, ...)
{
	bool permanent = config->reject_on_failure &&
	    v->gate == GATE_ADMISSION && !demand_is_danes(&v->facts) &&
	    (v->facts.sts.state == POLICY_FETCHED ||
		v->facts.sts.state == POLICY_OVERRIDE ||
		v->facts.fresh_look == LOOK_SAME);
	char text[VERDICT_REASON_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	v->action = permanent ? ACTION_REJECT : ACTION_DEFER;
	verdict_set_reason(v, "%s%s %s", permanent ? "550 5" : "451 4",
	    status + 1, text);
}

void
verdict_defer(struct verdict *v, const char *format, ...)
{
	char text[VERDICT_REASON_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	v->action = ACTION_DEFER;
	verdict_set_reason(v, "451 4.4.3 %s", text);
}

/*
 * Nobody knows whether there is a record. At admission the sender's mail goes
 * on: delivery will ask again. At delivery it waits, but not for ever.
 */
static void
decide_record_unknown(struct verdict *v)
{
	const struct policy_facts *sts = &v->facts.sts;
	const char *why =
	    sts->record_why == NULL ? "no answer yet" : sts->record_why;

	if (v->gate == GATE_DELIVERY && !sts->record_patience_over)
		verdict_defer(v,
		    "MTA-STS record of %s could not be looked up: %s",
		    v->facts.domain, why);
	else
		verdict_set_reason(v,
		    "MTA-STS record of %s could not be looked up: %s",
		    v->facts.domain, why);
}

/*
 * The fetch was not begun or has not ended: it may yet come back with mode
 * enforce. A sender need not wait for that where the relay delivers, which asks
 * again.
 */
static void
decide_fetch_unknown(struct verdict *v, const struct config *config)
{
	if (v->gate == GATE_ADMISSION && config->relay.on)
		verdict_set_reason(v,
		    "MTA-STS policy of %s has not been fetched yet",
		    v->facts.domain);
	else
		verdict_defer(v,
		    "MTA-STS policy of %s has not been fetched yet, try again "
		    "later",
		    v->facts.domain);
}

/* Nothing binds: why that is so. */
static void
decide_without_policy(struct verdict *v, const struct config *config)
{
	const struct policy_facts *sts = &v->facts.sts;
	const char *domain = v->facts.domain;

	if (sts->state == POLICY_UNREAD) {
		v->action = ACTION_DEFER;
		verdict_set_reason(v,
		    "451 4.3.0 MTA-STS policy of %s: what is remembered of it "
		    "cannot be read, try again later",
		    domain);
		return;
	}
	if (sts->state == POLICY_FAILED) {
		verdict_set_reason(v, "MTA-STS policy of %s does not bind: %s",
		    domain, sts->failure_why);
		return;
	}
	switch (sts->record) {
	case RECORD_UNKNOWN:
		decide_record_unknown(v);
		break;
	case RECORD_FOUND:
		decide_fetch_unknown(v, config);
		break;
	case RECORD_NONE:
		verdict_set_reason(v, "no MTA-STS policy");
		break;
	case RECORD_SEVERAL:
	case RECORD_BROKEN:
		verdict_set_reason(v, "MTA-STS record of %s does not count: %s",
		    domain, sts->record_why);
		break;
	}
}

static void
decide_under_policy(struct verdict *v, const struct config *config)
{
	switch (v->facts.mx_state) {
	case MX_NULL:
		verdict_set_reason(v, "%s accepts no mail (null MX)",
		    v->facts.domain);
		break;
	case MX_NO_DOMAIN:
		verdict_set_reason(v, "no such domain: %s", v->facts.domain);
		break;
	case MX_UNKNOWN:
		verdict_defer(v,
		    "%s %s: its MX hosts could not be looked up: %s",
		    verdict_policy_name(v), v->facts.domain,
		    v->facts.mx_why == NULL ? "out of time" : v->facts.mx_why);
		break;
	case MX_LITERAL: /* of which no policy is */
	case MX_FOUND:
	case MX_IMPLICIT:
	case MX_SMARTHOST:
		verdict_decide_hosts(v, config);
		break;
	}
}

static void
decide_sts(struct verdict *v, const struct config *config)
{
	v->source = verdict_policy_source(&v->facts);
	switch (v->facts.sts.policy.mode) {
	case STS_MODE_ENFORCE:
	case STS_MODE_TESTING:
		decide_under_policy(v, config);
		break;
	case STS_MODE_NONE:
		verdict_set_reason(v, "%s %s has mode none",
		    verdict_policy_name(v), v->facts.domain);
		break;
	case STS_MODE_UNKNOWN:
		break; /* no parsed policy has it */
	}
}

/* Whether there is one, or what it says. */
static bool
policy_is_unknown(const struct facts *f)
{
	return f->sts.state == POLICY_UNKNOWN &&
	    (f->sts.record == RECORD_UNKNOWN || f->sts.record == RECORD_FOUND);
}

static void
decide_without_hosts(struct verdict *v)
{
	verdict_defer(v, "MX hosts of %s could not be looked up: %s",
	    v->facts.domain,
	    v->facts.mx_why == NULL ? "out of time" : v->facts.mx_why);
}

/* Where mail cannot go at all, whatever policies say. True when that is so. */
static bool
decide_destination(struct verdict *v)
{
	const struct facts *f = &v->facts;

	switch (f->mx_state) {
	case MX_NULL: /* RFC 7505 4.2 */
		v->action = ACTION_REJECT;
		verdict_set_reason(v, "556 5.1.10 %s accepts no mail (null MX)",
		    f->domain);
		return true;
	case MX_NO_DOMAIN:
		v->action = ACTION_REJECT;
		verdict_set_reason(v, "550 5.1.2 no such domain: %s",
		    f->domain);
		return true;
	case MX_UNKNOWN:
		if (policy_is_unknown(f))
			break; /* that was waited for */
		decide_without_hosts(v);
		return true;
	case MX_FOUND:
	case MX_IMPLICIT:
	case MX_SMARTHOST:
	case MX_LITERAL:
		break;
	}
	return false;
}

/*
 * Some host is under DANE. A policy that asks for something, or may yet, does
 * so of the others.
 */
static void
decide_under_dane(struct verdict *v, const struct config *config)
{
	if (facts_have_policy(&v->facts) &&
	    v->facts.sts.policy.mode != STS_MODE_NONE)
		v->source = verdict_policy_source(&v->facts);
	verdict_decide_hosts(v, config);
}

/*
 * At admission nobody minds that the hosts are not known, for smtpd will ask
 * for them again; but what must be under DANE waits.
 */
static bool
decide_dane_without_hosts(struct verdict *v, const struct config *config)
{
	const struct facts *f = &v->facts;

	if (f->mx_state != MX_UNKNOWN || demand_is_lifted(f) ||
	    (!f->dane_lost &&
		!name_list_has(&config->dane_required, f->domain)))
		return false;
	v->source = VERDICT_DANE;
	verdict_defer(v, "DANE of %s: its MX hosts could not be looked up: %s",
	    f->domain, f->mx_why == NULL ? "out of time" : f->mx_why);
	return true;
}

static void
decide(struct verdict *v, const struct config *config)
{
	if (decide_dane_without_hosts(v, config))
		return;
	if (demand_is_danes(&v->facts))
		decide_under_dane(v, config);
	else if (facts_have_policy(&v->facts))
		decide_sts(v, config);
	else
		decide_without_policy(v, config);
}

/* Nothing is refused while some host may take the mail whatever it shows. */
static bool
is_testing(const struct verdict *v, const struct config *config)
{
	const struct facts *f = &v->facts;

	if (config->testing)
		return true;
	if (!facts_have_policy(f) || f->sts.policy.mode != STS_MODE_TESTING)
		return false;
	for (size_t i = 0; i < f->n_mx; i++)
		if (!f->mx[i].enforced)
			return true;
	return f->n_mx == 0;
}

void
verdict_decide(struct verdict *out, const struct config *config)
{
	const struct policy_facts *sts = &out->facts.sts;
	bool binds = facts_have_policy(&out->facts);

	out->source = VERDICT_NONE;
	out->action = ACTION_PROCEED;
	out->result = binds ? RESULT_NONE : sts->failure;
	out->mx[0] = '\0';
	out->reason[0] = '\0';
	out->enforced =
	    binds && sts->policy.mode == STS_MODE_ENFORCE && !config->testing;
	demand_mark(out, config);
	if (out->gate == GATE_DELIVERY && decide_destination(out))
		return;
	decide(out, config);
	if (out->action != ACTION_PROCEED && is_testing(out, config))
		out->action = ACTION_WOULD_DEFER;
	if (out->gate == GATE_DELIVERY && out->facts.mx_state == MX_UNKNOWN &&
	    out->action != ACTION_DEFER)
		decide_without_hosts(out);
}

/* No policy stood in the way: the first host that says why stands for all. */
static void
decide_unreached(struct verdict *v)
{
	const struct facts *f = &v->facts;
	const struct mx_fact *mx = &f->mx[0];

	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].probe.state != PROBE_UNKNOWN) {
			mx = &f->mx[i];
			break;
		}
	v->action = ACTION_DEFER;
	verdict_set_mx(v, mx);
	verdict_set_reason(v, "451 4.4.1 %s: %s cannot be used: %s", f->domain,
	    mx->host, mx->probe.why[0] == '\0' ? "out of time" : mx->probe.why);
}

/* RFC 5321 5.1: whom mail would come back from is not sent to. */
static void
decide_loop(struct verdict *v)
{
	v->action = ACTION_REJECT;
	verdict_set_reason(v, "554 5.4.6 mail for %s loops back to this host",
	    v->facts.domain);
}

void
verdict_decide_refused(struct verdict *out, const struct config *config)
{
	if (out->loops) {
		decide_loop(out);
		return;
	}
	for (size_t i = 0; i < out->facts.n_mx; i++)
		if (out->facts.mx[i].enforced) {
			verdict_decide_probes(out, config);
			return;
		}
	decide_unreached(out);
}

struct verdict *
verdict_copy(const struct verdict *verdict)
{
	struct verdict *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	*copy = *verdict;
	if (!facts_copy(&verdict->facts, &copy->facts)) {
		free(copy);
		return NULL;
	}
	return copy;
}

static uint32_t
sooner(uint32_t life_s, int64_t left_s)
{
	if (left_s < 0)
		left_s = 0;
	return left_s < (int64_t)life_s ? (uint32_t)left_s : life_s;
}

/* None is good, and one could not be tried for lack of memory or places. */
static bool
lacks_trial(const struct facts *f)
{
	bool lacks = false;

	for (size_t i = 0; i < f->n_mx; i++) {
		const struct mx_fact *mx = &f->mx[i];

		if (!mx->allowed)
			continue;
		if (mx->probe.state == PROBE_GOOD || mx->required == 0)
			return false;
		lacks |= mx->probe_expires_ms == 0;
	}
	return lacks;
}

/* What DANE has said holds as long as the answers that it is from. */
static uint32_t
dane_life_s(const struct facts *f)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->dane && f->mx[i].dane.state == DANE_UNKNOWN)
			return 0;
	if (f->dane_lost)
		return 0;
	return f->dane ? f->dane_ttl_s : UINT32_MAX;
}

/* What probes have shown; at delivery none is made. */
static uint32_t
probes_life_s(const struct facts *f, uint32_t life_s, int64_t mono_ms)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].allowed && f->mx[i].probe_expires_ms != 0)
			life_s = sooner(life_s,
			    (f->mx[i].probe_expires_ms - mono_ms) / 1000);
	return life_s;
}

static int64_t
policy_end_s(const struct policy_facts *sts)
{
	return sts->state == POLICY_OVERRIDE
	    ? sts->override.until_s
	    : sts->fetched_at_s + sts->policy.max_age_s;
}

uint32_t
verdict_life_s(const struct verdict *verdict, int64_t wall_s, int64_t mono_ms)
{
	const struct facts *f = &verdict->facts;
	bool binds = facts_have_policy(f), danes = demand_is_danes(f);
	uint32_t life_s = sooner(LIMIT_VERDICT_MAX_S, dane_life_s(f));

	/* What nobody knows is asked again by the next one who comes. */
	if (f->deadline_hit || f->sts.state == POLICY_UNKNOWN ||
	    f->sts.state == POLICY_UNREAD)
		return 0;
	if (binds)
		life_s = sooner(life_s, policy_end_s(&f->sts) - wall_s);
	else
		life_s = sooner(life_s, f->sts.record_ttl_s);
	if (!danes && (!binds || f->sts.policy.mode == STS_MODE_NONE))
		return life_s;
	/* RFC 8461 5.1: each refusal is younger than a look at the record. */
	if (verdict->action != ACTION_PROCEED)
		life_s = sooner(life_s, LIMIT_FRESH_LOOK_S);
	if (f->mx_state == MX_UNKNOWN ||
	    (verdict->gate == GATE_ADMISSION && lacks_trial(f)))
		return 0;
	return probes_life_s(f, sooner(life_s, f->mx_ttl_s), mono_ms);
}

void
verdict_free(struct verdict *verdict)
{
	if (verdict == NULL)
		return;
	facts_cleanup(&verdict->facts);
	free(verdict);
}

enum verdict_source
verdict_policy_source(const struct facts *facts)
{
	return facts->sts.state == POLICY_OVERRIDE ? VERDICT_OVERRIDE
						   : VERDICT_STS;
}

const char *
verdict_policy_name(const struct verdict *v)
{
	return verdict_policy_source(&v->facts) == VERDICT_OVERRIDE
	    ? "policy set here for"
	    : "MTA-STS policy of";
}

const char *
verdict_source_name(enum verdict_source source)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "none",
		[VERDICT_STS] = "sts",
		[VERDICT_DANE] = "dane",
		[VERDICT_PRELOAD] = "preload",
		[VERDICT_OVERRIDE] = "override",
	};

	return names[source];
}

const char *
verdict_action_name(enum verdict_action action)
{
	static const char *const names[] = {
		[ACTION_PROCEED] = "proceed",
		[ACTION_WOULD_DEFER] = "would-defer",
		[ACTION_DEFER] = "defer",
		[ACTION_REJECT] = "reject",
	};

	return names[action];
}
