/* SPDX-License-Identifier: ISC */
/*
 * The way to the engine: see engine_link.h.
 *
 * An ask is in one of two lists: "waiting" for the engine, in the table by its
 * id as well, or "leaving", to be told on the next turn of the loop that the
 * engine is away. Ids are never used twice, so the answer to an ask that has
 * ended, or of an engine that was replaced, finds nobody.
 */
#include "filter/engine_link.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/uthash_quiet.h"
#include "filter/lines.h"
#include "filter/outbox.h"
#include "filter/private_engine.h"
#include "filter/unix_connect.h"

struct link_ask {
	struct engine_link *link;
	uint64_t id;
	bool waiting; /* else leaving */
	int64_t asked_ms, due_ms;
	link_done_fn *done;
	void *arg;
	TAILQ_ENTRY(link_ask) entry;
	UT_hash_handle hh;
};

TAILQ_HEAD(ask_list, link_ask);

enum link_state {
	LINK_DOWN,     /* until the retry timer fires */
	LINK_GREETING, /* connected, nothing heard yet */
	LINK_UP,
};

struct engine_link {
	struct event_base *base;
	struct clock *clock;
	struct engine_link_opts opts;
	struct private_engine engine; /* unless opts.socket */

	enum link_state state;
	bool first;	/* the first connection neither came up nor failed */
	bool away_said; /* in the log */
	struct bufferevent *bev;
	struct outbox *outbox; /* of bev */
	struct clock_timer *retry, *greeting;
	int64_t backoff_ms;
	int64_t lost_ms;  /* when the last connection ended */
	int64_t heard_ms; /* when the engine last said anything */

	uint64_t last_id;
	size_t n_asks; /* in both lists */
	struct link_ask *table;
	struct ask_list waiting; /* the oldest first */
	struct ask_list leaving;
	struct clock_timer *expiry; /* for the first of waiting */
	struct event *leave;	    /* active while leaving is not empty */
};

static void expire(void *arg);
static void link_connect(struct engine_link *link);
static void link_lost(struct engine_link *link, const char *why);

/* The life of an ask */

static void
stop_waiting(struct link_ask *ask)
{
	HASH_DELETE(hh, ask->link->table, ask);
	TAILQ_REMOVE(&ask->link->waiting, ask, entry);
	ask->waiting = false;
}

static void
ask_free(struct link_ask *ask)
{
	if (ask->waiting)
		stop_waiting(ask);
	else
		TAILQ_REMOVE(&ask->link->leaving, ask, entry);
	ask->link->n_asks--;
	free(ask);
}

static void
ask_end(struct link_ask *ask, const struct link_answer *answer)
{
	link_done_fn *done = ask->done;
	void *arg = ask->arg;

	ask_free(ask);
	done(answer, arg);
}

static void
ask_leave_later(struct link_ask *ask)
{
	TAILQ_INSERT_TAIL(&ask->link->leaving, ask, entry);
	event_active(ask->link->leave, EV_TIMEOUT, 0);
}

static void
ask_give_up(struct link_ask *ask)
{
	stop_waiting(ask);
	ask_leave_later(ask);
}

static void
give_up_all(struct engine_link *link)
{
	struct link_ask *ask;

	while ((ask = TAILQ_FIRST(&link->waiting)) != NULL)
		ask_give_up(ask);
}

/* Only those that are there now: who asks again from done is served later. */
static void
leave_now(evutil_socket_t fd, short what, void *arg)
{
	const struct link_answer answer = { .away = true };
	struct engine_link *link = arg;
	uint64_t last_id = link->last_id;
	struct link_ask *ask;

	(void)fd;
	(void)what;
	while (
	    (ask = TAILQ_FIRST(&link->leaving)) != NULL && ask->id <= last_id)
		ask_end(ask, &answer);
	if (ask != NULL)
		event_active(link->leave, EV_TIMEOUT, 0);
}

/* The limits of time */

/*
 * One timer for the oldest ask: all have the same time, and after a reload the
 * newer ones may have to wait for the older.
 */
static bool
expiry_arm(struct engine_link *link)
{
	struct link_ask *oldest = TAILQ_FIRST(&link->waiting);

	if (oldest != NULL && link->expiry == NULL) {
		link->expiry = clock_timer_start(link->clock,
		    oldest->due_ms - clock_mono_ms(link->clock), expire, link);
		return link->expiry != NULL;
	}
	return true;
}

