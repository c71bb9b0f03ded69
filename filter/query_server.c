/* SPDX-License-Identifier: ISC */
/*
 * strictmx-query(7), served. A line comes in, is answered at once when the
 * verdict is kept, else when the engine calls back. Every client is bounded:
 * its line, its requests in flight, its unread answers.
 */
#include "filter/query_server.h"

#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/exempt.h"
#include "common/explain.h"
#include "common/limits.h"
#include "common/loop_meter.h"
#include "common/verdict.h"
#include "filter/acceptor.h"
#include "filter/lines.h"
#include "filter/outbox.h"
#include "filter/query_admin.h"
#include "proto/domain.h"
#include "proto/query_line.h"

#define READ_MAX 65536 /* of one client at a time */
#define UNABLE_TEXT "strictmx: out of resources, try again later"

struct request {
	struct client *client;
	struct engine_ask *ask; /* one of both, while it runs */
	struct query_job *job;
	enum query_verb verb;
	char id[QUERY_ID_MAX + 1];
	TAILQ_ENTRY(request) entry;
};

/* A line whose answer is long, until there is room for that. */
struct waiting {
	TAILQ_ENTRY(waiting) entry;
	size_t len;
	char line[];
};

struct client {
	struct query_server *server;
	struct bufferevent *bev;
	struct outbox *outbox; /* of bev */
	TAILQ_HEAD(, request) requests;
	size_t n_requests;
	size_t n_long; /* of these: with long answers */
	TAILQ_HEAD(, waiting) waiting;
	size_t waiting_len; /* octets of these */
	bool skipping;	    /* the rest of a line that was too long */
	bool ending;	    /* says no more: is answered, then closed */
	query_server_gone_fn *gone;
	void *gone_arg;
	LIST_ENTRY(client) entry;
};

struct query_server {
	struct event_base *base;
	struct query_scope scope; /* clock, engine, configuration, meter */
	struct acceptor *acceptor;
	LIST_HEAD(, client) clients; /* n_clients of scope */
};

static void client_serve(struct client *c);

/* Answers. */

static char *
put(char *at, const char *p, size_t len)
{
	memcpy(at, p, len);
	return at + len;
}

/*
 * Not printed: with many answers in a second that is half of the work. An
 * answer that finds no memory ends the client: he must not wait for it.
 */
static void
answer(struct client *c, struct span id, enum query_word word, const char *s)
{
	struct evbuffer *output = outbox_open(c->outbox);
	const char *name = query_word_name(word);
	size_t name_len = strlen(name), len = strlen(s);
	struct evbuffer_iovec space;
	char *at;

	if (evbuffer_reserve_space(output,
		(ssize_t)(id.len + name_len + len + 3), &space, 1) != 1) {
		bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR,
		    BEV_TRIG_DEFER_CALLBACKS);
		return;
	}
	at = put(space.iov_base, id.p, id.len);
	*at++ = ' ';
	at = put(at, name, name_len);
	if (len > 0)
		*at++ = ' ';
	at = put(at, s, len);
	*at++ = '\n';
	space.iov_len = (size_t)(at - (char *)space.iov_base);
	evbuffer_commit_space(output, &space, 1);
}

/* No judgement is possible: a refusal for now, or no facts. */
static void
answer_unable(struct client *c, const struct query_request *q)
{
	if (q->verb == QUERY_EXPLAIN)
		answer(c, q->id, QUERY_ERROR, UNABLE_TEXT);
	else
		answer(c, q->id,
		    c->server->scope.config->testing ? QUERY_PROCEED
						     : QUERY_DEFER,
		    "451 4.3.0 " UNABLE_TEXT);
}

static void
answer_facts(struct client *c, struct span id, char *json)
{
	if (json == NULL)
		answer(c, id, QUERY_ERROR, "out of memory");
	else
		answer(c, id, QUERY_FACTS, json);
	free(json);
}

