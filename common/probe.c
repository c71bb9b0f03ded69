/* SPDX-License-Identifier: ISC */
/*
 * A STARTTLS trial of one MX host: see probe.h. The steps stand below in the
 * order of time, each with its half that asks and its half that takes the
 * answer; probe_go() is the only way forward and the only way out.
 *
 *	1 addresses   2 sessions, one address after the other
 *
 * Outcomes are weighed by the order good, TLS failed, unknown, unreachable: a
 * host that was reached and failed has shown more than one that may not have
 * been tried, and that one is not unreachable. Of equals the last one counts.
 */
#include "common/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/mx_addresses.h"
#include "common/tlsa_set.h"

enum step_result {
	NEXT,
	WAIT
};

enum step {
	STEP_ADDRESSES, /* begun by probe_start() */
	STEP_SESSIONS,
	STEP_DONE
};

struct probe {
	const struct ports *ports;
	char *mx;
	char *helo;
	uint16_t port;
	unsigned proofs; /* asked for */
	struct tlsa_set *tlsa;
	char *next_hop;
	probe_done_fn *done;
	void *arg;

	enum step step;
	struct clock_timer *deadline; /* of the whole probe */
	struct clock_timer *limit;    /* of one address */
	int64_t ends_ms;	      /* the deadline, monotonic */
	struct mx_addresses *lookup;
	size_t n, next; /* addresses to be tried, and the one that is next */
	struct address addresses[LIMIT_PROBE_ADDRESSES];
	struct smtp_session *session;
	struct probe_result result; /* the weightiest so far */
};

static const int weights[] = {
	[PROBE_UNREACHABLE] = 0,
	[PROBE_UNKNOWN] = 1,
	[PROBE_TLS_FAILED] = 2,
	[PROBE_GOOD] = 3,
};

const char *
probe_state_name(enum probe_state state)
{
	static const char *const names[] = {
		[PROBE_UNKNOWN] = "unknown",
		[PROBE_GOOD] = "good",
		[PROBE_TLS_FAILED] = "tls-failed",
		[PROBE_UNREACHABLE] = "unreachable",
	};

	return names[state];
}

static void
probe_free(struct probe *p)
{
	mx_addresses_cancel(&p->lookup);
	p->ports->smtp.cancel(p->ports->smtp.self, &p->session);
	clock_timer_cancel(&p->limit);
	clock_timer_cancel(&p->deadline);
	tlsa_set_drop(&p->tlsa);
	free(p->next_hop);
	free(p->mx);
	free(p->helo);
	free(p);
}

static void
probe_end(struct probe *p)
{
	struct probe_result result = p->result;
	probe_done_fn *done = p->done;
	void *arg = p->arg;

	probe_free(p);
	done(&result, arg);
}

typedef enum step_result step_fn(struct probe *p);
static step_fn step_sessions;

static step_fn *const steps[] = {
	[STEP_SESSIONS] = step_sessions,
};

/* The only way forward and the only way out; the probe may be gone then. */
static void
probe_go(struct probe *p, enum step_result result)
{
	while (result == NEXT && ++p->step != STEP_DONE)
		result = steps[p->step](p);
	if (p->step == STEP_DONE)
		probe_end(p);
}

/* Keeps the weightier of this and what is known so far. */
static struct probe_result *
probe_weigh(struct probe *p, enum probe_state state, const char *why)
{
	struct probe_result *kept = &p->result;

	if (weights[state] < weights[kept->state])
		return NULL;
	memset(kept, 0, sizeof(*kept));
	kept->tlsa_matched = -1;
	kept->state = state;
	snprintf(kept->why, sizeof(kept->why), "%s", why);
	if (p->next > 0)
		kept->address = p->addresses[p->next - 1];
	return kept;
}

/* 1. The addresses. */

static void
addresses_done(const struct mx_addresses_found *found, void *arg)
{
	struct probe *p = arg;

	p->lookup = NULL;
	p->n = found->n;
	memcpy(p->addresses, found->list, found->n * sizeof(found->list[0]));
	if (found->n == 0)
		probe_weigh(p,
		    found->unasked ? PROBE_UNKNOWN : PROBE_UNREACHABLE,
		    found->why);
	probe_go(p, NEXT);
}

/* 2. A session with one address after the other, until one is good. */

enum probe_state
probe_state_of_failure(const struct smtp_result *result)
{
	if (result->starved)
		return PROBE_UNKNOWN;
	return result->result == RESULT_NONE ? PROBE_UNREACHABLE
					     : PROBE_TLS_FAILED;
}

static enum probe_state
session_state(const struct probe *p, const struct smtp_result *result)
{
	if (result->stage == SMTP_STAGE_READY &&
	    (result->proofs & p->proofs) == p->proofs)
		return PROBE_GOOD;
	return probe_state_of_failure(result);
}

