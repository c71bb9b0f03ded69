/* SPDX-License-Identifier: ISC */
/*
 * Policies on disk: see policy_store.h. Opening is the long part: the lock of
 * the one owner, a file of mode 0600, the checks that tell a good store from a
 * damaged, a foreign and a newer one, migrations, statements. In WAL mode with
 * synchronous=NORMAL a committed row is with the kernel when the call returns:
 * kill -9 cannot take it back.
 */
#include "common/policy_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"

#define APPLICATION_ID 0x53744d58 /* "StMX", in the header of the file */
#define PATH_SIZE 4096

/* migrations[n] leads from schema version n to n + 1. */
static const char *const migrations[] = {
	"CREATE TABLE policy ("
	"  domain TEXT NOT NULL PRIMARY KEY,"
	"  id TEXT NOT NULL,"
	"  fetched_at_s INTEGER NOT NULL,"
	"  record_seen_at_s INTEGER NOT NULL,"
	"  body BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX policy_by_age ON policy (fetched_at_s);",
	"ALTER TABLE policy ADD COLUMN"
	"  refresh_at_s INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX policy_by_refresh ON policy (refresh_at_s);",
};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

enum statement {
	GET,
	PUT,
	TOUCH,
	POSTPONE,
	DUE,
	DROP,
	CLEAR,
	COUNT,
	LIST,
	TRIM,
	N_STATEMENTS
};

static const char *const statements[N_STATEMENTS] = {
	[GET] = "SELECT id, fetched_at_s, record_seen_at_s, body,"
		" refresh_at_s FROM policy WHERE domain = ?1",
	[PUT] = "INSERT OR REPLACE INTO policy"
		" (domain, id, fetched_at_s, record_seen_at_s, body,"
		" refresh_at_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[TOUCH] = "UPDATE policy SET record_seen_at_s = ?2 WHERE domain = ?1",
	[POSTPONE] = "UPDATE policy SET refresh_at_s = ?2 WHERE domain = ?1",
	[DUE] = "SELECT domain FROM policy WHERE refresh_at_s <= ?1"
		" ORDER BY refresh_at_s LIMIT ?2",
	[DROP] = "DELETE FROM policy WHERE domain = ?1",
	[CLEAR] = "DELETE FROM policy",
	[COUNT] = "SELECT count(*) FROM policy",
	/* The first columns as in GET. */
	[LIST] = "SELECT id, fetched_at_s, record_seen_at_s, body,"
		 " refresh_at_s, domain FROM policy WHERE domain > ?1"
		 " ORDER BY domain LIMIT ?2",
	/* Those fetched longest ago go first. */
	[TRIM] = "DELETE FROM policy WHERE rowid IN ("
		 "  SELECT rowid FROM policy ORDER BY fetched_at_s"
		 "  LIMIT max(0, (SELECT count(*) FROM policy) - ?1))",
};

struct policy_store {
	sqlite3 *db;
	int lock;
	char path[PATH_SIZE];
	char why[256]; /* why it could not be opened */
	sqlite3_stmt *statements[N_STATEMENTS];
	unsigned puts; /* since the last TRIM */
	bool reads_fail, writes_fail;
	char body[LIMIT_FETCH_BODY]; /* of the row last read */
};

enum opened {
	OPENED,
	OPEN_FAILED,  /* may well be a good store: not touched */
	OPEN_DAMAGED, /* no store, or one that SQLite cannot read */
};

static enum opened
open_failed(struct policy_store *store, enum opened what, const char *why)
{
	snprintf(store->why, sizeof(store->why), "%s", why);
	return what;
}

/* What SQLite said of the last call. */
static enum opened
open_result(struct policy_store *store, int rc)
{
	if (rc == SQLITE_OK)
		return OPENED;
	return open_failed(store,
	    rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? OPEN_DAMAGED
							: OPEN_FAILED,
	    sqlite3_errmsg(store->db));
}

