/* SPDX-License-Identifier: ISC */
/*
 * Fetching policies over HTTPS: the fetcher, its pools, and the life of a
 * fetch (see fetch.h). A fetch goes through the states below, in this order,
 * and stands in the list of its state. All that moves it stands in
 * fetcher_turn(): libcurl, the port and the clock only ask for a turn.
 *
 * What keeps tarpits from starving the rest: a silent host costs a place, and
 * there are enough of these for some hundred of them, but no time. Only
 * LIMIT_FETCH_HANDSHAKES that have no answer may have been begun within
 * LIMIT_FETCH_HANDSHAKE_MS, so that the loop is not held up by handshakes;
 * who stays silent for longer holds nobody up. Slow fetches may hold more than
 * LIMIT_FETCH_SLOW places only while nobody else wants them: when all places
 * are taken and somebody waits, the oldest slow one makes room. That tells
 * nothing about its host, so it waits for another turn, until its deadline.
 */
#include "common/fetch.h"

#include <sys/queue.h>

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "common/curl_loop.h"
#include "common/fetch_outcome.h"
#include "common/fetch_queue.h"
#include "common/fetch_target.h"
#include "common/fetch_transfer.h"
#include "common/limits.h"

enum fetch_state {
	FETCH_WAITING,	/* in the queue, without a transfer */
	FETCH_YOUNG,	/* has a transfer, in the order of its start */
	FETCH_SLOW,	/* the same, slow_ms after its start */
	FETCH_FINISHED, /* its result waits to be told */
	FETCH_STATES
};

struct fetch {
	struct fetch_ticket ticket; /* first: see fetch_of_ticket() */
	struct fetcher *fetcher;
	enum fetch_state state;
	TAILQ_ENTRY(fetch) entry;
	struct fetch_target target;
	struct fetch_transfer *transfer;
	int64_t begun_ms;   /* its first turn; 0: none yet */
	int64_t started_ms; /* this one */
	struct fetch_result result;
	fetch_done_fn *done;
	void *arg;
};

TAILQ_HEAD(fetch_list, fetch);

struct fetcher {
	struct fetcher_opts opts;
	struct curl_loop *loop;
	CURL *template;
	struct fetch_queue *queue;
	struct event *turn;
	int64_t not_before_ms; /* no start: memory or descriptors lacked */
	struct fetch_list lists[FETCH_STATES];
	size_t n[FETCH_STATES]; /* their lengths */
};

static void fetcher_turn(evutil_socket_t fd, short what, void *arg);

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A turn in ms, instead of one that was asked for before. */
static void
fetcher_wake(struct fetcher *fetcher, int64_t ms)
{
	struct timeval delay = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (event_add(fetcher->turn, &delay) == -1)
		event_active(fetcher->turn, EV_TIMEOUT, 0); /* no memory */
}

static void
fetcher_progressed(void *arg)
{
	fetcher_wake(arg, 0);
}

/* The fetch and its state */

static struct fetch *
fetch_of_ticket(struct fetch_ticket *ticket)
{
	return (struct fetch *)(void *)ticket;
}

static void
fetch_enter(struct fetch *fetch, enum fetch_state state)
{
	fetch->state = state;
	TAILQ_INSERT_TAIL(&fetch->fetcher->lists[state], fetch, entry);
	fetch->fetcher->n[state]++;
}

static void
fetch_exit(struct fetch *fetch)
{
	TAILQ_REMOVE(&fetch->fetcher->lists[fetch->state], fetch, entry);
	fetch->fetcher->n[fetch->state]--;
}

static void
fetch_move(struct fetch *fetch, enum fetch_state state)
{
	fetch_exit(fetch);
	fetch_enter(fetch, state);
}

static bool
fetch_is_running(const struct fetch *fetch)
{
	return fetch->state == FETCH_YOUNG || fetch->state == FETCH_SLOW;
}

