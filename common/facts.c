/* SPDX-License-Identifier: ISC */
/* What a lookup has found out: see facts.h. */
#include "common/facts.h"

#include <stdlib.h>
#include <string.h>

#include "common/tlsa_set.h"

static bool
binds(const struct policy_facts *facts)
{
	return facts->state == POLICY_CACHED ||
	    facts->state == POLICY_FETCHED || facts->state == POLICY_OVERRIDE;
}

bool
facts_have_policy(const struct facts *facts)
{
	return binds(&facts->sts);
}

bool
facts_have_tlsa(const struct facts *facts)
{
	for (size_t i = 0; facts->dane && i < facts->n_mx; i++)
		if (facts->mx[i].dane.tlsa != NULL)
			return true;
	return false;
}

bool
facts_may_have_dane(const struct facts *facts)
{
	for (size_t i = 0; facts->dane && i < facts->n_mx; i++)
		if (facts->mx[i].dane.state != DANE_NONE)
			return true;
	return false;
}

void
policy_facts_cleanup(struct policy_facts *facts)
{
	sts_policy_cleanup(&facts->policy);
	memset(facts, 0, sizeof(*facts));
}

void
facts_cleanup(struct facts *facts)
{
	policy_facts_cleanup(&facts->sts);
	for (size_t i = 0; i < facts->n_mx; i++)
		tlsa_set_drop(&facts->mx[i].dane.tlsa);
	free(facts->mx);
	memset(facts, 0, sizeof(*facts));
}

bool
policy_facts_copy(const struct policy_facts *from, struct policy_facts *to)
{
	*to = *from;
	memset(&to->policy, 0, sizeof(to->policy));
	return sts_policy_copy(&from->policy, &to->policy);
}

bool
facts_copy(const struct facts *from, struct facts *to)
{
	*to = *from;
	to->mx = NULL;
	if (!policy_facts_copy(&from->sts, &to->sts))
		goto fail;
	if (from->n_mx == 0)
		return true;
	to->mx = calloc(from->n_mx, sizeof(*to->mx));
	if (to->mx == NULL)
		goto fail;
	memcpy(to->mx, from->mx, from->n_mx * sizeof(*to->mx));
	for (size_t i = 0; i < to->n_mx; i++)
		tlsa_set_hold(to->mx[i].dane.tlsa);
	return true;
fail:
	to->n_mx = 0;
	sts_policy_cleanup(&to->sts.policy);
	return false;
}

bool
policy_facts_take_override(struct policy_facts *facts,
    const struct override *override)
{
	facts->state = POLICY_UNREAD;
	if (!sts_policy_copy(&override->policy, &facts->policy))
		return false;
	facts->state = POLICY_OVERRIDE;
	facts->policy.max_age_s = 0; /* its end is until_s */
	facts->override.until_s = override->until_s;
	facts->override.line = override->line;
	facts->override.serial = override->serial;
	memcpy(facts->override.reason, override->reason,
	    sizeof(facts->override.reason));
	return true;
}

bool
policy_facts_are_of(const struct policy_facts *facts,
    const struct override *override)
{
	if (override == NULL || facts->state != POLICY_OVERRIDE)
		return override == NULL && facts->state != POLICY_OVERRIDE;
	return facts->override.line == override->line &&
	    facts->override.serial == override->serial;
}

bool
facts_have_same_policy(const struct policy_facts *a,
    const struct policy_facts *b)
{
	if (!binds(a) || !binds(b))
		return binds(a) == binds(b);
	return a->fetched_at_s == b->fetched_at_s &&
	    strcmp(a->id, b->id) == 0 && a->override.line == b->override.line &&
	    a->override.serial == b->override.serial;
}

bool
mx_fact_same_trial(const struct mx_fact *a, const struct mx_fact *b)
{
	return strcmp(a->host, b->host) == 0 && a->required == b->required &&
	    tlsa_set_same(a->dane.tlsa, b->dane.tlsa);
}

const char *
record_state_name(enum record_state state)
{
	static const char *const names[] = {
		[RECORD_UNKNOWN] = "unknown",
		[RECORD_FOUND] = "found",
		[RECORD_NONE] = "none",
		[RECORD_SEVERAL] = "several",
		[RECORD_BROKEN] = "broken",
	};

	return names[state];
}

const char *
policy_state_name(enum policy_state state)
{
	static const char *const names[] = {
		[POLICY_UNKNOWN] = "unknown",
		[POLICY_NONE] = "none",
		[POLICY_FAILED] = "failed",
		[POLICY_CACHED] = "cached",
		[POLICY_FETCHED] = "fetched",
		[POLICY_UNREAD] = "unread",
		[POLICY_OVERRIDE] = "override",
	};

	return names[state];
}

const char *
mx_state_name(enum mx_state state)
{
	static const char *const names[] = {
		[MX_UNKNOWN] = "unknown",
		[MX_FOUND] = "found",
		[MX_IMPLICIT] = "implicit",
		[MX_NULL] = "null-mx",
		[MX_NO_DOMAIN] = "no-such-domain",
		[MX_SMARTHOST] = "smarthost",
		[MX_LITERAL] = "address-literal",
	};

	return names[state];
}

const char *
dnssec_state_name(enum dnssec_state state)
{
	static const char *const names[] = {
		[DNSSEC_UNKNOWN] = "unknown",
		[DNSSEC_INSECURE] = "insecure",
		[DNSSEC_SECURE] = "secure",
		[DNSSEC_BOGUS] = "bogus",
	};

	return names[state];
}

const char *
dane_state_name(enum dane_state state)
{
	static const char *const names[] = {
		[DANE_UNKNOWN] = "unknown",
		[DANE_NONE] = "none",
		[DANE_UNUSABLE] = "unusable",
		[DANE_USABLE] = "usable",
	};

	return names[state];
}
