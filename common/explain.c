/* SPDX-License-Identifier: ISC */
/* A verdict with all its facts as JSON: see explain.h. */
#include "common/explain.h"

#include <jansson.h>
#include <stdlib.h>

#include "common/facts.h"
#include "common/verdict.h"

#define TEXT_SIZE 1024

/*
 * NULL or nothing is null. JSON takes valid UTF-8 only and terminals take more
 * than is good for them: what is not printable ASCII becomes '?'.
 */
static json_t *
text(const char *s)
{
	char out[TEXT_SIZE];
	size_t n = 0;

	if (s == NULL || *s == '\0')
		return json_null();
	for (; s[n] != '\0' && n < sizeof(out) - 1; n++)
		out[n] = s[n] >= 0x20 && s[n] <= 0x7e ? s[n] : '?';
	return json_stringn(out, n);
}

/*
 * Without memory a part is NULL, and so is every whole that it would have been
 * a part of: facts are told all or not at all. json_pack() does that by itself.
 */
static json_t *
list_add(json_t *list, json_t *item)
{
	if (json_array_append_new(list, item) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
proofs(unsigned set)
{
	json_t *list = json_array();

	if (set & PROOF_ENCRYPTED)
		list = list_add(list, text("encrypted"));
	if (set & PROOF_PKIX)
		list = list_add(list, text("pkix"));
	if (set & PROOF_DANE)
		list = list_add(list, text("dane"));
	return list;
}

static json_t *
explain_failure(const struct policy_facts *sts)
{
	if (sts->failure == RESULT_NONE)
		return json_null();
	return json_pack("{s:s, s:o}", "result", result_type_name(sts->failure),
	    "why", text(sts->failure_why));
}

static json_t *
explain_policy(const struct policy_facts *sts)
{
	json_t *patterns = json_array();

	for (size_t i = 0; i < sts->policy.n_mx; i++)
		patterns = list_add(patterns, text(sts->policy.mx[i]));
	return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:o}", "state",
	    policy_state_name(sts->state), "id", text(sts->id), "mode",
	    sts_mode_name(sts->policy.mode), "mx", patterns, "max_age",
	    (json_int_t)sts->policy.max_age_s, "fetched_at",
	    (json_int_t)sts->fetched_at_s, "failure", explain_failure(sts));
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
explain_host(const struct mx_fact *mx)
{
	return json_pack("{s:o, s:i, s:b, s:o, s:o}", "host", text(mx->host),
	    "preference", (int)mx->preference, "listed", (int)mx->listed,
	    "required", proofs(mx->required), "probe", explain_probe(mx));
}

static json_t *
explain_mx(const struct facts *f)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < f->n_mx; i++)
		hosts = list_add(hosts, explain_host(&f->mx[i]));
	return json_pack("{s:s, s:s, s:o, s:o}", "state",
	    mx_state_name(f->mx_state), "dnssec",
	    dnssec_state_name(f->mx_dnssec), "why", text(f->mx_why), "hosts",
	    hosts);
}

/* Not json_dumps(): without memory that may leave a piece out (jansson 2.14).
 */
static char *
dump(json_t *json)
{
	size_t len = json == NULL ? 0 : json_dumpb(json, NULL, 0, JSON_COMPACT);
	char *line = len == 0 ? NULL : malloc(len + 1);

	if (line != NULL && json_dumpb(json, line, len, JSON_COMPACT) == len) {
		line[len] = '\0';
	} else {
		free(line);
		line = NULL;
	}
	json_decref(json);
	return line;
}

char *
explain_verdict(const struct verdict *v)
{
	const struct facts *f = &v->facts;

	return dump(json_pack("{s:o, s:s, s:s, s:o, s:o, s:s, s:{s:s, s:o, "
			      "s:o}, s:o, s:o, s:b}",
	    "domain", text(f->domain), "action", verdict_action_name(v->action),
	    "source", verdict_source_name(v->source), "mx", text(v->mx),
	    "reason", text(v->reason), "result", result_type_name(v->result),
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
