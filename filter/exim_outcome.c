/* SPDX-License-Identifier: ISC */
/* The end of a session of Exim's: see exim_outcome.h. */
#include "filter/exim_outcome.h"

#include <string.h>

#include "common/outcome.h"
#include "common/verdict.h"
#include "filter/exim_session.h"

static const struct mx_fact *
mx_of_session(const struct verdict *v, const struct exim_session *s)
{
	const char *mx = s->mx[0] == '\0' ? s->host : s->mx;

	for (size_t i = 0; i < v->facts.n_mx; i++)
		if (strcmp(v->facts.mx[i].host, mx) == 0)
			return &v->facts.mx[i];
	return NULL;
}

/* What the policy minds of it, RFC 8460 4.3. */
static enum result_type
session_fault(const struct exim_session *s, const struct verdict *v, bool minds)
{
	const struct mx_fact *mx = mx_of_session(v, s);

	if (s->dane_said || s->clear)
		return s->failure;
	if (!minds)
		return RESULT_NONE;
	if (s->failure == RESULT_NONE && mx != NULL && !mx->listed && !s->good)
		return RESULT_VALIDATION_FAILURE;
	return s->failure;
}

void
exim_outcome_report(const struct exim_session *session,
    const struct verdict *verdict)
{
	const struct exim_session *s = session;
	const struct sts_policy *policy = &verdict->facts.sts.policy;
	const struct mx_fact *mx = mx_of_session(verdict, session);
	bool minds =
	    facts_have_policy(&verdict->facts) && policy->mode != STS_MODE_NONE;
	struct outcome outcome = {
		.kind = OUTCOME_SESSION,
		.domain = verdict->facts.domain,
		.source = minds ? VERDICT_STS : VERDICT_NONE,
		.mode = policy->mode,
		.mx = s->mx[0] == '\0' ? s->host : s->mx,
		.address = &s->address,
		.result = session_fault(s, verdict, minds),
		.why = s->why,
	};

	if (s->dane_said || (mx != NULL && mx->under_dane))
		outcome.source = VERDICT_DANE;
	/* An engine that was started meanwhile has not seen its certificate. */
	if (!minds || s->dane_said || s->clear || s->judged || s->good)
		outcome_report(&outcome);
}