static void
answer_verdict(struct client *c, struct span id, enum query_verb verb,
    const struct verdict *v)
{
	if (verb == QUERY_EXPLAIN) {
		answer_facts(c, id, explain_verdict(v));
		return;
	}
	switch (v->action) {
	case ACTION_PROCEED:
	case ACTION_WOULD_DEFER:
		answer(c, id, QUERY_PROCEED, v->reason);
		break;
	case ACTION_DEFER:
		answer(c, id, QUERY_DEFER, v->reason);
		break;
	case ACTION_REJECT:
		answer(c, id, QUERY_REJECT, v->reason);
		break;
	}
}

static void
answer_exempt(struct client *c, struct span id, enum query_verb verb,
    const char *domain, const char *why)
{
	if (verb == QUERY_EXPLAIN)
		answer_facts(c, id, explain_exempt(domain, why));
	else
		answer(c, id, QUERY_PROCEED, why);
}

/* Requests. */

static struct request *
request_new(struct client *c, const struct query_request *q)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->client = c;
	r->verb = q->verb;
	span_copy(q->id, r->id, sizeof(r->id));
	TAILQ_INSERT_TAIL(&c->requests, r, entry);
	c->n_requests++;
	c->n_long += r->verb != QUERY_RCPT;
	return r;
}

static void
request_free(struct request *r)
{
	engine_ask_cancel(&r->ask);
	query_admin_cancel(&r->job);
	TAILQ_REMOVE(&r->client->requests, r, entry);
	r->client->n_requests--;
	r->client->n_long -= r->verb != QUERY_RCPT;
	free(r);
}

static void
verdict_done(const struct verdict *verdict, void *arg)
{
	struct request *r = arg;
	struct client *c = r->client;

	r->ask = NULL; /* spent */
	answer_verdict(c, span_of(r->id), r->verb, verdict);
	request_free(r);
	client_serve(c);
}

static bool
request_start(struct client *c, const struct query_request *q,
    const char *domain)
{
	struct request *r = request_new(c, q);

	if (r == NULL)
		return false;
	r->ask = engine_ask(c->server->scope.engine, GATE_ADMISSION, domain,
	    verdict_done, r);
	if (r->ask != NULL)
		return true;
	request_free(r);
	return false;
}

static void
request_rcpt(struct client *c, const struct query_request *q)
{
	char domain[DOMAIN_SIZE];
	enum domain_kind kind = domain_of_mailbox(q->argument, domain);
	const char *why = exempt_why(c->server->scope.config, kind, domain);
	const struct verdict *kept;

	if (why != NULL)
		answer_exempt(c, q->id, q->verb, domain, why);
	else if (kind == DOMAIN_NO_MEMORY)
		answer_unable(c, q);
	else if ((kept = engine_cached(c->server->scope.engine, GATE_ADMISSION,
		      domain)) != NULL)
		answer_verdict(c, q->id, q->verb, kept);
	else if (!request_start(c, q, domain))
		answer_unable(c, q);
}

static void
admin_done(const char *json, const char *why, void *arg)
{
	struct request *r = arg;
	struct client *c = r->client;

	r->job = NULL; /* spent */
	answer(c, span_of(r->id), json == NULL ? QUERY_ERROR : QUERY_FACTS,
	    json == NULL ? why : json);
	request_free(r);
	client_serve(c);
}

/* What only an administrator asks. */
static void
request_admin(struct client *c, const struct query_request *q)
{
	struct request *r = request_new(c, q);

	if (r != NULL)
		r->job = query_admin_start(&c->server->scope, q,
		    bufferevent_getfd(c->bev), admin_done, r);
	if (r != NULL && r->job != NULL)
		return;
	if (r != NULL)
		request_free(r);
	answer(c, q->id, QUERY_ERROR, UNABLE_TEXT);
}

static void
request_begin(struct client *c, const struct query_request *q)
{
	if (query_verb_is_admin(q->verb))
		request_admin(c, q);
	else
		request_rcpt(c, q);
}

