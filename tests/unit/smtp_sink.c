/* SPDX-License-Identifier: ISC */
/* An SMTP server for tests: see smtp_sink.h. */
#include "tests/unit/smtp_sink.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char sink_closes[] = "(closes)";
const char sink_resets[] = "(resets)";

struct connection {
	struct smtp_sink *sink;
	LIST_ENTRY(connection) entry;
	struct bufferevent *bev;
	SSL *ssl;	   /* belongs to bev */
	bool upgrades;	   /* when all is written */
	bool awaits_hello; /* of a handshake that will not be */
	struct event *drip;
	const char *rest; /* to be dripped */
};

struct smtp_sink {
	struct event_base *base;
	struct evconnlistener *listener;
	struct smtp_sink_script script;
	LIST_HEAD(, connection) connections;
	char log[4096];
	char sni[256];
	char ehlo[256];
};

static void
note(struct smtp_sink *sink, char c)
{
	size_t len = strlen(sink->log);

	if (len + 1 < sizeof(sink->log))
		sink->log[len] = c;
}

static void
connection_free(struct connection *c)
{
	LIST_REMOVE(c, entry);
	if (c->ssl != NULL)
		SSL_set_shutdown(c->ssl,
		    SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	event_free(c->drip);
	bufferevent_free(c->bev);
	ERR_clear_error();
	free(c);
}

static void
connection_reset(struct connection *c)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET, SO_LINGER, &now,
	    sizeof(now));
	connection_free(c);
}

static void
drip(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	const struct timeval pause = { 0,
		(suseconds_t)c->sink->script.drip_ms * 1000 };

	(void)fd;
	(void)what;
	bufferevent_write(c->bev, c->rest++, 1);
	if (*c->rest != '\0')
		event_add(c->drip, &pause);
}

/* The connection may be gone after this. */
static void
say(struct connection *c, const char *text)
{
	if (text == NULL)
		return;
	if (text == sink_closes) {
		connection_free(c);
	} else if (text == sink_resets) {
		connection_reset(c);
	} else if (c->sink->script.drips) {
		c->rest = text;
		drip(-1, 0, c);
	} else {
		bufferevent_write(c->bev, text, strlen(text));
	}
}

static void
take_command(struct connection *c, const char *line)
{
	struct smtp_sink *sink = c->sink;
	const struct smtp_sink_script *script = &sink->script;

	if (strncmp(line, "EHLO ", 5) == 0) {
		note(sink, 'E');
		snprintf(sink->ehlo, sizeof(sink->ehlo), "%s", line + 5);
		say(c, c->ssl == NULL ? script->ehlo : script->ehlo_tls);
	} else if (strcmp(line, "STARTTLS") == 0) {
		note(sink, 'S');
		c->upgrades = script->starttls != NULL &&
		    strncmp(script->starttls, "220", 3) == 0;
		say(c, script->starttls);
	} else if (strcmp(line, "QUIT") == 0) {
		note(sink, 'Q');
		say(c, script->quit);
	} else {
		note(sink, '?');
	}
}

static void
readable(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	char *line;

	if (c->awaits_hello) {
		c->awaits_hello = false;
		note(c->sink, 'h');
		say(c, c->sink->script.instead);
		return;
	}
	/* The client never says two commands at once. */
	line = evbuffer_readln(bufferevent_get_input(bev), NULL,
	    EVBUFFER_EOL_CRLF_STRICT);
	if (line != NULL)
		take_command(c, line);
	free(line);
}

static void happened(struct bufferevent *bev, short what, void *arg);

static void
handshake(struct connection *c)
{
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	bufferevent_setfd(c->bev, -1);
	bufferevent_free(c->bev);
	c->ssl = SSL_new(c->sink->script.ctx);
	assert(c->ssl != NULL);
	c->bev = bufferevent_openssl_socket_new(c->sink->base, fd, c->ssl,
	    BUFFEREVENT_SSL_ACCEPTING,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	assert(c->bev != NULL);
	bufferevent_setcb(c->bev, readable, NULL, happened, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void
written(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;

	if (!c->upgrades || (c->rest != NULL && *c->rest != '\0') ||
	    evbuffer_get_length(bufferevent_get_output(bev)) > 0)
		return;
	c->upgrades = false;
	if (!c->sink->script.no_handshake)
		handshake(c);
	else if (c->sink->script.instead == sink_closes)
		connection_free(c);
	else
		c->awaits_hello = true;
}

static void
happened(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;
	const char *sni;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) {
		sni = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
		snprintf(c->sink->sni, sizeof(c->sink->sni), "%s",
		    sni == NULL ? "" : sni);
		note(c->sink, 'T');
		return;
	}
	note(c->sink, what & BEV_EVENT_EOF ? '.' : '!');
	connection_free(c);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct smtp_sink *sink = arg;
	struct connection *c = calloc(1, sizeof(*c));

	(void)listener;
	(void)sa;
	(void)len;
	assert(c != NULL);
	c->sink = sink;
	c->drip = evtimer_new(sink->base, drip, c);
	c->bev = bufferevent_socket_new(sink->base, fd,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	assert(c->drip != NULL && c->bev != NULL);
	LIST_INSERT_HEAD(&sink->connections, c, entry);
	bufferevent_setcb(c->bev, readable, written, happened, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	note(sink, '+');
	say(c, sink->script.greeting);
}

struct smtp_sink *
smtp_sink_new(struct event_base *base, const char *address,
    const struct smtp_sink_script *script)
{
	struct smtp_sink *sink = calloc(1, sizeof(*sink));
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	assert(sink != NULL);
	sink->base = base;
	sink->script = *script;
	LIST_INIT(&sink->connections);
	assert(evutil_parse_sockaddr_port(address, (struct sockaddr *)&ss,
		   &len) == 0);
	sink->listener = evconnlistener_new_bind(base, accepted, sink,
	    LEV_OPT_CLOSE_ON_FREE, 1024, (struct sockaddr *)&ss, len);
	if (sink->listener == NULL) {
		free(sink);
		return NULL;
	}
	return sink;
}

void
smtp_sink_free(struct smtp_sink *sink)
{
	if (sink == NULL)
		return;
	while (!LIST_EMPTY(&sink->connections))
		connection_free(LIST_FIRST(&sink->connections));
	evconnlistener_free(sink->listener);
	free(sink);
}

uint16_t
smtp_sink_port(const struct smtp_sink *sink)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	assert(getsockname(evconnlistener_get_fd(sink->listener),
		   (struct sockaddr *)&ss, &len) == 0);
	return ss.ss_family == AF_INET
	    ? ntohs(((struct sockaddr_in *)&ss)->sin_port)
	    : ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
}

const char *
smtp_sink_log(const struct smtp_sink *sink)
{
	return sink->log;
}

const char *
smtp_sink_sni(const struct smtp_sink *sink)
{
	return sink->sni;
}

const char *
smtp_sink_ehlo(const struct smtp_sink *sink)
{
	return sink->ehlo;
}