/*
 * The engine answers each request in its own time limit, which is shorter. One
 * that said nothing at all since then is no engine any more, even though the
 * connection stands.
 */
static void
expire(void *arg)
{
	struct engine_link *link = arg;
	int64_t now_ms = clock_mono_ms(link->clock);
	struct link_ask *ask;
	bool silent = false;

	link->expiry = NULL;
	while ((ask = TAILQ_FIRST(&link->waiting)) != NULL &&
	    ask->due_ms <= now_ms) {
		silent |= link->heard_ms < ask->asked_ms;
		ask_give_up(ask);
	}
	if (silent)
		link_lost(link, "it does not answer");
	else if (!expiry_arm(link))
		give_up_all(link);
}

static void
greeting_overdue(void *arg)
{
	struct engine_link *link = arg;

	link->greeting = NULL;
	link_lost(link, "it does not greet");
}

/* The lines that come in */

static void
read_greeting(struct engine_link *link, struct span line)
{
	if (!span_is(line, QUERY_GREETING)) {
		link_lost(link, "it does not greet with " QUERY_GREETING);
		return;
	}
	clock_timer_cancel(&link->greeting);
	link->state = LINK_UP;
	link->first = false;
	if (link->away_said)
		log_notice("the policy engine is back");
	link->away_said = false;
}

static void
read_answer(struct engine_link *link, struct span line)
{
	struct query_answer found = query_answer_parse(line);
	struct link_answer answer = { .word = found.word, .text = found.text };
	struct link_ask *ask;
	unsigned long number;
	uint64_t id;

	if (found.word == QUERY_ANSWER_BAD ||
	    !span_number(found.id, ULONG_MAX, &number)) {
		char quoted[LOG_QUOTE_SIZE];

		log_debug("the policy engine said %s",
		    log_quote(quoted, line.p, line.len));
		return;
	}
	id = number;
	HASH_FIND(hh, link->table, &id, sizeof(id), ask);
	if (ask == NULL)
		return;
	link->backoff_ms = LIMIT_RESTART_MIN_MS;
	ask_end(ask, &answer);
}

/* A line may end the connection; what came behind it is for nobody. */
static void
read_lines(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct lines lines = { .input = input };
	struct engine_link *link = arg;
	struct span line;

	link->heard_ms = clock_mono_ms(link->clock);
	while (link->state != LINK_DOWN && lines_next(&lines, &line)) {
		if (line.p == NULL)
			link_lost(link, "out of memory");
		else if (link->state == LINK_GREETING)
			read_greeting(link, line);
		else
			read_answer(link, line);
	}
	if (link->state == LINK_DOWN)
		return;
	lines_end(&lines);
	if (evbuffer_get_length(input) > LIMIT_ENGINE_ANSWER)
		link_lost(link, "its answer is too long");
}

static void
connection_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		link_lost(arg, "it closed the connection");
}

/* The connection and its end */

static void
retry(void *arg)
{
	struct engine_link *link = arg;

	link->retry = NULL;
	link_connect(link);
}

/* Without memory for a timer the next ask tries once more. */
static void
retry_later(struct engine_link *link)
{
	if (link->retry != NULL)
		return;
	link->retry =
	    clock_timer_start(link->clock, link->backoff_ms, retry, link);
	if (link->retry == NULL)
		return;
	link->backoff_ms *= 2;
	if (link->backoff_ms > LIMIT_RESTART_MAX_MS)
		link->backoff_ms = LIMIT_RESTART_MAX_MS;
}

static void
link_close(struct engine_link *link)
{
	clock_timer_cancel(&link->greeting);
	outbox_free(link->outbox);
	link->outbox = NULL;
	if (link->bev != NULL) {
		/* libevent closes on a later turn; the engine is to see the
		 * end now, when there may be no later turn. */
		shutdown(bufferevent_getfd(link->bev), SHUT_RDWR);
		bufferevent_free(link->bev);
	}
	link->bev = NULL;
	link->state = LINK_DOWN;
}

static void
link_lost(struct engine_link *link, const char *why)
{
	link_close(link);
	link->first = false;
	if (!link->away_said)
		log_warning("the policy engine is away: %s", why);
	link->away_said = true;
	link->lost_ms = clock_mono_ms(link->clock);
	private_engine_kill(&link->engine, SIGTERM);
	give_up_all(link);
	retry_later(link);
}

