/* SPDX-License-Identifier: ISC */
/*
 * What a live look means: see tool_check_judge.h. Questions in the order in
 * which a sender meets the answers; the first that is not fine is what is to be
 * fixed first.
 */
#include "filter/tool_check_judge.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/demand.h"

struct judging {
	const struct check *check;
	const struct facts *facts;
	char *fix;
	enum tool_exit exit;
};

/* The first one that is bad speaks; before that, the first that is unknown. */
static void __attribute__((format(printf, 3, 4)))
found(struct judging *j, enum tool_exit exit, const char *format, ...)
{
	va_list ap;

	if (j->exit == TOOL_BAD || j->exit == exit)
		return;
	j->exit = exit;
	va_start(ap, format);
	vsnprintf(j->fix, CHECK_FIX_SIZE, format, ap);
	va_end(ap);
}

static void
judge_record(struct judging *j)
{
	const struct policy_facts *sts = &j->facts->sts;
	const char *domain = j->facts->domain;

	switch (sts->record) {
	case RECORD_FOUND:
	case RECORD_NONE:
		break;
	case RECORD_UNKNOWN:
		found(j, TOOL_UNKNOWN,
		    "Look at the name servers, or at the resolver here: the "
		    "TXT record at _mta-sts.%s could not be looked up: %s.",
		    domain,
		    sts->record_why == NULL ? "no answer" : sts->record_why);
		break;
	case RECORD_SEVERAL:
		found(j, TOOL_BAD,
		    "Leave one TXT record at _mta-sts.%s that begins with "
		    "\"v=STSv1\": several are as good as none.",
		    domain);
		break;
	case RECORD_BROKEN:
		found(j, TOOL_BAD, "Mend the TXT record at _mta-sts.%s: %s.",
		    domain, sts->record_why);
		break;
	}
}

static void
judge_policy(struct judging *j)
{
	const struct policy_facts *sts = &j->facts->sts;
	const char *domain = j->facts->domain;

	if (sts->state == POLICY_UNKNOWN && sts->record == RECORD_FOUND)
		found(j, TOOL_UNKNOWN,
		    "Try again: the policy of %s could not be asked for.",
		    domain);
	if (sts->state != POLICY_FAILED)
		return;
	if (sts->failure == RESULT_STS_POLICY_INVALID)
		found(j, TOOL_BAD,
		    "Mend the policy at https://mta-sts.%s/.well-known/"
		    "mta-sts.txt: %s.",
		    domain, sts->failure_why);
	else
		found(j, TOOL_BAD,
		    "Have https://mta-sts.%s/.well-known/mta-sts.txt served, "
		    "with a valid certificate: %s.",
		    domain, sts->failure_why);
}

static void
judge_mx_set(struct judging *j)
{
	const struct facts *f = j->facts;

	switch (f->mx_state) {
	case MX_FOUND:
	case MX_IMPLICIT:
	case MX_SMARTHOST:
	case MX_LITERAL:
		break;
	case MX_NULL:
		found(j, TOOL_BAD,
		    "Nothing: %s takes no mail, it says so itself (null MX).",
		    f->domain);
		break;
	case MX_NO_DOMAIN:
		found(j, TOOL_BAD, "Look at the name: there is no domain %s.",
		    f->domain);
		break;
	case MX_UNKNOWN:
		found(j, TOOL_UNKNOWN,
		    "Look at the name servers, or at the resolver here: the MX "
		    "hosts of %s could not be looked up: %s.",
		    f->domain, f->mx_why == NULL ? "no answer" : f->mx_why);
		break;
	}
}

static bool
is_any_allowed(const struct facts *f)
{
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].allowed)
			return true;
	return false;
}