/* Its transfer, if any, no longer runs; its result, if any, is still there. */
static void
fetch_stop(struct fetch *fetch)
{
	if (fetch_is_running(fetch))
		curl_loop_remove(fetch->fetcher->loop,
		    fetch_transfer_easy(fetch->transfer));
	fetch_queue_leave(fetch->fetcher->queue, &fetch->ticket);
}

static void
fetch_finish(struct fetch *fetch)
{
	fetch_stop(fetch);
	fetch_move(fetch, FETCH_FINISHED);
}

/* The end of every fetch. */
static void
fetch_free(struct fetch *fetch)
{
	fetch_stop(fetch);
	fetch_exit(fetch);
	fetch_transfer_free(fetch->transfer);
	free(fetch);
}

/* 1. A request comes in and waits for its turn. */

static struct fetch *
fetch_start(void *self, const struct fetch_request *request,
    fetch_done_fn *done, void *arg)
{
	struct fetcher *fetcher = self;
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->arg = arg;
	if (!fetch_target_read(&fetch->target, request, &fetcher->opts.rules,
		&fetch->result)) {
		free(fetch);
		return NULL;
	}
	if (fetch->target.n_addresses == 0) {
		fetch_enter(fetch, FETCH_FINISHED);
	} else if (fetch_queue_join(fetcher->queue, &fetch->ticket,
		       fetch->target.addresses, fetch->target.n_addresses)) {
		fetch_enter(fetch, FETCH_WAITING);
	} else {
		free(fetch);
		return NULL;
	}
	fetcher_wake(fetcher, 0);
	return fetch;
}

static void
fetch_cancel(void *self, struct fetch **fetch)
{
	struct fetcher *fetcher = self;

	if (*fetch == NULL)
		return;
	fetch_free(*fetch);
	*fetch = NULL;
	fetcher_wake(fetcher, 0);
}

/* 2. Its turn has come: a transfer is begun. */

static size_t
n_running(const struct fetcher *fetcher)
{
	return fetcher->n[FETCH_YOUNG] + fetcher->n[FETCH_SLOW];
}

/* So many, of those without an answer, have only just been begun. */
static bool
is_starting(const struct fetcher *fetcher)
{
	int64_t since_ms = now_ms() - fetcher->opts.handshake_ms;
	const struct fetch *fetch;
	size_t handshakes = 0;

	TAILQ_FOREACH_REVERSE(fetch, &fetcher->lists[FETCH_YOUNG], fetch_list,
	    entry)
	{
		if (fetch->started_ms <= since_ms)
			break;
		if (!fetch_transfer_answered(fetch->transfer))
			handshakes++;
	}
	return handshakes >= LIMIT_FETCH_HANDSHAKES;
}

static bool
has_place(const struct fetcher *fetcher)
{
	return n_running(fetcher) < LIMIT_FETCH_AT_ONCE ||
	    fetcher->n[FETCH_SLOW] > LIMIT_FETCH_SLOW;
}

/* Its transfer is dropped: back to those who wait, for a ticket's place. */
static void
fetch_undo(struct fetch *fetch)
{
	curl_loop_remove(fetch->fetcher->loop,
	    fetch_transfer_easy(fetch->transfer));
	fetch_transfer_free(fetch->transfer);
	fetch->transfer = NULL;
	fetch_move(fetch, FETCH_WAITING);
}

static void
make_room(struct fetcher *fetcher)
{
	struct fetch *fetch = TAILQ_FIRST(&fetcher->lists[FETCH_SLOW]);

	if (now_ms() - fetch->begun_ms < fetcher->opts.deadline_ms) {
		fetch_undo(fetch);
		fetch_queue_requeue(fetcher->queue, &fetch->ticket);
	} else {
		fetch_outcome_crowded_out(fetch->target.host, &fetch->result);
		fetch_finish(fetch);
	}
}