static void
close_database(struct policy_store *store)
{
	for (size_t i = 0; i < N_STATEMENTS; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
}

/* One owner: held as long as the descriptor is open, kill -9 frees it. */
static bool
take_lock(struct policy_store *store, const char *dir)
{
	char path[PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >= PATH_SIZE) {
		(void)open_failed(store, OPEN_FAILED, "the path is too long");
		return false;
	}
	store->lock =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock == -1) {
		(void)open_failed(store, OPEN_FAILED, strerror(errno));
		return false;
	}
	if (flock(store->lock, LOCK_EX | LOCK_NB) == -1) {
		(void)open_failed(store, OPEN_FAILED,
		    errno == EWOULDBLOCK ? "another process owns it"
					 : strerror(errno));
		return false;
	}
	return true;
}

/* SQLite gives its other files the mode of this one. */
static enum opened
make_private(struct policy_store *store)
{
	int fd =
	    open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum opened result = OPENED;

	if (fd == -1)
		return open_failed(store, OPEN_FAILED, strerror(errno));
	if (fchmod(fd, 0600) == -1)
		result = open_failed(store, OPEN_FAILED, strerror(errno));
	close(fd);
	return result;
}

static enum opened
read_number(struct policy_store *store, const char *sql, int *number)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW) {
			*number = sqlite3_column_int(stmt, 0);
			rc = SQLITE_OK;
		}
	}
	sqlite3_finalize(stmt);
	return open_result(store, rc);
}

/* Is it new, or a store of ours that this program knows? */
static enum opened
check_version(struct policy_store *store, int *version)
{
	enum opened result;
	int application = 0, tables = 0;

	result = read_number(store, "PRAGMA application_id", &application);
	if (result == OPENED)
		result = read_number(store, "PRAGMA user_version", version);
	if (result == OPENED)
		result = read_number(store,
		    "SELECT count(*) FROM sqlite_schema", &tables);
	if (result != OPENED)
		return result;
	if (application == 0 && *version == 0 && tables == 0)
		return OPENED;
	if (application != APPLICATION_ID)
		return open_failed(store, OPEN_FAILED,
		    "the database is not one of strictmx");
	if (*version > SCHEMA_VERSION)
		return open_failed(store, OPEN_FAILED,
		    "a newer version of strictmx wrote it");
	if (*version < 1)
		return open_failed(store, OPEN_DAMAGED, "it has no version");
	return OPENED;
}

