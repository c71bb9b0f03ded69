/* SPDX-License-Identifier: ISC */
/*
 * The floor of the relay: it passes SMTP on over STARTTLS, checks chain and
 * name of the certificate, and knows no DNS, no policy and no limits. One thing
 * after the other, as smtpd speaks; anything unexpected ends it.
 *
 *	usage: pass_relay PORT CA-FILE NAME pool|fresh
 *
 * The upstream is 127.0.0.1:25, its certificate must be NAME's. "pool" keeps
 * upstream sessions for the next message, "fresh" has a new one for each. It
 * says "ready" and serves 127.0.0.1:PORT until its standard input ends.
 */
#include <sys/queue.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"

#define UPSTREAM_PORT 25
#define END_OF_DATA "\r\n.\r\n"
#define END_OF_DATA_LEN (sizeof(END_OF_DATA) - 1)
#define BODY_HELD 65536 /* of a message, in each direction */

/* What was said to the upstream last: the reply to it is awaited. */
enum step {
	STEP_CONNECT,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_TLS_EHLO,
	STEP_IDLE,
	STEP_MAIL,
	STEP_PASS, /* the client waits for it */
	STEP_BODY, /* none: the message goes through */
	STEP_DOT,
};

struct client;

struct upstream {
	struct bufferevent *bev;
	SSL *ssl;
	enum step step;
	struct client *client; /* NULL: idle */
	LIST_ENTRY(upstream) idle;
};

struct client {
	struct bufferevent *bev;
	struct upstream *upstream; /* NULL: none needed yet */
	char *mail, *rcpt;	   /* lines, until they are said */
};

static struct event_base *base;
static SSL_CTX *client_ctx;
static const char *name;
static bool keeps;
static LIST_HEAD(, upstream) idle = LIST_HEAD_INITIALIZER(idle);

static void upstream_readable(struct bufferevent *bev, void *arg);
static void upstream_written(struct bufferevent *bev, void *arg);
static void upstream_happened(struct bufferevent *bev, short what, void *arg);
static void client_readable(struct bufferevent *bev, void *arg);

static void
say(struct bufferevent *bev, const char *line)
{
	struct evbuffer *output = bufferevent_get_output(bev);

	evbuffer_add(output, line, strlen(line));
	evbuffer_add(output, "\r\n", 2);
}

/* Upstream */

static void
upstream_step(struct upstream *u, enum step step, const char *line)
{
	u->step = step;
	say(u->bev, line);
}

static void
upstream_free(struct upstream *u)
{
	if (u->step == STEP_IDLE)
		LIST_REMOVE(u, idle);
	if (u->client != NULL)
		u->client->upstream = NULL;
	if (u->ssl != NULL)
		SSL_set_shutdown(u->ssl,
		    SSL_RECEIVED_SHUTDOWN | SSL_SENT_SHUTDOWN);
	ERR_clear_error();
	bufferevent_free(u->bev);
	free(u);
}

static void
upstream_take(struct upstream *u, struct bufferevent *bev)
{
	u->bev = bev;
	if (bev == NULL)
		die("out of memory");
	bufferevent_setcb(bev, upstream_readable, upstream_written,
	    upstream_happened, u);
	bufferevent_setwatermark(bev, EV_WRITE, BODY_HELD / 2, 0);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static struct upstream *
upstream_start(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(UPSTREAM_PORT),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct upstream *u = calloc(1, sizeof(*u));

	if (u == NULL)
		die("out of memory");
	upstream_take(u,
	    bufferevent_socket_new(base, -1,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS));
	if (bufferevent_socket_connect(u->bev, (struct sockaddr *)&sin,
		sizeof(sin)) == -1)
		die("connect: %s", strerror(errno));
	return u;
}

static void
upstream_handshake(struct upstream *u)
{
	evutil_socket_t fd = bufferevent_getfd(u->bev);

	bufferevent_setfd(u->bev, -1);
	bufferevent_free(u->bev);
	u->ssl = SSL_new(client_ctx);
	if (u->ssl == NULL || SSL_set1_host(u->ssl, name) != 1 ||
	    SSL_set_tlsext_host_name(u->ssl, name) != 1)
		die("out of memory");
	upstream_take(u,
	    bufferevent_openssl_socket_new(base, fd, u->ssl,
		BUFFEREVENT_SSL_CONNECTING,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS));
}

static void
upstream_happened(struct bufferevent *bev, short what, void *arg)
{
	struct upstream *u = arg;
	unsigned long error =
	    u->ssl == NULL ? 0 : bufferevent_get_openssl_error(bev);

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		if (u->ssl != NULL)
			upstream_step(u, STEP_TLS_EHLO, "EHLO here.bench");
		return;
	}
	if (u->client != NULL)
		die("the upstream ends at step %d: %s", u->step,
		    error != 0 ? ERR_reason_error_string(error) : "closed");
	upstream_free(u);
}

