/* SPDX-License-Identifier: ISC */
/* A scriptable HTTPS server: see test_https_server.h. */
#include "tests/unit/test_https_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

struct https_connection {
	struct https_server *server;
	struct bufferevent *stream;
	struct event *timer;
	size_t dripped;
	bool answered;
	struct https_connection *next, **link;
};

static void
connection_free(struct https_connection *connection)
{
	SSL *ssl = bufferevent_openssl_get_ssl(connection->stream);

	if (ssl != NULL)
		SSL_shutdown(ssl); /* close_notify, so that an end is one */
	bufferevent_free(connection->stream);
	event_free(connection->timer);
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	connection->server->open--;
	free(connection);
}

static size_t
reply_len(const struct https_script *script)
{
	if (script->reply == NULL)
		return 0;
	return script->reply_len != 0 ? script->reply_len
				      : strlen(script->reply);
}

static void
wait_ms(struct https_connection *connection, unsigned ms)
{
	struct timeval delay = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	assert(event_add(connection->timer, &delay) == 0);
}

static void
connection_answer(struct https_connection *connection)
{
	const struct https_script *script = &connection->server->script;
	struct evbuffer *out = bufferevent_get_output(connection->stream);

	if (script->manner == HTTPS_DRIP) {
		if (connection->dripped < reply_len(script)) {
			evbuffer_add(out, script->reply + connection->dripped++,
			    1);
			wait_ms(connection, script->delay_ms);
		}
		return;
	}
	connection->answered = true;
	evbuffer_add(out, script->reply, reply_len(script));
	for (size_t i = 0; i < script->n_units; i++)
		evbuffer_add(out, script->unit, strlen(script->unit));
	if (evbuffer_get_length(out) == 0 && script->manner != HTTPS_LEAVE)
		connection_free(connection);
}

static void
delay_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connection_answer(arg);
}

static void
request_came(struct bufferevent *stream, void *arg)
{
	struct https_connection *connection = arg;
	struct https_server *server = connection->server;
	struct evbuffer *in = bufferevent_get_input(stream);
	size_t len = evbuffer_get_length(in);

	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos == -1)
		return;
	if (len >= sizeof(server->request))
		len = sizeof(server->request) - 1;
	evbuffer_copyout(in, server->request, len);
	server->request[len] = '\0';
	evbuffer_drain(in, evbuffer_get_length(in));
	if (server->script.manner == HTTPS_CLOSE)
		connection_free(connection);
	else if (server->script.delay_ms > 0)
		wait_ms(connection, server->script.delay_ms);
	else
		connection_answer(connection);
}

static void
all_written(struct bufferevent *stream, void *arg)
{
	struct https_connection *connection = arg;

	(void)stream;
	if (connection->answered &&
	    connection->server->script.manner != HTTPS_LEAVE)
		connection_free(connection);
}

static void
stream_event(struct bufferevent *stream, short what, void *arg)
{
	(void)stream;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		connection_free(arg);
}

static struct bufferevent *
stream_new(struct https_server *server, evutil_socket_t fd)
{
	const int flags = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct bufferevent *stream;

	if (server->script.manner == HTTPS_NO_TLS ||
	    server->script.manner == HTTPS_PLAIN_TEXT)
		return bufferevent_socket_new(server->base, fd, flags);
	stream = bufferevent_openssl_socket_new(server->base, fd,
	    SSL_new(server->ctx), BUFFEREVENT_SSL_ACCEPTING, flags);
	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

static void
connection_came(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *from, int from_len, void *arg)
{
	struct https_server *server = arg;
	struct https_connection *connection;

	(void)listener;
	(void)from;
	(void)from_len;
	server->accepted++;
	if (server->script.manner == HTTPS_CUT) {
		evutil_closesocket(fd);
		return;
	}
	connection = calloc(1, sizeof(*connection));
	assert(connection != NULL);
	connection->server = server;
	connection->stream = stream_new(server, fd);
	connection->timer = evtimer_new(server->base, delay_over, connection);
	assert(connection->stream != NULL && connection->timer != NULL);
	connection->next = server->connections;
	connection->link = &server->connections;
	if (connection->next != NULL)
		connection->next->link = &connection->next;
	server->connections = connection;
	if (++server->open > server->most_open)
		server->most_open = server->open;
	bufferevent_setcb(connection->stream,
	    server->script.manner == HTTPS_NO_TLS ? NULL : request_came,
	    all_written, stream_event, connection);
	bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
	if (server->script.manner == HTTPS_PLAIN_TEXT)
		connection_answer(connection);
}

static uint16_t
listener_port(struct evconnlistener *listener)
{
	struct sockaddr_storage ss;
	struct sockaddr_in in;
	socklen_t len = sizeof(ss);

	assert(getsockname(evconnlistener_get_fd(listener),
		   (struct sockaddr *)&ss, &len) == 0);
	memcpy(&in, &ss, sizeof(in)); /* the port stands at the same place */
	return ntohs(in.sin_port);
}

struct https_server *
https_server_new(struct event_base *base, const char *address, uint16_t port,
    SSL_CTX *ctx, const struct https_script *script)
{
	struct https_server *server = calloc(1, sizeof(*server));
	struct sockaddr_storage ss;
	struct address parsed;
	socklen_t len;

	assert(server != NULL && address_parse(address, &parsed));
	server->base = base;
	server->ctx = ctx;
	server->script = *script;
	len = address_to_sockaddr(&parsed, port, &ss);
	server->listener = evconnlistener_new_bind(base, connection_came,
	    server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 256,
	    (struct sockaddr *)&ss, (int)len);
	if (server->listener == NULL) {
		free(server);
		return NULL;
	}
	server->port = listener_port(server->listener);
	return server;
}

void
https_server_free(struct https_server *server)
{
	if (server == NULL)
		return;
	while (server->connections != NULL)
		connection_free(server->connections);
	evconnlistener_free(server->listener);
	free(server);
}
