/* SPDX-License-Identifier: ISC */
/*
 * A connection to an SMTP server: see smtp_wire.h. Callbacks of bufferevents
 * are deferred, so that nothing happens before a call has returned, and a
 * callback may free its bufferevent. OpenSSL's queue of errors is shared with
 * all of the process: it is left empty after each use.
 */
#include "common/smtp_wire.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/address.h"
#include "common/limits.h"

#define WIRE_OPTIONS (BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)

/* Waiting. */

static bool
wire_wait(struct smtp_wire *wire, enum smtp_wire_wait what, unsigned limit_ms)
{
	struct timeval limit = { .tv_sec = (time_t)(limit_ms / 1000),
		.tv_usec = (suseconds_t)(limit_ms % 1000 * 1000) };

	wire->waits = what;
	return evtimer_add(wire->limit, &limit) == 0;
}

/* The wait is over. The owner may clean the wire up: not used after this. */
static void
wire_happened(struct smtp_wire *wire, enum smtp_wire_event event)
{
	wire->waits = SMTP_WIRE_WAITS_NOT;
	evtimer_del(wire->limit);
	wire->happened(event, wire->arg);
}

static void
wire_failed(struct smtp_wire *wire, const char *why)
{
	wire->why = why;
	wire_happened(wire, SMTP_WIRE_FAILED);
}

static void
wire_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	wire_happened(arg, SMTP_WIRE_LATE);
}

/* Replies. */

/* Takes a line without its end; false when there is none yet. */
static bool
line_take(struct evbuffer *input, char buf[LIMIT_SMTP_LINE], struct span *line)
{
	size_t end_len;
	struct evbuffer_ptr end =
	    evbuffer_search_eol(input, NULL, &end_len, EVBUFFER_EOL_CRLF);

	if (end.pos < 0 || end.pos > LIMIT_SMTP_LINE)
		return false;
	line->p = buf;
	line->len = (size_t)end.pos;
	evbuffer_remove(input, buf, line->len);
	evbuffer_drain(input, end_len);
	return true;
}

static void
wire_read(struct bufferevent *bev, void *arg)
{
	struct smtp_wire *wire = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	enum smtp_reply_state state = SMTP_REPLY_MORE;
	char buf[LIMIT_SMTP_LINE];
	struct span line;

	if (wire->waits == SMTP_WIRE_WAITS_ROOM) {
		wire_failed(wire, "it spoke out of turn");
		return;
	}
	if (wire->waits != SMTP_WIRE_WAITS_REPLY) {
		/* Stays there for smtp_wire_unfit(). No more is wanted, and
		 * a bufferevent that is full calls again and again. */
		bufferevent_disable(bev, EV_READ);
		return;
	}
	while (state == SMTP_REPLY_MORE && line_take(input, buf, &line))
		state = smtp_reply_line(&wire->reply, line);
	switch (state) {
	case SMTP_REPLY_MORE:
		if (evbuffer_get_length(input) > LIMIT_SMTP_LINE)
			wire_failed(wire, "a line of the reply is too long");
		return;
	case SMTP_REPLY_BAD:
		wire_failed(wire, wire->reply.why);
		return;
	case SMTP_REPLY_DONE:
		wire_happened(wire, SMTP_WIRE_REPLY);
		return;
	}
}

/* The rest of what happens to a connection. */

static size_t
wire_unsent(const struct smtp_wire *wire)
{
	return evbuffer_get_length(bufferevent_get_output(wire->bev));
}

static void
wire_written(struct bufferevent *bev, void *arg)
{
	struct smtp_wire *wire = arg;

	(void)bev;
	if (wire->waits == SMTP_WIRE_WAITS_ROOM &&
	    wire_unsent(wire) <= LIMIT_SMTP_UNSENT_LOW)
		wire_happened(wire, SMTP_WIRE_ROOM);
}

