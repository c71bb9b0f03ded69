/* SPDX-License-Identifier: ISC */
/*
 * Postfix's socketmap, served: see socketmap_server.h. A question comes in, is
 * answered at once when nothing can bind or the verdict is kept, else when the
 * engine calls back.
 */
#include "filter/socketmap_server.h"

#include <sys/queue.h>

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/loop_meter.h"
#include "filter/acceptor.h"
#include "filter/outbox.h"
#include "filter/socketmap_policy.h"
#include "proto/nexthop.h"
#include "proto/socketmap.h"

#define QUESTION_SIZE (NETSTRING_AROUND + SOCKETMAP_QUESTION_MAX)
#define UNABLE_TEXT "strictmx: out of resources, try again later"

struct client {
	struct socketmap_server *server;
	struct acceptor *acceptor; /* whose place it has; NULL: nobody's */
	struct bufferevent *bev;
	struct outbox *outbox; /* of bev */
	bool eof;	       /* says no more: what it asked is answered */
	bool ending;	  /* nothing more is taken: closed after the answers */
	bool listens;	  /* is read from */
	int64_t heard_ms; /* when it came, asked, or had waited, last */
	/* The question that waits for the engine. */
	struct engine_ask *ask;
	struct clock_timer *deadline;
	struct nexthop hop;
	bool tlsrpt;
	TAILQ_ENTRY(client) entry;
};

struct listener {
	struct socketmap_server *server;
	struct acceptor *acceptor;
};

struct socketmap_server {
	struct event_base *base;
	struct clock *clock;
	struct engine *engine;
	const struct config *config;
	struct loop_meter *meter;
	size_t n_listeners;
	struct listener listeners[LIMIT_SOCKETMAP_LISTENS];
	struct clock_timer *idle_look; /* while there are clients */
	TAILQ_HEAD(, client) clients;  /* who asked longest ago first */
	struct socketmap_answer answer;
};

static void client_serve(struct client *c);

/*
 * The end of a client comes from the loop: its functions may be running. No
 * more is answered until then: answers are told apart by their order only.
 */
static void
client_fail(struct client *c)
{
	c->ending = true;
	bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR,
	    BEV_TRIG_DEFER_CALLBACKS);
}

/* Answers. */

/* One that finds no memory ends the client: he must not wait for it. */
static void
answer_send(struct client *c)
{
	struct span whole = socketmap_answer_end(&c->server->answer);

	if (evbuffer_add(outbox_open(c->outbox), whole.p, whole.len) == -1)
		client_fail(c);
}

static void
answer(struct client *c, enum socketmap_status status, const char *text)
{
	socketmap_answer_begin(&c->server->answer, status);
	socketmap_answer_add(&c->server->answer, span_of(text));
	answer_send(c);
}

static void
answer_notfound(struct client *c)
{
	answer(c, SOCKETMAP_NOTFOUND, "");
}

/* No judgement is possible: never "no policy", unless all is a test. */
static void
answer_unable(struct client *c, const char *why)
{
	if (c->server->config->testing)
		answer_notfound(c);
	else
		answer(c, SOCKETMAP_TEMP, why);
}

static void
answer_verdict(struct client *c, const struct verdict *verdict)
{
	socketmap_policy_answer(verdict, &c->hop, c->tlsrpt, c->server->config,
	    &c->server->answer);
	answer_send(c);
}

/* Questions. */

/* He is not idle: he has asked, or has had to wait until now. */
static void
client_heard(struct client *c)
{
	struct socketmap_server *s = c->server;

	c->heard_ms = clock_mono_ms(s->clock);
	TAILQ_REMOVE(&s->clients, c, entry);
	TAILQ_INSERT_TAIL(&s->clients, c, entry);
}

static void
ask_cancel(struct client *c)
{
	engine_ask_cancel(&c->ask);
	clock_timer_cancel(&c->deadline);
}

static void
verdict_done(const struct verdict *verdict, void *arg)
{
	struct client *c = arg;

	c->ask = NULL; /* spent */
	ask_cancel(c);
	client_heard(c);
	answer_verdict(c, verdict);
	client_serve(c);
}

/* Postfix would give up, and ask anew; the lookup goes on for that. */
static void
deadline_over(void *arg)
{
	struct client *c = arg;

	c->deadline = NULL;
	ask_cancel(c);
	client_heard(c);
	answer_unable(c, "strictmx: still looking it up, try again later");
	client_serve(c);
}

