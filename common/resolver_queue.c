/* SPDX-License-Identifier: ISC */
/*
 * The half of the resolver that faces the upstreams: the queue, tries, and
 * what comes of them. See resolver_private.h.
 *
 * An upstream that answers nonsense or not at all costs the question one of
 * its LIMIT_DNS_TRIES. A connection that is refused or lost costs none: a
 * resolver that is being restarted should not be noticed. Then the upstream is
 * left alone for its back-off, and the question gives up when all its tries
 * would have timed out. It may also be a question that the connections die
 * of: see question_requeue().
 */
#include "common/resolver_private.h"

#include "common/clock.h"
#include "common/dns_cache.h"
#include "common/dns_upstream.h"

#define GIVE_UP_MS ((int64_t)LIMIT_DNS_TRIES * LIMIT_DNS_TRY_MS)

void
resolver_enqueue(struct question *q, bool first)
{
	struct resolver *r = q->resolver;

	q->state = QUESTION_QUEUED;
	if (first)
		TAILQ_INSERT_HEAD(&r->queue, q, entry);
	else
		TAILQ_INSERT_TAIL(&r->queue, q, entry);
	r->n_queued++;
	resolver_turn_soon(r);
}

void
resolver_unlist(struct question *q)
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
	resolver_turn_soon(r);
}

/*
 * Those that were lost less often go first, so a question that connections die
 * of sinks behind those that die with it; among equals the order is reversed
 * each time, so that they do not meet the same fate for ever.
 */
static void
question_requeue(struct question *q, bool counts)
{
	struct questions *queue = &q->resolver->queue;
	struct question *other = TAILQ_FIRST(queue);

	resolver_enqueue(q, true);
	if (counts)
		return;
	while (other != NULL && other->losses < q->losses)
		other = TAILQ_NEXT(other, entry);
	TAILQ_REMOVE(queue, q, entry);
	if (other == NULL)
		TAILQ_INSERT_TAIL(queue, q, entry);
	else
		TAILQ_INSERT_BEFORE(other, q, entry);
}

/* A try has failed; counts: it was one of the LIMIT_DNS_TRIES. */
static void
question_failed(struct question *q, const char *why, bool counts)
{
	int64_t age_ms = clock_mono_ms(q->resolver->clock) - q->since_ms;

	if (counts)
		q->tries++;
	else
		q->losses++;
	resolver_unlist(q);
	if (q->tries >= LIMIT_DNS_TRIES || age_ms >= GIVE_UP_MS ||
	    TAILQ_EMPTY(&q->queries))
		question_end(q, NULL, why);
	else
		question_requeue(q, counts);
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
		resolver_unlist(q);
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

/*
 * After a loss one question goes alone; the others follow its answer, or when
 * it has been on its way for a while and the connection stands.
 */
static void
caution_end(struct resolver *r)
{
	clock_timer_cancel(&r->caution);
	r->cautious = false;
	resolver_turn_soon(r);
}

static void
caution_over(void *arg)
{
	struct resolver *r = arg;

	r->caution = NULL;
	caution_end(r);
}

/* May one more question be sent now? */
static bool
has_place(struct resolver *r)
{
	return r->n_asked < (r->cautious ? 1 : LIMIT_DNS_IN_FLIGHT);
}

static void
caution_watch(struct resolver *r)
{
	if (!r->cautious || r->n_asked == 0 || r->caution != NULL)
		return;
	r->caution =
	    clock_timer_start(r->clock, LIMIT_DNS_CAUTION_MS, caution_over, r);
	if (r->caution == NULL)
		r->cautious = false; /* no memory: nothing would wake us */
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
		caution_end(r);
		question_replied(q, wire, len);
		break;
	case UPSTREAM_SILENT:
		question_failed(q, "the resolver does not answer", true);
		break;
	case UPSTREAM_LOST:
		clock_timer_cancel(&r->caution);
		r->cautious = true;
		question_failed(q, "the resolver cannot be reached", false);
		break;
	}
}

static void
question_ask(struct question *q, size_t upstream)
{
	struct resolver *r = q->resolver;

	resolver_unlist(q);
	q->state = QUESTION_ASKED;
	TAILQ_INSERT_TAIL(&r->asked, q, entry);
	r->n_asked++;
	q->upstream = upstream;
	/* Its patience begins now, or, while no upstream lives, began then. */
	if (!q->sent && r->lost_ms < 0)
		q->since_ms = clock_mono_ms(r->clock);
	else if (!q->sent && q->since_ms < r->lost_ms)
		q->since_ms = r->lost_ms;
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
			resolver_unlist(q);
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
	resolver_turn_soon(r);
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

void
resolver_pump(struct resolver *r)
{
	struct question *q;
	size_t upstream;

	for (size_t i = 0; i < r->opts.n_upstreams; i++)
		dns_upstream_tend(r->upstreams[i]);
	while (has_place(r) && (q = TAILQ_FIRST(&r->queue)) != NULL) {
		if (!upstream_pick(r, q, &upstream)) {
			upstreams_await(r);
			return;
		}
		question_ask(q, upstream);
		caution_watch(r);
	}
}