static bool
fetch_begin(struct fetch *fetch)
{
	struct fetcher *fetcher = fetch->fetcher;

	fetch->transfer = fetch_transfer_new(fetcher->template, &fetcher->opts,
	    &fetch->target, fetch);
	if (fetch->transfer == NULL)
		return false;
	if (!curl_loop_add(fetcher->loop,
		fetch_transfer_easy(fetch->transfer))) {
		fetch_transfer_free(fetch->transfer);
		fetch->transfer = NULL;
		return false;
	}
	fetch->started_ms = now_ms();
	if (fetch->begun_ms == 0)
		fetch->begun_ms = fetch->started_ms;
	fetch_move(fetch, FETCH_YOUNG);
	return true;
}

/* No memory or no descriptors: that is no fact about the host. */
static void
fetch_retry_later(struct fetch *fetch)
{
	struct fetcher *fetcher = fetch->fetcher;

	fetcher->not_before_ms = now_ms() + LIMIT_FETCH_RETRY_MS;
	fetch_queue_return(fetcher->queue, &fetch->ticket);
}

/* True when there may be more to start on the next turn. */
static bool
start_some(struct fetcher *fetcher)
{
	struct fetch_ticket *ticket;
	struct fetch *fetch;

	for (int i = 0; i < LIMIT_FETCH_STARTS_PER_TURN; i++) {
		if (now_ms() < fetcher->not_before_ms || !has_place(fetcher) ||
		    is_starting(fetcher))
			return false;
		ticket = fetch_queue_next(fetcher->queue);
		if (ticket == NULL)
			return false;
		fetch = fetch_of_ticket(ticket);
		if (n_running(fetcher) >= LIMIT_FETCH_AT_ONCE)
			make_room(fetcher);
		if (!fetch_begin(fetch))
			fetch_retry_later(fetch);
	}
	return true;
}

/* 3. It takes its time: it moves over to the slow ones. */

static void
age_young(struct fetcher *fetcher)
{
	int64_t born_ms = now_ms() - fetcher->opts.slow_ms;
	struct address address;
	struct fetch *fetch;

	while ((fetch = TAILQ_FIRST(&fetcher->lists[FETCH_YOUNG])) != NULL &&
	    fetch->started_ms <= born_ms) {
		fetch_move(fetch, FETCH_SLOW);
		/* It must not hold places for long where it does not go. */
		if (fetch_transfer_connected(fetch->transfer, &address))
			fetch_queue_settle(fetcher->queue, &fetch->ticket,
			    &address);
	}
}

/* 4. libcurl is done with it. */

/* Back to where it came from. */
static void
fetch_return(struct fetch *fetch)
{
	fetch_undo(fetch);
	fetch_retry_later(fetch);
}

static void
fetch_ended(struct fetch *fetch, CURLcode code)
{
	if (fetch_transfer_judge(fetch->transfer, code, &fetch->result))
		fetch_finish(fetch);
	else
		fetch_return(fetch);
}

static void
undo_all(struct fetcher *fetcher)
{
	struct fetch *fetch;

	while ((fetch = TAILQ_LAST(&fetcher->lists[FETCH_YOUNG], fetch_list)) !=
	    NULL)
		fetch_return(fetch);
	while ((fetch = TAILQ_LAST(&fetcher->lists[FETCH_SLOW], fetch_list)) !=
	    NULL)
		fetch_return(fetch);
}

static void
collect_ended(struct fetcher *fetcher)
{
	struct fetch *fetch;
	CURLcode code;
	CURL *easy;

	while ((easy = curl_loop_finished(fetcher->loop, &code)) != NULL) {
		fetch = NULL;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&fetch);
		fetch_ended(fetch, code);
	}
	if (curl_loop_lacked(fetcher->loop))
		undo_all(fetcher);
}

/*
 * 5. The caller is told. What it starts meanwhile is for the next turn; what
 * it cancels meanwhile may be the next of the list.
 */
static void
tell_finished(struct fetcher *fetcher)
{
	struct fetch_list *finished = &fetcher->lists[FETCH_FINISHED];
	struct fetch *fetch;

	for (size_t left = fetcher->n[FETCH_FINISHED]; left > 0; left--) {
		fetch = TAILQ_FIRST(finished);
		if (fetch == NULL)
			break;
		fetch_exit(fetch);
		fetch->done(&fetch->result, fetch->arg);
		fetch_transfer_free(fetch->transfer);
		free(fetch);
	}
}

