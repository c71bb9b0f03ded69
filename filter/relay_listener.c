/* SPDX-License-Identifier: ISC */
/* The sockets that the relay listens on: see relay_listener.h. */
#include "filter/relay_listener.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/relay_settings.h"
#include "filter/relay.h"
#include "filter/relay_private.h"

#define BACKLOG 1024
#define ACCEPT_PAUSE_MS 250

struct relay_listener {
	struct relay *relay;
	struct clock *clock;
	struct clock_timer *pause;
	size_t n;
	struct evconnlistener **sockets;
};

static void
pause_over(void *arg)
{
	struct relay_listener *l = arg;

	l->pause = NULL;
	for (size_t i = 0; i < l->n; i++)
		evconnlistener_enable(l->sockets[i]);
}

/* Who connects meanwhile waits in the system's queues. */
static void
pause_accepting(struct relay_listener *l)
{
	if (l->pause != NULL)
		return;
	l->pause = clock_timer_start(l->clock, ACCEPT_PAUSE_MS, pause_over, l);
	if (l->pause == NULL)
		return;
	for (size_t i = 0; i < l->n; i++)
		evconnlistener_disable(l->sockets[i]);
}

static void
accepted(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	struct relay_listener *l = arg;
	struct address peer;

	(void)socket;
	(void)len;
	if (!address_from_sockaddr(sa, &peer)) {
		evutil_closesocket(fd);
		return;
	}
	relay_serve(l->relay, fd, &peer);
	if (l->relay->n_sessions >= LIMIT_RELAY_CONNECTIONS)
		pause_accepting(l);
}

static void
accept_failed(struct evconnlistener *socket, void *arg)
{
	struct relay_listener *l = arg;

	(void)socket;
	log_warning("relay: cannot accept: %s", strerror(errno));
	pause_accepting(l);
}

static bool
is_not_here(int error)
{
	return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static bool
endpoint_open(struct relay_listener *l, const struct relay_endpoint *e,
    bool may_be_absent)
{
	struct sockaddr_storage ss;
	socklen_t len = address_to_sockaddr(&e->address, e->port, &ss);
	char text[ADDRESS_SIZE];
	struct evconnlistener *socket = evconnlistener_new_bind(l->relay->base,
	    accepted, l,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    BACKLOG, (struct sockaddr *)&ss, (int)len);

	if (socket != NULL) {
		evconnlistener_set_error_cb(socket, accept_failed);
		l->sockets[l->n++] = socket;
		return true;
	}
	address_format(&e->address, text);
	if (may_be_absent && is_not_here(errno)) {
		log_notice("relay: no address %s here: not listened on", text);
		return true;
	}
	log_error("relay: cannot listen on %s port %u: %s", text, e->port,
	    strerror(errno));
	return false;
}

struct relay_listener *
relay_listener_new(struct clock *clock, const struct relay_settings *settings,
    struct relay *relay)
{
	struct relay_listener *l = calloc(1, sizeof(*l));
	bool good;

	if (l == NULL)
		return NULL;
	l->relay = relay;
	l->clock = clock;
	l->sockets =
	    calloc(settings->n_endpoints + 1, sizeof(struct evconnlistener *));
	good = l->sockets != NULL;
	for (size_t i = 0; good && i < settings->n_endpoints; i++)
		good = endpoint_open(l, &settings->endpoints[i],
		    settings->default_endpoints);
	if (!good) {
		relay_listener_free(l);
		return NULL;
	}
	return l;
}

void
relay_listener_free(struct relay_listener *listener)
{
	if (listener == NULL)
		return;
	clock_timer_cancel(&listener->pause);
	for (size_t i = 0; i < listener->n; i++)
		evconnlistener_free(listener->sockets[i]);
	free(listener->sockets);
	free(listener);
}
