/* SPDX-License-Identifier: ISC */
/* Sessions for the next mail: see session_pool.h. The youngest is first. */
#include "common/session_pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/smtp_transaction.h"
#include "common/upstream.h"
#include "proto/smtp_reply.h"

TAILQ_HEAD(upstreams, upstream);

struct session_pool {
	struct clock *clock;
	unsigned idle_ms, messages;
	size_t n; /* of both */
	struct upstreams idle;
	struct upstreams resetting; /* RSET has no answer yet */
};

struct session_pool *
session_pool_new(struct clock *clock)
{
	struct session_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->clock = clock;
	TAILQ_INIT(&pool->idle);
	TAILQ_INIT(&pool->resetting);
	return pool;
}

void
session_pool_set(struct session_pool *pool, unsigned idle_ms, unsigned messages)
{
	pool->idle_ms = idle_ms;
	pool->messages = messages;
}

static void
pool_remove(struct session_pool *pool, struct upstreams *from,
    struct upstream *u)
{
	TAILQ_REMOVE(from, u, entry);
	pool->n--;
	clock_timer_cancel(&u->idle);
}

static void
pool_empty(struct session_pool *pool, struct upstreams *from, bool in_order)
{
	struct upstream *u;

	while ((u = TAILQ_FIRST(from)) != NULL) {
		pool_remove(pool, from, u);
		if (in_order)
			upstream_quit(&u);
		else
			upstream_cut(&u);
	}
}

void
session_pool_clear(struct session_pool *pool)
{
	pool_empty(pool, &pool->idle, true);
	pool_empty(pool, &pool->resetting, false);
}

void
session_pool_free(struct session_pool *pool)
{
	if (pool == NULL)
		return;
	pool_empty(pool, &pool->idle, false);
	pool_empty(pool, &pool->resetting, false);
	free(pool);
}

size_t
session_pool_length(const struct session_pool *pool)
{
	return pool->n;
}

static void
idle_too_long(void *arg)
{
	struct upstream *u = arg;

	u->idle = NULL;
	pool_remove(u->pool, &u->pool->idle, u);
	upstream_quit(&u);
}

static size_t
count_of_domain(const struct upstreams *list, const char *domain)
{
	const struct upstream *u;
	size_t n = 0;

	TAILQ_FOREACH (u, list, entry)
		n += strcmp(u->domain, domain) == 0;
	return n;
}

/* What is it good for? An unfit one cannot be told to quit. */
static bool
is_worth_keeping(const struct session_pool *pool, const struct upstream *u)
{
	return u->n_messages < pool->messages && pool->idle_ms > 0 &&
	    clock_mono_ms(pool->clock) - u->since_ms < LIMIT_POOL_AGE_MS &&
	    pool->n < LIMIT_POOL_SESSIONS &&
	    count_of_domain(&pool->idle, u->domain) +
		count_of_domain(&pool->resetting, u->domain) <
	    LIMIT_POOL_PER_DOMAIN;
}

/* The server is silent, as it has to be. */
static void
pool_keep(struct session_pool *pool, struct upstream *u)
{
	u->idle =
	    clock_timer_start(pool->clock, pool->idle_ms, idle_too_long, u);
	if (u->idle == NULL) {
		upstream_quit(&u);
		return;
	}
	TAILQ_INSERT_HEAD(&pool->idle, u, entry);
	pool->n++;
}

static void
reset_done(const struct smtp_said *said, void *arg)
{
	struct upstream *u = arg;
	struct session_pool *pool = u->pool;

	pool_remove(pool, &pool->resetting, u);
	if (said->reply != NULL && said->reply->code / 100 == 2)
		pool_keep(pool, u);
	else
		upstream_cut(&u);
}

void
session_pool_put(struct session_pool *pool, struct upstream *upstream,
    bool in_transaction)
{
	upstream->pool = pool;
	if (smtp_transaction_unfit(upstream->session) != NULL) {
		upstream_cut(&upstream);
	} else if (!is_worth_keeping(pool, upstream)) {
		upstream_quit(&upstream);
	} else if (in_transaction) {
		TAILQ_INSERT_TAIL(&pool->resetting, upstream, entry);
		pool->n++;
		smtp_transaction_reset(upstream->session, LIMIT_SMTP_QUIT_MS,
		    reset_done, upstream);
	} else {
		pool_keep(pool, upstream);
	}
}

struct upstream *
session_pool_take(struct session_pool *pool, const struct verdict *verdict)
{
	struct upstream *u, *next;

	for (u = TAILQ_FIRST(&pool->idle); u != NULL; u = next) {
		next = TAILQ_NEXT(u, entry);
		if (strcmp(u->domain, verdict->facts.domain) != 0)
			continue;
		pool_remove(pool, &pool->idle, u);
		if (smtp_transaction_unfit(u->session) != NULL)
			upstream_cut(&u);
		else if (upstream_satisfies(u, verdict))
			return u;
		else
			upstream_quit(&u);
	}
	return NULL;
}