/* When the next turn is due, if no event of libcurl's comes before. */
static void
plan_turn(struct fetcher *fetcher, bool more)
{
	const struct fetch *oldest = TAILQ_FIRST(&fetcher->lists[FETCH_YOUNG]);
	int64_t now = now_ms(), due_ms = INT64_MAX;

	if (oldest != NULL)
		due_ms = oldest->started_ms + fetcher->opts.slow_ms;
	if (fetcher->n[FETCH_WAITING] > 0 && fetcher->not_before_ms > now &&
	    fetcher->not_before_ms < due_ms)
		due_ms = fetcher->not_before_ms;
	if (fetcher->n[FETCH_WAITING] > 0 && is_starting(fetcher) &&
	    now + fetcher->opts.handshake_ms < due_ms)
		due_ms = now + fetcher->opts.handshake_ms;
	if (more || fetcher->n[FETCH_FINISHED] > 0 || due_ms < now)
		due_ms = now;
	if (due_ms != INT64_MAX)
		fetcher_wake(fetcher, due_ms - now);
}

/* The only way forward, on a fresh stack: no libcurl, no caller above it. */
static void
fetcher_turn(evutil_socket_t fd, short what, void *arg)
{
	struct fetcher *fetcher = arg;
	bool more;

	(void)fd;
	(void)what;
	collect_ended(fetcher);
	age_young(fetcher);
	tell_finished(fetcher);
	more = start_some(fetcher);
	plan_turn(fetcher, more);
}

/* The fetcher */

static void
opts_complete(struct fetcher_opts *opts)
{
	if (opts->port == 0)
		opts->port = 443;
	if (opts->deadline_ms == 0)
		opts->deadline_ms = LIMIT_FETCH_MS;
	if (opts->connect_ms == 0)
		opts->connect_ms = LIMIT_FETCH_CONNECT_MS;
	if (opts->slow_ms == 0)
		opts->slow_ms = LIMIT_FETCH_SLOW_MS;
	if (opts->handshake_ms == 0)
		opts->handshake_ms = LIMIT_FETCH_HANDSHAKE_MS;
	if (opts->low_speed_s == 0)
		opts->low_speed_s = LIMIT_FETCH_LOW_SPEED_S;
}

struct fetcher *
fetcher_new(struct event_base *base, const struct fetcher_opts *opts)
{
	struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (fetcher == NULL)
		return NULL;
	fetcher->opts = *opts;
	opts_complete(&fetcher->opts);
	for (size_t i = 0; i < FETCH_STATES; i++)
		TAILQ_INIT(&fetcher->lists[i]);
	fetcher->queue = fetch_queue_new();
	fetcher->template = fetch_transfer_template(&fetcher->opts);
	fetcher->loop = curl_loop_new(base, LIMIT_FETCH_AT_ONCE,
	    fetcher_progressed, fetcher);
	fetcher->turn = evtimer_new(base, fetcher_turn, fetcher);
	if (fetcher->queue == NULL || fetcher->template == NULL ||
	    fetcher->loop == NULL || fetcher->turn == NULL) {
		fetcher_free(fetcher);
		return NULL;
	}
	return fetcher;
}

void
fetcher_free(struct fetcher *fetcher)
{
	if (fetcher == NULL)
		return;
	for (size_t i = 0; i < FETCH_STATES; i++)
		while (!TAILQ_EMPTY(&fetcher->lists[i]))
			fetch_free(TAILQ_FIRST(&fetcher->lists[i]));
	curl_loop_free(fetcher->loop);
	fetch_queue_free(fetcher->queue);
	curl_easy_cleanup(fetcher->template);
	if (fetcher->turn != NULL)
		event_free(fetcher->turn);
	free(fetcher);
}

struct fetch_port
fetcher_port(struct fetcher *fetcher)
{
	struct fetch_port port = { fetcher, fetch_start, fetch_cancel };

	return port;
}