static void
ask_begin(struct client *c)
{
	struct socketmap_server *s = c->server;

	c->ask = engine_ask(s->engine, GATE_DELIVERY, c->hop.domain,
	    verdict_done, c);
	if (c->ask != NULL)
		c->deadline = clock_timer_start(s->clock,
		    LIMIT_SOCKETMAP_ANSWER_MS, deadline_over, c);
	if (c->deadline != NULL)
		return;
	ask_cancel(c);
	answer_unable(c, UNABLE_TEXT);
}

static void
ask_domain(struct client *c)
{
	struct socketmap_server *s = c->server;
	const struct verdict *kept;

	if (config_is_local(s->config, c->hop.domain)) {
		answer_notfound(c);
		return;
	}
	kept = engine_cached(s->engine, GATE_DELIVERY, c->hop.domain);
	if (kept != NULL)
		answer_verdict(c, kept);
	else
		ask_begin(c);
}

static void
question_key(struct client *c, struct span key)
{
	nexthop_parse(key, &c->hop);
	switch (c->hop.kind) {
	case NEXTHOP_DOMAIN:
	case NEXTHOP_HOST:
		ask_domain(c);
		break;
	case NEXTHOP_LITERAL: /* RFC 8461 3.4: of an address no policy is */
	case NEXTHOP_PARENT:  /* and none is handed down */
	case NEXTHOP_INVALID:
		answer_notfound(c);
		break;
	case NEXTHOP_NO_MEMORY:
		answer_unable(c, UNABLE_TEXT);
		break;
	}
}

static void
question(struct client *c, struct span octets)
{
	struct socketmap_question q;

	if (!socketmap_question_parse(octets, &q)) {
		answer(c, SOCKETMAP_PERM, "strictmx: no \"MAP KEY\"");
		return;
	}
	c->tlsrpt = span_is(q.map, "policy-tlsrpt");
	if (c->tlsrpt || span_is(q.map, "policy"))
		question_key(c, q.key);
	else
		answer(c, SOCKETMAP_PERM,
		    "strictmx: no such map: policy and policy-tlsrpt are "
		    "there");
}

/* Clients. */

static void
client_free(struct client *c)
{
	ask_cancel(c);
	TAILQ_REMOVE(&c->server->clients, c, entry);
	if (c->acceptor != NULL)
		acceptor_give_place(c->acceptor);
	outbox_free(c->outbox);
	bufferevent_free(c->bev);
	free(c);
}

/* What follows cannot be told apart: after the answers so far, the end. */
static void
client_end(struct client *c)
{
	c->ending = true;
	bufferevent_disable(c->bev, EV_READ);
	if (c->ask == NULL && outbox_length(c->outbox) == 0)
		client_fail(c);
}

/* Takes the next question. False when there is none, for now or for good. */
static bool
client_take(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	size_t len = evbuffer_get_length(input), used = 0;
	struct span octets, all = { NULL, 0 };

	all.len = len < QUESTION_SIZE ? len : QUESTION_SIZE;
	all.p = (const char *)evbuffer_pullup(input, (ssize_t)all.len);
	if (all.p == NULL && all.len > 0) {
		client_fail(c);
		return false;
	}
	switch (netstring_parse(all, SOCKETMAP_QUESTION_MAX, &octets, &used)) {
	case NETSTRING_MORE:
		c->ending = c->eof;
		break;
	case NETSTRING_BAD:
		log_info("socketmap: closed: what came was no netstring of "
			 "%d octets or less",
		    SOCKETMAP_QUESTION_MAX);
		client_end(c);
		break;
	case NETSTRING_WHOLE:
		client_heard(c);
		question(c, octets);
		evbuffer_drain(input, used);
		return true;
	}
	return false;
}

static bool
client_may_take(const struct client *c)
{
	return !c->ending && c->ask == NULL &&
	    outbox_length(c->outbox) < LIMIT_SOCKETMAP_OUTPUT;
}

/* What cannot be taken now is not read on either; that he leaves is seen. */
static void
client_listen(struct client *c)
{
	bool listens = client_may_take(c) ||
	    evbuffer_get_length(bufferevent_get_input(c->bev)) == 0;

	if (c->eof || c->ending || listens == c->listens)
		return;
	c->listens = listens;
	if (listens)
		bufferevent_enable(c->bev, EV_READ);
	else
		bufferevent_disable(c->bev, EV_READ);
}

/* One after the other, while there is room for the answer. */
static void
client_serve(struct client *c)
{
	loop_meter_touch(c->server->meter);
	while (client_may_take(c) && client_take(c))
		;
	client_listen(c);
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
	if (c->ending && c->ask == NULL && outbox_length(c->outbox) == 0)
		client_free(c);
}

