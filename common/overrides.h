/* SPDX-License-Identifier: ISC */
/*
 * Policies that the administrator sets while the engine runs (override.h), by
 * domain, in memory and in the store below. Where one holds, it wins over one
 * in strictmx.conf(5), and both win over what the domain publishes: who sets
 * one at night must not have to edit the file first, and what he set ends by
 * itself.
 */
#ifndef STRICTMX_COMMON_OVERRIDES_H
#define STRICTMX_COMMON_OVERRIDES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct override;
struct overrides;
struct policy_store;

/*
 * store may be NULL and is borrowed: what is set is then gone at the end of the
 * process. Reads what is stored; those that ended over LIMIT_OVERRIDE_ENDED_S
 * ago are dropped. NULL without memory.
 */
struct overrides *overrides_new(struct policy_store *store, int64_t now_s);
void overrides_free(struct overrides *overrides); /* safe on NULL */

/*
 * The one that holds for a domain (folded) at now_s: set at run time, else in
 * the configuration; NULL when none does, and for local domains. overrides may
 * be NULL. Borrowed until one is set or dropped.
 */
const struct override *overrides_find(struct overrides *overrides,
    const struct config *config, const char *domain, int64_t now_s);

/*
 * Why the last overrides_find() gave NULL: what was set at run time could not
 * all be read from the store. One may hold, which would win over one in the
 * configuration: unknown, never none. It is read again after
 * LIMIT_OVERRIDE_READ_S. False on NULL.
 */
bool overrides_unread(const struct overrides *overrides);

enum overrides_result {
	OVERRIDES_DONE,
	OVERRIDES_NONE_SET,   /* there is none of that domain to drop */
	OVERRIDES_FULL,	      /* LIMIT_OVERRIDES */
	OVERRIDES_NOT_STORED, /* logged; nothing has changed */
	OVERRIDES_NO_MEMORY,  /* nothing has changed */
};

/*
 * Takes what a finished override holds (it is empty then, whatever comes of
 * it), in the place of one of the same domain. In the store first.
 */
enum overrides_result overrides_set(struct overrides *overrides,
    struct override *override, int64_t now_s);

/* The one set at run time, whether it holds or not; NULL: none. Borrowed. */
const struct override *overrides_get(struct overrides *overrides,
    const char *domain);

enum overrides_result overrides_drop(struct overrides *overrides,
    const char *domain);

/* Each that was set at run time, ended ones too, in no order. NULL: the end.
 * previous: what was returned before, or NULL to begin. */
const struct override *overrides_next(const struct overrides *overrides,
    const struct override *previous);

/* Does what is set outlive this process? */
bool overrides_are_stored(const struct overrides *overrides);

/*
 * The log lines of a start (overrides may be NULL): those that have ended, and
 * those that mean nothing with this configuration. path is that of the
 * configuration.
 */
void overrides_log(const struct overrides *overrides,
    const struct config *config, const char *path, int64_t now_s);

#endif
