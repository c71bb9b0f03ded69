/* SPDX-License-Identifier: ISC */
/*
 * What would have been refused (common/staging), kept in tables of the policy
 * store: who turns enforcement on wants to know of more than the time since the
 * last upgrade. It changes with each mail, so it is written behind:
 * LIMIT_STAGED_WRITES entries at most every LIMIT_STAGED_WRITE_MS, and all of
 * them at an orderly end. kill -9 takes back what was not written yet.
 */
#ifndef STRICTMX_COMMON_STAGING_STORE_H
#define STRICTMX_COMMON_STAGING_STORE_H

struct clock;
struct policy_store;
struct staging;
struct staging_store;

/*
 * Reads what is stored into staging, which is empty, and keeps it stored from
 * then on. Rows that are not ours, and those added to longer ago than
 * LIMIT_STAGED_S, are left out. All is borrowed; without a store, NULL, nothing
 * is kept. NULL without memory.
 */
struct staging_store *staging_store_new(struct clock *clock,
    struct policy_store *store, struct staging *staging);

/* Writes what is not written yet. Safe on NULL. */
void staging_store_free(struct staging_store *staging_store);

#endif
