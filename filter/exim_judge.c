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
	const struct verdict *verdict;
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
	a->out->asker = verdict_policy_name(a->verdict);
	snprintf(a->out->mx, sizeof(a->out->mx), "%s", mx);
	return tls.result == RESULT_NONE;
}

static void
conclude(struct attempt *a, const char *asker, const char *mx,
    enum result_type result, const char *why)
{
	if (a->any && result != RESULT_NONE)
		return;
	a->any = true;
	a->out->tls = (struct tls_judgement){ .result = result, .why = why };
	a->out->asker = asker;
	snprintf(a->out->mx, sizeof(a->out->mx), "%s", mx);
}

static bool
is_kept_out(const struct mx_fact *mx)
{
	return mx->under_dane && !mx->allowed;
}

/* What a certificate that is good for the web cannot mend. */
static void
conclude_kept_out(struct attempt *a, const struct mx_fact *mx)
{
	conclude(a, "DANE of", mx->host,
	    mx->refused == RESULT_NONE ? RESULT_DNSSEC_INVALID : mx->refused,
	    mx->refused == RESULT_DANE_REQUIRED
		? "is not enough: there are no TLSA records"
		: "is not enough: TLSA records could not be looked up");
}

/*
 * By what is asked of this host. Where DANE is, Exim looks after it, and does
 * not come here; but it does so only when its resolver's word counts.
 */
static bool
try_mx(struct attempt *a, const struct mx_fact *mx)
{
	if (is_kept_out(mx)) {
		conclude_kept_out(a, mx);
		return false;
	}
	if (mx->under_dane && (mx->required & PROOF_DANE) != 0) {
		conclude(a, "DANE of", mx->host, RESULT_DANE_REQUIRED,
		    "is not looked at by DANE, though there are TLSA records: "
		    "has Exim's resolv.conf 'trust-ad'?");
		return false;
	}
	/* No TLSA record is usable: to be encrypted is enough (RFC 7672 2.2).
	 */
	if (mx->under_dane && (mx->required & PROOF_PKIX) == 0) {
		conclude(a, "DANE of", mx->host, RESULT_NONE, "");
		return true;
	}
	return try_name(a, mx->host);
}

/* The MX set may be another by now; but not that of a domain under DANE. */
static bool
may_be_another(const struct facts *f, const char *host)
{
	bool all_danes = f->n_mx > 0;

	for (size_t i = 0; i < f->n_mx; i++)
		all_danes = all_danes && f->mx[i].under_dane;
	return !all_danes && facts_have_policy(f) &&
	    sts_policy_lists(&f->sts.policy, host);
}

bool
exim_judge(const struct tls_verify *verify, const struct verdict *verdict,
    const char *host, STACK_OF(X509) * chain, struct exim_judgement *out)
{
	const struct facts *f = &verdict->facts;
	struct attempt a = { verify, verdict, chain, out, false, false };

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < f->n_mx; i++)
		if ((f->mx[i].eligible || is_kept_out(&f->mx[i])) &&
		    strcmp(f->mx[i].host, host) == 0) {
			(void)try_mx(&a, &f->mx[i]);
			return a.any;
		}
	for (size_t i = 0; i < f->n_mx; i++)
		if (f->mx[i].eligible && try_mx(&a, &f->mx[i]))
			return true;
	if (may_be_another(f, host) && try_name(&a, host))
		return true;
	if (!a.any && !a.failed)
		conclude(&a, verdict_policy_name(verdict), host,
		    RESULT_VALIDATION_FAILURE,
		    "is of a host that the policy does not list");
	return a.any;
}

const char *
exim_judgement_text(const struct exim_judgement *judgement, const char *domain,
    char out[EXIM_JUDGEMENT_SIZE])
{
	snprintf(out, EXIM_JUDGEMENT_SIZE, "%s: %s %s: certificate of %s %s",
	    result_type_name(judgement->tls.result), judgement->asker, domain,
	    judgement->mx, judgement->tls.why);
	return out;
}

void
exim_judgement_log(const struct exim_judgement *judgement,
    const struct verdict *verdict, const char *session, bool refused)
{
	enum result_type result = judgement->tls.result;
	const struct facts *f = &verdict->facts;
	char reason[EXIM_JUDGEMENT_SIZE], quoted[LOG_QUOTE_SIZE];

	snprintf(reason, sizeof(reason), "451 %s %s %s: certificate of %s %s",
	    result_type_status(result), judgement->asker, f->domain,
	    judgement->mx, judgement->tls.why);
	log_info("domain=%s source=%s mode=%s action=%s mx=%s reason=%s "
		 "result=%s session=\"%s\"",
	    f->domain, verdict_source_name(verdict->source),
	    facts_have_policy(f) ? sts_mode_name(f->sts.policy.mode) : "none",
	    verdict_action_name(refused ? ACTION_DEFER : ACTION_WOULD_DEFER),
	    judgement->mx, log_quote(quoted, reason, strlen(reason)),
	    result_type_name(result), session);
}