static enum opened
check_pages(struct policy_store *store)
{
	enum opened result = OPENED;
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1,
	    &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		result = open_result(store, rc);
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0)
		result = open_failed(store, OPEN_DAMAGED,
		    (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return result;
}

static enum opened
run(struct policy_store *store, const char *sql)
{
	return open_result(store,
	    sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

/* All steps in one transaction: after a crash it is the old store. */
static enum opened
migrate(struct policy_store *store, int version)
{
	char numbers[96];
	enum opened result = OPENED;

	if (version == SCHEMA_VERSION)
		return OPENED;
	snprintf(numbers, sizeof(numbers),
	    "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
	    APPLICATION_ID, SCHEMA_VERSION);
	result = run(store, "BEGIN IMMEDIATE");
	for (int i = version; result == OPENED && i < SCHEMA_VERSION; i++)
		result = run(store, migrations[i]);
	if (result == OPENED)
		result = run(store, numbers);
	return result;
}

static enum opened
prepare(struct policy_store *store)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; rc == SQLITE_OK && i < N_STATEMENTS; i++)
		rc = sqlite3_prepare_v3(store->db, statements[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &store->statements[i], NULL);
	/* The version is right: then so are the tables, or it is damaged. */
	return open_result(store, rc == SQLITE_ERROR ? SQLITE_CORRUPT : rc);
}

/* A store that is not ours to change is closed again as it was. */
static void
keep_untouched(struct policy_store *store, bool untouched)
{
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
	    (int)untouched, NULL);
}

static enum opened
open_database(struct policy_store *store)
{
	enum opened result = make_private(store);
	int version = 0;

	if (result != OPENED)
		return result;
	result = open_result(store,
	    sqlite3_open_v2(store->path, &store->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (result != OPENED)
		return result;
	sqlite3_busy_timeout(store->db, LIMIT_STORE_BUSY_MS);
	keep_untouched(store, true);
	result = check_version(store, &version);
	if (result == OPENED)
		result = check_pages(store);
	if (result != OPENED)
		return result;
	keep_untouched(store, false);
	result = run(store,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
	    "PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -256");
	if (result == OPENED)
		result = migrate(store, version);
	if (result == OPENED)
		result = prepare(store);
	return result;
}

/* With the files that belong to it, so that SQLite's tools can look at it. */
static bool
move_aside(struct policy_store *store)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char from[PATH_SIZE + 8], to[PATH_SIZE + 64], stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (size_t i = 0; i < 3; i++) {
		snprintf(from, sizeof(from), "%s%s", store->path, suffixes[i]);
		snprintf(to, sizeof(to), "%s.damaged-%s%s", store->path, stamp,
		    suffixes[i]);
		if (rename(from, to) == -1 && errno != ENOENT) {
			(void)open_failed(store, OPEN_FAILED, strerror(errno));
			return false;
		}
	}
	log_error("policy store %s is damaged (%s): moved aside to "
		  "%s.damaged-%s, a new one is begun",
	    store->path, store->why, store->path, stamp);
	return true;
}

static enum opened
open_or_replace(struct policy_store *store)
{
	enum opened result = open_database(store);

	if (result != OPEN_DAMAGED)
		return result;
	close_database(store);
	return move_aside(store) ? open_database(store) : OPEN_FAILED;
}

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
bind_domain(struct policy_store *store, enum statement which,
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
	bool good = sqlite3_step(stmt) == SQLITE_DONE;

	report(store, &store->writes_fail, "writing", good);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return good;
}

/* The end of a statement that only reads. */
static void
read_end(struct policy_store *store, sqlite3_stmt *stmt, int rc)
{
	report(store, &store->reads_fail, "reading",
	    rc == SQLITE_ROW || rc == SQLITE_DONE);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
}

static bool
trim(struct policy_store *store)
{
	sqlite3_stmt *stmt = store->statements[TRIM];

	store->puts = 0;
	sqlite3_bind_int(stmt, 1, LIMIT_STORE_POLICIES);
	return change(store, stmt);
}

struct policy_store *
policy_store_open(const char *dir)
{
	struct policy_store *store = calloc(1, sizeof(*store));
	static const char consequence[] = "policies are kept in memory only";

	if (store == NULL) {
		log_warning("policy store %s: out of memory; %s", dir,
		    consequence);
		return NULL;
	}
	store->lock = -1;
	if (!take_lock(store, dir))
		goto failed;
	snprintf(store->path, sizeof(store->path), "%.4000s/policies.sqlite",
	    dir);
	if (open_or_replace(store) != OPENED)
		goto failed;
	(void)trim(store);
	return store;
failed:
	log_warning("policy store %s: %s; %s", dir, store->why, consequence);
	policy_store_close(store);
	return NULL;
}

void
policy_store_close(struct policy_store *store)
{
	if (store == NULL)
		return;
	close_database(store);
	if (store->lock != -1)
		close(store->lock);
	free(store);
}

/* False: not a row that policy_store_put() has written. */
static bool
read_row(struct policy_store *store, sqlite3_stmt *stmt, struct policy_row *row)
{
	const struct span id = { (const char *)sqlite3_column_text(stmt, 0),
		(size_t)sqlite3_column_bytes(stmt, 0) };
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

bool
policy_store_get(struct policy_store *store, const char *domain,
    struct policy_row *row)
{
	sqlite3_stmt *stmt = bind_domain(store, GET, domain);
	int rc = sqlite3_step(stmt);
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
	return good;
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
		(void)trim(store);
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
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && n < max) {
		struct span domain = { (const char *)sqlite3_column_text(stmt,
					   0),
			(size_t)sqlite3_column_bytes(stmt, 0) };

		if (span_copy(domain, domains[n], DOMAIN_SIZE))
			n++;
	}
	read_end(store, stmt, rc);
	return n;
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
	int rc = sqlite3_step(stmt);
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
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct span domain = { (const char *)sqlite3_column_text(stmt,
					   5),
			(size_t)sqlite3_column_bytes(stmt, 5) };
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
