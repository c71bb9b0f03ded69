/* SPDX-License-Identifier: ISC */
/* What would have been refused, on disk: see common/staging_store.h. */
#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_store.h"
#include "common/staging.h"
#include "common/staging_store.h"
#include "tests/unit/allocation.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"

#define NOW INT64_C(1700000000)
#define ROWS "SELECT count(*) FROM staged"

static struct clock *test_clock;
static struct policy_store *store;
static struct staging *staging;
static struct staging_store *kept;

static void
start(size_t max)
{
	store = policy_store_open(scratch_path("."), 0);
	staging = staging_new(max, clock_wall_s(test_clock));
	kept = staging_store_new(test_clock, store, staging);
	assert_true(store != NULL && kept != NULL);
}

static void
stop(void)
{
	staging_store_free(kept);
	staging_free(staging);
	policy_store_close(store);
	kept = NULL;
	staging = NULL;
	store = NULL;
}

static int
setup(void **state)
{
	log_init("test", false, LOG_LEVEL_ERROR);
	test_clock = clock_new_fake(NOW);
	return scratch_make(state);
}

static int
teardown(void **state)
{
	stop();
	clock_free(test_clock);
	return scratch_remove(state);
}

/* What another process sees: what is there after kill -9. */
static int
sql(const char *text)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int n = -1;

	assert_int_equal(sqlite3_open(scratch_path("policies.sqlite"), &db),
	    SQLITE_OK);
	while (text[0] != '\0') {
		assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, &text),
		    SQLITE_OK);
		if (sqlite3_step(stmt) == SQLITE_ROW)
			n = sqlite3_column_int(stmt, 0);
		assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	}
	sqlite3_close(db);
	return n;
}

static void
take(const char *domain, enum verdict_action action)
{
	struct verdict v = { .action = action,
		.gate = GATE_ADMISSION,
		.source = VERDICT_STS,
		.result = RESULT_CERTIFICATE_EXPIRED,
		.reason = "451 4.7.5 it has expired" };

	snprintf(v.facts.domain, sizeof(v.facts.domain), "%s", domain);
	staging_take(staging, &v, 1, clock_wall_s(test_clock));
}

static void
stage(const char *domain)
{
	take(domain, ACTION_WOULD_DEFER);
}

static void
stage_many(int n)
{
	char domain[32];

	for (int i = 0; i < n; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		stage(domain);
	}
}

static size_t
count(void)
{
	const struct staged *s = NULL;
	size_t n = 0;

	while ((s = staging_next(staging, s)) != NULL)
		n++;
	return n;
}

static void
what_was_let_through_is_there_after_a_restart(void **state)
{
	const struct staged *s;

	(void)state;
	start(10);
	stage("a.example");
	clock_advance(test_clock, 60000);
	stage("a.example");
	stage("b.example");
	clock_advance(test_clock, 60000);
	take("a.example", ACTION_PROCEED);
	stop();
	clock_advance(test_clock, 3600000);
	start(10);
	assert_int_equal(staging_since_s(staging), NOW);
	s = staging_next(staging, NULL); /* both were last added to then */
	assert_non_null(s);
	if (strcmp(s->domain, "a.example") != 0)
		s = staging_next(staging, s);
	assert_string_equal(s->domain, "a.example");
	assert_int_equal(s->cause, STAGING_OURS);
	assert_int_equal(s->source, VERDICT_STS);
	assert_int_equal(s->result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(s->reason, "451 4.7.5 it has expired");
	assert_int_equal(s->times, 2);
	assert_int_equal(s->since_s, NOW);
	assert_int_equal(s->last_s, NOW + 60);
	assert_int_equal(s->good_at_s, NOW + 120);
	stage("a.example");
	assert_int_equal(s->times, 3);
	assert_int_equal(s->since_s, NOW);
	assert_int_equal(count(), 2);
}

static void
it_is_written_behind_and_not_with_each_mail(void **state)
{
	(void)state;
	start(10);
	stage("a.example");
	assert_int_equal(sql(ROWS), 0);
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql(ROWS), 1);
	for (int i = 0; i < 5; i++)
		stage("a.example");
	assert_int_equal(sql("SELECT times FROM staged"), 1);
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql("SELECT times FROM staged"), 6);
	take("a.example", ACTION_PROCEED);
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql("SELECT good_at_s > 0 FROM staged"), 1);
}

static void
no_more_are_written_at_a_time_than_so_many(void **state)
{
	(void)state;
	start(LIMIT_STAGED);
	stage_many(LIMIT_STAGED_WRITES + 10);
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql(ROWS), LIMIT_STAGED_WRITES);
	stage("d0.example"); /* has to wait for those that have not been */
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql(ROWS), LIMIT_STAGED_WRITES + 10);
	assert_int_equal(
	    sql("SELECT times FROM staged WHERE domain = 'd0.example'"), 2);
	stage_many(2 * LIMIT_STAGED_WRITES);
	stop(); /* the end writes all */
	assert_int_equal(sql(ROWS), 2 * LIMIT_STAGED_WRITES);
}

