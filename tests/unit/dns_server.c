/* SPDX-License-Identifier: ISC */
/* A DNS server that misbehaves on demand: see dns_server.h. */
#include "tests/unit/dns_server.h"

#include <sys/queue.h>

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dns_builder.h"

struct question {
	uint8_t id[2];
	char name[256];
	unsigned type;
	const uint8_t *wire;
	size_t len;
};

struct connection {
	struct dns_server *server;
	struct bufferevent *bev;
	TAILQ_ENTRY(connection) entry;
};

struct slow {
	struct connection *connection;
	struct question question;
	TAILQ_ENTRY(slow) entry;
};

struct dns_server {
	struct event_base *base;
	struct evconnlistener *listener;
	uint16_t port;
	uint32_t ttl_s;
	unsigned asked, connections, closed_once, failed_twice, tiny;
	size_t n_slow;
	TAILQ_HEAD(, connection) open;
	TAILQ_HEAD(, slow) slow;
};

static struct dns_built m;

static void
slow_free(struct slow *slow)
{
	struct dns_server *server = slow->connection->server;

	TAILQ_REMOVE(&server->slow, slow, entry);
	server->n_slow--;
	free(slow);
}

static void
connection_free(struct connection *c)
{
	struct slow *slow, *next;

	for (slow = TAILQ_FIRST(&c->server->slow); slow != NULL; slow = next) {
		next = TAILQ_NEXT(slow, entry);
		if (slow->connection == c)
			slow_free(slow);
	}
	TAILQ_REMOVE(&c->server->open, c, entry);
	bufferevent_free(c->bev);
	free(c);
}

/* False when it is no question of ours. */
static bool
question_parse(const uint8_t *wire, size_t len, struct question *q)
{
	size_t pos = 12, n = 0;

	memset(q, 0, sizeof(*q));
	if (len < 17)
		return false;
	while (pos < len && wire[pos] != 0 && wire[pos] < 64 &&
	    n + wire[pos] + 1 < sizeof(q->name) && pos + wire[pos] < len) {
		if (n > 0)
			q->name[n++] = '.';
		memcpy(q->name + n, wire + pos + 1, wire[pos]);
		n += wire[pos];
		pos += 1u + wire[pos];
	}
	if (pos + 5 > len || wire[pos] != 0)
		return false;
	memcpy(q->id, wire, 2);
	q->type = get16(wire + pos + 1);
	q->wire = wire;
	q->len = len;
	return true;
}

static void
send_octets(struct connection *c, const void *p, size_t len)
{
	uint8_t size[2] = { (uint8_t)(len >> 8), (uint8_t)len };

	bufferevent_write(c->bev, size, 2);
	bufferevent_write(c->bev, p, len);
}

static void
begin(const struct question *q, unsigned flags)
{
	built_begin(&m, DNS_ANSWER_FLAGS | flags, q->name, q->type);
	memcpy(m.wire, q->id, 2);
}

static void
send_built(struct connection *c)
{
	send_octets(c, m.wire, m.len);
}

static void
build_record(struct connection *c, const struct question *q, unsigned flags)
{
	uint32_t ttl = c->server->ttl_s;

	begin(q, flags);
	if (q->type == 1)
		add_a(&m, q->name, ttl, 0xc0000201);
	else if (q->type == 15)
		add_mx(&m, q->name, ttl, 10, "mx.example");
	else if (q->type == 16)
		add_txt(&m, q->name, ttl, "v=STSv1; id=1;");
}

static void
send_record(struct connection *c, const struct question *q, unsigned flags)
{
	build_record(c, q, flags);
	send_built(c);
}

static void
send_empty(struct connection *c, const struct question *q, unsigned flags)
{
	begin(q, flags);
	send_built(c);
}

static void
send_denial(struct connection *c, const struct question *q, unsigned flags)
{
	begin(q, flags);
	add_soa(&m, "example", c->server->ttl_s, 60);
	send_built(c);
}

static void
do_slow(struct connection *c, const struct question *q)
{
	struct slow *slow = calloc(1, sizeof(*slow));

	if (slow == NULL)
		abort();
	slow->connection = c;
	slow->question = *q;
	TAILQ_INSERT_TAIL(&c->server->slow, slow, entry);
	c->server->n_slow++;
}

/* Answers that nobody should believe. False when it is none of these. */
static bool
answer_badly(struct connection *c, const struct question *q, const char *how)
{
	if (strcmp(how, "servfail") == 0) {
		send_empty(c, q, 2);
	} else if (strcmp(how, "refused") == 0) {
		send_empty(c, q, 5);
	} else if (strcmp(how, "tc") == 0) {
		send_record(c, q, DNS_FLAG_TC);
	} else if (strcmp(how, "echo") == 0) {
		send_octets(c, q->wire, q->len);
	} else if (strcmp(how, "short") == 0) { /* a header only */
		begin(q, 0);
		set16(&m, 4, 0);
		m.len = 12;
		send_built(c);
	} else if (strcmp(how, "garbage") == 0) {
		begin(q, 0);
		set16(&m, 6, 5);
		put_bytes(&m, "\xde\xad\xbe\xef\xde\xad\xbe\xef", 8);
		send_built(c);
	} else if (strcmp(how, "cut") == 0) {
		build_record(c, q, 0);
		m.len -= 2;
		send_built(c);
	} else if (strcmp(how, "wrongq") == 0) {
		struct question other = *q;

		memcpy(other.name, "evil.example", sizeof("evil.example"));
		send_record(c, &other, DNS_FLAG_AD);
	} else {
		return false;
	}
	return true;
}

