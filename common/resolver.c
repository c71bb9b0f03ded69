/* SPDX-License-Identifier: ISC */
/*
 * The half of the resolver that faces the askers: see resolver.h, and
 * resolver_queue for the other half.
 *
 * Everything that could call a caller or change a getdns context happens in
 * one place, turn(), on a turn of the loop of its own: never within getdns,
 * and never before start() has returned.
 */
#include "common/resolver_private.h"

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dns_cache.h"
#include "common/dns_upstream.h"

void
resolver_turn_soon(struct resolver *r)
{
	event_active(r->turn, EV_TIMEOUT, 0);
}

/* Questions */

static unsigned
key_set(struct question_key *key, const char *name, enum dns_type type,
    bool fresh)
{
	size_t len = strlen(name);

	assert(len <= DOMAIN_MAX);
	key->type = (uint16_t)type;
	key->fresh = fresh;
	memcpy(key->name, name, len + 1);
	return (unsigned)(offsetof(struct question_key, name) + len);
}

static struct question *
question_find(struct resolver *r, const char *name, enum dns_type type,
    bool fresh)
{
	struct question_key key;
	struct question *q;
	unsigned len = key_set(&key, name, type, fresh);

	HASH_FIND(hh, r->table, &key, len, q);
	return q;
}

static void
question_free(struct question *q)
{
	struct dns_query *query;

	while ((query = TAILQ_FIRST(&q->queries)) != NULL) {
		TAILQ_REMOVE(&q->queries, query, entry);
		q->resolver->n_queries--;
		free(query);
	}
	dns_held_drop(&q->held);
	free(q);
}

static struct question *
question_alloc(struct resolver *r)
{
	struct question *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->resolver = r;
	q->since_ms = clock_mono_ms(r->clock);
	TAILQ_INIT(&q->queries);
	return q;
}

/* A question that the cache has answered already. NULL if it has not. */
static struct question *
question_from_cache(struct resolver *r, const char *name, enum dns_type type)
{
	struct dns_held *held = dns_cache_get(r->cache, name, type);
	struct question *q;

	if (held == NULL)
		return NULL;
	q = question_alloc(r);
	if (q == NULL) {
		dns_held_drop(&held);
		return NULL;
	}
	key_set(&q->key, name, type, false);
	q->held = held;
	q->state = QUESTION_ENDED;
	TAILQ_INSERT_TAIL(&r->ended, q, entry);
	resolver_turn_soon(r);
	return q;
}

static struct question *
question_new(struct resolver *r, const char *name, enum dns_type type,
    bool fresh)
{
	struct question *q;
	unsigned key_len;

	if (r->n_queued >= LIMIT_DNS_QUEUED)
		return NULL;
	q = question_alloc(r);
	if (q == NULL)
		return NULL;
	key_len = key_set(&q->key, name, type, fresh);
	HASH_ADD_KEYPTR(hh, r->table, &q->key, key_len, q);
	if (q->hh.tbl == NULL) {
		free(q);
		return NULL;
	}
	resolver_enqueue(q, false);
	return q;
}

/*
 * The question that a new asker joins. A fresh one must not get an answer that
 * was asked for before somebody wanted it fresh.
 */
static struct question *
question_get(struct resolver *r, const char *name, enum dns_type type,
    bool fresh)
{
	struct question *q = NULL;

	if (!fresh) {
		q = question_from_cache(r, name, type);
		if (q == NULL)
			q = question_find(r, name, type, false);
	}
	if (q == NULL)
		q = question_find(r, name, type, true);
	if (q == NULL)
		q = question_new(r, name, type, fresh);
	return q;
}

/* Answers */

static struct dns_answer
question_answer(const struct question *q)
{
	struct dns_answer answer = { .outcome = DNS_TEMPFAIL,
		.type = (enum dns_type)q->key.type,
		.why = q->why };

	if (q->held != NULL)
		return dns_held_answer(q->held, q->resolver->clock);
	span_copy(span_of(q->key.name), answer.canonical, DOMAIN_SIZE);
	return answer;
}

/* Callers may start, cancel, and free the resolver meanwhile. */
static void
question_tell(struct question *q)
{
	struct resolver *r = q->resolver;
	struct dns_answer answer = question_answer(q);
	struct dns_query *query;

	while (!r->freed && (query = TAILQ_FIRST(&q->queries)) != NULL) {
		dns_done_fn *done = query->done;
		void *arg = query->arg;

		TAILQ_REMOVE(&q->queries, query, entry);
		r->n_queries--;
		free(query);
		done(&answer, arg);
	}
}

static void
list_free(struct questions *list)
{
	struct question *q;

	while ((q = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, q, entry);
		question_free(q);
	}
}

