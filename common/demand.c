/* SPDX-License-Identifier: ISC */
/* What is asked of each MX host: see demand.h. */
#include "common/demand.h"

#include "common/config.h"
#include "common/verdict.h"

bool
demand_waits_for_policy(const struct verdict *v)
{
	const struct policy_facts *sts = &v->facts.sts;

	switch (sts->state) {
	case POLICY_UNREAD:
		return true;
	case POLICY_UNKNOWN:
		break;
	case POLICY_NONE:
	case POLICY_FAILED:
	case POLICY_CACHED:
	case POLICY_FETCHED:
	case POLICY_OVERRIDE:
		return false;
	}
	/* At admission the record need not be known: delivery asks again. */
	return sts->record == RECORD_FOUND ||
	    (sts->record == RECORD_UNKNOWN && v->gate == GATE_DELIVERY &&
		!sts->record_patience_over);
}

static bool
policy_asks(const struct facts *f)
{
	return facts_have_policy(f) && f->sts.policy.mode != STS_MODE_NONE;
}

/* RFC 8461 5. */
static void
mark_by_policy(const struct verdict *v, struct mx_fact *mx)
{
	const struct facts *f = &v->facts;

	mx->under_dane = false;
	mx->refused = RESULT_NONE;
	mx->required = 0;
	if (!policy_asks(f)) {
		mx->allowed = !demand_waits_for_policy(v);
		mx->enforced = !mx->allowed;
		return;
	}
	mx->allowed = mx->listed;
	mx->enforced = f->sts.policy.mode == STS_MODE_ENFORCE;
	if (mx->listed)
		mx->required = PROOF_ENCRYPTED | PROOF_PKIX;
}

/* RFC 7672 2.1, 2.2: before the policy, and where it is silent after it. */
static void
mark_by_dane(struct mx_fact *mx)
{
	switch (mx->dane.state) {
	case DANE_NONE:
		break;
	case DANE_USABLE: /* listed by a policy or not: its choice */
		mx->under_dane = true;
		mx->required = PROOF_ENCRYPTED | PROOF_DANE;
		mx->allowed = mx->enforced = true;
		break;
	case DANE_UNUSABLE: /* encrypted, and what the policy asks as well */
		if (mx->enforced) /* a policy asks for more, or may yet */
			break;
		mx->under_dane = true;
		mx->required = PROOF_ENCRYPTED;
		mx->allowed = mx->enforced = true;
		break;
	case DANE_UNKNOWN:
		mx->under_dane = true;
		mx->required = PROOF_ENCRYPTED | PROOF_DANE;
		mx->allowed = false;
		mx->enforced = true;
		mx->refused = mx->dane.failure;
		break;
	}
}

/* The administrator's word: DANE or nothing. */
static void
mark_by_config(const struct facts *f, struct mx_fact *mx)
{
	if (f->dane &&
	    (mx->dane.state == DANE_USABLE || mx->dane.state == DANE_UNKNOWN))
		return;
	mx->under_dane = true;
	mx->required = PROOF_ENCRYPTED | PROOF_DANE;
	mx->allowed = false;
	mx->enforced = true;
	mx->refused = RESULT_DANE_REQUIRED;
}

static void
mark_lost(struct mx_fact *mx)
{
	mx->under_dane = true;
	mx->required = PROOF_ENCRYPTED | PROOF_DANE;
	mx->allowed = false;
	mx->enforced = true;
	mx->refused = RESULT_DNSSEC_INVALID;
}

static void
mark_beside_policy(const struct facts *f, struct mx_fact *mx, bool required)
{
	if (f->dane)
		mark_by_dane(mx);
	if (f->dane_lost)
		mark_lost(mx);
	else if (required)
		mark_by_config(f, mx);
}

bool
demand_is_lifted(const struct facts *f)
{
	return f->sts.state == POLICY_OVERRIDE &&
	    f->sts.policy.mode != STS_MODE_ENFORCE;
}

void
demand_mark(struct verdict *v, const struct config *config)
{
	struct facts *f = &v->facts;
	bool required = name_list_has(&config->dane_required, f->domain);

	for (size_t i = 0; i < f->n_mx; i++) {
		struct mx_fact *mx = &f->mx[i];

		mark_by_policy(v, mx);
		if (!demand_is_lifted(f))
			mark_beside_policy(f, mx, required);
		mx->enforced = mx->enforced && !config->testing;
		mx->eligible = mx->allowed || !mx->enforced;
	}
}

bool
demand_is_danes(const struct facts *f)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].under_dane)
			return true;
	return false;
}
