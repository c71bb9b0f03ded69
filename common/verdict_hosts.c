/* SPDX-License-Identifier: ISC */
/*
 * The half of the judgement that looks at the MX hosts, once common/demand has
 * said what is asked of each: see verdict_private.h.
 */
#include "common/verdict_private.h"

#include "common/config.h"
#include "common/demand.h"

static const char *
asker(const struct verdict *v, const struct mx_fact *mx)
{
	return mx->under_dane ? "DANE of" : verdict_policy_name(v);
}

/* DANE keeps it out: nobody need try it. */
static bool
is_kept_out(const struct mx_fact *mx)
{
	return mx->under_dane && !mx->allowed;
}

/* Why DANE keeps it out. */
static void
blame_lookup(struct verdict *v, const struct mx_fact *mx,
    const struct config *config)
{
	const char *domain = v->facts.domain;
	const char *why = mx->dane.why == NULL ? "no answer" : mx->dane.why;

	v->result = mx->refused;
	verdict_set_mx(v, mx);
	if (v->facts.dane_lost)
		verdict_refuse(v, config, "4.7.5",
		    "DANE of %s was in force before, and the resolver does not "
		    "say now what DNSSEC proves",
		    domain);
	else if (mx->refused == RESULT_DANE_REQUIRED)
		verdict_refuse(v, config, "4.7.5",
		    "DANE is required for %s, and %s has no TLSA records that "
		    "DNSSEC proves and SMTP can use",
		    domain, mx->host);
	else if (mx->refused == RESULT_NONE)
		verdict_defer(v, "DANE of %s: %s cannot be judged: %s", domain,
		    mx->host, why);
	else
		verdict_refuse(v, config, result_type_status(mx->refused),
		    "DANE of %s: TLSA records of %s could not be looked up: %s",
		    domain, mx->host, why);
}

/* RFC 8461 5: no host has a good session. Say what is wrong. */
static void
blame(struct verdict *v, const struct mx_fact *mx, const struct config *config)
{
	const struct probe_result *probe = &mx->probe;

	if (is_kept_out(mx)) {
		blame_lookup(v, mx, config);
		return;
	}
	v->result = probe->result;
	verdict_set_mx(v, mx);
	verdict_refuse(v, config, result_type_status(probe->result),
	    "%s %s: %s%s %s", asker(v, mx), v->facts.domain,
	    probe->certificate_bad ? "certificate of " : "", mx->host,
	    probe->why);
}

static void
decide_unreachable(struct verdict *v, const struct mx_fact *mx,
    const struct config *config)
{
	bool defers =
	    config->unreachable == CHOICE_DEFER || v->gate == GATE_DELIVERY;

	if (is_kept_out(mx)) {
		blame_lookup(v, mx, config);
		return;
	}
	verdict_set_mx(v, mx);
	v->action = defers ? ACTION_DEFER : ACTION_PROCEED;
	verdict_set_reason(v, "%s%s %s: %s cannot be tried: %s",
	    defers ? "451 4.4.1 " : "", asker(v, mx), v->facts.domain, mx->host,
	    mx->probe.why);
}

/* Nobody knows anything of the hosts: nothing that "unreachable" is about. */
static void
decide_untried(struct verdict *v, const struct mx_fact *mx)
{
	verdict_set_mx(v, mx);
	v->action = ACTION_DEFER;
	verdict_set_reason(v, "451 4.4.1 %s %s: %s has not been tried: %s",
	    asker(v, mx), v->facts.domain, mx->host,
	    mx->probe.why[0] == '\0' ? "out of time" : mx->probe.why);
}

static void
decide_unlisted(struct verdict *v, const struct config *config)
{
	v->result = RESULT_VALIDATION_FAILURE;
	verdict_set_mx(v, &v->facts.mx[0]);
	verdict_refuse(v, config, "4.7.5", "%s %s does not list its MX %s%s",
	    verdict_policy_name(v), v->facts.domain, v->facts.mx[0].host,
	    v->facts.n_mx > 1 ? " nor any other" : "");
}

/* Of each kind of failure, the first host in the order of preference. */
struct failures {
	const struct mx_fact *failed, *unreachable, *untried;
};

static void
note(const struct mx_fact **first, const struct mx_fact *mx)
{
	if (*first == NULL)
		*first = mx;
}

/* True when this host is good, or need not be. */
static bool
host_is_good(const struct verdict *v, const struct mx_fact *mx,
    struct failures *failures)
{
	if (is_kept_out(mx)) {
		note(mx->refused == RESULT_NONE ? &failures->unreachable
						: &failures->failed,
		    mx);
		return false;
	}
	if (!mx->allowed)
		return false;
	if (v->gate == GATE_ADMISSION && mx->required == 0)
		return true; /* it is not tried */
	switch (mx->probe.state) {
	case PROBE_GOOD:
		return true;
	case PROBE_TLS_FAILED:
		note(&failures->failed, mx);
		break;
	case PROBE_UNREACHABLE:
		note(&failures->unreachable, mx);
		break;
	case PROBE_UNKNOWN:
		note(&failures->untried, mx);
		break;
	}
	return false;
}

static void
decide_good(struct verdict *v, const struct mx_fact *mx)
{
	verdict_set_mx(v, mx);
	if (mx->required == 0)
		verdict_set_reason(v, "%s need not show anything", mx->host);
	else
		verdict_set_reason(v, "%s has shown what %s asks for", mx->host,
		    mx->under_dane ? "DANE" : "the policy");
}

void
verdict_decide_probes(struct verdict *v, const struct config *config)
{
	struct failures failures = { NULL, NULL, NULL };

	for (size_t i = 0; i < v->facts.n_mx; i++) {
		const struct mx_fact *mx = &v->facts.mx[i];

		if (host_is_good(v, mx, &failures)) {
			decide_good(v, mx);
			return;
		}
	}
	if (failures.failed != NULL)
		blame(v, failures.failed, config);
	else if (failures.unreachable != NULL)
		decide_unreachable(v, failures.unreachable, config);
	else if (failures.untried != NULL)
		decide_untried(v, failures.untried);
}

static void
decide_may_be_tried(struct verdict *v)
{
	const struct facts *f = &v->facts;
	size_t n = 0, n_dane = 0, first = f->n_mx;

	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].allowed) {
			first = n == 0 ? i : first;
			n++;
			n_dane += f->mx[i].under_dane ? 1 : 0;
		}
	if (n_dane == 0) {
		verdict_set_reason(v, "%zu MX hosts of %s are listed", n,
		    f->domain);
		return;
	}
	if (f->mx[first].under_dane)
		v->source = VERDICT_DANE;
	verdict_set_reason(v, "%zu MX hosts of %s may be used, %zu under DANE",
	    n, f->domain, n_dane);
}

/* Of a host that DANE keeps out it is told before the policy's complaint. */
static void
decide_none_allowed(struct verdict *v, const struct config *config)
{
	for (size_t i = 0; i < v->facts.n_mx; i++)
		if (is_kept_out(&v->facts.mx[i])) {
			verdict_decide_probes(v, config);
			return;
		}
	decide_unlisted(v, config);
}

void
verdict_decide_hosts(struct verdict *v, const struct config *config)
{
	bool any = false;

	for (size_t i = 0; i < v->facts.n_mx; i++)
		any |= v->facts.mx[i].allowed;
	if (!any)
		decide_none_allowed(v, config);
	else if (v->gate == GATE_ADMISSION)
		verdict_decide_probes(v, config);
	else
		decide_may_be_tried(v);
}
