/* SPDX-License-Identifier: ISC */
/*
 * The judgement: facts in, verdict out, nothing else touched. The manual has
 * it as a table (strictmxd(8), "ANSWERS").
 */
#include "common/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/limits.h"

/* Replies are one line of printable ASCII; peers choose some of the words. */
static void
make_printable(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			*s = '?';
}

static void __attribute__((format(printf, 2, 3)))
set_reason(struct verdict *v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(v->reason, sizeof(v->reason), format, ap);
	va_end(ap);
	make_printable(v->reason);
}

static void
set_mx(struct verdict *v, const struct mx_fact *mx)
{
	snprintf(v->mx, sizeof(v->mx), "%s", mx->host);
}

/*
 * A refusal: temporary, or, where the administrator wants that and the policy
 * is known to be the published one, permanent (RFC 8461 5.1). The relay never
 * makes a policy's failure permanent. status is "4.x.y".
 */
static void __attribute__((format(printf, 4, 5))) refuse(struct verdict *v,
    const struct config *config, const char *status, const char *format, ...)
{
	bool permanent = config->reject_on_failure &&
	    v->gate == GATE_ADMISSION &&
	    (v->facts.sts.state == POLICY_FETCHED ||
		v->facts.fresh_look == LOOK_SAME);
	char text[VERDICT_REASON_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	v->action = permanent ? ACTION_REJECT : ACTION_DEFER;
	set_reason(v, "%s%s %s", permanent ? "550 5" : "451 4", status + 1,
	    text);
}

/* A refusal for what nobody knows yet: temporary, always. */
static void __attribute__((format(printf, 2, 3)))
defer(struct verdict *v, const char *format, ...)
{
	char text[VERDICT_REASON_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	v->action = ACTION_DEFER;
	set_reason(v, "451 4.4.3 %s", text);
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
		defer(v, "MTA-STS record of %s could not be looked up: %s",
		    v->facts.domain, why);
	else
		set_reason(v, "MTA-STS record of %s could not be looked up: %s",
		    v->facts.domain, why);
}

/* Nothing binds: why that is so. */
static void
decide_without_policy(struct verdict *v)
{
	const struct policy_facts *sts = &v->facts.sts;
	const char *domain = v->facts.domain;

	if (sts->state == POLICY_UNREAD) {
		v->action = ACTION_DEFER;
		set_reason(v,
		    "451 4.3.0 MTA-STS policy of %s: out of memory, try again "
		    "later",
		    domain);
		return;
	}
	if (sts->state == POLICY_FAILED) {
		set_reason(v, "MTA-STS policy of %s does not bind: %s", domain,
		    sts->failure_why);
		return;
	}
	switch (sts->record) {
	case RECORD_UNKNOWN:
		decide_record_unknown(v);
		break;
	case RECORD_FOUND:
		/* The fetch was not begun or has not ended: it may yet come
		 * back with mode enforce. */
		defer(v,
		    "MTA-STS policy of %s has not been fetched yet, try again "
		    "later",
		    domain);
		break;
	case RECORD_NONE:
		set_reason(v, "no MTA-STS policy");
		break;
	case RECORD_SEVERAL:
	case RECORD_BROKEN:
		set_reason(v, "MTA-STS record of %s does not count: %s", domain,
		    sts->record_why);
		break;
	}
}

/* RFC 8461 5: no listed host has a good session. Say what is wrong. */
static void
blame(struct verdict *v, const struct mx_fact *mx, const struct config *config)
{
	const struct probe_result *probe = &mx->probe;

	v->result = probe->result;
	set_mx(v, mx);
	refuse(v, config, result_type_status(probe->result),
	    "MTA-STS policy of %s: %s%s %s", v->facts.domain,
	    probe->certificate_bad ? "certificate of " : "", mx->host,
	    probe->why);
}

static void
decide_unreachable(struct verdict *v, const struct mx_fact *mx,
    const struct config *config)
{
	set_mx(v, mx);
	v->action =
	    config->unreachable == CHOICE_DEFER || v->gate == GATE_DELIVERY
	    ? ACTION_DEFER
	    : ACTION_PROCEED;
	set_reason(v, "%sMTA-STS policy of %s: %s cannot be tried: %s",
	    v->action == ACTION_DEFER ? "451 4.4.1 " : "", v->facts.domain,
	    mx->host, mx->probe.why);
}

/* Nobody knows anything of the hosts: nothing that "unreachable" is about. */
static void
decide_untried(struct verdict *v, const struct mx_fact *mx)
{
	set_mx(v, mx);
	v->action = ACTION_DEFER;
	set_reason(v,
	    "451 4.4.1 MTA-STS policy of %s: %s has not been tried: %s",
	    v->facts.domain, mx->host,
	    mx->probe.why[0] == '\0' ? "out of time" : mx->probe.why);
}

static void
decide_unlisted(struct verdict *v, const struct config *config)
{
	v->result = RESULT_VALIDATION_FAILURE;
	set_mx(v, &v->facts.mx[0]);
	refuse(v, config, "4.7.5",
	    "MTA-STS policy of %s does not list its MX %s%s", v->facts.domain,
	    v->facts.mx[0].host, v->facts.n_mx > 1 ? " nor any other" : "");
}

/* What the probes of the listed hosts have shown; one good one is enough. */
static void
decide_probes(struct verdict *v, const struct config *config)
{
	const struct facts *f = &v->facts;
	const struct mx_fact *failed = NULL, *unreachable = NULL;
	const struct mx_fact *untried = NULL;

	for (size_t i = 0; i < f->n_mx; i++) {
		const struct mx_fact *mx = &f->mx[i];

		if (!mx->listed)
			continue;
		switch (mx->probe.state) {
		case PROBE_GOOD:
			set_mx(v, mx);
			set_reason(v, "%s has shown what the policy asks for",
			    mx->host);
			return;
		case PROBE_TLS_FAILED:
			if (failed == NULL)
				failed = mx;
			break;
		case PROBE_UNREACHABLE:
			if (unreachable == NULL)
				unreachable = mx;
			break;
		case PROBE_UNKNOWN:
			if (untried == NULL)
				untried = mx;
			break;
		}
	}
	if (failed != NULL)
		blame(v, failed, config);
	else if (unreachable != NULL)
		decide_unreachable(v, unreachable, config);
	else if (untried != NULL)
		decide_untried(v, untried);
}

static size_t
count_listed(const struct facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_mx; i++)
		n += f->mx[i].listed ? 1 : 0;
	return n;
}

static void
decide_under_policy(struct verdict *v, const struct config *config)
{
	switch (v->facts.mx_state) {
	case MX_NULL:
		set_reason(v, "%s accepts no mail (null MX)", v->facts.domain);
		break;
	case MX_NO_DOMAIN:
		set_reason(v, "no such domain: %s", v->facts.domain);
		break;
	case MX_UNKNOWN:
		defer(v,
		    "MTA-STS policy of %s: its MX hosts could not be looked "
		    "up: %s",
		    v->facts.domain,
		    v->facts.mx_why == NULL ? "out of time" : v->facts.mx_why);
		break;
	case MX_LITERAL: /* of which no policy is */
	case MX_FOUND:
	case MX_IMPLICIT:
	case MX_SMARTHOST:
		if (count_listed(&v->facts) == 0)
			decide_unlisted(v, config);
		else if (v->gate == GATE_ADMISSION)
			decide_probes(v, config);
		else
			set_reason(v, "%zu MX hosts of %s are listed",
			    count_listed(&v->facts), v->facts.domain);
		break;
	}
}

static void
decide_sts(struct verdict *v, const struct config *config)
{
	v->source = VERDICT_STS;
	switch (v->facts.sts.policy.mode) {
	case STS_MODE_ENFORCE:
	case STS_MODE_TESTING:
		decide_under_policy(v, config);
		break;
	case STS_MODE_NONE:
		set_reason(v, "MTA-STS policy of %s has mode none",
		    v->facts.domain);
		break;
	case STS_MODE_UNKNOWN:
		break; /* no parsed policy has it */
	}
}

/* Where mail cannot go at all, whatever policies say. True when that is so. */
static bool
decide_destination(struct verdict *v)
{
	const struct facts *f = &v->facts;

	switch (f->mx_state) {
	case MX_NULL: /* RFC 7505 4.2 */
		v->action = ACTION_REJECT;
		set_reason(v, "556 5.1.10 %s accepts no mail (null MX)",
		    f->domain);
		return true;
	case MX_NO_DOMAIN:
		v->action = ACTION_REJECT;
		set_reason(v, "550 5.1.2 no such domain: %s", f->domain);
		return true;
	case MX_UNKNOWN:
		defer(v, "MX hosts of %s could not be looked up: %s", f->domain,
		    f->mx_why == NULL ? "out of time" : f->mx_why);
		return true;
	case MX_FOUND:
	case MX_IMPLICIT:
	case MX_SMARTHOST:
	case MX_LITERAL:
		break;
	}
	return false;
}

/* Which hosts may take the mail? Under a testing mode all of them. */
static void
mark_eligible(struct verdict *v)
{
	struct facts *f = &v->facts;

	for (size_t i = 0; i < f->n_mx; i++)
		f->mx[i].eligible = !v->enforced || f->mx[i].listed;
}

void
verdict_decide(struct verdict *out, const struct config *config)
{
	const struct policy_facts *sts = &out->facts.sts;
	bool binds = facts_have_policy(&out->facts);
	bool testing =
	    config->testing || (binds && sts->policy.mode == STS_MODE_TESTING);

	out->source = VERDICT_NONE;
	out->action = ACTION_PROCEED;
	out->result = binds ? RESULT_NONE : sts->failure;
	out->mx[0] = '\0';
	out->reason[0] = '\0';
	out->enforced =
	    binds && sts->policy.mode == STS_MODE_ENFORCE && !testing;
	mark_eligible(out);
	if (out->gate == GATE_DELIVERY && decide_destination(out))
		return;
	if (binds)
		decide_sts(out, config);
	else
		decide_without_policy(out);
	if (testing && out->action != ACTION_PROCEED)
		out->action = ACTION_WOULD_DEFER;
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
	set_mx(v, mx);
	set_reason(v, "451 4.4.1 %s: %s cannot be used: %s", f->domain,
	    mx->host, mx->probe.why[0] == '\0' ? "out of time" : mx->probe.why);
}

/* RFC 5321 5.1: whom mail would come back from is not sent to. */
static void
decide_loop(struct verdict *v)
{
	v->action = ACTION_REJECT;
	set_reason(v, "554 5.4.6 mail for %s loops back to this host",
	    v->facts.domain);
}

void
verdict_decide_refused(struct verdict *out, const struct config *config)
{
	if (out->loops)
		decide_loop(out);
	else if (out->enforced)
		decide_probes(out, config);
	else
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

		if (!mx->listed)
			continue;
		if (mx->probe.state == PROBE_GOOD)
			return false;
		lacks |= mx->probe_expires_ms == 0;
	}
	return lacks;
}