/* What getdns does not take for an answer. */
static bool
answer_nothing(struct connection *c, const struct question *q, const char *how)
{
	if (strcmp(how, "wrongid") == 0) {
		build_record(c, q, 0);
		m.wire[0] ^= 0xff;
		send_built(c);
	} else if (strcmp(how, "tiny") == 0 && c->server->tiny++ == 0) {
		send_octets(c, q->id, 2);
	} else {
		return strcmp(how, "silent") == 0;
	}
	return true;
}

/* False when the connection is gone. */
static bool
answer(struct connection *c, const struct question *q)
{
	struct dns_server *server = c->server;
	char how[64] = "";

	memcpy(how, q->name, strcspn(q->name, ".-") & 63);
	server->asked++;
	if (strcmp(how, "close") == 0 ||
	    (strcmp(how, "once") == 0 && server->closed_once++ == 0)) {
		connection_free(c);
		return false;
	}
	if (strcmp(how, "nxdomain") == 0)
		send_denial(c, q, 3);
	else if (strcmp(how, "nodata") == 0)
		send_denial(c, q, 0);
	else if (strcmp(how, "slow") == 0)
		do_slow(c, q);
	else if (strcmp(how, "twice") == 0 && server->failed_twice++ < 2)
		send_empty(c, q, 2);
	else if (!answer_badly(c, q, how) && !answer_nothing(c, q, how))
		send_record(c, q, strcmp(how, "ad") == 0 ? DNS_FLAG_AD : 0);
	return true;
}

static void
readable(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct connection *c = arg;
	struct question q;
	uint8_t size[2], wire[65536];
	size_t len;

	while (evbuffer_copyout(in, size, 2) == 2) {
		len = get16(size);
		if (evbuffer_get_length(in) < 2 + len)
			return;
		evbuffer_drain(in, 2);
		evbuffer_remove(in, wire, len);
		if (!question_parse(wire, len, &q))
			abort();
		if (!answer(c, &q))
			return;
	}
}

static void
ended(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	connection_free(arg);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct dns_server *server = arg;
	struct connection *c = calloc(1, sizeof(*c));

	(void)listener;
	(void)sa;
	(void)len;
	if (c == NULL)
		abort();
	c->server = server;
	c->bev =
	    bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->bev, readable, NULL, ended, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	TAILQ_INSERT_TAIL(&server->open, c, entry);
	server->connections++;
}

void
dns_server_listen(struct dns_server *server)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(server->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);

	server->listener = evconnlistener_new_bind(server->base, accepted,
	    server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 128,
	    (struct sockaddr *)&sin, (int)len);
	if (server->listener == NULL ||
	    getsockname(evconnlistener_get_fd(server->listener),
		(struct sockaddr *)&sin, &len) == -1)
		abort();
	server->port = ntohs(sin.sin_port);
}

struct dns_server *
dns_server_new(struct event_base *base)
{
	struct dns_server *server = calloc(1, sizeof(*server));

	if (server == NULL)
		abort();
	server->base = base;
	server->ttl_s = 300;
	TAILQ_INIT(&server->open);
	TAILQ_INIT(&server->slow);
	dns_server_listen(server);
	return server;
}

void
dns_server_hang_up(struct dns_server *server)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&server->open)) != NULL)
		connection_free(c);
}

void
dns_server_stop(struct dns_server *server)
{
	dns_server_hang_up(server);
	if (server->listener != NULL)
		evconnlistener_free(server->listener);
	server->listener = NULL;
}

void
dns_server_free(struct dns_server *server)
{
	dns_server_stop(server);
	free(server);
}

void
dns_server_answer_slow(struct dns_server *server)
{
	struct slow *slow;

	while ((slow = TAILQ_FIRST(&server->slow)) != NULL) {
		send_record(slow->connection, &slow->question, 0);
		slow_free(slow);
	}
}

uint16_t
dns_server_port(const struct dns_server *server)
{
	return server->port;
}

unsigned
dns_server_asked(const struct dns_server *server)
{
	return server->asked;
}

unsigned
dns_server_connections(const struct dns_server *server)
{
	return server->connections;
}

size_t
dns_server_waiting(const struct dns_server *server)
{
	return server->n_slow;
}

void
dns_server_set_ttl(struct dns_server *server, uint32_t ttl_s)
{
	server->ttl_s = ttl_s;
}
