/* SPDX-License-Identifier: ISC */
/*
 * The inside of the policy store: policy_store_open.c makes and mends the file,
 * policy_store.c reads and writes rows, override_store.c and staging_store.c
 * those of other tables.
 */
#ifndef STRICTMX_COMMON_POLICY_STORE_PRIVATE_H
#define STRICTMX_COMMON_POLICY_STORE_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "common/limits.h"
#include "proto/span.h"

#define POLICY_STORE_PATH_SIZE 4096

enum policy_statement {
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

struct policy_store {
	sqlite3 *db;
	int lock;
	char path[POLICY_STORE_PATH_SIZE];
	char why[256]; /* why it could not be opened */
	sqlite3_stmt *statements[N_STATEMENTS];
	size_t max;    /* rows */
	unsigned puts; /* since the last TRIM */
	bool reads_fail, writes_fail;
	unsigned begun; /* new files, since it was opened */
	bool lost; /* damaged while in use, and no new one could be begun */
	char body[LIMIT_FETCH_BODY]; /* of the row last read */
};

/*
 * After a statement that ended with rc, when none is under way: damage that
 * shows while the store is in use is treated as at the start, so that not all
 * mail waits for a restart.
 */
void policy_store_mend(struct policy_store *store, int rc);

/* No more than max rows are to be left: of more, some are dropped. */
bool policy_store_trim(struct policy_store *store);

/*
 * For the other tables, which are used rarely. NULL on failure: every call on
 * it fails then, which policy_store_run() tells.
 */
sqlite3_stmt *policy_store_prepare(struct policy_store *store, const char *sql);

/* Runs one that changes rows, and frees it. False: not done, and logged. */
bool policy_store_run(struct policy_store *store, sqlite3_stmt *stmt);

/* Of the row that a statement is at; borrowed until its next step. */
struct span policy_store_text(sqlite3_stmt *stmt, int column);

#endif
