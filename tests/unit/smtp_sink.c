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
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_MAX 65536

const char sink_silent[] = "(silent)";
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
	bool in_message;
};

struct smtp_sink {
	struct event_base *base;
	struct evconnlistener *listener;
	struct smtp_sink_script script;
	LIST_HEAD(, connection) connections;
	char log[4096];
	char sni[256];
	char ehlo[256];
	char mail[2048];
	char message[MESSAGE_MAX + 1];
	size_t octets;
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
	if (text == NULL || text == sink_silent)
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

/* The text for a command, unless the test has another. */
static void
say_or(struct connection *c, const char *line, const char *text)
{
	const struct smtp_sink_script *script = &c->sink->script;
	const char *other =
	    script->speaks == NULL ? NULL : script->speaks(line, script->arg);

	if (other != NULL)
		text = other;
	if (text != NULL && strcmp(line, "DATA") == 0 &&
	    strncmp(text, "354", 3) == 0) {
		c->in_message = true;
		c->sink->octets = 0;
		c->sink->message[0] = '\0';
		if (script->reads_slowly)
			bufferevent_disable(c->bev, EV_READ);
	}
	say(c, text);
}

static const struct {
	const char *verb;
	char mark;
	size_t text; /* of the script */
} verbs[] = {
	{ "MAIL", 'M', offsetof(struct smtp_sink_script, mail) },
	{ "RCPT", 'R', offsetof(struct smtp_sink_script, rcpt) },
	{ "DATA", 'D', offsetof(struct smtp_sink_script, data) },
	{ "RSET", 'Z', offsetof(struct smtp_sink_script, rset) },
	{ "QUIT", 'Q', offsetof(struct smtp_sink_script, quit) },
};

static void
take_verb(struct connection *c, const char *line)
{
	const char *script = (const char *)&c->sink->script;

	if (strncmp(line, "MAIL", 4) == 0)
		snprintf(c->sink->mail, sizeof(c->sink->mail), "%s", line);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strncmp(line, verbs[i].verb, 4) == 0) {
			const char *text;

			memcpy(&text, script + verbs[i].text, sizeof(text));
			note(c->sink, verbs[i].mark);
			say_or(c, line, text);
			return;
		}
	note(c->sink, '?');
}

static void
take_message(struct connection *c, const char *line, size_t len)
{
	struct smtp_sink *sink = c->sink;

	if (strcmp(line, ".") == 0) {
		c->in_message = false;
		note(sink, 'd');
		say_or(c, line, sink->script.dot);
		return;
	}
	if (sink->octets + len + 2 <= MESSAGE_MAX) {
		memcpy(sink->message + sink->octets, line, len);
		memcpy(sink->message + sink->octets + len, "\r\n", 3);
	}
	sink->octets += len + 2;
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
	} else {
		take_verb(c, line);
	}
}

static void
readable(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	bool in_message = c->in_message;
	size_t len;
	char *line;

	if (c->awaits_hello) {
		c->awaits_hello = false;
		note(c->sink, 'h');
		say(c, c->sink->script.instead);
		return;
	}
	/* The client never says two commands at once; "." is the last line of a
	 * message that is looked at here. */
	do {
		line = evbuffer_readln(input, &len, EVBUFFER_EOL_CRLF_STRICT);
		if (line != NULL && in_message) {
			in_message = strcmp(line, ".") != 0;
			take_message(c, line, len);
		} else if (line != NULL) {
			take_command(c, line);
		}
		free(line);
	} while (line != NULL && in_message);
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
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
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
smtp_sink_mail(const struct smtp_sink *sink)
{
	return sink->mail;
}

const char *
smtp_sink_message(const struct smtp_sink *sink)
{
	return sink->message;
}

size_t
smtp_sink_octets(const struct smtp_sink *sink)
{
	return sink->octets;
}

void
smtp_sink_say(struct smtp_sink *sink, const char *text)
{
	struct connection *c;

	LIST_FOREACH (c, &sink->connections, entry)
		bufferevent_write(c->bev, text, strlen(text));
}

void
smtp_sink_cut(struct smtp_sink *sink)
{
	while (!LIST_EMPTY(&sink->connections))
		connection_free(LIST_FIRST(&sink->connections));
}

void
smtp_sink_read(struct smtp_sink *sink)
{
	struct connection *c;

	LIST_FOREACH (c, &sink->connections, entry)
		bufferevent_enable(c->bev, EV_READ);
}

const char *
smtp_sink_ehlo(const struct smtp_sink *sink)
{
	return sink->ehlo;
}
