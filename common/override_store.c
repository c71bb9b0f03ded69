/* SPDX-License-Identifier: ISC */
/* Policies set at run time, on disk: see override_store.h. */
#include "common/override_store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/override.h"
#include "common/policy_store_private.h"

/* What lies on disk may have been touched by others: read as anything else. */
static const char *
read_row(sqlite3_stmt *stmt, struct override *o)
{
	char domain[DOMAIN_SIZE];

	if (domain_fold(policy_store_text(stmt, 0), o->domain) != DOMAIN_OK ||
	    !span_copy(policy_store_text(stmt, 0), domain, sizeof(domain)) ||
	    strcmp(domain, o->domain) != 0)
		return "its name is not a domain";
	o->until_s = sqlite3_column_int64(stmt, 1);
	if (!span_copy(policy_store_text(stmt, 2), o->reason,
		sizeof(o->reason)))
		return "its reason is too long";
	return override_read(o, policy_store_text(stmt, 3));
}

bool
override_store_load(struct policy_store *store, override_found_fn *found,
    void *arg)
{
	sqlite3_stmt *stmt = policy_store_prepare(store,
	    "SELECT domain, until_s, reason, body FROM override");
	int rc = sqlite3_errcode(store->db);
	bool whole = true;

	if (store->lost)
		return true;
	while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct override o = { .until_s = 0 };
		const char *why = read_row(stmt, &o);
		char quoted[LOG_QUOTE_SIZE];
		struct span domain = policy_store_text(stmt, 0);

		if (why == NULL)
			found(&o, arg);
		else
			log_warning("policy set here for %s: %s: ignored",
			    log_quote(quoted, domain.p, domain.len), why);
		whole = whole && why != override_no_memory;
		override_cleanup(&o);
	}
	if (rc != SQLITE_DONE)
		log_error("policies set here cannot be read: %s",
		    sqlite3_errmsg(store->db));
	sqlite3_finalize(stmt);
	policy_store_mend(store, rc);
	return rc == SQLITE_DONE && whole;
}

bool
override_store_put(struct policy_store *store, const struct override *override)
{
	sqlite3_stmt *stmt = policy_store_prepare(store,
	    "INSERT OR REPLACE INTO override (domain, until_s, reason, body)"
	    " VALUES (?1, ?2, ?3, ?4)");

	sqlite3_bind_text(stmt, 1, override->domain, -1, SQLITE_STATIC);
	sqlite3_bind_int64(stmt, 2, override->until_s);
	sqlite3_bind_text(stmt, 3, override->reason, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 4, override->body, -1, SQLITE_STATIC);
	return policy_store_run(store, stmt);
}

bool
override_store_drop(struct policy_store *store, const char *domain)
{
	sqlite3_stmt *stmt = policy_store_prepare(store,
	    "DELETE FROM override WHERE domain = ?1");

	sqlite3_bind_text(stmt, 1, domain, -1, SQLITE_STATIC);
	return policy_store_run(store, stmt);
}

bool
override_store_drop_ended(struct policy_store *store, int64_t before_s)
{
	sqlite3_stmt *stmt = policy_store_prepare(store,
	    "DELETE FROM override WHERE until_s < ?1");

	sqlite3_bind_int64(stmt, 1, before_s);
	return policy_store_run(store, stmt);
}
