/* SPDX-License-Identifier: ISC */
/* A verdict with all its facts as JSON: see explain.h. */
#include "common/explain.h"

#include "common/facts.h"
#include "common/limits.h"
#include "common/tlsa_set.h"
#include "common/json_line.h"
#include "common/verdict.h"

static json_t *
proofs(unsigned set)
{
	json_t *list = json_array();

	if (set & PROOF_ENCRYPTED)
		list = json_list_add(list, json_text("encrypted"));
	if (set & PROOF_PKIX)
		list = json_list_add(list, json_text("pkix"));
	if (set & PROOF_DANE)
		list = json_list_add(list, json_text("dane"));
	return list;
}

static json_t *
explain_failure(const struct policy_facts *sts)
{
	if (sts->failure == RESULT_NONE)
		return json_null();
	return json_pack("{s:s, s:o}", "result", result_type_name(sts->failure),
	    "why", json_text(sts->failure_why));
}

static json_t *
explain_override(const struct policy_facts *sts)
{
	const struct override_facts *o = &sts->override;

	if (sts->state != POLICY_OVERRIDE)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "until", (json_int_t)o->until_s,
	    "reason", json_text(o->reason), "line",
	    o->line == 0 ? json_null() : json_integer(o->line));
}

static json_t *
explain_policy(const struct policy_facts *sts)
{
	json_t *patterns = json_array();

	for (size_t i = 0; i < sts->policy.n_mx; i++)
		patterns =
		    json_list_add(patterns, json_text(sts->policy.mx[i]));
	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:o, s:o}", "state",
	    policy_state_name(sts->state), "id", json_text(sts->id), "mode",
	    sts_mode_name(sts->policy.mode), "mx", patterns, "max_age",
	    (json_int_t)sts->policy.max_age_s, "fetched_at",
	    (json_int_t)sts->fetched_at_s, "failure", explain_failure(sts),
	    "override", explain_override(sts));
}

static json_t *
explain_probe(const struct mx_fact *mx)
{
	const struct probe_result *probe = &mx->probe;
	char address[ADDRESS_SIZE] = "";

	if (probe->address.family != 0)
		address_format(&probe->address, address);
	return json_pack("{s:s, s:o, s:o, s:s, s:o}", "state",
	    probe_state_name(probe->state), "address", json_text(address),
	    "shown", proofs(probe->proofs), "result",
	    result_type_name(probe->result), "why", json_text(probe->why));
}

static json_t *
explain_record(const struct mx_fact *mx, size_t i)
{
	const struct tlsa_entry *entry = &mx->dane.tlsa->entries[i];
	char record[TLSA_TEXT_SIZE];
	bool matched = mx->probe.state == PROBE_GOOD &&
	    (mx->probe.proofs & PROOF_DANE) != 0 &&
	    mx->probe.tlsa_matched == (int)i;

	return json_pack("{s:s, s:o, s:b}", "record",
	    tlsa_format(&entry->record, record), "unusable",
	    json_text(entry->unusable), "matched", (int)matched);
}

/* Null when nobody has asked for it. */
static json_t *
explain_dane(const struct facts *f, const struct mx_fact *mx)
{
	const struct dane_fact *dane = &mx->dane;
	size_t n = dane->tlsa == NULL ? 0 : dane->tlsa->n;
	json_t *records;

	if (!f->dane)
		return json_null();
	records = json_array();
	for (size_t i = 0; i < n && i < LIMIT_TLSA_EXPLAINED; i++)
		records = json_list_add(records, explain_record(mx, i));
	return json_pack("{s:s, s:o, s:s, s:o, s:i, s:o}", "state",
	    dane_state_name(dane->state), "why", json_text(dane->why),
	    "addresses", dnssec_state_name(dane->addresses), "base",
	    json_text(n == 0 ? NULL : dane->tlsa->base), "records", (int)n,
	    "tlsa", records);
}

static json_t *
explain_host(const struct facts *f, const struct mx_fact *mx)
{
	return json_pack("{s:o, s:i, s:b, s:b, s:b, s:o, s:o, s:o}", "host",
	    json_text(mx->host), "preference", (int)mx->preference, "listed",
	    (int)mx->listed, "under_dane", (int)mx->under_dane, "eligible",
	    (int)mx->eligible, "required", proofs(mx->required), "dane",
	    explain_dane(f, mx), "probe", explain_probe(mx));
}

static json_t *
explain_mx(const struct facts *f)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < f->n_mx; i++)
		hosts = json_list_add(hosts, explain_host(f, &f->mx[i]));
	return json_pack("{s:s, s:s, s:o, s:o}", "state",
	    mx_state_name(f->mx_state), "dnssec",
	    dnssec_state_name(f->mx_dnssec), "why", json_text(f->mx_why),
	    "hosts", hosts);
}

json_t *
explain_verdict_object(const struct verdict *v)
{
	const struct facts *f = &v->facts;

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:s, s:{s:s, s:o, "
			 "s:o}, s:o, s:o, s:b}",
	    "domain", json_text(f->domain), "action",
	    verdict_action_name(v->action), "source",
	    verdict_source_name(v->source), "mx", json_text(v->mx), "reason",
	    json_text(v->reason), "result", result_type_name(v->result),
	    "record", "state", record_state_name(f->sts.record), "id",
	    json_text(f->sts.record_id), "why", json_text(f->sts.record_why),
	    "policy", explain_policy(&f->sts), "mx_set", explain_mx(f),
	    "deadline_hit", (int)f->deadline_hit);
}

char *
explain_verdict(const struct verdict *v)
{
	return json_line(explain_verdict_object(v));
}

char *
explain_exempt(const char *domain, const char *why)
{
	return json_line(json_pack("{s:o, s:s, s:s, s:n, s:s, s:s}", "domain",
	    json_text(domain), "action", verdict_action_name(ACTION_PROCEED),
	    "source", verdict_source_name(VERDICT_NONE), "mx", "reason", why,
	    "result", result_type_name(RESULT_NONE)));
}
