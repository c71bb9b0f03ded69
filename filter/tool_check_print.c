/* SPDX-License-Identifier: ISC */
/* A live look at a domain, told: see tool_check_print.h. */
#include "filter/tool_check_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/explain.h"
#include "common/json_line.h"
#include "common/log.h"
#include "common/tlsa_set.h"
#include "filter/tool_check_judge.h"
#include "filter/tool_check_warn.h"
#include "filter/tool_report.h"

#define TEXT_SIZE CHECK_FIX_SIZE

static const char *
result_word(enum tool_exit result)
{
	switch (result) {
	case TOOL_FINE:
		return "fine";
	case TOOL_BAD:
		return "would fail";
	case TOOL_USAGE:
	case TOOL_UNKNOWN:
		break;
	}
	return "could not tell";
}

/* What the server answered to EHLO and STARTTLS; NULL: nobody knows. */
static const char *
starttls_word(const struct check_session *s)
{
	if (!s->begun)
		return NULL;
	if (s->result.stage > SMTP_STAGE_STARTTLS)
		return "yes";
	return s->result.result == RESULT_STARTTLS_NOT_SUPPORTED ? "no" : NULL;
}

/* Without TLS there is none. */
static const char *
certificate_word(const struct check_session *s)
{
	if (check_session_is_good(s))
		return "good";
	if (!s->begun || !s->result.certificate_bad)
		return NULL;
	return result_type_name(s->result.result);
}

static const char *
tls_word(const struct check_session *s)
{
	return s->begun && s->result.tls_version[0] != '\0'
	    ? s->result.tls_version
	    : NULL;
}

static const char *
session_why(const struct check_session *s)
{
	return s->begun ? s->result.why : "there was no place for a session";
}

static const char *
or_dash(const char *word)
{
	return word == NULL ? "-" : word;
}

/* Words from the network, for a terminal. */
static const char *
printable(const char *s, char out[TEXT_SIZE])
{
	size_t n = 0;

	for (; s[n] != '\0' && n < TEXT_SIZE - 1; n++)
		out[n] = s[n] >= 0x20 && s[n] <= 0x7e ? s[n] : '?';
	out[n] = '\0';
	return out;
}

/* For a person. */

static void
print_policy(const struct facts *f)
{
	const struct policy_facts *sts = &f->sts;
	char why[TEXT_SIZE];

	printf("  record   %s", record_state_name(sts->record));
	if (sts->record == RECORD_FOUND)
		printf(", id %s", sts->record_id);
	else if (sts->record_why != NULL)
		printf(": %s", sts->record_why);
	printf("\n  policy   ");
	if (!facts_have_policy(f)) {
		printf("%s", policy_state_name(sts->state));
		if (sts->failure != RESULT_NONE)
			printf(": %s: %s", result_type_name(sts->failure),
			    printable(sts->failure_why, why));
		putchar('\n');
		return;
	}
	printf("mode %s, max_age %u", sts_mode_name(sts->policy.mode),
	    (unsigned)sts->policy.max_age_s);
	for (size_t i = 0; i < sts->policy.n_mx; i++)
		printf("%s%s", i == 0 ? ", mx " : " ", sts->policy.mx[i]);
	putchar('\n');
}

#define ROW_FORMAT "  %4s %-28s %-24s %-8s %-8s %-8s %s\n"

static void
print_session(const char *preference, const char *host, const char *asked,
    const struct check_session *s)
{
	char address[ADDRESS_SIZE], result[TEXT_SIZE + 64], why[TEXT_SIZE];

	address_format(&s->address, address);
	if (check_session_is_good(s))
		snprintf(result, sizeof(result), "good");
	else
		snprintf(result, sizeof(result), "%s: %s",
		    s->begun && s->result.result != RESULT_NONE
			? result_type_name(s->result.result)
			: "unreachable",
		    printable(session_why(s), why));
	printf(ROW_FORMAT, preference, host, address, asked,
	    or_dash(starttls_word(s)), or_dash(tls_word(s)), result);
}

/* Who asks something of the host? */
static const char *
asked_by(const struct facts *f, const struct mx_fact *mx)
{
	if (mx->under_dane)
		return "DANE";
	if (!facts_have_policy(f) || f->sts.policy.mode == STS_MODE_NONE)
		return "nobody";
	return mx->listed ? "policy" : "unlisted";
}

/* Each record, and the addresses whose certificate it matches. */
static void
print_tlsa(const struct mx_fact *mx, const struct check_host *host)
{
	const struct tlsa_set *tlsa = mx->dane.tlsa;
	char text[TLSA_TEXT_SIZE], address[ADDRESS_SIZE];

	for (size_t i = 0; tlsa != NULL && i < tlsa->n; i++) {
		printf("       TLSA %s",
		    tlsa_format(&tlsa->entries[i].record, text));
		if (tlsa->entries[i].unusable != NULL)
			printf(", unusable: %s", tlsa->entries[i].unusable);
		for (size_t n = 0; n < host->n; n++)
			if (check_session_is_good(&host->sessions[n]) &&
			    host->sessions[n].result.tlsa_matched == (int)i)
				printf(", matched at %s",
				    address_format(&host->sessions[n].address,
					address));
		putchar('\n');
	}
}

