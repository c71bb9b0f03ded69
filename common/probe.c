/* SPDX-License-Identifier: ISC */
/*
 * A STARTTLS trial of one MX host: see probe.h. The steps stand below in the
 * order of time, each with its half that asks and its half that takes the
 * answer; probe_go() is the only way forward and the only way out.
 *
 *	1 queries   2 addresses   3 sessions, one address after the other
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

enum step_result {
	NEXT,
	WAIT
};

enum step {
	STEP_QUERIES, /* begun by probe_start() */
	STEP_ADDRESSES,
	STEP_SESSIONS,
	STEP_DONE
};

/* One of the two questions for addresses. */
struct address_query {
	struct probe *probe;
	struct dns_query *query; /* NULL when none runs */
	bool begun;
	enum dns_outcome outcome;
	size_t n;
	struct address addresses[LIMIT_PROBE_ADDRESSES];
};

struct probe {
	const struct ports *ports;
	char *mx;
	char *helo;
	uint16_t port;
	unsigned proofs; /* asked for */
	struct address_rules rules;
	probe_done_fn *done;
	void *arg;

	enum step step;
	struct clock_timer *deadline; /* of the whole probe */
	struct clock_timer *limit;    /* of one address */
	int64_t ends_ms;	      /* the deadline, monotonic */
	struct address_query v6, v4;
	size_t n, next; /* addresses to be tried, and the one that is next */
	struct address addresses[LIMIT_PROBE_ADDRESSES];
	char refused[ADDRESS_SIZE + 64]; /* one that may not be tried, and why;
					    "": there is none */
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
address_query_cancel(struct address_query *q)
{
	const struct dns_port *dns = &q->probe->ports->dns;

	dns->cancel(dns->self, &q->query);
}

static void
probe_free(struct probe *p)
{
	address_query_cancel(&p->v6);
	address_query_cancel(&p->v4);
	p->ports->smtp.cancel(p->ports->smtp.self, &p->session);
	clock_timer_cancel(&p->limit);
	clock_timer_cancel(&p->deadline);
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
static step_fn step_addresses, step_sessions;

static step_fn *const steps[] = {
	[STEP_ADDRESSES] = step_addresses,
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
	kept->state = state;
	snprintf(kept->why, sizeof(kept->why), "%s", why);
	if (p->next > 0)
		kept->address = p->addresses[p->next - 1];
	return kept;
}

/* 1. The addresses are asked for, both kinds at the same time. */

static void
address_query_done(const struct dns_answer *answer, void *arg)
{
	struct address_query *q = arg;
	struct probe *p = q->probe;

	q->query = NULL;
	q->outcome = answer->outcome;
	q->n = address_add(q->addresses, 0, LIMIT_PROBE_ADDRESSES, answer);
	if (p->v6.query == NULL && p->v4.query == NULL)
		probe_go(p, NEXT);
}

static void
address_query_start(struct address_query *q, struct probe *p,
    enum dns_type type)
{
	const struct dns_port *dns = &p->ports->dns;

	q->probe = p;
	q->query =
	    dns->start(dns->self, p->mx, type, false, address_query_done, q);
	q->begun = q->query != NULL;
}

static bool
address_queries_start(struct probe *p)
{
	address_query_start(&p->v6, p, DNS_AAAA);
	address_query_start(&p->v4, p, DNS_A);
	return p->v6.begun || p->v4.begun;
}

/* 2. They are put in order: IPv6 and IPv4 by turns, IPv6 first. */

static void
address_take(struct probe *p, const struct address_query *q, size_t i)
{
	char text[ADDRESS_SIZE];
	const char *why;

	if (i >= q->n || p->n == LIMIT_PROBE_ADDRESSES)
		return;
	why = address_refused(&q->addresses[i], ADDRESS_OF_MX, &p->rules);
	if (why == NULL)
		p->addresses[p->n++] = q->addresses[i];
	else
		snprintf(p->refused, sizeof(p->refused), "%s %s",
		    address_format(&q->addresses[i], text), why);
}

static void
weigh_no_address(struct probe *p)
{
	char why[sizeof(p->result.why)];

	if (p->refused[0] != '\0') {
		snprintf(why, sizeof(why), "has no address to connect to: %s",
		    p->refused);
		probe_weigh(p, PROBE_UNREACHABLE, why);
	} else if (!p->v6.begun || !p->v4.begun) {
		probe_weigh(p, PROBE_UNKNOWN, "address lookup was not begun");
	} else if (p->v6.outcome == DNS_TEMPFAIL ||
	    p->v4.outcome == DNS_TEMPFAIL) {
		probe_weigh(p, PROBE_UNREACHABLE, "address lookup failed");
	} else {
		probe_weigh(p, PROBE_UNREACHABLE, "has no address");
	}
}

static enum step_result
step_addresses(struct probe *p)
{
	for (size_t i = 0; i < LIMIT_PROBE_ADDRESSES; i++) {
		address_take(p, &p->v6, i);
		address_take(p, &p->v4, i);
	}
	if (p->n == 0)
		weigh_no_address(p);
	return NEXT;
}

/* 3. A session with one address after the other, until one is good. */

static enum probe_state
session_state(const struct probe *p, const struct smtp_result *result)
{
	if (result->stage == SMTP_STAGE_READY &&
	    (result->proofs & p->proofs) == p->proofs)
		return PROBE_GOOD;
	return result->result == RESULT_NONE ? PROBE_UNREACHABLE
					     : PROBE_TLS_FAILED;
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
		kept->proofs = result->proofs;
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
		.proofs = p->proofs };

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
	p->rules = opts->rules;
	p->done = done;
	p->arg = arg;
	p->v6.probe = p->v4.probe = p;
	p->ends_ms = clock_mono_ms(ports->clock) + LIMIT_PROBE_MS;
	p->deadline =
	    clock_timer_start(ports->clock, LIMIT_PROBE_MS, deadline_passed, p);
	/* What is true if the deadline passes now. */
	p->result.state = PROBE_UNREACHABLE;
	probe_weigh(p, PROBE_UNREACHABLE, "address lookup timed out");
	if (p->mx == NULL || p->helo == NULL || p->deadline == NULL ||
	    !address_queries_start(p)) {
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
