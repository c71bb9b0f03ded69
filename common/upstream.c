/* SPDX-License-Identifier: ISC */
/* A session with an MX host, once it is had: see upstream.h. */
#include "common/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mx_walk.h"
#include "common/tlsa_set.h"

/* Which policy it is, as far as it has a name: another one has another. */
static const char *
policy_id(const struct verdict *v)
{
	return facts_have_policy(&v->facts) ? v->facts.sts.id : "";
}

static struct tlsa_set *
tlsa_of(const struct verdict *v, const char *mx)
{
	for (size_t i = 0; i < v->facts.n_mx; i++)
		if (strcmp(v->facts.mx[i].host, mx) == 0)
			return v->facts.mx[i].dane.tlsa;
	return NULL;
}

struct upstream *
upstream_new(const struct smtp_port *port, const struct mx_walk_found *found,
    const struct verdict *verdict)
{
	struct smtp_session *session = found->session;
	struct upstream *u = calloc(1, sizeof(*u));

	if (u == NULL) {
		port->cancel(port->self, &session);
		return NULL;
	}
	u->port = *port;
	u->session = session;
	snprintf(u->domain, sizeof(u->domain), "%s", verdict->facts.domain);
	snprintf(u->mx, sizeof(u->mx), "%s", found->mx);
	u->address = found->address;
	u->proofs = found->result->proofs;
	memcpy(u->tls_version, found->result->tls_version,
	    sizeof(u->tls_version));
	u->minded = found->minded;
	snprintf(u->minded_why, sizeof(u->minded_why), "%.*s",
	    UPSTREAM_WHY_SIZE - 1, found->result->why);
	if (u->proofs & PROOF_DANE)
		u->tlsa = tlsa_set_hold(tlsa_of(verdict, u->mx));
	u->n_messages = found->n_messages + 1;
	u->since_ms = found->since_ms;
	u->source = verdict->source;
	u->enforced = verdict->enforced;
	snprintf(u->policy_id, sizeof(u->policy_id), "%s", policy_id(verdict));
	return u;
}

/* What was shown by other TLSA records is not shown by those of now. */
static bool
has_shown(const struct upstream *u, const struct mx_fact *mx)
{
	return (mx->required & ~u->proofs) == 0 &&
	    ((mx->required & PROOF_DANE) == 0 ||
		tlsa_set_same(u->tlsa, mx->dane.tlsa));
}

bool
upstream_satisfies(const struct upstream *u, const struct verdict *v)
{
	if (u->source != v->source || u->enforced != v->enforced ||
	    strcmp(u->policy_id, policy_id(v)) != 0)
		return false;
	for (size_t i = 0; i < v->facts.n_mx; i++) {
		const struct mx_fact *mx = &v->facts.mx[i];

		if (mx->eligible && strcmp(mx->host, u->mx) == 0)
			return !mx->enforced || has_shown(u, mx);
	}
	return false;
}

void
upstream_quit(struct upstream **upstream)
{
	struct upstream *u = *upstream;

	*upstream = NULL;
	if (u == NULL)
		return;
	u->port.quit(u->port.self, &u->session);
	tlsa_set_drop(&u->tlsa);
	free(u);
}

void
upstream_cut(struct upstream **upstream)
{
	struct upstream *u = *upstream;

	*upstream = NULL;
	if (u == NULL)
		return;
	u->port.cancel(u->port.self, &u->session);
	tlsa_set_drop(&u->tlsa);
	free(u);
}
