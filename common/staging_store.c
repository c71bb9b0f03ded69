/* SPDX-License-Identifier: ISC */
/* What would have been refused, on disk: see staging_store.h. */
#include "common/staging_store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_store.h"
#include "common/policy_store_private.h"
#include "common/staging.h"

struct staging_store {
	struct clock *clock;
	struct policy_store *store; /* NULL: nothing is kept */
	struct staging *staging;
	unsigned begun; /* of the store: the file that has it all */
	struct clock_timer *timer;
};

/* Reading. Names are stored, not numbers: these may change. */

static bool
read_cause(struct span name, enum staging_cause *cause)
{
	for (int i = STAGING_OURS; i <= STAGING_POLICY; i++) {
		*cause = (enum staging_cause)i;
		if (span_is(name, staging_cause_name(*cause)))
			return true;
	}
	return false;
}

static bool
read_source(struct span name, enum verdict_source *source)
{
	for (int i = VERDICT_NONE; i <= VERDICT_OVERRIDE; i++) {
		*source = (enum verdict_source)i;
		if (span_is(name, verdict_source_name(*source)))
			return true;
	}
	return false;
}

static bool
read_result(struct span name, enum result_type *result)
{
	for (int i = RESULT_NONE; i <= RESULT_STS_WEBPKI_INVALID; i++) {
		*result = (enum result_type)i;
		if (span_is(name, result_type_name(*result)))
			return true;
	}
	return false;
}

/* A time in the future is that of a wrong clock, then or now. */
static int64_t
past(int64_t time_s, int64_t now_s)
{
	return time_s > now_s ? now_s : time_s;
}

/* What lies on disk may have been touched by others: read as anything else. */
static bool
read_row(sqlite3_stmt *stmt, struct staged *s, char domain[DOMAIN_SIZE],
    int64_t now_s)
{
	int64_t times = sqlite3_column_int64(stmt, 8);

	s->domain = domain;
	s->since_s = past(sqlite3_column_int64(stmt, 5), now_s);
	s->last_s = past(sqlite3_column_int64(stmt, 6), now_s);
	s->good_at_s = past(sqlite3_column_int64(stmt, 7), now_s);
	s->times = (uint64_t)times;
	return read_cause(policy_store_text(stmt, 0), &s->cause) &&
	    domain_fold(policy_store_text(stmt, 1), domain) == DOMAIN_OK &&
	    span_is(policy_store_text(stmt, 1), domain) &&
	    read_source(policy_store_text(stmt, 2), &s->source) &&
	    read_result(policy_store_text(stmt, 3), &s->result) &&
	    span_copy(policy_store_text(stmt, 4), s->reason,
		sizeof(s->reason)) &&
	    times > 0;
}

/* The latest last, so that they are in memory as they were. */
static void
read_all(struct staging_store *ss, int64_t now_s)
{
	sqlite3_stmt *stmt = policy_store_prepare(ss->store,
	    "SELECT cause, domain, source, result, reason, since_s, last_s,"
	    " good_at_s, times FROM staged WHERE last_s >= ?1"
	    " ORDER BY last_s");
	int rc = sqlite3_errcode(ss->store->db);

	sqlite3_bind_int64(stmt, 1, now_s - LIMIT_STAGED_S);
	while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct staged s = { .times = 0 };
		char domain[DOMAIN_SIZE];

		if (read_row(stmt, &s, domain, now_s))
			staging_restore(ss->staging, &s);
	}
	if (rc != SQLITE_DONE)
		log_error("what was staged cannot be read: %s",
		    sqlite3_errmsg(ss->store->db));
	sqlite3_finalize(stmt);
	policy_store_mend(ss->store, rc);
}