static void
probe_take_proofs(struct probe_result *kept, const struct smtp_result *result)
{
	kept->proofs = result->proofs;
	kept->tlsa_matched = result->tlsa_matched;
}

static void
session_ready(const struct smtp_result *result, struct smtp_session *session,
    void *arg)
{
	struct probe *p = arg;
	enum probe_state state = session_state(p, result);
	struct probe_result *kept =
	    probe_weigh(p, state, state == PROBE_GOOD ? "" : result->why);

	if (kept != NULL && state == PROBE_GOOD)
		probe_take_proofs(kept, result);
	if (kept != NULL && state == PROBE_TLS_FAILED) {
		kept->result = result->result;
		kept->certificate_bad = result->certificate_bad;
	}
	p->session = session;
	p->ports->smtp.quit(p->ports->smtp.self, &p->session);
	clock_timer_cancel(&p->limit);
	probe_go(p, state == PROBE_GOOD ? NEXT : step_sessions(p));
}

/* The session should have ended itself by then: see session_start(). */
static void
session_cut(struct probe *p)
{
	p->ports->smtp.cancel(p->ports->smtp.self, &p->session);
	probe_weigh(p, PROBE_UNREACHABLE, "did not answer in time");
}

static void
session_late(void *arg)
{
	struct probe *p = arg;

	p->limit = NULL;
	session_cut(p);
	probe_go(p, step_sessions(p));
}

/*
 * An address has LIMIT_PROBE_ADDRESS_MS while there are more of them, the last
 * one all that is left. The session's own deadline is a little earlier than
 * our timer, since only the session can tell how far it came.
 */
static bool
session_start(struct probe *p, const struct address *address, bool is_last)
{
	const struct smtp_port *smtp = &p->ports->smtp;
	int64_t left_ms = p->ends_ms - clock_mono_ms(p->ports->clock);
	struct smtp_target target = { .mx = p->mx,
		.address = *address,
		.port = p->port,
		.helo = p->helo,
		.proofs = p->proofs,
		.tlsa = p->tlsa,
		.next_hop = p->next_hop };

	if (!is_last && left_ms > LIMIT_PROBE_ADDRESS_MS)
		left_ms = LIMIT_PROBE_ADDRESS_MS;
	target.deadline_ms = left_ms > LIMIT_PROBE_GRACE_MS
	    ? (unsigned)(left_ms - LIMIT_PROBE_GRACE_MS)
	    : 1;
	p->session = smtp->start(smtp->self, &target, session_ready, p);
	if (p->session != NULL && !is_last)
		p->limit = clock_timer_start(p->ports->clock, left_ms,
		    session_late, p);
	return p->session != NULL;
}

static enum step_result
step_sessions(struct probe *p)
{
	while (p->next < p->n) {
		p->next++;
		if (session_start(p, &p->addresses[p->next - 1],
			p->next == p->n))
			return WAIT;
		probe_weigh(p, PROBE_UNKNOWN, "session was not begun");
	}
	return NEXT;
}

/* Wherever the probe is, it ends here. */
static void
deadline_passed(void *arg)
{
	struct probe *p = arg;

	p->deadline = NULL;
	if (p->session != NULL)
		session_cut(p);
	p->step = STEP_SESSIONS;
	probe_go(p, NEXT);
}

/* Beginning and cancelling. */

struct probe *
probe_start(const struct ports *ports, const struct probe_opts *opts,
    probe_done_fn *done, void *arg)
{
	struct probe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->ports = ports;
	p->mx = strdup(opts->mx);
	p->helo = strdup(opts->helo);
	p->port = opts->port;
	p->proofs = opts->proofs;
	if (opts->proofs & PROOF_DANE) {
		p->tlsa = tlsa_set_hold(opts->tlsa);
		p->next_hop = strdup(opts->next_hop);
	}
	p->done = done;
	p->arg = arg;
	p->ends_ms = clock_mono_ms(ports->clock) + LIMIT_PROBE_MS;
	p->deadline =
	    clock_timer_start(ports->clock, LIMIT_PROBE_MS, deadline_passed, p);
	/* What is true if the deadline passes now. */
	p->result.state = PROBE_UNREACHABLE;
	probe_weigh(p, PROBE_UNREACHABLE, "address lookup timed out");
	if (p->mx == NULL || p->helo == NULL || p->deadline == NULL ||
	    (p->tlsa != NULL && p->next_hop == NULL) ||
	    (p->lookup = mx_addresses_start(ports, p->mx, &opts->rules,
		 addresses_done, p)) == NULL) {
		probe_free(p);
		p = NULL;
	}
	return p;
}

void
probe_cancel(struct probe **probe)
{
	if (*probe != NULL)
		probe_free(*probe);
	*probe = NULL;
}
