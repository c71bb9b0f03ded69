/* SPDX-License-Identifier: ISC */
/* The MX hosts of a network in memory: see fake_net.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

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

static void
play_tls(const struct fake_server *server, unsigned asked,
    struct smtp_result *result)
{
	unsigned shown = PROOF_ENCRYPTED |
	    (server->certificate == RESULT_NONE ? PROOF_PKIX : 0);

	if (server->handshake_fails) {
		session_fails(result, SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
		    "failed at the TLS handshake");
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
play_server(const struct fake_server *server, unsigned asked, bool in_clear,
    struct smtp_result *result)
{
	bool tls = server->offers_starttls && !server->refuses_starttls;

	if (server->unreachable != NULL)
		session_fails(result, SMTP_STAGE_CONNECT, RESULT_NONE,
		    server->unreachable);
	else if (tls && !in_clear)
		play_tls(server, asked, result);
	else if (asked == 0)
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
		.result = m->failure };
	smtp_ready_fn *ready = r->done.smtp;
	void *ready_arg = r->arg;

	snprintf(result.why, sizeof(result.why), "%s", m->why);
	if (m->is_server) {
		memset(&result, 0, sizeof(result));
		play_server(&m->server, r->proofs, r->in_clear, &result);
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
