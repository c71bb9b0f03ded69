/* SPDX-License-Identifier: ISC */
/*
 * The file of the policy store, see policy_store.h: the lock of the one owner,
 * a file of mode 0600, the checks that tell a good store from a damaged, a
 * foreign and a newer one, migrations, statements.
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
#include "common/policy_store_private.h"

#define APPLICATION_ID 0x53744d58 /* "StMX", in the header of the file */

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
	"CREATE TABLE override ("
	"  domain TEXT NOT NULL PRIMARY KEY,"
	"  until_s INTEGER NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  body TEXT NOT NULL"
	") STRICT;",
	"CREATE TABLE staged ("
	"  cause TEXT NOT NULL,"
	"  domain TEXT NOT NULL,"
	"  source TEXT NOT NULL,"
	"  result TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  since_s INTEGER NOT NULL,"
	"  last_s INTEGER NOT NULL,"
	"  good_at_s INTEGER NOT NULL,"
	"  times INTEGER NOT NULL,"
	"  PRIMARY KEY (domain, cause)"
	") STRICT;"
	"CREATE TABLE staging ("
	"  id INTEGER PRIMARY KEY,"
	"  since_s INTEGER NOT NULL"
	") STRICT;",
};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static const char *const statements[N_STATEMENTS] = {
	[GET] = "SELECT id, fetched_at_s, record_seen_at_s, body,"
		" refresh_at_s FROM policy WHERE domain = ?1",
	[PUT] = "INSERT OR REPLACE INTO policy"
		" (domain, id, fetched_at_s, record_seen_at_s, body,"
		" refresh_at_s) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[TOUCH] = "UPDATE policy SET record_seen_at_s = ?2 WHERE domain = ?1",
	[POSTPONE] = "UPDATE policy SET refresh_at_s = ?2 WHERE domain = ?1",
	/*
	 * The largest number stands for never. Two ranges of the index: with
	 * OR between them SQLite would read all of it each time.
	 */
	[DUE] = "SELECT domain FROM ("
		"  SELECT * FROM ("
		"   SELECT domain, refresh_at_s FROM policy"
		"   WHERE refresh_at_s <= ?1"
		"   ORDER BY refresh_at_s LIMIT ?2)"
		" UNION ALL"
		"  SELECT * FROM ("
		"   SELECT domain, refresh_at_s FROM policy"
		"   WHERE refresh_at_s > ?1 + ?3"
		"    AND refresh_at_s < 9223372036854775807"
		"   ORDER BY refresh_at_s LIMIT ?2)"
		" ) ORDER BY refresh_at_s LIMIT ?2",
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
		 "  LIMIT min(?2, max(0, (SELECT count(*) FROM policy)"
		 "   - ?1)))",
};

static const char consequence[] = "policies are kept in memory only";

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
	char path[POLICY_STORE_PATH_SIZE];

	if (snprintf(path, sizeof(path), "%s/lock", dir) >=
	    POLICY_STORE_PATH_SIZE) {
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
	char from[POLICY_STORE_PATH_SIZE + 8], to[POLICY_STORE_PATH_SIZE + 64],
	    stamp[32];
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

void
policy_store_mend(struct policy_store *store, int rc)
{
	if (rc != SQLITE_CORRUPT && rc != SQLITE_NOTADB)
		return;
	(void)open_result(store, rc);
	close_database(store);
	if (move_aside(store) && open_database(store) == OPENED) {
		store->begun++;
		return;
	}
	close_database(store);
	store->lost = true;
	log_warning("policy store %s: %s; %s", store->path, store->why,
	    consequence);
}

struct policy_store *
policy_store_open(const char *dir, size_t in_memory)
{
	struct policy_store *store = calloc(1, sizeof(*store));

	if (store == NULL) {
		log_warning("policy store %s: out of memory; %s", dir,
		    consequence);
		return NULL;
	}
	store->lock = -1;
	store->max =
	    in_memory > LIMIT_STORE_POLICIES ? in_memory : LIMIT_STORE_POLICIES;
	if (!take_lock(store, dir))
		goto failed;
	snprintf(store->path, sizeof(store->path), "%.4000s/policies.sqlite",
	    dir);
	if (open_or_replace(store) != OPENED)
		goto failed;
	(void)policy_store_trim(store);
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
