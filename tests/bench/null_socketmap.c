/* SPDX-License-Identifier: ISC */
/*
 * The floor: a socketmap server on libevent that knows nothing. Each netstring
 * that comes in gets the same answer, as long as strictmxd's.
 *
 *	usage: null_socketmap PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/process.h"

static const char answer[] =
    "50:OK secure match=m1000.mx.bench servername=hostname,";

static void
readable(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);

	(void)arg;
	for (;;) {
		size_t len = evbuffer_get_length(input), n;
		const char *p = (const char *)evbuffer_pullup(input, -1);
		const char *colon = len == 0 ? NULL : memchr(p, ':', len);

		if (colon == NULL)
			return;
		n = (size_t)(colon - p) + 2 + strtoul(p, NULL, 10);
		if (len < n)
			return;
		evbuffer_drain(input, n);
		bufferevent_write(bev, answer, sizeof(answer) - 1);
	}
}

static void
ended(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(arg, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)sa;
	(void)len;
	if (bev == NULL)
		die("out of memory");
	bufferevent_setcb(bev, readable, NULL, ended, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct event_base *base = event_base_new();

	if (argc != 2 || base == NULL)
		die("usage: null_socketmap PORT");
	signal(SIGPIPE, SIG_IGN);
	sin.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	if (evconnlistener_new_bind(base, accepted, base,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128,
		(struct sockaddr *)&sin, sizeof(sin)) == NULL)
		die("null_socketmap: %s", strerror(errno));
	event_base_dispatch(base);
	return 0;
}
