/* SPDX-License-Identifier: ISC */
/*
 * The engine over a store that cannot be read: what may be there binds as
 * little as it is forgotten. Nothing proceeds because of it. That goes for
 * policies that were fetched, and for those that the administrator has set.
 */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/verdict.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/world.h"

#define UNREAD_OF(domain)                                                      \
	"451 4.3.0 MTA-STS policy of " domain                                  \
	": what is remembered of it cannot be read, try again later"
#define UNREAD UNREAD_OF("bad.test")

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
	store = policy_store_open(scratch_path("."), 0);
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

/* An engine that begins with the policies set here as the store has them. */
static struct overrides *
overrides_begin(void)
{
	struct overrides *overrides;

	log_capture_start();
	overrides = overrides_new(store, WORLD_NOW);
	log_capture_end();
	assert_non_null(overrides);
	engine_use_overrides(engine, overrides);
	return overrides;
}

static void
overrides_end(struct overrides *overrides)
{
	engine_use_overrides(engine, NULL);
	overrides_free(overrides);
}

/* Mail for good.test is to go to a host that is not its own. */
static void
set_here(void)
{
	struct overrides *overrides = overrides_begin();
	struct override o = { .until_s = WORLD_NOW + 86400 };

	snprintf(o.domain, sizeof(o.domain), "good.test");
	assert_true(override_add(&o, "mode", "enforce"));
	assert_true(override_add(&o, "mx", "other.test"));
	assert_null(override_finish(&o));
	assert_int_equal(overrides_set(overrides, &o, WORLD_NOW),
	    OVERRIDES_DONE);
	overrides_end(overrides);
}

static void
what_is_set_here_and_cannot_be_read_is_not_none(void **state)
{
	struct overrides *overrides;

	(void)state;
	set_here();
	assert_string_equal(asked("good.test"),
	    "mx.good.test has shown what the policy asks for");
	run_sql("ALTER TABLE override RENAME TO overrides");
	overrides = overrides_begin();
	assert_string_equal(asked("good.test"), UNREAD_OF("good.test"));
	assert_string_equal(asked("plain.test"), UNREAD_OF("plain.test"));
	assert_true(engine_may_have_policy(engine, "plain.test"));
	run_sql("ALTER TABLE overrides RENAME TO override");
	clock_advance(w->clock, LIMIT_OVERRIDE_READ_S * 1000);
	assert_non_null(strstr(asked("good.test"),
	    "policy set here for good.test does not list"));
	assert_string_equal(asked("plain.test"), "no MTA-STS policy");
	assert_false(engine_may_have_policy(engine, "plain.test"));
	overrides_end(overrides);
}

/* Nothing that is set there concerns them. */
static void
local_domains_pass_while_what_is_set_here_cannot_be_read(void **state)
{
	struct name_list *local = &w->config.local_domains;
	struct overrides *overrides;
	const char *why;

	(void)state;
	assert_true(name_list_add(local, span_of("good.test"), &why));
	name_list_finish(local);
	run_sql("ALTER TABLE override RENAME TO overrides");
	overrides = overrides_begin();
	assert_string_equal(asked("good.test"), "no MTA-STS policy");
	assert_false(engine_may_have_policy(engine, "good.test"));
	overrides_end(overrides);
	name_list_cleanup(local);
}

/* Else all mail would wait until the next start. */
static void
damage_to_what_is_set_here_is_mended(void **state)
{
	struct overrides *overrides;

	(void)state;
	set_here();
	run_sql("PRAGMA writable_schema = ON;"
		"UPDATE sqlite_schema SET rootpage = 999 "
		"WHERE name = 'override'; PRAGMA schema_version = 99");
	log_capture_start();
	overrides = overrides_new(store, WORLD_NOW);
	assert_int_equal(log_capture_count(log_capture_end(), "moved aside"),
	    1);
	engine_use_overrides(engine, overrides);
	clock_advance(w->clock, LIMIT_OVERRIDE_READ_S * 1000);
	assert_string_equal(asked("plain.test"), "no MTA-STS policy");
	overrides_end(overrides);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_policy_that_cannot_be_read_is_not_none),
		T(nobody_knows_whether_a_stranger_had_a_policy),
		T(what_is_published_binds_though_the_store_cannot_be_read),
		T(what_is_set_here_and_cannot_be_read_is_not_none),
		T(local_domains_pass_while_what_is_set_here_cannot_be_read),
		T(damage_to_what_is_set_here_is_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
