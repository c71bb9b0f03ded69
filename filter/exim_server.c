/* SPDX-License-Identifier: ISC */
/*
 * Exim's socket, served: see exim_server.h. A client costs one line, one answer
 * and a few seconds, whatever it does.
 */
#include "filter/exim_server.h"

#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/loop_meter.h"
#include "filter/acceptor.h"
#include "filter/exim_question.h"
#include "filter/lines.h"
#include "proto/exim_line.h"

struct client {
	struct exim_server *server;
	struct bufferevent *bev;
	struct clock_timer *over;	/* its time */
	struct exim_question *question; /* that it waits for; NULL: none */
	bool asked;			/* its one line has come */
	LIST_ENTRY(client) entry;
};

struct exim_server {
	struct event_base *base;
	struct clock *clock;
	struct exim_questions *questions;
	struct loop_meter *meter;
	struct acceptor *acceptor;
	LIST_HEAD(, client) clients;
};

static void
client_free(struct client *c)
{
	exim_question_leave(&c->question);
	clock_timer_cancel(&c->over);
	LIST_REMOVE(c, entry);
	bufferevent_free(c->bev);
	acceptor_give_place(c->server->acceptor);
	free(c);
}

/* Written whole, or the client sees the end of a line that has no LF. */
static void
client_answer(const char *line, void *arg)
{
	struct client *c = arg;

	c->question = NULL; /* spent */
	if (evbuffer_add_printf(bufferevent_get_output(c->bev), "%s\n", line) ==
	    -1)
		bufferevent_trigger_event(c->bev, BEV_EVENT_ERROR,
		    BEV_TRIG_DEFER_CALLBACKS);
}

static void
client_ask(struct client *c, struct span line)
{
	struct exim_request request = exim_request_parse(line);

	loop_meter_touch(c->server->meter);
	c->asked = true;
	bufferevent_disable(c->bev, EV_READ);
	c->question = exim_question_start(c->server->questions, &request,
	    client_answer, c);
}

static void
client_readable(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	struct lines lines = { .input = input };
	struct span line;

	if (c->asked)
		return;
	if (lines_next(&lines, &line))
		client_ask(c, line.p == NULL ? span_of("") : line);
	else if (evbuffer_get_length(input) > EXIM_REQUEST_MAX)
		client_ask(c, span_of(""));
	lines_end(&lines);
}

/* Its answer has gone out. */
static void
client_drained(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->asked && c->question == NULL)
		client_free(c);
}

/* The end of what it says is nothing to one whose line has come. */
static void
client_gone(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (!(what & BEV_EVENT_EOF) || !c->asked)
		client_free(c);
}

static void
client_over(void *arg)
{
	struct client *c = arg;

	c->over = NULL;
	client_free(c);
}

bool
exim_server_add(struct exim_server *server, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	c->server = server;
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    (c->bev = bufferevent_socket_new(server->base, fd,
		 BEV_OPT_CLOSE_ON_FREE)) == NULL)
		goto fail;
	bufferevent_setcb(c->bev, client_readable, client_drained, client_gone,
	    c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, EXIM_REQUEST_MAX + 2);
	c->over = clock_timer_start(server->clock, LIMIT_EXIM_CLIENT_MS,
	    client_over, c);
	if (c->over == NULL ||
	    bufferevent_enable(c->bev, EV_READ | EV_WRITE) == -1)
		goto fail;
	LIST_INSERT_HEAD(&server->clients, c, entry);
	acceptor_take_place(server->acceptor);
	return true;
fail:
	clock_timer_cancel(&c->over);
	if (c->bev != NULL) {
		bufferevent_setfd(c->bev, -1);
		bufferevent_free(c->bev);
	}
	free(c);
	return false;
}

/* The socket. */

static bool
accepted(int fd, void *arg)
{
	return exim_server_add(arg, fd);
}

bool
exim_server_listen(struct exim_server *server, const char *path, uid_t uid,
    gid_t gid)
{
	return acceptor_listen(server->acceptor, path, uid, gid);
}

/* Life. */

struct exim_server *
exim_server_new(struct event_base *base, struct clock *clock)
{
	struct exim_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->base = base;
	s->clock = clock;
	LIST_INIT(&s->clients);
	s->questions = exim_questions_new(clock, NULL, NULL, NULL);
	s->acceptor = acceptor_new(base, clock, "exim socket",
	    LIMIT_EXIM_CLIENTS, accepted, s);
	if (s->questions != NULL && s->acceptor != NULL)
		return s;
	exim_server_free(s);
	return NULL;
}

void
exim_server_use(struct exim_server *server, struct engine *engine,
    const struct config *config, const struct tls_verify *verify)
{
	exim_questions_use(server->questions, engine, config, verify);
}

void
exim_server_set_meter(struct exim_server *server, struct loop_meter *meter)
{
	server->meter = meter;
}

void
exim_server_free(struct exim_server *server)
{
	if (server == NULL)
		return;
	while (!LIST_EMPTY(&server->clients))
		client_free(LIST_FIRST(&server->clients));
	exim_questions_free(server->questions);
	acceptor_free(server->acceptor);
	free(server);
}
