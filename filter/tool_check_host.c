/* SPDX-License-Identifier: ISC */
/* One MX host, tried on each of its addresses: see tool_check_host.h. */
#include "filter/tool_check_host.h"

#include <stdio.h>

#include "common/mx_addresses.h"

static void
host_look(struct check_host *host)
{
	if (host->lookup == NULL && host->n_open == 0)
		host->done(host->arg);
}

static void
session_ready(const struct smtp_result *result, struct smtp_session *session,
    void *arg)
{
	struct check_session *s = arg;
	const struct smtp_port *smtp = &s->host->ports->smtp;

	s->result = *result;
	s->session = session;
	smtp->quit(smtp->self, &s->session);
	s->host->n_open--;
	host_look(s->host);
}

static void
session_start(struct check_session *s)
{
	const struct smtp_port *smtp = &s->host->ports->smtp;
	struct smtp_target target = s->host->target;

	target.address = s->address;
	s->session = smtp->start(smtp->self, &target, session_ready, s);
	s->begun = s->session != NULL;
	s->host->n_open += s->begun;
}

static void
addresses_done(const struct mx_addresses_found *found, void *arg)
{
	struct check_host *host = arg;

	host->lookup = NULL;
	host->unasked = found->unasked;
	snprintf(host->why, sizeof(host->why), "%s", found->why);
	host->n = found->n;
	for (size_t i = 0; i < host->n; i++) {
		host->sessions[i].host = host;
		host->sessions[i].address = found->list[i];
		session_start(&host->sessions[i]);
	}
	host_look(host);
}

bool
check_host_start(struct check_host *host, const struct ports *ports,
    const struct probe_opts *opts, check_host_done_fn *done, void *arg)
{
	host->ports = ports;
	host->target = (struct smtp_target){ .mx = opts->mx,
		.port = opts->port,
		.helo = opts->helo,
		.proofs = opts->proofs,
		.tlsa = opts->tlsa,
		.next_hop = opts->next_hop,
		.deadline_ms = LIMIT_PROBE_MS };
	host->done = done;
	host->arg = arg;
	host->lookup = mx_addresses_start(ports, opts->mx, &opts->rules,
	    addresses_done, host);
	host->unasked = host->lookup == NULL;
	return host->lookup != NULL;
}

void
check_host_cleanup(struct check_host *host)
{
	mx_addresses_cancel(&host->lookup);
	for (size_t i = 0; i < host->n; i++)
		host->ports->smtp.cancel(host->ports->smtp.self,
		    &host->sessions[i].session);
}

bool
check_session_is_good(const struct check_session *session)
{
	return session->begun && session->result.stage == SMTP_STAGE_READY;
}

static enum probe_state
session_state(const struct check_session *session)
{
	if (!session->begun)
		return PROBE_UNKNOWN;
	if (check_session_is_good(session))
		return PROBE_GOOD;
	return session->result.result == RESULT_NONE ? PROBE_UNREACHABLE
						     : PROBE_TLS_FAILED;
}

/* What tells more: see common/probe. */
static bool
is_weightier(enum probe_state a, enum probe_state b)
{
	static const int weights[] = {
		[PROBE_UNREACHABLE] = 0,
		[PROBE_UNKNOWN] = 1,
		[PROBE_TLS_FAILED] = 2,
		[PROBE_GOOD] = 3,
	};

	return weights[a] > weights[b];
}

void
check_host_weigh(const struct check_host *host, struct probe_result *out)
{
	*out =
	    (struct probe_result){ .state = host->unasked ? PROBE_UNKNOWN
							  : PROBE_UNREACHABLE };
	snprintf(out->why, sizeof(out->why), "%s", host->why);
	for (size_t i = 0; i < host->n; i++) {
		const struct check_session *s = &host->sessions[i];
		enum probe_state state = session_state(s);

		if (i > 0 && !is_weightier(state, out->state))
			continue;
		out->state = state;
		out->proofs = state == PROBE_GOOD ? s->result.proofs : 0;
		out->result =
		    state == PROBE_TLS_FAILED ? s->result.result : RESULT_NONE;
		out->certificate_bad =
		    state == PROBE_TLS_FAILED && s->result.certificate_bad;
		out->tlsa_matched =
		    state == PROBE_GOOD ? s->result.tlsa_matched : -1;
		out->address = s->address;
		snprintf(out->why, sizeof(out->why), "%s",
		    state == PROBE_GOOD ? "" : s->result.why);
	}
}