static void
what_memory_drops_the_store_drops(void **state)
{
	(void)state;
	start(3);
	for (int i = 0; i < 7; i++) {
		char domain[32];

		snprintf(domain, sizeof(domain), "d%d.example", i);
		stage(domain);
		clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	}
	assert_int_equal(sql(ROWS), 3);
	assert_int_equal(sql("SELECT count(*) FROM staged"
			     " WHERE domain > 'd3.example'"),
	    3);
	stop();
	start(2);
	assert_int_equal(count(), 2);
	assert_string_equal(staging_next(staging, NULL)->domain, "d6.example");
}

/* They may have been touched, or come of a wrong clock, or be old. */
static void
rows_of_no_use_are_left_out(void **state)
{
	(void)state;
	start(10);
	stage("good.example");
	stop();
	sql("INSERT INTO staged SELECT cause, 'A.example', source, result,"
	    " reason, since_s, last_s, good_at_s, times FROM staged;"
	    "INSERT INTO staged SELECT 'x', 'b.example', source, result,"
	    " reason, since_s, last_s, good_at_s, times FROM staged LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'c.example', 'x', result,"
	    " reason, since_s, last_s, good_at_s, times FROM staged LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'd.example', source, 'x',"
	    " reason, since_s, last_s, good_at_s, times FROM staged LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'e.example', source, result,"
	    " reason, since_s, last_s, good_at_s, 0 FROM staged LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'f.example', source, result,"
	    " hex(zeroblob(500)), since_s, last_s, good_at_s, times FROM staged"
	    " LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'g.example', source, result,"
	    " reason, since_s, 7, good_at_s, times FROM staged LIMIT 1;"
	    "INSERT INTO staged SELECT cause, 'late.example', source, result,"
	    " reason, since_s + 99, last_s + 99, 0, times FROM staged"
	    " WHERE domain = 'good.example';"
	    "UPDATE staging SET since_s = since_s + 99");
	start(10);
	assert_int_equal(count(), 2);
	assert_int_equal(staging_since_s(staging), NOW);
	for (const struct staged *s = NULL;
	     (s = staging_next(staging, s)) != NULL;) {
		assert_int_equal(s->since_s, NOW);
		assert_int_equal(s->last_s, NOW);
	}
}

static void
what_could_not_be_written_is_written_later(void **state)
{
	(void)state;
	start(10);
	sql("ALTER TABLE staged RENAME TO elsewhere");
	log_capture_start();
	stage("a.example");
	for (int i = 0; i < 5; i++)
		clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	sql("ALTER TABLE elsewhere RENAME TO staged");
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(log_capture_lines(log_capture_end()), 1);
	assert_int_equal(sql(ROWS), 1);
}

/* Damage has a new store begun, which is empty. */
static void
a_new_store_gets_all_of_it(void **state)
{
	struct policy_row row;

	(void)state;
	start(10);
	stage("a.example");
	stage("b.example");
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	sql("PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_schema SET rootpage = 999 WHERE name = 'policy';"
	    "PRAGMA schema_version = 99");
	log_capture_start();
	(void)policy_store_get(store, "c.example", &row);
	assert_int_equal(log_capture_count(log_capture_end(), "moved aside"),
	    1);
	clock_advance(test_clock, 3600000);
	stop();
	start(10);
	assert_int_equal(count(), 2);
	assert_int_equal(staging_since_s(staging), NOW);
}

static void
a_store_of_version_3_is_taken_over(void **state)
{
	(void)state;
	start(10);
	stop();
	sql("DROP TABLE staged; DROP TABLE staging; PRAGMA user_version = 3");
	clock_advance(test_clock, 60000);
	start(10);
	assert_int_equal(count(), 0);
	assert_int_equal(staging_since_s(staging), NOW + 60);
	stage("a.example");
	stop();
	assert_int_equal(sql(ROWS), 1);
}

static void
without_memory_none_is_half_there(void **state)
{
	bool failed = true;

	(void)state;
	start(10);
	stage("a.example");
	stop();
	store = policy_store_open(scratch_path("."), 0);
	for (unsigned n = 1; failed; n++) {
		staging = staging_new(10, NOW);
		log_capture_start();
		allocation_fail(n);
		kept = staging_store_new(test_clock, store, staging);
		failed = allocation_has_failed();
		allocation_fail(0);
		log_capture_end();
		assert_true(failed || count() == 1);
		staging_store_free(kept);
		staging_free(staging);
	}
	assert_int_equal(sql(ROWS), 1);
	/* Without a store it is as it was. */
	staging = staging_new(10, NOW);
	kept = staging_store_new(test_clock, NULL, staging);
	stage("b.example");
	clock_advance(test_clock, LIMIT_STAGED_WRITE_MS);
	assert_int_equal(sql(ROWS), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_let_through_is_there_after_a_restart),
		TEST(it_is_written_behind_and_not_with_each_mail),
		TEST(no_more_are_written_at_a_time_than_so_many),
		TEST(what_memory_drops_the_store_drops),
		TEST(rows_of_no_use_are_left_out),
		TEST(what_could_not_be_written_is_written_later),
		TEST(a_new_store_gets_all_of_it),
		TEST(a_store_of_version_3_is_taken_over),
		TEST(without_memory_none_is_half_there),
	};

	return cmocka_run_group_tests_name("staging_store", tests, NULL, NULL);
}
