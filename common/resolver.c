/* SPDX-License-Identifier: ISC */
/*
 * Questions to DNS: see resolver.h. A question is on one of three lists:
 *
 *	queue	it waits for a place, or for an upstream
 *	asked	it is at an upstream
 *	ended	its askers are about to be told
 *
 * Everything that could call a caller or change a getdns context happens in
 * one place, turn(), on a turn of the loop of its own: never within getdns,
 * and never before start() has returned.
 *
 * An upstream that answers nonsense or not at all costs the question one of
 * its LIMIT_DNS_TRIES. A connection that is refused or lost costs none: a
 * resolver that is being restarted should not be noticed. Then the upstream is
 * left alone for its back-off, and the question gives up when all its tries
 * would have timed out.
 */
#include "common/resolver.h"

#include <sys/queue.h>

#include <assert.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dns_cache.h"
#include "common/dns_upstream.h"
#include "common/uthash_quiet.h"

#define GIVE_UP_MS ((int64_t)LIMIT_DNS_TRIES * LIMIT_DNS_TRY_MS)

/* One asker. */
struct dns_query {
	struct question *question;
	dns_done_fn *done;
	void *arg;
	TAILQ_ENTRY(dns_query) entry;
};

enum question_state {
	QUESTION_QUEUED,
	QUESTION_ASKED,
	QUESTION_ENDED
};

/* What makes questions equal. */
struct question_key {
	uint16_t type;
	uint8_t fresh;
	char name[DOMAIN_SIZE];
};

struct question {
	struct resolver *resolver;
	enum question_state state;
	TAILQ_ENTRY(question) entry; /* of the list of its state */
	UT_hash_handle hh;	     /* while not ended */
	struct question_key key;
	TAILQ_HEAD(, dns_query) queries;

	size_t upstream;  /* asked last */
	unsigned tries;	  /* that failed */
	bool sent;	  /* at least once */
	int64_t since_ms; /* of the start; of the first sending, then */

	struct dns_held *held; /* the answer; NULL: TEMPFAIL */
	const char *why;
};

TAILQ_HEAD(questions, question);

struct resolver {
	struct clock *clock;
	struct event *turn;
	struct dns_cache *cache;
	struct resolver_opts opts;
	struct dns_upstream *upstreams[LIMIT_DNS_UPSTREAMS];
	size_t preferred; /* upstream that new questions go to */

	struct question *table; /* queued and asked, by key */
	struct questions queue, asked, ended;
	struct questions telling; /* ended, in this turn */
	size_t n_queued, n_asked, n_queries;

	struct clock_timer *retry; /* while no upstream may be asked */
	int64_t lost_ms;	   /* since then */

	bool in_turn, freed;
};

static void
turn_soon(struct resolver *r)
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

static void
question_enqueue(struct question *q, bool first)
{
	struct resolver *r = q->resolver;

	q->state = QUESTION_QUEUED;
	if (first)
		TAILQ_INSERT_HEAD(&r->queue, q, entry);
	else
		TAILQ_INSERT_TAIL(&r->queue, q, entry);
	r->n_queued++;
	turn_soon(r);
}

/* Takes a question off the list of its state. */
static void
question_unlist(struct question *q)
{
	struct resolver *r = q->resolver;

	switch (q->state) {
	case QUESTION_QUEUED:
		TAILQ_REMOVE(&r->queue, q, entry);
		r->n_queued--;
		break;
	case QUESTION_ASKED:
		TAILQ_REMOVE(&r->asked, q, entry);
		r->n_asked--;
		break;
	case QUESTION_ENDED: /* for good */
		break;
	}
}

