/* SPDX-License-Identifier: ISC */
/*
 * Policies on disk: see policy_store.h. In WAL mode with synchronous=NORMAL a
 * committed row is with the kernel when the call returns: kill -9 cannot take
 * it back.
 */
#include "common/policy_store.h"

#include <sqlite3.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/policy_store_private.h"

/* Logs when a kind of work begins to fail and when it works again. */
static void
report(struct policy_store *store, bool *fails, const char *kind, bool good)
{
	if (!good && !*fails)
		log_error("policy store %s: %s fails: %s", store->path, kind,
		    sqlite3_errmsg(store->db));
	else if (good && *fails)
		log_notice("policy store %s: %s works again", store->path,
		    kind);
	*fails = !good;
}

static sqlite3_stmt *
bind_domain(struct policy_store *store, enum policy_statement which,
    const char *domain)
{
	sqlite3_stmt *stmt = store->statements[which];

	sqlite3_bind_text(stmt, 1, domain, -1, SQLITE_STATIC);
	return stmt;
}

/* Runs a statement that changes rows, and makes it ready for the next time. */
static bool
change(struct policy_store *store, sqlite3_stmt *stmt)
{
	int rc;

	if (store->lost)
		return false;
	rc = sqlite3_step(stmt);
	report(store, &store->writes_fail, "writing", rc == SQLITE_DONE);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	policy_store_mend(store, rc);
	return rc == SQLITE_DONE;
}

/* Nothing is in a store that is lost, which has been said. */
static int
read_step(struct policy_store *store, sqlite3_stmt *stmt)
{
	return store->lost ? SQLITE_DONE : sqlite3_step(stmt);
}

/* The end of a statement that only reads. */
static void
read_end(struct policy_store *store, sqlite3_stmt *stmt, int rc)
{
	report(store, &store->reads_fail, "reading",
	    rc == SQLITE_ROW || rc == SQLITE_DONE);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	policy_store_mend(store, rc);
}

struct span
policy_store_text(sqlite3_stmt *stmt, int column)
{
	return (struct span){ (const char *)sqlite3_column_text(stmt, column),
		(size_t)sqlite3_column_bytes(stmt, column) };
}

bool
policy_store_trim(struct policy_store *store)
{
	sqlite3_stmt *stmt = store->statements[TRIM];

	store->puts = 0;
	sqlite3_bind_int64(stmt, 1, (sqlite3_int64)store->max);
	sqlite3_bind_int(stmt, 2, LIMIT_STORE_TRIM);
	return change(store, stmt);
}

/* False: not a row that policy_store_put() has written. */
static bool
read_row(struct policy_store *store, sqlite3_stmt *stmt, struct policy_row *row)
{
	const struct span id = policy_store_text(stmt, 0);
	const void *body = sqlite3_column_blob(stmt, 3);
	size_t len = (size_t)sqlite3_column_bytes(stmt, 3);

	if (len > sizeof(store->body) || !span_copy(id, row->id, STS_ID_SIZE))
		return false;
	row->fetched_at_s = sqlite3_column_int64(stmt, 1);
	row->record_seen_at_s = sqlite3_column_int64(stmt, 2);
	row->refresh_at_s = sqlite3_column_int64(stmt, 4);
	if (len > 0)
		memcpy(store->body, body, len);
	row->body.p = store->body;
	row->body.len = len;
	return true;
}

enum policy_read
policy_store_get(struct policy_store *store, const char *domain,
    struct policy_row *row)
{
	sqlite3_stmt *stmt = bind_domain(store, GET, domain);
	int rc = read_step(store, stmt);
	bool found = rc == SQLITE_ROW, good = found;

	report(store, &store->reads_fail, "reading",
	    rc == SQLITE_ROW || rc == SQLITE_DONE);
	if (found)
		good = span_copy(span_of(domain), row->domain, DOMAIN_SIZE) &&
		    read_row(store, stmt, row);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (found && !good) {
		log_warning("policy store %s: the row of %s is of no use: "
			    "dropped",
		    store->path, domain);
		(void)policy_store_drop(store, domain);
	}
	policy_store_mend(store, rc);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return POLICY_ROW_UNREAD;
	return good ? POLICY_ROW_FOUND : POLICY_ROW_NONE;
}

