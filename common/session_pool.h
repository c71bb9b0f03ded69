/* SPDX-License-Identifier: ISC */
/*
 * Sessions that are left when their mail is gone, kept for a while for the next
 * mail of the same domain. A session is given out again only when it satisfies
 * the verdict of now; those that do not are ended at that moment.
 */
#ifndef STRICTMX_COMMON_SESSION_POOL_H
#define STRICTMX_COMMON_SESSION_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct clock;
struct session_pool;
struct upstream;
struct verdict;

/* clock is borrowed. NULL without memory. */
struct session_pool *session_pool_new(struct clock *clock);

/* Cuts what is kept. Safe on NULL. */
void session_pool_free(struct session_pool *pool);

/* From now on: how long a session waits, for how many messages it is good. */
void session_pool_set(struct session_pool *pool, unsigned idle_ms,
    unsigned messages);

/*
 * Takes the session over. It is kept when its server is there and silent, when
 * it is not too old and there is room; else it is ended. in_transaction: MAIL
 * has been taken, and no message ended it: RSET is said first.
 */
void session_pool_put(struct session_pool *pool, struct upstream *upstream,
    bool in_transaction);

/* The caller's then; NULL: there is none that will do. */
struct upstream *session_pool_take(struct session_pool *pool,
    const struct verdict *verdict);

/* Ends all of them, in order. */
void session_pool_clear(struct session_pool *pool);

size_t session_pool_length(const struct session_pool *pool);

#endif
