/* SPDX-License-Identifier: ISC */
/* The ports of a probe, played by a test: see probe_play.h. */
#include "tests/unit/unit.h"

#include "tests/unit/probe_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

struct dns_query {
	dns_done_fn *done;
	void *arg;
};

struct smtp_session {
	smtp_ready_fn *ready;
	void *arg;
};

static struct dns_query *
dns_start(void *self, const char *name, enum dns_type type, bool fresh,
    dns_done_fn *done, void *arg)
{
	struct probe_play *play = self;
	struct dns_query *query;

	assert_string_equal(name, PLAY_MX);
	assert_true(type == DNS_A || type == DNS_AAAA);
	assert_false(fresh);
	if (type == DNS_A ? play->dns_refuses_a : play->dns_refuses_aaaa)
		return NULL;
	query = calloc(1, sizeof(*query));
	assert_non_null(query);
	query->done = done;
	query->arg = arg;
	*(type == DNS_A ? &play->a : &play->aaaa) = query;
	return query;
}

static void
dns_cancel(void *self, struct dns_query **query)
{
	struct probe_play *play = self;

	if (*query == NULL)
		return;
	assert_true(*query == play->a || *query == play->aaaa);
	*(*query == play->a ? &play->a : &play->aaaa) = NULL;
	free(*query);
	*query = NULL;
}

static struct smtp_session *
smtp_start(void *self, const struct smtp_target *target, smtp_ready_fn *ready,
    void *arg)
{
	struct probe_play *play = self;
	char text[ADDRESS_SIZE];
	size_t len = strlen(play->tried);

	assert_string_equal(target->mx, PLAY_MX);
	assert_string_equal(target->helo, "helo.example");
	assert_int_equal(target->port, 2525);
	if (play->smtp_refuses)
		return NULL;
	assert_null(play->session); /* one at a time */
	snprintf(play->tried + len, sizeof(play->tried) - len, "%s ",
	    address_format(&target->address, text));
	play->target = *target;
	play->session = calloc(1, sizeof(*play->session));
	assert_non_null(play->session);
	play->session->ready = ready;
	play->session->arg = arg;
	return play->session;
}

static void
session_gone(struct probe_play *play, struct smtp_session **session)
{
	assert_ptr_equal(*session, play->session);
	free(play->session);
	play->session = NULL;
	*session = NULL;
}

static void
smtp_quit(void *self, struct smtp_session **session)
{
	struct probe_play *play = self;

	if (*session == NULL)
		return;
	session_gone(play, session);
	play->n_quits++;
}

static void
smtp_cancel(void *self, struct smtp_session **session)
{
	struct probe_play *play = self;

	if (*session == NULL)
		return;
	session_gone(play, session);
	play->n_cuts++;
}

int
probe_play_set_up(void **state)
{
	struct probe_play *play = calloc(1, sizeof(*play));

	assert_non_null(play);
	play->ports.dns = (struct dns_port){ .self = play,
		.start = dns_start,
		.cancel = dns_cancel };
	play->ports.smtp = (struct smtp_port){ .self = play,
		.start = smtp_start,
		.quit = smtp_quit,
		.cancel = smtp_cancel };
	play->ports.clock = clock_new_fake(1700000000);
	assert_non_null(play->ports.clock);
	play->rules.allow_internal = true;
	*state = play;
	return 0;
}

int
probe_play_tear_down(void **state)
{
	struct probe_play *play = *state;

	/* Nothing that the probe began is left. */
	assert_null(play->a);
	assert_null(play->aaaa);
	assert_null(play->session);
	clock_free(play->ports.clock); /* asserts that no timer runs */
	free(play);
	return 0;
}

static void
probe_done(const struct probe_result *result, void *arg)
{
	struct probe_play *play = arg;

	play->probe = NULL;
	play->n_done++;
	play->result = *result;
}

struct probe *
probe_play_start(struct probe_play *play)
{
	const struct probe_opts opts = { .mx = PLAY_MX,
		.helo = "helo.example",
		.port = 2525,
		.proofs = PLAY_PROOFS,
		.rules = play->rules };

	play->probe = probe_start(&play->ports, &opts, probe_done, play);
	assert_int_equal(play->n_done, 0);
	return play->probe;
}

void
probe_play_answer(struct probe_play *play, enum dns_type type,
    enum dns_outcome outcome, const char *addresses)
{
	struct dns_query **running = type == DNS_A ? &play->a : &play->aaaa;
	struct dns_query *query = *running;
	struct dns_rr rr[16];
	struct dns_answer dns_answer = { .outcome = outcome,
		.type = type,
		.rr = rr };
	struct span rest = span_of(addresses), word;
	struct address address;
	char text[ADDRESS_SIZE];

	while (span_cut(&rest, ' ', &word)) {
		assert_true(span_copy(word, text, sizeof(text)));
		assert_true(address_parse(text, &address));
		if (type == DNS_A)
			memcpy(rr[dns_answer.n++].a, &address.in, 4);
		else
			memcpy(rr[dns_answer.n++].aaaa, &address.in6, 16);
	}
	assert_non_null(query);
	*running = NULL;
	query->done(&dns_answer, query->arg);
	free(query);
}

void
probe_play_start_with(struct probe_play *play, const char *v6, const char *v4)
{
	assert_non_null(probe_play_start(play));
	probe_play_answer(play, DNS_AAAA, v6 == NULL ? DNS_NO_DATA : DNS_FOUND,
	    v6);
	probe_play_answer(play, DNS_A, v4 == NULL ? DNS_NO_DATA : DNS_FOUND,
	    v4);
}

void
probe_play_session_ends(struct probe_play *play,
    const struct smtp_result *result)
{
	struct smtp_session *session = play->session;

	assert_non_null(session);
	if (result->stage == SMTP_STAGE_READY) {
		session->ready(result, session, session->arg);
		return; /* quit or cancel frees it */
	}
	play->session = NULL;
	session->ready(result, NULL, session->arg);
	free(session);
}

void
probe_play_session_is_good(struct probe_play *play)
{
	const struct smtp_result good = { .stage = SMTP_STAGE_READY,
		.proofs = PLAY_PROOFS };

	probe_play_session_ends(play, &good);
}

void
probe_play_session_fails(struct probe_play *play, enum result_type result,
    const char *why)
{
	struct smtp_result bad = { .stage = SMTP_STAGE_TLS, .result = result };

	bad.certificate_bad = result == RESULT_CERTIFICATE_EXPIRED;
	snprintf(bad.why, sizeof(bad.why), "%s", why);
	probe_play_session_ends(play, &bad);
}
