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
		set_reason(v, "MTA-STS record of %s could not be looked up: %s",
		    domain,
		    sts->record_why == NULL ? "no answer yet"
					    : sts->record_why);
		break;
	case RECORD_FOUND:
		/* The fetch was not begun or has not ended: it may yet come
		 * back with mode enforce. */
		v->action = ACTION_DEFER;
		set_reason(v,
		    "451 4.4.3 MTA-STS policy of %s has not been fetched yet, "
		    "try again later",
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
blame(struct verdict *v, const struct mx_fact *mx)
{
	const struct probe_result *probe = &mx->probe;

	v->action = ACTION_DEFER;
	v->result = probe->result;
	set_mx(v, mx);
	set_reason(v, "451 %s MTA-STS policy of %s: %s%s %s",
	    result_type_status(probe->result), v->facts.domain,
	    probe->certificate_bad ? "certificate of " : "", mx->host,
	    probe->why);
}

static void
decide_unreachable(struct verdict *v, const struct mx_fact *mx,
    const struct config *config)
{
	set_mx(v, mx);
	v->action =
	    config->unreachable == CHOICE_DEFER ? ACTION_DEFER : ACTION_PROCEED;
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
decide_unlisted(struct verdict *v)
{
	v->action = ACTION_DEFER;
	v->result = RESULT_VALIDATION_FAILURE;
	set_mx(v, &v->facts.mx[0]);
	set_reason(v,
	    "451 4.7.5 MTA-STS policy of %s does not list its MX %s%s",
	    v->facts.domain, v->facts.mx[0].host,
	    v->facts.n_mx > 1 ? " nor any other" : "");
}

/* Which of the MX hosts may take the mail? One is enough. */
static void
decide_mx_hosts(struct verdict *v, const struct config *config)
{
	const struct facts *f = &v->facts;
	const struct mx_fact *failed = NULL, *unreachable = NULL;
	const struct mx_fact *untried = NULL;
	size_t n_listed = 0;

	for (size_t i = 0; i < f->n_mx; i++) {
		const struct mx_fact *mx = &f->mx[i];

		if (!mx->listed)
			continue;
		n_listed++;
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
	if (n_listed == 0)
		decide_unlisted(v);
	else if (failed != NULL)
		blame(v, failed);
	else if (unreachable != NULL)
		decide_unreachable(v, unreachable, config);
	else
		decide_untried(v, untried);
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
		v->action = ACTION_DEFER;
		set_reason(v,
		    "451 4.4.3 MTA-STS policy of %s: its MX hosts could not be "
		    "looked up: %s",
		    v->facts.domain,
		    v->facts.mx_why == NULL ? "out of time" : v->facts.mx_why);
		break;
	case MX_FOUND:
	case MX_IMPLICIT:
		decide_mx_hosts(v, config);
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

void
verdict_decide(struct verdict *out, const struct config *config)
{
	bool testing = config->testing;

	out->source = VERDICT_NONE;
	out->action = ACTION_PROCEED;
	out->result = out->facts.sts.failure;
	out->mx[0] = '\0';
	out->reason[0] = '\0';
	if (facts_have_policy(&out->facts)) {
		out->result = RESULT_NONE;
		testing |= out->facts.sts.policy.mode == STS_MODE_TESTING;
		decide_sts(out, config);
	} else {
		decide_without_policy(out);
	}
	if (testing && out->action != ACTION_PROCEED)
		out->action = ACTION_WOULD_DEFER;
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
	if (f->mx_state == MX_UNKNOWN || lacks_trial(f))
		return 0;
	life_s = sooner(life_s, f->mx_ttl_s);
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].listed && f->mx[i].probe_expires_ms != 0)
			life_s = sooner(life_s,
			    (f->mx[i].probe_expires_ms - mono_ms) / 1000);
	return life_s;
}

size_t
verdict_bytes(const struct verdict *verdict)
{
	const struct facts *f = &verdict->facts;

	return sizeof(*verdict) + f->n_mx * sizeof(*f->mx) +
	    sts_policy_bytes(&f->sts.policy);
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
