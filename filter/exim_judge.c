/* SPDX-License-Identifier: ISC */
/*
 * Certificates that Exim was shown: see exim_judge.h. The name that counts is
 * that of the MX record, never a CNAME's target (RFC 8461 4.1), but the target
 * is what Exim calls the host by. So for a host that is none of the MX hosts
 * the certificate has to be good for one of those that may be used. Exim's own
 * check knows which of them it went to and goes by that name alone; it is an
 * MX name here in any case that counts, listed by the policy.
 */
#include "filter/exim_judge.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/ports.h"
#include "common/verdict.h"

/* The first name that was tried says what is wrong, unless one is good. */
struct attempt {
	const struct tls_verify *verify;
	STACK_OF(X509) * chain;
	struct exim_judgement *out;
	bool any, failed;
};

static bool
try_name(struct attempt *a, const char *mx)
{
	struct tls_judgement tls;

	if (!tls_verify_chain(a->verify, mx, a->chain, NULL, &tls)) {
		a->failed = true;
		return false;
	}
	if (a->any && tls.result != RESULT_NONE)
		return false;
	a->any = true;
	a->out->tls = tls;
	snprintf(a->out->mx, sizeof(a->out->mx), "%s", mx);
	return tls.result == RESULT_NONE;
}

static void
conclude(struct attempt *a, const char *mx, enum result_type result,
    const char *why)
{
	a->any = true;
	a->out->tls = (struct tls_judgement){ .result = result, .why = why };
	snprintf(a->out->mx, sizeof(a->out->mx), "%s", mx);
}

/*
 * By what is asked of this host. Where DANE is, Exim looks after it, and does
 * not come here; but it does so only when its resolver's word counts.
 */
static bool
try_mx(struct attempt *a, const struct mx_fact *mx)
{
	if (mx->under_dane && (mx->required & PROOF_DANE) != 0) {
		if (!a->any)
			conclude(a, mx->host, RESULT_DANE_REQUIRED,
			    "is not looked at by DANE, though there are TLSA "
			    "records: has Exim's resolv.conf 'trust-ad'?");
		return false;
	}
	/* No TLSA record is usable: to be encrypted is enough (RFC 7672 2.2).
	 */
	if (mx->under_dane && (mx->required & PROOF_PKIX) == 0) {
		conclude(a, mx->host, RESULT_NONE, "");
		return true;
	}
	return try_name(a, mx->host);
}

bool
exim_judge(const struct tls_verify *verify, const struct verdict *verdict,
    const char *host, STACK_OF(X509) * chain, struct exim_judgement *out)
{
	const struct facts *f = &verdict->facts;
	struct attempt a = { verify, chain, out, false, false };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].eligible && strcmp(f->mx[i].host, host) == 0) {
			(void)try_mx(&a, &f->mx[i]);
			return a.any;
		}
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].eligible && try_mx(&a, &f->mx[i]))
			return true;
	/* The MX set may be another by now. */
	if (facts_have_policy(f) && sts_policy_lists(&f->sts.policy, host) &&
	    try_name(&a, host))
		return true;
	if (!a.any && !a.failed)
		conclude(&a, host, RESULT_VALIDATION_FAILURE,
		    "is of a host that the policy does not list");
	return a.any;
}

const char *
exim_judgement_text(const struct exim_judgement *judgement, const char *domain,
    char out[EXIM_JUDGEMENT_SIZE])
{
	snprintf(out, EXIM_JUDGEMENT_SIZE,
	    "%s: MTA-STS policy of %s: certificate of %s %s",
	    result_type_name(judgement->tls.result), domain, judgement->mx,
	    judgement->tls.why);
	return out;
}

void
exim_judgement_log(const struct exim_judgement *judgement,
    const struct verdict *verdict, const char *session, bool refused)
{
	enum result_type result = judgement->tls.result;
	char reason[EXIM_JUDGEMENT_SIZE], quoted[LOG_QUOTE_SIZE];

	snprintf(reason, sizeof(reason),
	    "451 %s MTA-STS policy of %s: certificate of %s %s",
	    result_type_status(result), verdict->facts.domain, judgement->mx,
	    judgement->tls.why);
	log_info("domain=%s source=%s mode=%s action=%s mx=%s reason=%s "
		 "result=%s session=\"%s\"",
	    verdict->facts.domain, verdict_source_name(verdict->source),
	    sts_mode_name(verdict->facts.sts.policy.mode),
	    verdict_action_name(refused ? ACTION_DEFER : ACTION_WOULD_DEFER),
	    judgement->mx, log_quote(quoted, reason, strlen(reason)),
	    result_type_name(result), session);
}