/* held: the answer, taken over; NULL with the reason why there is none. */
static void
question_end(struct question *q, struct dns_held *held, const char *why)
{
	struct resolver *r = q->resolver;

	HASH_DEL(r->table, q);
	q->held = held;
	q->why = why;
	q->state = QUESTION_ENDED;
	TAILQ_INSERT_TAIL(&r->ended, q, entry);
	turn_soon(r);
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
	turn_soon(r);
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
	question_enqueue(q, false);
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

/* Tries */

/* A try has failed; counts: it was one of the LIMIT_DNS_TRIES. */
static void
question_failed(struct question *q, const char *why, bool counts)
{
	int64_t age_ms = clock_mono_ms(q->resolver->clock) - q->since_ms;

	if (counts)
		q->tries++;
	question_unlist(q);
	if (q->tries >= LIMIT_DNS_TRIES || age_ms >= GIVE_UP_MS ||
	    TAILQ_EMPTY(&q->queries))
		question_end(q, NULL, why);
	else
		question_enqueue(q, true);
}

static void
question_replied(struct question *q, const uint8_t *wire, size_t len)
{
	struct resolver *r = q->resolver;
	struct dns_answer *answer = dns_message_read(wire, len, q->key.name,
	    (enum dns_type)q->key.type);
	struct dns_held *held;
	const char *why;

	if (answer == NULL) {
		question_failed(q, "no memory", true);
	} else if (answer->outcome == DNS_TEMPFAIL) {
		why = answer->why;
		dns_answer_free(answer);
		question_failed(q, why, true);
	} else {
		if (!r->opts.upstreams[q->upstream].trusted_ad)
			answer->secure = false;
		held = dns_cache_put(r->cache, q->key.name, answer);
		question_unlist(q);
		question_end(q, held, held == NULL ? "no memory" : NULL);
	}
}

/* New questions go elsewhere while an upstream does not live. */
static void
upstream_avoid(struct resolver *r, size_t i)
{
	if (r->preferred == i && dns_upstream_failing(r->upstreams[i]))
		r->preferred = (i + 1) % r->opts.n_upstreams;
}

static void
upstream_done(enum dns_upstream_result result, const uint8_t *wire, size_t len,
    void *arg)
{
	struct question *q = arg;
	struct resolver *r = q->resolver;

	upstream_avoid(r, q->upstream);
	switch (result) {
	case UPSTREAM_REPLIED:
		r->lost_ms = -1;
		question_replied(q, wire, len);
		break;
	case UPSTREAM_SILENT:
		question_failed(q, "the resolver does not answer", true);
		break;
	case UPSTREAM_LOST:
		question_failed(q, "the resolver cannot be reached", false);
		break;
	}
}

static void
question_ask(struct question *q, size_t upstream)
{
	struct resolver *r = q->resolver;

	question_unlist(q);
	q->state = QUESTION_ASKED;
	TAILQ_INSERT_TAIL(&r->asked, q, entry);
	r->n_asked++;
	q->upstream = upstream;
	if (!q->sent)
		q->since_ms = clock_mono_ms(r->clock);
	q->sent = true;
	if (!dns_upstream_ask(r->upstreams[upstream], q->key.name,
		(enum dns_type)q->key.type, upstream_done, q)) {
		upstream_avoid(r, upstream);
		question_failed(q, "the resolver cannot be reached", false);
	}
}

/* The upstream for a question; false when none may be asked now. */
static bool
upstream_pick(struct resolver *r, const struct question *q, size_t *picked)
{
	int64_t now_ms = clock_mono_ms(r->clock);
	size_t first = q->sent ? q->upstream + 1 : r->preferred;

	for (size_t i = 0; i < r->opts.n_upstreams; i++) {
		*picked = (first + i) % r->opts.n_upstreams;
		if (dns_upstream_retry_ms(r->upstreams[*picked]) <= now_ms)
			return true;
	}
	return false;
}

/*
 * While no upstream lives, nobody waits longer than tries that time out would
 * take; those that came before count from when the last upstream was lost.
 */
static void
queue_expire(struct resolver *r, bool all)
{
	int64_t now_ms = clock_mono_ms(r->clock);
	struct question *q, *next;

	for (q = TAILQ_FIRST(&r->queue); q != NULL; q = next) {
		int64_t from_ms =
		    q->since_ms > r->lost_ms ? q->since_ms : r->lost_ms;

		next = TAILQ_NEXT(q, entry);
		if (all || now_ms - from_ms >= GIVE_UP_MS) {
			question_unlist(q);
			question_end(q, NULL, "the resolver cannot be reached");
		}
	}
}

static void
retry_due(void *arg)
{
	struct resolver *r = arg;

	r->retry = NULL;
	if (r->lost_ms >= 0)
		queue_expire(r, false);
	turn_soon(r);
}

/* Comes back when the first upstream may be asked again. */
static void
upstreams_await(struct resolver *r)
{
	int64_t now_ms = clock_mono_ms(r->clock);
	int64_t due_ms = INT64_MAX;

	if (r->retry != NULL)
		return;
	if (r->lost_ms < 0)
		r->lost_ms = now_ms;
	for (size_t i = 0; i < r->opts.n_upstreams; i++) {
		int64_t ms = dns_upstream_retry_ms(r->upstreams[i]);

		if (ms < due_ms)
			due_ms = ms;
	}
	r->retry = clock_timer_start(r->clock, due_ms - now_ms, retry_due, r);
	if (r->retry == NULL) /* no memory: nothing would wake us */
		queue_expire(r, true);
}

static void
queue_pump(struct resolver *r)
{
	struct question *q;
	size_t upstream;

	for (size_t i = 0; i < r->opts.n_upstreams; i++)
		dns_upstream_tend(r->upstreams[i]);
	while (r->n_asked < LIMIT_DNS_IN_FLIGHT &&
	    (q = TAILQ_FIRST(&r->queue)) != NULL) {
		if (!upstream_pick(r, q, &upstream)) {
			upstreams_await(r);
			return;
		}
		question_ask(q, upstream);
	}
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
	queue_pump(r);
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

static struct dns_query *
resolver_start(void *self, const char *name, enum dns_type type, bool fresh,
    dns_done_fn *done, void *arg)
{
	struct resolver *r = self;
	struct dns_query *query;
	struct question *q;

	if (r->freed || r->n_queries >= LIMIT_DNS_QUERIES || name[0] == '\0' ||
	    strlen(name) > DOMAIN_MAX)
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
	question_unlist(q);
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
