/* SPDX-License-Identifier: ISC */
/*
 * Policies that were set at run time, on disk: a table of the policy store.
 * They are few and change rarely.
 */
#ifndef STRICTMX_COMMON_OVERRIDE_STORE_H
#define STRICTMX_COMMON_OVERRIDE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct override;
struct policy_store;

/* Takes what the override holds; it is empty then. */
typedef void override_found_fn(struct override *override, void *arg);

/*
 * Calls found for each row. One that cannot be read is named in the log and
 * left out. False when the table could not be read to its end, or a row not for
 * lack of memory; logged. Nothing is in a store that is lost, which has been
 * said.
 */
bool override_store_load(struct policy_store *store, override_found_fn *found,
    void *arg);

/* Written before they return. False: not written, and logged. */
bool override_store_put(struct policy_store *store,
    const struct override *override);
bool override_store_drop(struct policy_store *store, const char *domain);

/* Those that ended before that time. */
bool override_store_drop_ended(struct policy_store *store, int64_t before_s);

#endif
