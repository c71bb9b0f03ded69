/* SPDX-License-Identifier: ISC */
/* Connections to a listening socket: see acceptor.h. */
#include "filter/acceptor.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"
#include "filter/unix_listen.h"

#define PAUSE_MS 1000
#define BACKLOG 128

struct acceptor {
	struct event_base *base;
	struct clock *clock;
	const char *name;
	size_t places, taken;
	acceptor_fn *accepted;
	void *arg;
	struct evconnlistener *listener;
	struct clock_timer *pause;
	struct unix_listen *file; /* of the listener */
};

static void
pause_over(void *arg)
{
	struct acceptor *a = arg;

	a->pause = NULL;
	if (a->taken < a->places)
		evconnlistener_enable(a->listener);
}

/* Out of descriptors, most likely: a pause lets some come back. */
static void
accept_failed(struct evconnlistener *listener, void *arg)
{
	struct acceptor *a = arg;

	log_warning("%s: accept: %s", a->name, strerror(errno));
	a->pause = clock_timer_start(a->clock, PAUSE_MS, pause_over, a);
	if (a->pause != NULL)
		evconnlistener_disable(listener);
}

static void
accept_done(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *peer, int peer_len, void *arg)
{
	struct acceptor *a = arg;

	(void)listener;
	(void)peer;
	(void)peer_len;
	if (a->accepted(fd, a->arg))
		return;
	log_warning("%s: no memory for another client", a->name);
	close(fd);
}

struct acceptor *
acceptor_new(struct event_base *base, struct clock *clock, const char *name,
    size_t places, acceptor_fn *accepted, void *arg)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->base = base;
	a->clock = clock;
	a->name = name;
	a->places = places;
	a->accepted = accepted;
	a->arg = arg;
	return a;
}

void
acceptor_free(struct acceptor *acceptor)
{
	if (acceptor == NULL)
		return;
	clock_timer_cancel(&acceptor->pause);
	if (acceptor->listener != NULL)
		evconnlistener_free(acceptor->listener);
	unix_listen_free(acceptor->file);
	free(acceptor);
}

/* Takes fd, or says with errno what is wrong with it. */
static bool
serve(struct acceptor *a, int fd, const char *where)
{
	if (fd != -1)
		a->listener = evconnlistener_new(a->base, accept_done, a,
		    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (a->listener == NULL) {
		log_error("%s %s: %s", a->name, where, strerror(errno));
		if (fd != -1)
			close(fd);
		return false;
	}
	evconnlistener_set_error_cb(a->listener, accept_failed);
	return true;
}

bool
acceptor_listen(struct acceptor *acceptor, const char *path, uid_t uid,
    gid_t gid)
{
	int fd = unix_listen(path, uid, gid, &acceptor->file);

	return serve(acceptor, fd, path);
}

static int
tcp_listen(const struct address *address, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = address_to_sockaddr(address, port, &ss);
	const int on = 1;
	int saved,
	    fd = socket(address->family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* One that has just ended may have connections left. */
	if (fd == -1 ||
	    (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(fd, (struct sockaddr *)&ss, len) == 0 &&
		listen(fd, BACKLOG) == 0))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

bool
acceptor_listen_tcp(struct acceptor *acceptor, const struct address *address,
    uint16_t port)
{
	char text[ADDRESS_SIZE], where[ADDRESS_SIZE + 8];
	int fd = tcp_listen(address, port);

	snprintf(where, sizeof(where),
	    address->family == AF_INET6 ? "[%s]:%u" : "%s:%u",
	    address_format(address, text), port);
	return serve(acceptor, fd, where);
}

void
acceptor_take_place(struct acceptor *acceptor)
{
	if (++acceptor->taken >= acceptor->places && acceptor->listener != NULL)
		evconnlistener_disable(acceptor->listener);
}

void
acceptor_give_place(struct acceptor *acceptor)
{
	acceptor->taken--;
	if (acceptor->listener != NULL && acceptor->pause == NULL &&
	    acceptor->taken < acceptor->places)
		evconnlistener_enable(acceptor->listener);
}
