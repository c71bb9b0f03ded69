/* SPDX-License-Identifier: ISC */
/* An SMTP server to be greeted, and to take mail: see sink.h. */
#include "tests/bench/sink.h"

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
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"
#include "tests/unit/test_certificates.h"

#define END_OF_DATA "\r\n.\r\n"
#define END_OF_DATA_LEN (sizeof(END_OF_DATA) - 1)

struct client {
	struct bufferevent *bev;
	SSL *ssl;      /* NULL: in clear; else it belongs to bev */
	bool upgrades; /* as soon as the 220 is written */
	bool in_data;
};

static SSL_CTX *server_ctx;
static unsigned long n_messages, n_connections, n_handshakes;

static void readable(struct bufferevent *bev, void *arg);
static void written(struct bufferevent *bev, void *arg);
static void happened(struct bufferevent *bev, short what, void *arg);

static void
client_free(struct client *c)
{
	if (c->ssl != NULL)
		SSL_set_shutdown(c->ssl, SSL_RECEIVED_SHUTDOWN);
	if (c->ssl != NULL)
		SSL_shutdown(c->ssl);
	ERR_clear_error();
	bufferevent_free(c->bev);
	free(c);
}

static void
handshake(struct client *c)
{
	struct event_base *base = bufferevent_get_base(c->bev);
	evutil_socket_t fd = bufferevent_getfd(c->bev);

	bufferevent_setfd(c->bev, -1);
	bufferevent_free(c->bev);
	n_handshakes++;
	c->ssl = SSL_new(server_ctx);
	if (c->ssl == NULL ||
	    (c->bev = bufferevent_openssl_socket_new(base, fd, c->ssl,
		 BUFFEREVENT_SSL_ACCEPTING,
		 BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)) == NULL)
		die("out of memory");
	bufferevent_setcb(c->bev, readable, written, happened, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void
say(struct client *c, const char *text)
{
	bufferevent_write(c->bev, text, strlen(text));
}

static void
say_counters(struct client *c)
{
	evbuffer_add_printf(bufferevent_get_output(c->bev),
	    "214 messages %lu connections %lu handshakes %lu\r\n", n_messages,
	    n_connections, n_handshakes);
}

static void
obey(struct client *c, const char *line)
{
	if (strncmp(line, "EHLO ", 5) == 0) {
		say(c,
		    c->ssl != NULL
			? "250-mx.bench\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
			: "250-mx.bench\r\n250-PIPELINING\r\n250 STARTTLS\r\n");
	} else if (strcmp(line, "STARTTLS") == 0) {
		c->upgrades = true;
		say(c, "220 2.0.0 go ahead\r\n");
	} else if (strcmp(line, "DATA") == 0) {
		c->in_data = true;
		say(c, "354 go ahead\r\n");
	} else if (strcmp(line, "HELP") == 0) {
		say_counters(c);
	} else if (strcmp(line, "QUIT") == 0) {
		say(c, "221 2.0.0 bye\r\n");
	} else {
		say(c, "250 2.0.0 ok\r\n");
	}
}

/* Throws the message away. False: its end has not come yet. */
static bool
data_take(struct client *c, struct evbuffer *input)
{
	struct evbuffer_ptr end =
	    evbuffer_search(input, END_OF_DATA, END_OF_DATA_LEN, NULL);
	size_t len = evbuffer_get_length(input);

	if (end.pos == -1) {
		if (len >= END_OF_DATA_LEN)
			evbuffer_drain(input, len - (END_OF_DATA_LEN - 1));
		return false;
	}
	evbuffer_drain(input, (size_t)end.pos + END_OF_DATA_LEN);
	c->in_data = false;
	n_messages++;
	say(c, "250 2.0.0 kept\r\n");
	return true;
}

static void
readable(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	char *line;

	for (;;) {
		if (c->in_data) {
			if (!data_take(c, input))
				return;
			continue;
		}
		line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF_STRICT);
		if (line == NULL)
			return;
		obey(c, line);
		free(line);
	}
}

static void
written(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;

	(void)bev;
	if (c->upgrades)
		handshake(c);
	c->upgrades = false;
}

static void
happened(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		client_free(arg);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));

	(void)sa;
	(void)len;
	(void)arg;
	if (c == NULL ||
	    (c->bev = bufferevent_socket_new(evconnlistener_get_base(listener),
		 fd, BEV_OPT_CLOSE_ON_FREE)) == NULL)
		die("out of memory");
	n_connections++;
	bufferevent_setcb(c->bev, readable, written, happened, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	say(c, "220 mx.bench ESMTP\r\n");
}

static void
make_ctx(const char *alt_names, const char *ca_path)
{
	const struct test_certificate_opts root_opts = { .common_name =
							     "Bench Root",
		.is_ca = true };
	const struct test_certificate_opts leaf_opts = { .alt_names =
							     alt_names };
	struct test_certificate *root = test_certificate_make(&root_opts, NULL);
	struct test_certificate *leaf = test_certificate_make(&leaf_opts, root);

	unlink(ca_path);
	test_certificate_append_pem(root, ca_path);
	server_ctx = test_certificate_server(leaf, NULL);
	SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION);
	test_certificate_free(leaf);
	test_certificate_free(root);
}

uint16_t
sink_listen(struct event_base *base, const char *address, uint16_t port,
    const char *alt_names, const char *ca_path)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	socklen_t len = sizeof(sin);
	struct evconnlistener *listener;

	make_ctx(alt_names, ca_path);
	inet_pton(AF_INET, address, &sin.sin_addr);
	listener = evconnlistener_new_bind(base, accepted, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
	    (struct sockaddr *)&sin, sizeof(sin));
	if (listener == NULL ||
	    getsockname(evconnlistener_get_fd(listener),
		(struct sockaddr *)&sin, &len) == -1)
		die("SMTP server on port %u: %s", port, strerror(errno));
	return ntohs(sin.sin_port);
}
