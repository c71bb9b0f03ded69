/* SPDX-License-Identifier: ISC */
/*
 * The engine over a store that cannot be read: what may be there binds as
 * little as it is forgotten. Nothing proceeds because of it.
 */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/verdict.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/world.h"

#define UNREAD                                                                 \
	"451 4.3.0 MTA-STS policy of bad.test: what is remembered of it "      \
	"cannot be read, try again later"

static struct world *w;
static struct policy_store *store;
static struct policy_cache *cache;
static struct engine *engine;

static void
run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(scratch_path("policies.sqlite"), &db),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Room for one policy in memory, so that the store is read. */
static int
setup(void **state)
{
	if (scratch_make(state) == -1)
		return -1;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	store = policy_store_open(scratch_path("."));
	cache = policy_cache_new(store, 1);
	engine = engine_new(&w->config, &w->ports, cache);
	world_enforce(w, "bad.test", false);
	world_enforce(w, "good.test", true);
	return store == NULL || engine == NULL;
}

static int
teardown(void **state)
{
	engine_free(engine);
	policy_cache_free(cache);
	policy_store_close(store);
	world_free(w);
	return scratch_remove(state);
}

static void
note_verdict(const struct verdict *verdict, void *arg)
{
	snprintf(arg, VERDICT_REASON_SIZE, "%s", verdict->reason);
}

static const char *
asked(const char *domain)
{
	static char reason[VERDICT_REASON_SIZE];

	reason[0] = '\0';
	log_capture_start();
	assert_non_null(
	    engine_ask(engine, GATE_ADMISSION, domain, note_verdict, reason));
	clock_advance(w->clock, 1000);
	log_capture_end();
	return reason;
}

static void
withdraw_record(const char *name)
{
	fake_net_dns(w->net, name, DNS_TXT, DNS_NO_DATA, NULL);
}

static void
a_policy_that_cannot_be_read_is_not_none(void **state)
{
	(void)state;
	assert_non_null(strstr(asked("bad.test"), "mx.bad.test has expired"));
	asked("good.test"); /* bad.test leaves memory */
	clock_advance(w->clock, 600000);
	withdraw_record("_mta-sts.bad.test");
	run_sql("ALTER TABLE policy RENAME TO policies");
	assert_string_equal(asked("bad.test"), UNREAD);
	assert_string_equal(asked("bad.test"), UNREAD);
	run_sql("ALTER TABLE policies RENAME TO policy");
	assert_non_null(strstr(asked("bad.test"), "mx.bad.test has expired"));
}

static void
nobody_knows_whether_a_stranger_had_a_policy(void **state)
{
	(void)state;
	withdraw_record("_mta-sts.bad.test");
	run_sql("ALTER TABLE policy RENAME TO policies");
	assert_string_equal(asked("bad.test"), UNREAD);
	run_sql("ALTER TABLE policies RENAME TO policy");
	assert_string_equal(asked("bad.test"), "no MTA-STS policy");
}

static void
what_is_published_binds_though_the_store_cannot_be_read(void **state)
{
	(void)state;
	run_sql("ALTER TABLE policy RENAME TO policies");
	assert_non_null(strstr(asked("bad.test"), "mx.bad.test has expired"));
	assert_string_equal(asked("good.test"),
	    "mx.good.test has shown what the policy asks for");
	run_sql("ALTER TABLE policies RENAME TO policy");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_policy_that_cannot_be_read_is_not_none),
		T(nobody_knows_whether_a_stranger_had_a_policy),
		T(what_is_published_binds_though_the_store_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