/* Takes over fd. */
static bool
link_begin(struct engine_link *link, int fd)
{
	link->bev =
	    bufferevent_socket_new(link->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (link->bev == NULL) {
		close(fd);
		return false;
	}
	link->outbox = outbox_new(link->bev);
	link->state = LINK_GREETING;
	bufferevent_setcb(link->bev, read_lines, NULL, connection_event, link);
	link->greeting = clock_timer_start(link->clock, link->opts.answer_ms,
	    greeting_overdue, link);
	return link->outbox != NULL && link->greeting != NULL &&
	    bufferevent_enable(link->bev, EV_READ | EV_WRITE) == 0;
}

static void
link_connect(struct engine_link *link)
{
	char why[256];
	int fd;

	/* Two engines at once would fight for the store. */
	if (!private_engine_reap(&link->engine)) {
		if (clock_mono_ms(link->clock) - link->lost_ms >=
		    LIMIT_ENGINE_END_MS)
			private_engine_kill(&link->engine, SIGKILL);
		retry_later(link);
		return;
	}
	if (link->opts.socket != NULL)
		fd = unix_connect(link->opts.socket);
	else
		fd = private_engine_start(&link->engine, link->opts.program,
		    link->opts.config_file, link->opts.memory_only);
	if (fd == -1) {
		snprintf(why, sizeof(why), "%s: %s",
		    link->opts.socket != NULL ? link->opts.socket
					      : link->opts.program,
		    strerror(errno));
		link_lost(link, why);
	} else if (!link_begin(link, fd))
		link_lost(link, "out of memory");
}

/* What users call */

struct engine_link *
engine_link_new(struct event_base *base, struct clock *clock,
    const struct engine_link_opts *opts)
{
	struct engine_link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	link->base = base;
	link->clock = clock;
	link->opts = *opts;
	link->first = true;
	link->backoff_ms = LIMIT_RESTART_MIN_MS;
	TAILQ_INIT(&link->waiting);
	TAILQ_INIT(&link->leaving);
	link->leave = event_new(base, -1, 0, leave_now, link);
	if (link->leave == NULL) {
		free(link);
		return NULL;
	}
	link_connect(link);
	return link;
}

void
engine_link_free(struct engine_link *link)
{
	if (link == NULL)
		return;
	assert(link->n_asks == 0);
	link_close(link);
	clock_timer_cancel(&link->retry);
	clock_timer_cancel(&link->expiry);
	event_free(link->leave);
	private_engine_finish(&link->engine);
	free(link);
}

static bool
ask_send(struct link_ask *ask, const char *request, size_t len)
{
	struct engine_link *link = ask->link;

	if (outbox_length(link->outbox) > LIMIT_ENGINE_OUTPUT)
		return false;
	HASH_ADD(hh, link->table, id, sizeof(ask->id), ask);
	if (ask->hh.tbl == NULL)
		return false;
	ask->waiting = true;
	ask->asked_ms = clock_mono_ms(link->clock);
	ask->due_ms = ask->asked_ms + link->opts.answer_ms;
	TAILQ_INSERT_TAIL(&link->waiting, ask, entry);
	if (expiry_arm(link) &&
	    evbuffer_add(outbox_open(link->outbox), request, len) == 0)
		return true;
	stop_waiting(ask);
	return false;
}

struct link_ask *
engine_link_ask(struct engine_link *link, enum query_verb verb,
    struct span argument, link_done_fn *done, void *arg)
{
	char request[QUERY_LINE_SIZE];
	size_t len =
	    query_request_format(request, link->last_id + 1, verb, argument);
	struct link_ask *ask;

	if (len == 0 || link->n_asks >= LIMIT_ENGINE_ASKS)
		return NULL;
	ask = calloc(1, sizeof(*ask));
	if (ask == NULL)
		return NULL;
	ask->link = link;
	ask->id = ++link->last_id;
	ask->done = done;
	ask->arg = arg;
	if (link->state == LINK_UP || link->first) {
		if (!ask_send(ask, request, len)) {
			free(ask);
			return NULL;
		}
	} else {
		if (link->state == LINK_DOWN)
			retry_later(link);
		ask_leave_later(ask);
	}
	link->n_asks++;
	return ask;
}

void
engine_link_cancel(struct link_ask **ask)
{
	if (*ask != NULL)
		ask_free(*ask);
	*ask = NULL;
}

void
engine_link_reload(struct engine_link *link, int64_t answer_ms)
{
	link->opts.answer_ms = answer_ms;
	/* One that has not greeted yet reads the new configuration anyway. */
	if (link->state == LINK_UP)
		private_engine_kill(&link->engine, SIGHUP);
}
