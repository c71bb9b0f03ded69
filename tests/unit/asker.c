/* SPDX-License-Identifier: ISC */
/* Clients of the query server: see asker.h. */
#include "tests/unit/asker.h"

#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "filter/query_server.h"
#include "filter/unix_connect.h"
#include "proto/query_line.h"

#define IDLE_TURNS 8

struct asker {
	struct served *served;
	int fd;
	char *input; /* heard[from..to] is not taken yet */
	size_t from, to, size;
	bool ended;
	size_t gone;
};

int
served_setup(void **state)
{
	struct served *s = calloc(1, sizeof(*s));

	signal(SIGPIPE, SIG_IGN);
	log_init("test", false, LOG_LEVEL_ERROR);
	assert_non_null(s);
	s->world = world_new();
	s->base = event_base_new();
	s->server = query_server_new(s->base, s->world->clock, s->world->engine,
	    &s->world->config);
	assert_non_null(s->server);
	*state = s;
	return 0;
}

int
served_teardown(void **state)
{
	struct served *s = *state;

	query_server_free(s->server);
	world_free(s->world);
	event_base_free(s->base);
	libevent_global_shutdown();
	free(s);
	return 0;
}

/* Not NONBLOCK alone: that goes on as long as something is active. */
void
served_turn(struct served *s)
{
	for (int i = 0; i < IDLE_TURNS; i++)
		event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static struct asker *
asker_of(struct served *s, int fd)
{
	struct asker *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	a->served = s;
	a->fd = fd;
	return a;
}

static void
count_gone(void *arg)
{
	struct asker *a = arg;

	a->gone++;
}

struct asker *
asker_new(struct served *s)
{
	struct asker *a;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	a = asker_of(s, fds[0]);
	assert_true(query_server_add(s->server, fds[1], count_gone, a));
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	return a;
}

struct asker *
asker_connect(struct served *s, const char *path)
{
	int fd = unix_connect(path);

	return fd == -1 ? NULL : asker_of(s, fd);
}

void
asker_free(struct asker *a)
{
	close(a->fd);
	served_turn(a->served);
	free(a->input);
	free(a);
}

size_t
asker_stuff(struct asker *a, const char *p, size_t len)
{
	size_t n = 0;
	int idle = 0;

	while (n < len && idle < IDLE_TURNS) {
		ssize_t written = write(a->fd, p + n, len - n);

		idle = written > 0 ? 0 : idle + 1;
		if (written > 0)
			n += (size_t)written;
		else
			assert_int_equal(errno, EAGAIN);
		served_turn(a->served);
	}
	return n;
}

void
asker_say_bytes(struct asker *a, const char *p, size_t len)
{
	assert_int_equal(asker_stuff(a, p, len), len);
}

void
asker_write(struct asker *a, const char *text)
{
	assert_int_equal(write(a->fd, text, strlen(text)), strlen(text));
}

void
asker_say(struct asker *a, const char *text)
{
	asker_say_bytes(a, text, strlen(text));
}

void
asker_says_no_more(struct asker *a)
{
	assert_int_equal(shutdown(a->fd, SHUT_WR), 0);
	served_turn(a->served);
}

/* Reads what is there; true when something was. */
static bool
listen_once(struct asker *a)
{
	ssize_t n;

	if (a->from == a->to)
		a->from = a->to = 0;
	if (a->to == a->size) {
		a->size = a->size == 0 ? 65536 : a->size * 2;
		a->input = realloc(a->input, a->size);
		assert_non_null(a->input);
	}
	n = read(a->fd, a->input + a->to, a->size - a->to);
	if (n > 0)
		a->to += (size_t)n;
	else
		a->ended = n == 0 || errno != EAGAIN;
	return n > 0;
}

static char *
line_end(const struct asker *a)
{
	return a->from == a->to
	    ? NULL
	    : memchr(a->input + a->from, '\n', a->to - a->from);
}

/* Listens until there is a line, or nothing any more. */
static char *
listen_for_line(struct asker *a)
{
	char *end = line_end(a);

	for (int idle = 0; end == NULL && !a->ended && idle < IDLE_TURNS;) {
		served_turn(a->served);
		idle = listen_once(a) ? 0 : idle + 1;
		end = line_end(a);
	}
	return end;
}

const char *
asker_hear(struct asker *a)
{
	char *end = listen_for_line(a), *line;

	assert_non_null(end);
	line = a->input + a->from;
	*end = '\0';
	a->from = (size_t)(end + 1 - a->input);
	return line;
}

bool
asker_has_heard(struct asker *a)
{
	while (line_end(a) == NULL && listen_once(a))
		;
	return line_end(a) != NULL;
}

bool
asker_hears_nothing(struct asker *a)
{
	return listen_for_line(a) == NULL && !a->ended;
}

bool
asker_hears_end(struct asker *a)
{
	return listen_for_line(a) == NULL && a->ended;
}

size_t
asker_gone(const struct asker *a)
{
	return a->gone;
}
