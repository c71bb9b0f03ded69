/* SPDX-License-Identifier: ISC */
/*
 * A delivery that finds a session which is left, on a fake network and a fake
 * clock; the session is a real one.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/session_pool.h"
#include "common/smtp_transaction.h"
#include "common/upstream.h"
#include "tests/unit/smtp_fixture.h"
#include "tests/unit/world.h"

static struct world *world;
static struct session_pool *pool;
static char reason[VERDICT_REASON_SIZE]; /* of the last refusal */
static size_t n_refused;

static int
setup(void **state)
{
	log_init("test", false, LOG_LEVEL_ERROR);
	if (smtp_fixture_set_up(state) != 0)
		return -1;
	world = world_new();
	world->config.record_patience_s = 3600;
	world->config.addresses.allow_internal = true;
	world_enforce(world, "example.com", true);
	pool = session_pool_new(world->clock);
	session_pool_set(pool, 3600000, 100);
	n_refused = 0;
	return 0;
}

static int
teardown(void **state)
{
	session_pool_free(pool);
	world_free(world);
	return smtp_fixture_tear_down(state);
}

static void
tell(const struct delivery_result *result, void *arg)
{
	(void)arg;
	assert_null(result->found);
	n_refused++;
	snprintf(reason, sizeof(reason), "%s", result->reason);
}

static void
judged(const struct verdict *verdict, void *arg)
{
	*(struct verdict **)arg = verdict_copy(verdict);
}

/* Puts a session into the pool that has shown what is asked for. */
static void
keep_session(struct smtp_fixture *f)
{
	const struct smtp_sink_script script = smtp_fixture_good_script();
	const struct smtp_result *shown;
	struct verdict *verdict = NULL;
	struct mx_walk_found found = { .mx = "mx.example.com" };

	assert_non_null(engine_ask(world->engine, GATE_DELIVERY, "example.com",
	    judged, &verdict));
	clock_advance(world->clock, 1000);
	assert_non_null(verdict);
	f->then = FIXTURE_KEEPS;
	shown = smtp_fixture_try(f, &script);
	assert_int_equal(shown->proofs, PROOF_ENCRYPTED | PROOF_PKIX);
	found.session = f->session;
	found.result = shown;
	found.since_ms = clock_mono_ms(world->clock);
	session_pool_put(pool, upstream_new(&f->port, &found, verdict), false);
	f->session = NULL;
	verdict_free(verdict);
	assert_int_equal(session_pool_length(pool), 1);
}

static void
without_an_answer_to_mail_at_the_end_of_time_it_is_refused_for_now(void **state)
{
	const struct smtp_mail mail = { .from = "me@example.net" };
	const struct delivery_opts opts = {
		.engine = world->engine,
		.ports = &world->ports,
		.config = &world->config,
		.domain = "example.com",
		.mail = &mail,
		.pool = pool,
	};

	keep_session(*state);
	/* The verdict comes late, and then nothing more. */
	clock_advance(world->clock, 400000);
	world->config.deadline_s = 239;
	fake_net_delay(world->net, 230000, 0, 0);
	assert_non_null(delivery_start(&opts, tell, NULL));
	clock_advance(world->clock, 235000);
	assert_int_equal(session_pool_length(pool), 0);
	assert_int_equal(n_refused, 0);
	clock_advance(world->clock, LIMIT_DELIVERY_MS - 235000);
	assert_int_equal(n_refused, 1);
	assert_memory_equal(reason, "451 4.4.1 ", 10);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(without_an_answer_to_mail_at_the_end_of_time_it_is_refused_for_now),
	};

	return cmocka_run_group_tests_name("delivery_reuse", tests,
	    smtp_fixture_group_set_up, smtp_fixture_group_tear_down);
}
