/* SPDX-License-Identifier: ISC */
/* The MX hosts of a network in memory: see fake_net.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/tlsa_set.h"
#include "tests/fake/fake_net_private.h"

static struct fake_mx *
mx_get(struct fake_net *net, const char *mx)
{
	struct fake_mx *m;

	for (size_t i = 0; i < net->n_mxs; i++)
		if (strcmp(net->mxs[i].mx, mx) == 0)
			return &net->mxs[i];
	net->mxs = fake_table_room(net->mxs, net->n_mxs, sizeof(*m));
	m = &net->mxs[net->n_mxs++];
	snprintf(m->mx, sizeof(m->mx), "%s", mx);
	m->why = "connection refused";
	return m;
}

void
fake_net_mx(struct fake_net *net, const char *mx, unsigned proofs,
    enum smtp_stage stage, enum result_type failure, const char *why)
{
	struct fake_mx *m = mx_get(net, mx);

	m->proofs = proofs;
	m->stage = stage;
	m->failure = failure;
	m->why = why;
}

void
fake_net_server(struct fake_net *net, const char *mx,
    const struct fake_server *server)
{
	struct fake_mx *m = mx_get(net, mx);

	m->is_server = true;
	m->server = *server;
}

/* How a session with a server ends, as common/smtp_session would have it. */

static void
session_fails(struct smtp_result *result, enum smtp_stage stage,
    enum result_type type, const char *why)
{
	result->stage = stage;
	result->result = type;
	snprintf(result->why, sizeof(result->why), "%s", why);
}

/*
 * RFC 7671 9: of one usage and selector only the strongest digest counts, as
 * OpenSSL has it.
 */
static bool
counts(const struct tlsa_set *set, const struct tlsa_record *record)
{
	for (size_t i = 0; i < set->n_usable; i++) {
		const struct tlsa_record *other = &set->entries[i].record;

		if (record->matching_type != TLSA_FULL &&
		    other->usage == record->usage &&
		    other->selector == record->selector &&
		    other->matching_type > record->matching_type)
			return false;
	}
	return true;
}

/* The first usable record of a usage that fits; -1: none does. */
static int
fitting(const struct fake_server *server, const struct tlsa_set *set,
    enum tlsa_usage usage)
{
	for (size_t i = 0; i < set->n_usable; i++) {
		const struct tlsa_record *record = &set->entries[i].record;

		if (record->usage == usage && counts(set, record) &&
		    server->tlsa_fits != NULL && server->tlsa_fits(record))
			return (int)i;
	}
	return -1;
}

/* RFC 7672 3.2.2, once the name of the MX is known not to be there. */
static bool
has_other_name(const struct fake_server *server, const struct fake_request *r)
{
	return server->has_name != NULL &&
	    (server->has_name(r->tlsa->base, server->names) ||
		server->has_name(r->next_hop, server->names));
}

/* What is wrong with the certificate under DANE, RFC 7672 3. */
static enum result_type
dane_fault(const struct fake_server *server, const struct fake_request *r,
    int *matched)
{
	*matched = fitting(server, r->tlsa, TLSA_DANE_EE);
	if (*matched >= 0)
		return RESULT_NONE;
	*matched = fitting(server, r->tlsa, TLSA_DANE_TA);
	if (*matched < 0)
		return RESULT_TLSA_INVALID;
	if (server->certificate == RESULT_CERTIFICATE_EXPIRED ||
	    (server->certificate == RESULT_CERTIFICATE_HOST_MISMATCH &&
		!has_other_name(server, r)))
		return server->certificate;
	return RESULT_NONE; /* whoever has signed it */
}

static void
play_dane(const struct fake_server *server, const struct fake_request *r,
    struct smtp_result *result)
{
	int matched;
	enum result_type fault = dane_fault(server, r, &matched);

	session_fails(result,
	    fault == RESULT_NONE ? SMTP_STAGE_READY : SMTP_STAGE_TLS, fault,
	    fault == RESULT_NONE ? ""
		: fault == RESULT_TLSA_INVALID
		? "matches none of the TLSA records"
		: server->certificate_why);
	result->certificate_bad = fault != RESULT_NONE;
	result->proofs =
	    PROOF_ENCRYPTED | (fault == RESULT_NONE ? PROOF_DANE : 0);
	result->tlsa_matched = fault == RESULT_NONE ? matched : -1;
	snprintf(result->tls_version, sizeof(result->tls_version), "TLSv1.3");
}