/* What a host is to do about a session that failed. */
static void
judge_session(struct judging *j, const struct mx_fact *mx,
    const struct check_session *session)
{
	const struct smtp_result *r = &session->result;
	char address[ADDRESS_SIZE];

	if (!session->begun || check_session_is_good(session) ||
	    r->result == RESULT_NONE)
		return;
	address_format(&session->address, address);
	if (r->result == RESULT_STARTTLS_NOT_SUPPORTED)
		found(j, TOOL_BAD,
		    "Switch STARTTLS on at %s, address %s: it %s.", mx->host,
		    address, r->why);
	else if (r->result == RESULT_CERTIFICATE_EXPIRED)
		found(j, TOOL_BAD,
		    "Renew the certificate of %s, address %s: it %s.", mx->host,
		    address, r->why);
	else if (r->result == RESULT_CERTIFICATE_HOST_MISMATCH)
		found(j, TOOL_BAD,
		    "Give %s, address %s, a certificate for its name: the one "
		    "that it shows %s.",
		    mx->host, address, r->why);
	else if (r->result == RESULT_TLSA_INVALID)
		found(j, TOOL_BAD,
		    "Publish TLSA records at _%u._tcp.%s that match what it "
		    "shows: at address %s it %s.",
		    j->facts->port, mx->host, address, r->why);
	else if (r->result == RESULT_CERTIFICATE_NOT_TRUSTED)
		found(j, TOOL_BAD,
		    "Give %s, address %s, a certificate that a public CA has "
		    "signed, with its whole chain: the one that it shows %s.",
		    mx->host, address, r->why);
	else
		found(j, TOOL_BAD, "Look at TLS of %s, address %s: it %s.",
		    mx->host, address, r->why);
}

/* Hosts that DANE rules out before a session. */
static void
judge_refused(struct judging *j, const struct mx_fact *mx)
{
	if (mx->refused == RESULT_DANE_REQUIRED)
		found(j, TOOL_BAD,
		    "Sign %s and its MX host %s, and publish TLSA records, or "
		    "take it out of dane-required here.",
		    j->facts->domain, mx->host);
	else if (mx->under_dane && !mx->allowed)
		found(j, TOOL_BAD,
		    "Mend DNSSEC of %s: its TLSA records could not be had%s%s.",
		    mx->host, mx->dane.why == NULL ? "" : ": ",
		    mx->dane.why == NULL ? "" : mx->dane.why);
}

/* Those of which something is asked. */
static void
judge_hosts(struct judging *j)
{
	const struct facts *f = j->facts;

	if (facts_have_policy(f) && f->n_mx > 0 && !demand_is_danes(f) &&
	    !is_any_allowed(f))
		found(j, TOOL_BAD,
		    "List the MX hosts of %s in its policy, such as \"mx: "
		    "%s\": none of them is there.",
		    f->domain, f->mx[0].host);
	for (size_t i = 0; i < f->n_mx; i++) {
		const struct check_host *host = &j->check->hosts[i];

		judge_refused(j, &f->mx[i]);
		for (size_t n = 0; f->mx[i].required != 0 && n < host->n; n++)
			judge_session(j, &f->mx[i], &host->sessions[n]);
	}
}

/* Has a host been reached that senders may use, whatever it has shown? */
static void
judge_reachable(struct judging *j)
{
	const struct facts *f = j->facts;
	const struct mx_fact *unreachable = NULL;
	bool unknown = false;

	for (size_t i = 0; i < f->n_mx; i++) {
		const struct mx_fact *mx = &f->mx[i];

		if (!mx->allowed)
			continue;
		switch (mx->probe.state) {
		case PROBE_GOOD:
		case PROBE_TLS_FAILED:
			return;
		case PROBE_UNKNOWN:
			unknown = true;
			break;
		case PROBE_UNREACHABLE:
			if (unreachable == NULL)
				unreachable = mx;
			break;
		}
	}
	if (unknown)
		found(j, TOOL_UNKNOWN,
		    "Try again: MX hosts of %s could not be tried.", f->domain);
	else if (unreachable != NULL)
		found(j, TOOL_BAD,
		    "Make %s answer on port %u, or look at the way there: it "
		    "%s.",
		    unreachable->host, f->port, unreachable->probe.why);
}

enum tool_exit
check_judge(const struct check *check, char fix[CHECK_FIX_SIZE])
{
	struct judging j = { .check = check,
		.facts = &check->verdict.facts,
		.fix = fix,
		.exit = TOOL_FINE };

	fix[0] = '\0';
	judge_record(&j);
	judge_policy(&j);
	judge_mx_set(&j);
	judge_hosts(&j);
	judge_reachable(&j);
	return j.exit;
}