uint32_t
verdict_life_s(const struct verdict *verdict, int64_t wall_s, int64_t mono_ms)
{
	const struct facts *f = &verdict->facts;
	uint32_t life_s = LIMIT_VERDICT_MAX_S;

	/* What nobody knows is asked again by the next one who comes. */
	if (f->deadline_hit || f->sts.state == POLICY_UNKNOWN ||
	    f->sts.state == POLICY_UNREAD)
		return 0;
	if (!facts_have_policy(f))
		return sooner(life_s, f->sts.record_ttl_s);
	life_s = sooner(life_s,
	    f->sts.fetched_at_s + f->sts.policy.max_age_s - wall_s);
	if (f->sts.policy.mode == STS_MODE_NONE)
		return life_s;
	/* RFC 8461 5.1: each refusal is younger than a look at the record. */
	if (verdict->action != ACTION_PROCEED)
		life_s = sooner(life_s, LIMIT_FRESH_LOOK_S);
	if (f->mx_state == MX_UNKNOWN ||
	    (verdict->gate == GATE_ADMISSION && lacks_trial(f)))
		return 0;
	life_s = sooner(life_s, f->mx_ttl_s);
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].listed && f->mx[i].probe_expires_ms != 0)
			life_s = sooner(life_s,
			    (f->mx[i].probe_expires_ms - mono_ms) / 1000);
	return life_s;
}

void
verdict_free(struct verdict *verdict)
{
	if (verdict == NULL)
		return;
	facts_cleanup(&verdict->facts);
	free(verdict);
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