/*
 * Those with long answers have few places, and take turns. They wait here, not
 * in the socket: nothing that comes behind them may wait for that, least of all
 * a recipient.
 */

static bool
client_has_turn(const struct client *c)
{
	return c->n_long < LIMIT_QUERY_LONG &&
	    outbox_length(c->outbox) < LIMIT_QUERY_OUTPUT;
}

static void
waiting_add(struct client *c, struct span line, struct span id)
{
	struct waiting *w = NULL;

	if (c->waiting_len + line.len <= LIMIT_QUERY_WAITING)
		w = malloc(sizeof(*w) + line.len);
	if (w == NULL) {
		answer(c, id, QUERY_ERROR, UNABLE_TEXT);
		return;
	}
	w->len = line.len;
	memcpy(w->line, line.p, line.len);
	TAILQ_INSERT_TAIL(&c->waiting, w, entry);
	c->waiting_len += w->len;
}

static void
waiting_free(struct client *c, struct waiting *w)
{
	TAILQ_REMOVE(&c->waiting, w, entry);
	c->waiting_len -= w->len;
	free(w);
}

static void
waiting_begin(struct client *c)
{
	struct waiting *w;

	while (client_has_turn(c) && (w = TAILQ_FIRST(&c->waiting)) != NULL) {
		struct query_request q =
		    query_request_parse((struct span){ w->line, w->len });

		request_begin(c, &q);
		waiting_free(c, w);
	}
}

static void
request_line(struct client *c, struct span line)
{
	struct query_request q = query_request_parse(line);

	if (q.verb == QUERY_BAD)
		answer(c, q.id, QUERY_ERROR, q.why);
	else if (q.verb == QUERY_PING)
		answer(c, q.id, QUERY_PONG, "");
	else if (q.verb != QUERY_RCPT &&
	    (!client_has_turn(c) || !TAILQ_EMPTY(&c->waiting)))
		waiting_add(c, line, q.id);
	else
		request_begin(c, &q);
}

/* Clients. */

static void
client_free(struct client *c)
{
	struct query_server *s = c->server;

	while (!TAILQ_EMPTY(&c->requests))
		request_free(TAILQ_FIRST(&c->requests));
	while (!TAILQ_EMPTY(&c->waiting))
		waiting_free(c, TAILQ_FIRST(&c->waiting));
	LIST_REMOVE(c, entry);
	outbox_free(c->outbox);
	bufferevent_free(c->bev);
	free(c);
	acceptor_give_place(s->acceptor);
	s->scope.n_clients--;
}

static bool
client_is_full(const struct client *c)
{
	return c->n_requests >= LIMIT_QUERY_IN_FLIGHT ||
	    outbox_length(c->outbox) >= LIMIT_QUERY_OUTPUT;
}

/* A line that is longer than any request: say so once, drop the rest of it. */
static void
client_skip(struct client *c, struct evbuffer *input)
{
	if (!c->skipping)
		answer(c, span_of("-"), QUERY_ERROR, "line too long");
	c->skipping = true;
	evbuffer_drain(input, evbuffer_get_length(input));
}

static void
client_line(struct client *c, struct span line)
{
	if (line.p == NULL || line.len > QUERY_REQUEST_MAX) {
		if (!c->skipping)
			answer(c, span_of("-"), QUERY_ERROR,
			    line.p == NULL ? "out of memory" : "line too long");
	} else if (!c->skipping) {
		request_line(c, line);
	}
	c->skipping = false;
}

/* Takes every whole line that has come, while there is room for its answer. */
static void
client_serve(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	struct lines lines = { .input = input };
	struct span line;
	bool full;

	loop_meter_touch(c->server->scope.meter);
	waiting_begin(c);
	while (!(full = client_is_full(c)) && lines_next(&lines, &line))
		client_line(c, line);
	lines_end(&lines);
	if (full) {
		bufferevent_disable(c->bev, EV_READ);
		return;
	}
	if (evbuffer_get_length(input) > QUERY_REQUEST_MAX)
		client_skip(c, input);
	if (!c->ending)
		bufferevent_enable(c->bev, EV_READ);
}