static void
print_host(const struct facts *f, const struct mx_fact *mx,
    const struct check_host *host)
{
	const char *asked = asked_by(f, mx);
	char preference[16], why[TEXT_SIZE];

	snprintf(preference, sizeof(preference), "%u", mx->preference);
	if (host->n == 0)
		printf(ROW_FORMAT, preference, mx->host, "-", asked, "-", "-",
		    host->unasked ? "address lookup was not begun"
				  : printable(host->why, why));
	/* The host is named in the first row only. */
	for (size_t i = 0; i < host->n; i++)
		print_session(i == 0 ? preference : "", i == 0 ? mx->host : "",
		    i == 0 ? asked : "", &host->sessions[i]);
	print_tlsa(mx, host);
}

static void
print_warnings(const struct check *check)
{
	json_t *warnings = check_warnings(check, time(NULL)), *warning;
	size_t i;

	json_array_foreach(warnings, i, warning)
	    printf("  soon     %s\n", json_string_value(warning));
	json_decref(warnings);
}

/* What DNSSEC proves of what the hosts are found by. */
static void
print_dnssec(const struct facts *f)
{
	if (!f->dane)
		return;
	printf("  dnssec   MX set %s", dnssec_state_name(f->mx_dnssec));
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].dane.addresses != DNSSEC_UNKNOWN)
			printf(", %s %s", f->mx[i].host,
			    dnssec_state_name(f->mx[i].dane.addresses));
	putchar('\n');
}

void
check_print(const struct check *check, enum tool_exit result, const char *fix)
{
	const struct verdict *v = &check->verdict;
	const struct facts *f = &v->facts;
	char text[TEXT_SIZE];

	printf("%s: ", f->domain);
	tool_report_verdict(result == TOOL_FINE, "%s", result_word(result));
	print_policy(f);
	print_dnssec(f);
	if (f->n_mx == 0)
		printf("  mx       %s%s%s\n", mx_state_name(f->mx_state),
		    f->mx_why == NULL ? "" : ": ",
		    f->mx_why == NULL ? "" : f->mx_why);
	else
		printf(ROW_FORMAT, "", "MX", "ADDRESS", "ASKED BY", "STARTTLS",
		    "TLS", "RESULT");
	for (size_t i = 0; i < f->n_mx; i++)
		print_host(f, &f->mx[i], &check->hosts[i]);
	printf("  verdict  %s: %s\n", verdict_action_name(v->action),
	    v->reason);
	print_warnings(check);
	if (fix[0] != '\0')
		printf("  to fix   %s\n", printable(fix, text));
}

/* For a program. */

static json_t *
session_json(const struct check_session *s)
{
	const char *starttls = starttls_word(s);
	char address[ADDRESS_SIZE];

	address_format(&s->address, address);
	return json_pack("{s:s, s:b, s:o, s:s?, s:s?, s:s, s:o}", "address",
	    address, "good", (int)check_session_is_good(s), "starttls",
	    starttls == NULL ? json_null()
			     : json_boolean(strcmp(starttls, "yes") == 0),
	    "tls", tls_word(s), "certificate", certificate_word(s), "result",
	    result_type_name(s->begun ? s->result.result : RESULT_NONE), "why",
	    check_session_is_good(s) ? json_null() : json_text(session_why(s)));
}

/* Beside what "strictmx ask" says of a host. */
static bool
host_json(json_t *told, const struct check_host *host)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < host->n; i++)
		addresses =
		    json_list_add(addresses, session_json(&host->sessions[i]));
	return json_object_set_new(told, "addresses", addresses) == 0;
}

void
check_print_json(const struct check *check, enum tool_exit result,
    const char *fix)
{
	const struct facts *f = &check->verdict.facts;
	json_t *told = explain_verdict_object(&check->verdict);
	json_t *hosts =
	    json_object_get(json_object_get(told, "mx_set"), "hosts");

	for (size_t i = 0; i < f->n_mx; i++)
		if (!host_json(json_array_get(hosts, i), &check->hosts[i]))
			fatal("out of memory");
	if (json_object_set_new(told, "check",
		json_string(result_word(result))) != 0 ||
	    json_object_set_new(told, "warnings",
		check_warnings(check, time(NULL))) != 0 ||
	    json_object_set_new(told, "fix", json_text(fix)) != 0)
		fatal("out of memory");
	tool_report_json(told);
}