/* The message is through. */
static void
upstream_done(struct upstream *u)
{
	u->client->upstream = NULL;
	u->client = NULL;
	if (keeps) {
		u->step = STEP_IDLE;
		LIST_INSERT_HEAD(&idle, u, idle);
	} else {
		upstream_step(u, STEP_PASS, "QUIT");
	}
}

static void
upstream_mail(struct upstream *u)
{
	upstream_step(u, STEP_MAIL, u->client->mail);
	free(u->client->mail);
	u->client->mail = NULL;
}

/* The client waits for the reply, and may speak then. */
static void
pass_on(struct upstream *u, const char *line, bool is_last)
{
	struct client *c = u->client;

	say(c->bev, line);
	if (!is_last)
		return;
	if (strncmp(line, "354", 3) == 0) {
		u->step = STEP_BODY;
	} else if (u->step == STEP_DOT) {
		upstream_done(u);
	}
	bufferevent_enable(c->bev, EV_READ);
	client_readable(c->bev, c);
}

static void
upstream_reply(struct upstream *u, const char *line)
{
	bool is_last = line[3] != '-';

	if (u->client == NULL) { /* to QUIT */
		upstream_free(u);
		return;
	}
	if (u->step == STEP_PASS || u->step == STEP_DOT) {
		pass_on(u, line, is_last);
		return;
	}
	if (line[0] != '2')
		die("the upstream says at step %d: %s", u->step, line);
	if (!is_last)
		return;
	switch (u->step) {
	case STEP_CONNECT:
		upstream_step(u, STEP_EHLO, "EHLO here.bench");
		break;
	case STEP_EHLO:
		upstream_step(u, STEP_STARTTLS, "STARTTLS");
		break;
	case STEP_STARTTLS:
		upstream_handshake(u);
		break;
	case STEP_TLS_EHLO:
		upstream_mail(u);
		break;
	case STEP_MAIL:
		upstream_step(u, STEP_PASS, u->client->rcpt);
		free(u->client->rcpt);
		u->client->rcpt = NULL;
		break;
	case STEP_IDLE:
	case STEP_PASS:
	case STEP_BODY:
	case STEP_DOT:
		die("the upstream speaks at step %d: %s", u->step, line);
	}
}

/* A reply may end the upstream, or take its buffers away. */
static void
upstream_readable(struct bufferevent *bev, void *arg)
{
	struct upstream *u = arg;
	char *line = evbuffer_readln(bufferevent_get_input(bev), NULL,
	    EVBUFFER_EOL_CRLF_STRICT);

	while (line != NULL) {
		bool goes_on = line[3] == '-';

		upstream_reply(u, line);
		free(line);
		if (!goes_on)
			return;
		line = evbuffer_readln(bufferevent_get_input(bev), NULL,
		    EVBUFFER_EOL_CRLF_STRICT);
	}
}

/* It has room for more of the message. */
static void
upstream_written(struct bufferevent *bev, void *arg)
{
	struct upstream *u = arg;

	(void)bev;
	if (u->step != STEP_BODY)
		return;
	bufferevent_enable(u->client->bev, EV_READ);
	client_readable(u->client->bev, u->client);
}

/* Client */

static void
client_free(struct client *c)
{
	if (c->upstream != NULL) {
		c->upstream->client = NULL;
		upstream_free(c->upstream);
	}
	free(c->mail);
	free(c->rcpt);
	bufferevent_free(c->bev);
	free(c);
}