/* 0: not stored. */
static int64_t
read_since(struct staging_store *ss)
{
	sqlite3_stmt *stmt =
	    policy_store_prepare(ss->store, "SELECT since_s FROM staging");
	int64_t since_s = 0;

	if (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
		since_s = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return since_s;
}

/* Writing. */

static void
write_since(struct staging_store *ss)
{
	sqlite3_stmt *stmt = policy_store_prepare(ss->store,
	    "INSERT OR REPLACE INTO staging (id, since_s) VALUES (1, ?1)");

	sqlite3_bind_int64(stmt, 1, staging_since_s(ss->staging));
	(void)policy_store_run(ss->store, stmt);
}

static void
bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
	sqlite3_bind_text(stmt, i, text, -1, SQLITE_STATIC);
}

static bool
write_one(struct staging_store *ss, const struct staged *s)
{
	sqlite3_stmt *stmt = policy_store_prepare(ss->store,
	    "INSERT OR REPLACE INTO staged (cause, domain, source, result,"
	    " reason, since_s, last_s, good_at_s, times)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");

	bind_text(stmt, 1, staging_cause_name(s->cause));
	bind_text(stmt, 2, s->domain);
	bind_text(stmt, 3, verdict_source_name(s->source));
	bind_text(stmt, 4, result_type_name(s->result));
	bind_text(stmt, 5, s->reason);
	sqlite3_bind_int64(stmt, 6, s->since_s);
	sqlite3_bind_int64(stmt, 7, s->last_s);
	sqlite3_bind_int64(stmt, 8, s->good_at_s);
	sqlite3_bind_int64(stmt, 9, (sqlite3_int64)s->times);
	return policy_store_run(ss->store, stmt);
}

/* Those that memory has dropped are those added to longest ago. */
static void
drop_old(struct staging_store *ss)
{
	sqlite3_stmt *stmt = policy_store_prepare(ss->store,
	    "DELETE FROM staged WHERE rowid IN ("
	    "  SELECT rowid FROM staged ORDER BY last_s"
	    "  LIMIT max(0, (SELECT count(*) FROM staged) - ?1))");

	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)staging_max(ss->staging));
	(void)policy_store_run(ss->store, stmt);
}

/* A new file was begun for damage: all of it is written once more. */
static void
write_again(struct staging_store *ss)
{
	if (ss->begun == policy_store_begun(ss->store))
		return;
	ss->begun = policy_store_begun(ss->store);
	write_since(ss);
	staging_change_all(ss->staging);
}

static void
write_some(struct staging_store *ss, size_t max)
{
	const struct staged *s;
	size_t n = 0;

	write_again(ss);
	while (n < max && (s = staging_changed(ss->staging)) != NULL &&
	    write_one(ss, s)) {
		staging_written(ss->staging, s);
		n++;
	}
	if (n > 0)
		drop_old(ss);
}

static void
write_behind(void *arg)
{
	struct staging_store *ss = arg;

	write_some(ss, LIMIT_STAGED_WRITES);
	/* Without memory for a timer the rest is written at the end. */
	ss->timer = clock_timer_start(ss->clock, LIMIT_STAGED_WRITE_MS,
	    write_behind, ss);
}

static void
begin(struct staging_store *ss)
{
	int64_t now_s = clock_wall_s(ss->clock), since_s = read_since(ss);

	if (since_s > 0)
		staging_set_since(ss->staging, past(since_s, now_s));
	else
		write_since(ss);
	read_all(ss, now_s);
}

struct staging_store *
staging_store_new(struct clock *clock, struct policy_store *store,
    struct staging *staging)
{
	struct staging_store *ss = calloc(1, sizeof(*ss));

	if (ss == NULL)
		return NULL;
	ss->clock = clock;
	ss->store = store;
	ss->staging = staging;
	if (store == NULL)
		return ss;
	ss->begun = policy_store_begun(store);
	ss->timer =
	    clock_timer_start(clock, LIMIT_STAGED_WRITE_MS, write_behind, ss);
	if (ss->timer == NULL) {
		free(ss);
		return NULL;
	}
	begin(ss);
	return ss;
}

void
staging_store_free(struct staging_store *ss)
{
	if (ss == NULL)
		return;
	clock_timer_cancel(&ss->timer);
	if (ss->store != NULL)
		write_some(ss, SIZE_MAX);
	free(ss);
}