static const char *
wire_error(struct smtp_wire *wire, int socket_error)
{
	unsigned long tls_error =
	    wire->ssl == NULL ? 0 : bufferevent_get_openssl_error(wire->bev);
	const char *reason = ERR_reason_error_string(tls_error);

	wire->cut = tls_error == 0
	    ? socket_error == ECONNRESET
	    : ERR_GET_REASON(tls_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
	return reason == NULL ? strerror(socket_error) : reason;
}

static void
wire_event(struct bufferevent *bev, short what, void *arg)
{
	struct smtp_wire *wire = arg;
	int socket_error = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if (wire->waits == SMTP_WIRE_WAITS_NOT)
		wire->broken = true; /* seen before the next command */
	else if (what & BEV_EVENT_CONNECTED)
		wire_happened(wire, SMTP_WIRE_OPEN);
	else if (what & BEV_EVENT_EOF)
		wire_happened(wire, SMTP_WIRE_CLOSED);
	else
		wire_failed(wire, wire_error(wire, socket_error));
	ERR_clear_error();
}

static void
wire_listen(struct smtp_wire *wire)
{
	bufferevent_setcb(wire->bev, wire_read, wire_written, wire_event, wire);
	bufferevent_setwatermark(wire->bev, EV_READ, 0, SMTP_REPLY_MAX);
	bufferevent_setwatermark(wire->bev, EV_WRITE, LIMIT_SMTP_UNSENT_LOW, 0);
	bufferevent_enable(wire->bev, EV_READ | EV_WRITE);
}

/* Life. */

bool
smtp_wire_init(struct smtp_wire *wire, struct event_base *base,
    smtp_wire_fn *happened, void *arg)
{
	memset(wire, 0, sizeof(*wire));
	wire->base = base;
	wire->happened = happened;
	wire->arg = arg;
	wire->limit = evtimer_new(base, wire_late, wire);
	return wire->limit != NULL;
}

void
smtp_wire_cleanup(struct smtp_wire *wire)
{
	if (wire->limit != NULL)
		event_free(wire->limit);
	/* No shutdown is owed any more: see smtp_wire_close_tls(). */
	if (wire->ssl != NULL)
		SSL_set_shutdown(wire->ssl,
		    SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	if (wire->bev != NULL)
		bufferevent_free(wire->bev); /* frees ssl, closes the socket */
	ERR_clear_error();
	memset(wire, 0, sizeof(*wire));
}

/* What the session does with it. */

bool
smtp_wire_connect(struct smtp_wire *wire, const struct address *address,
    uint16_t port, unsigned limit_ms)
{
	struct sockaddr_storage ss;
	socklen_t len = address_to_sockaddr(address, port, &ss);

	wire->bev = bufferevent_socket_new(wire->base, -1, WIRE_OPTIONS);
	if (wire->bev == NULL)
		return false;
	wire_listen(wire);
	if (!wire_wait(wire, SMTP_WIRE_WAITS_OPEN, limit_ms) ||
	    bufferevent_socket_connect(wire->bev, (struct sockaddr *)&ss,
		(int)len) == -1)
		return false;
	/* A message goes out in pieces: none is to wait for an answer. */
	setsockopt(bufferevent_getfd(wire->bev), IPPROTO_TCP, TCP_NODELAY,
	    &(int){ 1 }, sizeof(int));
	return true;
}

bool
smtp_wire_wait_reply(struct smtp_wire *wire, unsigned limit_ms)
{
	smtp_reply_init(&wire->reply);
	return wire_wait(wire, SMTP_WIRE_WAITS_REPLY, limit_ms);
}

bool
smtp_wire_command(struct smtp_wire *wire, const char *verb,
    const char *argument, unsigned limit_ms)
{
	struct evbuffer *output = bufferevent_get_output(wire->bev);
	const char *blank = argument[0] == '\0' ? "" : " ";

	if (evbuffer_add_printf(output, "%s%s%s\r\n", verb, blank, argument) ==
	    -1)
		return false;
	return smtp_wire_wait_reply(wire, limit_ms);
}

bool
smtp_wire_wait_room(struct smtp_wire *wire, unsigned limit_ms)
{
	return wire_wait(wire, SMTP_WIRE_WAITS_ROOM, limit_ms);
}

bool
smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len)
{
	return bufferevent_write(wire->bev, p, len) == 0;
}

bool
smtp_wire_is_full(const struct smtp_wire *wire)
{
	return wire_unsent(wire) > LIMIT_SMTP_UNSENT_HIGH;
}

bool
smtp_wire_start_tls(struct smtp_wire *wire, SSL *ssl, unsigned limit_ms)
{
	evutil_socket_t fd = bufferevent_getfd(wire->bev);

	bufferevent_setfd(wire->bev, -1);
	bufferevent_free(wire->bev);
	wire->bev = bufferevent_openssl_socket_new(wire->base, fd, ssl,
	    BUFFEREVENT_SSL_CONNECTING, WIRE_OPTIONS);
	if (wire->bev == NULL) { /* then ssl is freed, but not the socket */
		evutil_closesocket(fd);
		return false;
	}
	wire->ssl = ssl;
	wire_listen(wire);
	return wire_wait(wire, SMTP_WIRE_WAITS_OPEN, limit_ms);
}

const char *
smtp_wire_unfit(const struct smtp_wire *wire)
{
	if (wire->broken)
		return "it closed the connection";
	if (evbuffer_get_length(bufferevent_get_input(wire->bev)) > 0)
		return "it spoke out of turn";
	return NULL;
}

void
smtp_wire_close_tls(struct smtp_wire *wire)
{
	if (wire->ssl != NULL)
		SSL_shutdown(wire->ssl);
	ERR_clear_error();
}
