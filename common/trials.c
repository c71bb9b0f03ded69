/* SPDX-License-Identifier: ISC */
/*
 * Trials of the MX hosts of a domain: see trials.h. trials_go() is the only way
 * forward and the only way out.
 */
#include "common/trials.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/facts.h"
#include "common/limits.h"
#include "common/outcome.h"
#include "common/ports.h"
#include "common/probe.h"
#include "common/verdict.h"

struct trial {
	struct trials *all;
	struct mx_fact *mx;
	struct probe *probe; /* NULL: none runs here */
};

struct trials {
	const struct ports *ports;
	const struct config *config;
	struct facts *facts;
	struct trial running[LIMIT_TRIALS];
	size_t n_running;
	size_t next; /* index of the host whose turn it is */
	bool proven; /* one is good */
	struct clock_timer *late;
	trials_done_fn *done;
	void *arg;
};

static void
trials_free(struct trials *t)
{
	for (size_t i = 0; i < LIMIT_TRIALS; i++)
		probe_cancel(&t->running[i].probe);
	clock_timer_cancel(&t->late);
	free(t);
}

static void
trials_keep(struct trials *t, struct mx_fact *mx,
    const struct probe_result *result)
{
	const struct facts *f = t->facts;
	int64_t holds_s = result->state == PROBE_GOOD ? LIMIT_PROBE_GOOD_S
						      : LIMIT_PROBE_BAD_S;
	struct outcome outcome = {
		.kind = OUTCOME_PROBE,
		.domain = f->domain,
		.source =
		    mx->under_dane ? VERDICT_DANE : verdict_policy_source(f),
		.mode = f->sts.policy.mode,
		.mx = mx->host,
		.address = &result->address,
		.result = result->result,
		.why = result->why,
	};

	mx->probe = *result;
	if (result->state != PROBE_UNKNOWN)
		mx->probe_expires_ms =
		    clock_mono_ms(t->ports->clock) + holds_s * 1000;
	outcome_report(&outcome);
}

static void trials_go(struct trials *t);

static void
trial_done(const struct probe_result *result, void *arg)
{
	struct trial *trial = arg;

	trial->probe = NULL;
	trial->all->n_running--;
	trials_keep(trial->all, trial->mx, result);
	if (result->state == PROBE_GOOD)
		trial->all->proven = true;
	trials_go(trial->all);
}

static bool
trial_begin(struct trials *t, struct mx_fact *mx)
{
	struct trial *trial = t->running;
	struct probe_opts opts = {
		.mx = mx->host,
		.helo = t->config->hostname,
		.port = t->facts->port,
		.proofs = mx->required,
		.tlsa = mx->dane.tlsa,
		.next_hop = t->facts->domain,
		.rules = t->config->addresses,
	};

	while (trial->probe != NULL)
		trial++;
	trial->all = t;
	trial->mx = mx;
	trial->probe = probe_start(t->ports, &opts, trial_done, trial);
	t->n_running += trial->probe != NULL;
	return trial->probe != NULL;
}

static void
next_is_late(void *arg)
{
	struct trials *t = arg;

	t->late = NULL;
	trials_go(t);
}

/* The next host has its turn, if there is a place; each has one only. */
static void
trials_begin_next(struct trials *t)
{
	struct facts *f = t->facts;
	bool begun = false;

	if (t->n_running == LIMIT_TRIALS)
		return;
	for (; t->next < f->n_mx && !begun && !t->proven; t->next++) {
		struct mx_fact *mx = &f->mx[t->next];

		if (mx->probe.state == PROBE_GOOD)
			t->proven = true;
		else if (mx->allowed && mx->probe_expires_ms == 0)
			begun = trial_begin(t, mx);
	}
	/* Without a timer the next one waits for an end. */
	clock_timer_cancel(&t->late);
	if (t->next < f->n_mx)
		t->late = clock_timer_start(t->ports->clock,
		    LIMIT_TRIALS_LATE_MS, next_is_late, t);
}

/* The trials may be gone then. */
static void
trials_go(struct trials *t)
{
	trials_done_fn *done = t->done;
	void *arg = t->arg;

	if (!t->proven)
		trials_begin_next(t);
	if (!t->proven && t->n_running > 0)
		return;
	trials_free(t);
	done(arg);
}

struct trials *
trials_start(const struct ports *ports, const struct config *config,
    struct facts *facts, trials_done_fn *done, void *arg)
{
	struct trials *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->ports = ports;
	t->config = config;
	t->facts = facts;
	t->done = done;
	t->arg = arg;
	trials_begin_next(t);
	if (t->proven || t->n_running == 0) {
		trials_free(t);
		t = NULL;
	}
	return t;
}

void
trials_cancel(struct trials **trials)
{
	if (*trials != NULL)
		trials_free(*trials);
	*trials = NULL;
}