static void
play_tls(const struct fake_server *server, const struct fake_request *r,
    struct smtp_result *result)
{
	unsigned asked = r->proofs;
	unsigned shown = PROOF_ENCRYPTED |
	    (server->certificate == RESULT_NONE ? PROOF_PKIX : 0);

	if (server->handshake_fails) {
		session_fails(result, SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
		    "failed at the TLS handshake");
		return;
	}
	if (r->tlsa != NULL) {
		play_dane(server, r, result);
		return;
	}
	session_fails(result,
	    (asked & ~shown) == 0 ? SMTP_STAGE_READY : SMTP_STAGE_TLS,
	    server->certificate,
	    server->certificate == RESULT_NONE ? "" : server->certificate_why);
	result->certificate_bad = server->certificate != RESULT_NONE;
	result->proofs = shown;
	snprintf(result->tls_version, sizeof(result->tls_version), "TLSv1.3");
}

static void
play_server(const struct fake_server *server, const struct fake_request *r,
    struct smtp_result *result)
{
	bool tls = server->offers_starttls && !server->refuses_starttls;

	if (server->unreachable != NULL)
		session_fails(result, SMTP_STAGE_CONNECT, RESULT_NONE,
		    server->unreachable);
	else if (tls && !r->in_clear)
		play_tls(server, r, result);
	else if (r->proofs == 0)
		result->stage = SMTP_STAGE_READY;
	else
		session_fails(result, SMTP_STAGE_STARTTLS,
		    RESULT_STARTTLS_NOT_SUPPORTED,
		    server->refuses_starttls ? "refused STARTTLS: 454 not now"
					     : "does not offer STARTTLS");
}

static void
smtp_fire(void *arg)
{
	struct fake_request *r = arg;
	const struct fake_mx *m = mx_get(r->net, r->name);
	struct smtp_result result = { .stage = m->stage,
		.proofs = m->proofs,
		.result = m->failure,
		.tlsa_matched = -1 };
	smtp_ready_fn *ready = r->done.smtp;
	void *ready_arg = r->arg;

	snprintf(result.why, sizeof(result.why), "%s", m->why);
	if (m->is_server) {
		memset(&result, 0, sizeof(result));
		result.tlsa_matched = -1;
		play_server(&m->server, r, &result);
	}
	r->timer = NULL;
	if (result.stage == SMTP_STAGE_READY) {
		ready(&result, (struct smtp_session *)r, ready_arg);
		return;
	}
	fake_request_end(r);
	ready(&result, NULL, ready_arg);
}

/* The session's own deadline has passed. */
static void
smtp_late(void *arg)
{
	struct fake_request *r = arg;
	struct smtp_result result = { .stage = SMTP_STAGE_GREETING,
		.why = "timed out at the greeting" };
	smtp_ready_fn *ready = r->done.smtp;
	void *ready_arg = r->arg;

	r->timer = NULL;
	fake_request_end(r);
	ready(&result, NULL, ready_arg);
}

static struct smtp_session *
smtp_start(void *self, const struct smtp_target *target, smtp_ready_fn *ready,
    void *arg)
{
	const struct fake_event event = { .kind = FAKE_SESSION,
		.name = target->mx,
		.target = target };
	struct fake_net *net = self;
	struct fake_request *r;
	struct fake_mx *m;
	bool silent;

	fake_net_tell(net, &event);
	if (net->refuse_smtp)
		return NULL;
	m = mx_get(net, target->mx);
	m->sessions++;
	silent = m->is_server && m->server.silent;
	r = fake_request_new(net, target->mx,
	    silent ? (int64_t)target->deadline_ms : net->smtp_ms,
	    silent ? smtp_late : smtp_fire, arg);
	if (r == NULL)
		return NULL;
	r->proofs = target->proofs;
	r->in_clear = target->in_clear;
	r->tlsa = tlsa_set_hold(target->tlsa);
	if (target->next_hop != NULL)
		snprintf(r->next_hop, sizeof(r->next_hop), "%s",
		    target->next_hop);
	r->done.smtp = ready;
	return (struct smtp_session *)r;
}

static void
smtp_end(void *self, struct smtp_session **session)
{
	(void)self;
	if (*session != NULL)
		fake_request_end((struct fake_request *)*session);
	*session = NULL;
}

struct smtp_port
fake_smtp_port(struct fake_net *net)
{
	return (struct smtp_port){ net, smtp_start, smtp_end, smtp_end };
}

size_t
fake_net_sessions(const struct fake_net *net, const char *mx)
{
	for (size_t i = 0; i < net->n_mxs; i++)
		if (strcmp(net->mxs[i].mx, mx) == 0)
			return net->mxs[i].sessions;
	return 0;
}
