/* SPDX-License-Identifier: ISC */
/* Clients of the socketmap server: see mapper.h. */
#include "tests/unit/mapper.h"

#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/log.h"
#include "filter/socketmap_server.h"
#include "proto/netstring.h"
#include "proto/socketmap.h"

#define IDLE_TURNS 8

struct mapper {
	struct mapped *mapped;
	int fd;
	char heard[2 * SOCKETMAP_ANSWER_MAX];
	size_t len;
	char answer[SOCKETMAP_ANSWER_MAX + 1];
	bool ended;
};

struct mapped *
mapped_new(void)
{
	struct mapped *m = calloc(1, sizeof(*m));

	signal(SIGPIPE, SIG_IGN);
	log_init("test", false, LOG_LEVEL_ERROR);
	assert_non_null(m);
	m->world = world_new();
	m->world->config.record_patience_s = 3600;
	m->base = event_base_new();
	m->server = socketmap_server_new(m->base, m->world->clock,
	    m->world->engine, &m->world->config);
	assert_non_null(m->server);
	return m;
}

void
mapped_free(struct mapped *mapped)
{
	socketmap_server_free(mapped->server);
	world_free(mapped->world);
	event_base_free(mapped->base);
	libevent_global_shutdown();
	free(mapped);
}

void
mapped_turn(struct mapped *mapped)
{
	for (int i = 0; i < IDLE_TURNS; i++)
		event_base_loop(mapped->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

void
mapped_seconds_pass(struct mapped *mapped, int seconds)
{
	clock_advance(mapped->world->clock, seconds * 1000);
	mapped_turn(mapped);
}

static void
ignore(const struct verdict *verdict, void *arg)
{
	(void)verdict;
	(void)arg;
}

void
mapped_occupy(struct mapped *mapped, const char *domain)
{
	assert_non_null(engine_ask(mapped->world->engine, GATE_DELIVERY, domain,
	    ignore, NULL));
}

struct mapper *
mapper_of(struct mapped *mapped, int fd)
{
	struct mapper *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_int_not_equal(fd, -1);
	p->mapped = mapped;
	p->fd = fd;
	return p;
}

struct mapper *
mapper_new(struct mapped *mapped)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	assert_true(socketmap_server_add(mapped->server, fds[1]));
	return mapper_of(mapped, fds[0]);
}

void
mapper_free(struct mapper *mapper)
{
	close(mapper->fd);
	mapped_turn(mapper->mapped);
	free(mapper);
}

/* How much of it was taken before the way was full. */
static size_t
push(struct mapper *p, const char *text, size_t len)
{
	size_t n = 0;

	for (int idle = 0; n < len && idle < IDLE_TURNS;) {
		ssize_t sent = send(p->fd, text + n, len - n, MSG_NOSIGNAL);

		if (sent == -1 && errno != EAGAIN)
			break;
		idle = sent > 0 ? 0 : idle + 1;
		n += sent > 0 ? (size_t)sent : 0;
		mapped_turn(p->mapped);
	}
	return n;
}

void
mapper_say(struct mapper *mapper, const char *p, size_t len)
{
	assert_int_equal(push(mapper, p, len), len);
}

void
mapper_write(struct mapper *mapper, const char *text)
{
	assert_int_equal(write(mapper->fd, text, strlen(text)), strlen(text));
}

size_t
mapper_stuff(struct mapper *mapper, const char *text, size_t max)
{
	size_t len = strlen(text), n = 0, pushed;

	do
		n += pushed = push(mapper, text, len);
	while (pushed == len && n < max);
	return n;
}

void
mapper_ask(struct mapper *mapper, const char *question)
{
	char head[NETSTRING_HEAD_MAX];
	size_t len = strlen(question);

	mapper_say(mapper, head, netstring_head(head, len));
	mapper_say(mapper, question, len);
	push(mapper, ",", 1); /* one that is too long has an end already */
}

void
mapper_says_no_more(struct mapper *mapper)
{
	assert_int_equal(shutdown(mapper->fd, SHUT_WR), 0);
	mapped_turn(mapper->mapped);
}

/* Is there a whole one? It points into what was heard. */
static bool
answer_find(struct mapper *p, struct span *octets, size_t *used)
{
	enum netstring_state state =
	    netstring_parse((struct span){ p->heard, p->len },
		SOCKETMAP_ANSWER_MAX, octets, used);

	assert_int_not_equal(state, NETSTRING_BAD);
	return state == NETSTRING_WHOLE;
}

/* Listens until there is an answer, or nothing any more. */
static bool
listen_for_answer(struct mapper *p)
{
	struct span octets;
	size_t used;
	bool found = answer_find(p, &octets, &used);

	for (int idle = 0; !found && !p->ended && idle < IDLE_TURNS;) {
		ssize_t n;

		mapped_turn(p->mapped);
		n = read(p->fd, p->heard + p->len, sizeof(p->heard) - p->len);
		if (n > 0)
			p->len += (size_t)n;
		else
			p->ended = n == 0 || errno != EAGAIN;
		idle = n > 0 ? 0 : idle + 1;
		found = answer_find(p, &octets, &used);
	}
	return found;
}

const char *
mapper_hear(struct mapper *mapper)
{
	struct span octets;
	size_t used;

	assert_true(listen_for_answer(mapper));
	assert_true(answer_find(mapper, &octets, &used));
	assert_true(span_copy(octets, mapper->answer, sizeof(mapper->answer)));
	mapper->len -= used;
	memmove(mapper->heard, mapper->heard + used, mapper->len);
	return mapper->answer;
}

bool
mapper_hears_nothing(struct mapper *mapper)
{
	return !listen_for_answer(mapper) && !mapper->ended;
}

bool
mapper_hears_end(struct mapper *mapper)
{
	return !listen_for_answer(mapper) && mapper->ended;
}

bool
mapper_is_closed(struct mapper *mapper)
{
	return send(mapper->fd, "x", 1, MSG_NOSIGNAL) == -1 && errno != EAGAIN;
}