/* True when all of it was passed on. */
static bool
client_body(struct client *c, struct evbuffer *input)
{
	struct evbuffer *output = bufferevent_get_output(c->upstream->bev);
	struct evbuffer_ptr end =
	    evbuffer_search(input, END_OF_DATA, END_OF_DATA_LEN, NULL);
	size_t len = evbuffer_get_length(input);

	if (end.pos != -1) {
		evbuffer_remove_buffer(input, output,
		    (size_t)end.pos + END_OF_DATA_LEN);
		c->upstream->step = STEP_DOT;
		return true;
	}
	if (len >= END_OF_DATA_LEN)
		evbuffer_remove_buffer(input, output,
		    len - (END_OF_DATA_LEN - 1));
	if (evbuffer_get_length(output) > BODY_HELD)
		bufferevent_disable(c->bev, EV_READ);
	return false;
}

static void
client_recipient(struct client *c, const char *line)
{
	struct upstream *u = LIST_FIRST(&idle);

	c->rcpt = strdup(line);
	if (c->mail == NULL || c->rcpt == NULL)
		die("no MAIL before '%s', or no memory", line);
	if (u != NULL)
		LIST_REMOVE(u, idle);
	else
		u = upstream_start();
	u->client = c;
	c->upstream = u;
	if (u->step == STEP_IDLE)
		upstream_mail(u);
}

/* True when the client has its answer, false when it waits for the upstream. */
static bool
client_obey(struct client *c, const char *line)
{
	if (strncmp(line, "EHLO ", 5) == 0) {
		say(c->bev,
		    "250-relay.bench\r\n250-PIPELINING\r\n250 8BITMIME");
	} else if (strncmp(line, "MAIL ", 5) == 0) {
		c->mail = strdup(line);
		say(c->bev, "250 2.1.0 ok");
	} else if (strncmp(line, "RCPT ", 5) == 0) {
		client_recipient(c, line);
		return false;
	} else if (strcmp(line, "DATA") == 0 && c->upstream != NULL) {
		upstream_step(c->upstream, STEP_PASS, line);
		return false;
	} else if (strcmp(line, "QUIT") == 0) {
		say(c->bev, "221 2.0.0 bye");
	} else {
		die("the client says: %s", line);
	}
	return true;
}

static void
client_readable(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	bool is_free = true;
	char *line;

	if (c->upstream != NULL && c->upstream->step == STEP_BODY) {
		if (client_body(c, input))
			bufferevent_disable(bev, EV_READ);
		return;
	}
	while (is_free &&
	    (line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF_STRICT)) !=
		NULL) {
		is_free = client_obey(c, line);
		free(line);
	}
	if (!is_free)
		bufferevent_disable(bev, EV_READ);
}

static void
client_happened(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));

	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	if (c == NULL ||
	    (c->bev = bufferevent_socket_new(base, fd,
		 BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)) == NULL)
		die("out of memory");
	bufferevent_setcb(c->bev, client_readable, NULL, client_happened, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, BODY_HELD);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	say(c->bev, "220 relay.bench ESMTP");
}

static void
input_ended(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static void
listen_on(unsigned long port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	if (evconnlistener_new_bind(base, accepted, NULL, LEV_OPT_CLOSE_ON_FREE,
		1024, (struct sockaddr *)&sin, sizeof(sin)) == NULL)
		die("port %lu: %s", port, strerror(errno));
}

int
main(int argc, char **argv)
{
	struct event *input;

	if (argc != 5)
		die("usage: pass_relay PORT CA-FILE NAME pool|fresh");
	signal(SIGPIPE, SIG_IGN);
	name = argv[3];
	keeps = strcmp(argv[4], "pool") == 0;
	client_ctx = SSL_CTX_new(TLS_client_method());
	if (client_ctx == NULL ||
	    SSL_CTX_load_verify_locations(client_ctx, argv[2], NULL) != 1)
		die("%s: no certificates", argv[2]);
	SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(client_ctx, SSL_MODE_RELEASE_BUFFERS);
	base = event_base_new();
	input = event_new(base, STDIN_FILENO, EV_READ, input_ended, NULL);
	if (base == NULL || input == NULL || event_add(input, NULL) == -1)
		die("cannot wait for standard input");
	listen_on(strtoul(argv[1], NULL, 10));
	puts("ready");
	fflush(stdout);
	event_base_dispatch(base);
	return 0;
}