static void
client_readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_serve(arg);
}

static void
client_drained(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	client_serve(c);
	if (c->ending && c->n_requests == 0 && TAILQ_EMPTY(&c->waiting) &&
	    outbox_length(c->outbox) == 0)
		client_free(c);
}

/* Has he only closed his way to us ("printf ... | socat - UNIX:...")? */
static bool
client_listens(const struct client *c)
{
	struct pollfd hangup = { .fd = bufferevent_getfd(c->bev) };

	return poll(&hangup, 1, 0) == 0;
}

/* The end of a filter is the end; others may wait for their answers. */
static void
client_gone(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;
	query_server_gone_fn *gone = c->gone;
	void *gone_arg = c->gone_arg;

	if (what & BEV_EVENT_EOF && gone == NULL && client_listens(c)) {
		c->ending = true;
		client_drained(bev, c);
		return;
	}
	client_free(c);
	if (gone != NULL)
		gone(gone_arg);
}

static bool
client_greet(struct client *c)
{
	bufferevent_setcb(c->bev, client_readable, client_drained, client_gone,
	    c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, READ_MAX);
	return evbuffer_add_printf(outbox_open(c->outbox), "%s\n",
		   QUERY_GREETING) != -1 &&
	    bufferevent_enable(c->bev, EV_READ | EV_WRITE) == 0;
}

/* Takes fd only when all is well. */
static bool
client_connect(struct client *c, struct event_base *base, int fd)
{
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    (c->bev = bufferevent_socket_new(base, fd,
		 BEV_OPT_CLOSE_ON_FREE)) == NULL)
		return false;
	c->outbox = outbox_new(c->bev);
	if (c->outbox != NULL && client_greet(c))
		return true;
	outbox_free(c->outbox);
	bufferevent_setfd(c->bev, -1);
	bufferevent_free(c->bev);
	return false;
}

bool
query_server_add(struct query_server *server, int fd,
    query_server_gone_fn *gone, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	if (!client_connect(c, server->base, fd)) {
		free(c);
		return false;
	}
	c->server = server;
	c->gone = gone;
	c->gone_arg = arg;
	TAILQ_INIT(&c->requests);
	TAILQ_INIT(&c->waiting);
	LIST_INSERT_HEAD(&server->clients, c, entry);
	acceptor_take_place(server->acceptor);
	server->scope.n_clients++;
	return true;
}

/* The socket. */

static bool
accepted(int fd, void *arg)
{
	return query_server_add(arg, fd, NULL, NULL);
}

bool
query_server_listen(struct query_server *server, const char *path, uid_t uid,
    gid_t gid)
{
	return acceptor_listen(server->acceptor, path, uid, gid);
}

/* Life. */

struct query_server *
query_server_new(struct event_base *base, struct clock *clock,
    struct engine *engine, const struct config *config)
{
	struct query_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->acceptor = acceptor_new(base, clock, "query socket",
	    LIMIT_QUERY_CLIENTS, accepted, s);
	if (s->acceptor == NULL) {
		free(s);
		return NULL;
	}
	s->base = base;
	s->scope.clock = clock;
	s->scope.began_ms = clock_mono_ms(clock);
	LIST_INIT(&s->clients);
	query_server_use(s, engine, config);
	return s;
}

void
query_server_use(struct query_server *server, struct engine *engine,
    const struct config *config)
{
	server->scope.engine = engine;
	server->scope.config = config;
}

void
query_server_set_meter(struct query_server *server, struct loop_meter *meter)
{
	server->scope.meter = meter;
}

void
query_server_free(struct query_server *server)
{
	if (server == NULL)
		return;
	while (!LIST_EMPTY(&server->clients))
		client_free(LIST_FIRST(&server->clients));
	acceptor_free(server->acceptor);
	free(server);
}