/* He may have closed his way to us only, and wait for his answers. */
static void
client_gone(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	c->eof = true;
	if ((what & BEV_EVENT_EOF) != 0)
		client_drained(bev, c);
	else
		client_free(c);
}

/* Who asks nothing, or does not read what he asked for. */
static void
idle_look(void *arg)
{
	struct socketmap_server *s = arg;
	int64_t now_ms = clock_mono_ms(s->clock);
	struct client *c, *next;

	for (c = TAILQ_FIRST(&s->clients);
	     c != NULL && now_ms - c->heard_ms >= LIMIT_SOCKETMAP_IDLE_MS;
	     c = next) {
		next = TAILQ_NEXT(c, entry);
		if (c->ask == NULL)
			client_free(c);
	}
	s->idle_look = TAILQ_EMPTY(&s->clients)
	    ? NULL
	    : clock_timer_start(s->clock, LIMIT_SOCKETMAP_LOOK_MS, idle_look,
		  s);
}

/* Takes fd only when all is well. */
static bool
client_connect(struct client *c, int fd)
{
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    (c->bev = bufferevent_socket_new(c->server->base, fd,
		 BEV_OPT_CLOSE_ON_FREE)) == NULL)
		return false;
	bufferevent_setcb(c->bev, client_readable, client_drained, client_gone,
	    c);
	c->outbox = outbox_new(c->bev);
	c->listens = true;
	if (c->outbox != NULL &&
	    bufferevent_enable(c->bev, EV_READ | EV_WRITE) == 0)
		return true;
	outbox_free(c->outbox);
	bufferevent_setfd(c->bev, -1);
	bufferevent_free(c->bev);
	return false;
}

static bool
client_new(struct socketmap_server *s, struct acceptor *acceptor, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	c->server = s;
	if (!client_connect(c, fd)) {
		free(c);
		return false;
	}
	c->acceptor = acceptor;
	if (acceptor != NULL)
		acceptor_take_place(acceptor);
	c->heard_ms = clock_mono_ms(s->clock);
	TAILQ_INSERT_TAIL(&s->clients, c, entry);
	if (s->idle_look == NULL)
		s->idle_look = clock_timer_start(s->clock,
		    LIMIT_SOCKETMAP_LOOK_MS, idle_look, s);
	return true;
}

bool
socketmap_server_add(struct socketmap_server *server, int fd)
{
	return client_new(server, NULL, fd);
}

/* The sockets. */

static bool
accepted(int fd, void *arg)
{
	struct listener *l = arg;

	return client_new(l->server, l->acceptor, fd);
}

bool
socketmap_server_listen(struct socketmap_server *server,
    const struct config_listen *where, uid_t uid, gid_t gid)
{
	struct listener *l = &server->listeners[server->n_listeners];

	assert(server->n_listeners < LIMIT_SOCKETMAP_LISTENS);
	l->server = server;
	l->acceptor = acceptor_new(server->base, server->clock, "socketmap",
	    LIMIT_SOCKETMAP_CLIENTS, accepted, l);
	if (l->acceptor == NULL) {
		log_error("socketmap: out of memory");
		return false;
	}
	server->n_listeners++;
	if (where->path != NULL)
		return acceptor_listen(l->acceptor, where->path, uid, gid);
	return acceptor_listen_tcp(l->acceptor, &where->address, where->port);
}

/* Life. */

struct socketmap_server *
socketmap_server_new(struct event_base *base, struct clock *clock,
    struct engine *engine, const struct config *config)
{
	struct socketmap_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->base = base;
	s->clock = clock;
	TAILQ_INIT(&s->clients);
	socketmap_server_use(s, engine, config);
	return s;
}

void
socketmap_server_use(struct socketmap_server *server, struct engine *engine,
    const struct config *config)
{
	server->engine = engine;
	server->config = config;
}

void
socketmap_server_set_meter(struct socketmap_server *server,
    struct loop_meter *meter)
{
	server->meter = meter;
}

void
socketmap_server_free(struct socketmap_server *server)
{
	if (server == NULL)
		return;
	clock_timer_cancel(&server->idle_look);
	while (!TAILQ_EMPTY(&server->clients))
		client_free(TAILQ_FIRST(&server->clients));
	for (size_t i = 0; i < server->n_listeners; i++)
		acceptor_free(server->listeners[i].acceptor);
	free(server);
}