/* All but what turn() still has in its hands. */
static void
resolver_close(struct resolver *r)
{
	for (size_t i = 0; i < r->opts.n_upstreams; i++)
		dns_upstream_free(r->upstreams[i]);
	HASH_CLEAR(hh, r->table);
	list_free(&r->queue);
	list_free(&r->asked);
	list_free(&r->ended);
	clock_timer_cancel(&r->retry);
	clock_timer_cancel(&r->caution);
	dns_cache_free(r->cache);
	if (r->turn != NULL)
		event_free(r->turn);
}

static void
resolver_release(struct resolver *r)
{
	list_free(&r->telling);
	free(r);
}

static void
turn(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct question *q;

	(void)fd;
	(void)what;
	r->in_turn = true;
	resolver_pump(r);
	/* Only what has ended by now: answers may beget questions for ever. */
	TAILQ_CONCAT(&r->telling, &r->ended, entry);
	while (!r->freed && (q = TAILQ_FIRST(&r->telling)) != NULL) {
		question_tell(q);
		TAILQ_REMOVE(&r->telling, q, entry);
		question_free(q);
	}
	r->in_turn = false;
	if (r->freed)
		resolver_release(r);
}

/* The port */

/*
 * Labels of 1 to 63 visible octets, without a backslash: what getdns takes,
 * and takes as it stands.
 */
static bool
name_can_be_asked(const char *name)
{
	size_t len = 0, label = 0;

	for (; name[len] != '\0' && len <= DOMAIN_MAX; len++) {
		if (name[len] == '.' && label == 0)
			return false;
		label = name[len] == '.' ? 0 : label + 1;
		if (label > LABEL_MAX || name[len] <= ' ' || name[len] > '~' ||
		    name[len] == '\\')
			return false;
	}
	return label > 0 && len <= DOMAIN_MAX;
}

static struct dns_query *
resolver_start(void *self, const char *name, enum dns_type type, bool fresh,
    dns_done_fn *done, void *arg)
{
	struct resolver *r = self;
	struct dns_query *query;
	struct question *q;

	if (r->freed || r->n_queries >= LIMIT_DNS_QUERIES ||
	    !name_can_be_asked(name))
		return NULL;
	query = calloc(1, sizeof(*query));
	if (query == NULL)
		return NULL;
	q = question_get(r, name, type, fresh);
	if (q == NULL) {
		free(query);
		return NULL;
	}
	query->question = q;
	query->done = done;
	query->arg = arg;
	TAILQ_INSERT_TAIL(&q->queries, query, entry);
	r->n_queries++;
	return query;
}

/*
 * A question without askers leaves the queue; one that is at an upstream goes
 * on to its answer, for the cache.
 */
static void
resolver_cancel(void *self, struct dns_query **query)
{
	struct resolver *r = self;
	struct question *q;

	if (*query == NULL)
		return;
	q = (*query)->question;
	TAILQ_REMOVE(&q->queries, *query, entry);
	r->n_queries--;
	free(*query);
	*query = NULL;
	if (q->state != QUESTION_QUEUED || !TAILQ_EMPTY(&q->queries))
		return;
	HASH_DEL(r->table, q);
	resolver_unlist(q);
	question_free(q);
}

struct dns_port
resolver_port(struct resolver *resolver)
{
	struct dns_port port = { resolver, resolver_start, resolver_cancel };

	return port;
}

struct resolver *
resolver_new(struct event_base *base, struct clock *clock,
    const struct resolver_opts *opts)
{
	struct resolver *r = calloc(1, sizeof(*r));
	bool ok;

	assert(
	    opts->n_upstreams >= 1 && opts->n_upstreams <= LIMIT_DNS_UPSTREAMS);
	if (r == NULL)
		return NULL;
	r->clock = clock;
	r->opts = *opts;
	r->lost_ms = -1;
	TAILQ_INIT(&r->queue);
	TAILQ_INIT(&r->asked);
	TAILQ_INIT(&r->ended);
	TAILQ_INIT(&r->telling);
	r->cache = dns_cache_new(clock);
	r->turn = event_new(base, -1, 0, turn, r);
	ok = r->cache != NULL && r->turn != NULL;
	for (size_t i = 0; i < opts->n_upstreams && ok; i++) {
		r->upstreams[i] = dns_upstream_new(base, clock,
		    &opts->upstreams[i].address, opts->upstreams[i].port);
		ok = r->upstreams[i] != NULL;
	}
	if (!ok) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

void
resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	resolver->freed = true;
	resolver_close(resolver);
	if (!resolver->in_turn) /* else it is released at the end of it */
		resolver_release(resolver);
}