bool
policy_store_put(struct policy_store *store, const struct policy_row *row)
{
	sqlite3_stmt *stmt;
	bool good;

	if (row->body.len > LIMIT_FETCH_BODY) {
		log_error("policy store %s: the policy of %s is too large",
		    store->path, row->domain);
		return false;
	}
	stmt = bind_domain(store, PUT, row->domain);
	sqlite3_bind_text(stmt, 2, row->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 3, row->fetched_at_s);
	sqlite3_bind_int64(stmt, 4, row->record_seen_at_s);
	sqlite3_bind_blob(stmt, 5, row->body.len == 0 ? "" : row->body.p,
	    (int)row->body.len, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 6, row->refresh_at_s);
	good = change(store, stmt);
	if (good && ++store->puts == LIMIT_STORE_TRIM_EVERY)
		(void)policy_store_trim(store);
	return good;
}

bool
policy_store_touch(struct policy_store *store, const char *domain,
    int64_t record_seen_at_s)
{
	sqlite3_stmt *stmt = bind_domain(store, TOUCH, domain);

	sqlite3_bind_int64(stmt, 2, record_seen_at_s);
	return change(store, stmt);
}

bool
policy_store_postpone(struct policy_store *store, const char *domain,
    int64_t refresh_at_s)
{
	sqlite3_stmt *stmt = bind_domain(store, POSTPONE, domain);

	sqlite3_bind_int64(stmt, 2, refresh_at_s);
	return change(store, stmt);
}

size_t
policy_store_due(struct policy_store *store, int64_t now_s,
    char (*domains)[DOMAIN_SIZE], size_t max)
{
	sqlite3_stmt *stmt = store->statements[DUE];
	size_t n = 0;
	int rc;

	sqlite3_bind_int64(stmt, 1, now_s);
	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)max);
	sqlite3_bind_int64(stmt, 3, LIMIT_REFRESH_S);
	while ((rc = read_step(store, stmt)) == SQLITE_ROW && n < max) {
		struct span domain = policy_store_text(stmt, 0);

		if (span_copy(domain, domains[n], DOMAIN_SIZE))
			n++;
	}
	read_end(store, stmt, rc);
	return n;
}

sqlite3_stmt *
policy_store_prepare(struct policy_store *store, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	(void)sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);
	return stmt;
}

bool
policy_store_run(struct policy_store *store, sqlite3_stmt *stmt)
{
	int rc;

	if (store->lost)
		return false;
	rc = stmt == NULL ? sqlite3_errcode(store->db) : sqlite3_step(stmt);
	report(store, &store->writes_fail, "writing", rc == SQLITE_DONE);
	sqlite3_finalize(stmt);
	policy_store_mend(store, rc);
	return rc == SQLITE_DONE;
}

bool
policy_store_drop(struct policy_store *store, const char *domain)
{
	return change(store, bind_domain(store, DROP, domain));
}

bool
policy_store_clear(struct policy_store *store)
{
	return change(store, store->statements[CLEAR]);
}

size_t
policy_store_count(struct policy_store *store)
{
	sqlite3_stmt *stmt = store->statements[COUNT];
	int rc = read_step(store, stmt);
	size_t n = rc == SQLITE_ROW ? (size_t)sqlite3_column_int64(stmt, 0) : 0;

	read_end(store, stmt, rc);
	return n;
}

size_t
policy_store_list(struct policy_store *store, const char *after, size_t max,
    policy_store_row_fn *fn, void *arg)
{
	sqlite3_stmt *stmt = bind_domain(store, LIST, after);
	size_t n = 0;
	int rc;

	sqlite3_bind_int64(stmt, 2, (sqlite3_int64)max);
	while ((rc = read_step(store, stmt)) == SQLITE_ROW) {
		struct span domain = policy_store_text(stmt, 5);
		struct policy_row row = { .fetched_at_s = 0 };

		n++;
		if (!read_row(store, stmt, &row))
			row.body = (struct span){ NULL, 0 };
		if (span_copy(domain, row.domain, DOMAIN_SIZE))
			fn(&row, arg);
	}
	read_end(store, stmt, rc);
	return n;
}

unsigned
policy_store_begun(const struct policy_store *store)
{
	return store->begun;
}
