/* SPDX-License-Identifier: ISC */
/* A verdict with all its facts as JSON: see explain.h. */
#include "common/explain.h"

#include <jansson.h>
#include <stdlib.h>

#include "common/facts.h"
#include "common/verdict.h"

/* Texts that may come from the network are ASCII already; NULL is null. */
static json_t *
text(const char *s)
{
	return s == NULL || *s == '\0' ? json_null() : json_string(s);
}

static json_t *
proofs(unsigned set)
{
	json_t *list = json_array();

	if (set & PROOF_ENCRYPTED)
		json_array_append_new(list, json_string("encrypted"));
	if (set & PROOF_PKIX)
		json_array_append_new(list, json_string("pkix"));
	if (set & PROOF_DANE)
		json_array_append_new(list, json_string("dane"));
	return list;
}

static json_t *
explain_policy(const struct policy_facts *sts)
{
	json_t *patterns = json_array();

	for (size_t i = 0; i < sts->policy.n_mx; i++)
		json_array_append_new(patterns, json_string(sts->policy.mx[i]));
	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:o}", "state",
	    policy_state_name(sts->state), "id", text(sts->id), "mode",
	    sts_mode_name(sts->policy.mode), "mx", patterns, "max_age",
	    (json_int_t)sts->policy.max_age_s, "fetched_at",
	    (json_int_t)sts->fetched_at_s, "failure",
	    sts->failure == RESULT_NONE
		? json_null()
		: json_pack("{s:s, s:s}", "result",
		      result_type_name(sts->failure), "why", sts->failure_why));
}

static json_t *
explain_probe(const struct mx_fact *mx)
{
	const struct probe_result *probe = &mx->probe;
	char address[ADDRESS_SIZE] = "";

	if (probe->address.family != 0)
		address_format(&probe->address, address);
	return json_pack("{s:s, s:o, s:o, s:s, s:o}", "state",
	    probe_state_name(probe->state), "address", text(address), "shown",
	    proofs(probe->proofs), "result", result_type_name(probe->result),
	    "why", text(probe->why));
}

static json_t *
explain_mx(const struct facts *f)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < f->n_mx; i++)
		json_array_append_new(hosts,
		    json_pack("{s:s, s:i, s:b, s:o, s:o}", "host",
			f->mx[i].host, "preference", (int)f->mx[i].preference,
			"listed", (int)f->mx[i].listed, "required",
			proofs(f->mx[i].required), "probe",
			explain_probe(&f->mx[i])));
	return json_pack("{s:s, s:s, s:o, s:o}", "state",
	    mx_state_name(f->mx_state), "dnssec",
	    dnssec_state_name(f->mx_dnssec), "why", text(f->mx_why), "hosts",
	    hosts);
}

/* json_pack() gives NULL, and takes its parts with it, without memory. */
static char *
dump(json_t *json)
{
	char *line = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return line;
}

char *
explain_verdict(const struct verdict *v)
{
	const struct facts *f = &v->facts;

	return dump(json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:{s:s, s:o, "
			      "s:o}, s:o, s:o, s:b}",
	    "domain", f->domain, "action", verdict_action_name(v->action),
	    "source", verdict_source_name(v->source), "mx", text(v->mx),
	    "reason", v->reason, "result", result_type_name(v->result),
	    "record", "state", record_state_name(f->sts.record), "id",
	    text(f->sts.record_id), "why", text(f->sts.record_why), "policy",
	    explain_policy(&f->sts), "mx_set", explain_mx(f), "deadline_hit",
	    (int)f->deadline_hit));
}

char *
explain_exempt(const char *domain, const char *why)
{
	return dump(json_pack("{s:o, s:s, s:s, s:n, s:s, s:s}", "domain",
	    text(domain), "action", verdict_action_name(ACTION_PROCEED),
	    "source", verdict_source_name(VERDICT_NONE), "mx", "reason", why,
	    "result", result_type_name(RESULT_NONE)));
}
