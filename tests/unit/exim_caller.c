/* SPDX-License-Identifier: ISC */
/* Callers of the server for Exim: see exim_caller.h. */
#include "tests/unit/exim_caller.h"

#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/tls_verify.h"
#include "filter/exim_server.h"
#include "proto/exim_line.h"
#include "tests/unit/test_certificates.h"

#define IDLE_TURNS 8
#define ANSWER_MAX 65536

struct exim_caller {
	struct exim_served *served;
	int fd;
	char heard[ANSWER_MAX];
	size_t len;
	bool ended;
};

int
exim_served_setup(void **state)
{
	const struct test_certificate_opts ca = { .common_name = "Test Root",
		.is_ca = true };
	const struct test_certificate_opts other = { .common_name = "Stranger",
		.is_ca = true };
	char ca_file[] = "/tmp/strictmx-test-exim-XXXXXX";
	struct exim_served *s = calloc(1, sizeof(*s));
	int fd = mkstemp(ca_file);
	const char *why;

	signal(SIGPIPE, SIG_IGN);
	log_init("test", false, LOG_LEVEL_ERROR);
	assert_non_null(s);
	assert_int_not_equal(fd, -1);
	close(fd);
	s->root = test_certificate_make(&ca, NULL);
	s->stranger = test_certificate_make(&other, NULL);
	test_certificate_append_pem(s->root, ca_file);
	s->verify = tls_verify_new(ca_file, &why);
	unlink(ca_file);
	assert_non_null(s->verify);
	s->world = world_new();
	s->base = event_base_new();
	s->server = exim_server_new(s->base, s->world->clock);
	assert_non_null(s->server);
	exim_server_use(s->server, s->world->engine, &s->world->config,
	    s->verify);
	*state = s;
	return 0;
}

int
exim_served_teardown(void **state)
{
	struct exim_served *s = *state;

	exim_server_free(s->server);
	world_free(s->world);
	event_base_free(s->base);
	libevent_global_shutdown();
	tls_verify_free(s->verify);
	test_certificate_free(s->root);
	test_certificate_free(s->stranger);
	free(s);
	return 0;
}

void
exim_served_turn(struct exim_served *s)
{
	for (int i = 0; i < IDLE_TURNS; i++)
		event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

void
exim_served_restart(struct exim_served *s)
{
	struct world *w = s->world;

	engine_free(w->engine);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
	exim_server_use(s->server, w->engine, &w->config, s->verify);
}

void
exim_say(struct exim_caller *c, const char *text)
{
	size_t len = strlen(text), n = 0;
	int idle = 0;

	while (n < len && idle < IDLE_TURNS) {
		ssize_t written = write(c->fd, text + n, len - n);

		idle = written > 0 ? 0 : idle + 1;
		n += written > 0 ? (size_t)written : 0;
		exim_served_turn(c->served);
	}
}

struct exim_caller *
exim_call(struct exim_served *s, const char *line)
{
	struct exim_caller *c = calloc(1, sizeof(*c));
	int fds[2];

	assert_non_null(c);
	assert_int_equal(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	c->served = s;
	c->fd = fds[0];
	assert_true(exim_server_add(s->server, fds[1]));
	exim_say(c, line);
	return c;
}

static void
listen_on(struct exim_caller *c)
{
	for (int idle = 0; !c->ended && idle < IDLE_TURNS;) {
		ssize_t n;

		exim_served_turn(c->served);
		assert_true(c->len < sizeof(c->heard));
		n = read(c->fd, c->heard + c->len, sizeof(c->heard) - c->len);
		if (n > 0)
			c->len += (size_t)n;
		c->ended = n == 0 || (n == -1 && errno != EAGAIN);
		idle = n > 0 ? 0 : idle + 1;
	}
}

const char *
exim_hear(struct exim_caller *c)
{
	char *end;

	listen_on(c);
	end = memchr(c->heard, '\n', c->len);
	if (end == NULL)
		return NULL;
	assert_ptr_equal(end, c->heard + c->len - 1); /* one line */
	*end = '\0';
	return c->heard;
}

bool
exim_hears_end(struct exim_caller *c)
{
	listen_on(c);
	return c->ended;
}

void
exim_hang_up(struct exim_caller *c)
{
	close(c->fd);
	exim_served_turn(c->served);
	free(c);
}

const char *
exim_ask(struct exim_served *s, const char *line)
{
	static char answer[ANSWER_MAX];
	struct exim_caller *c = exim_call(s, line);
	const char *heard = exim_hear(c);

	assert_non_null(heard);
	snprintf(answer, sizeof(answer), "%s", heard);
	assert_true(exim_hears_end(c));
	exim_hang_up(c);
	return answer;
}

const char *
exim_base64(const struct test_certificate *certificate)
{
	static unsigned char text[16384];
	unsigned char *der = NULL;
	int len = i2d_X509(certificate->x509, &der);

	assert_in_range(len, 1, sizeof(text) / 2);
	EVP_EncodeBlock(text, der, len);
	OPENSSL_free(der);
	return (const char *)text;
}

struct test_certificate *
exim_certificate(const char *mx, int until_days,
    const struct test_certificate *issuer)
{
	char names[256];
	struct test_certificate_opts opts = { .alt_names = names,
		.from_days = until_days < 0 ? until_days - 10 : 0,
		.until_days = until_days };

	snprintf(names, sizeof(names), "DNS:%s", mx);
	return test_certificate_make(&opts, issuer);
}

void
exim_pass_ms(struct exim_served *s, int64_t ms)
{
	clock_advance(s->world->clock, ms);
	exim_served_turn(s);
}

const char *
exim_cert_line(const char *session, int depth, int usage,
    const struct test_certificate *certificate)
{
	static char line[EXIM_REQUEST_MAX + 2];

	snprintf(line, sizeof(line), "CERT %s %d %d %s\n", session, depth,
	    usage, exim_base64(certificate));
	return line;
}

const char *
exim_shown(struct exim_served *s, const char *session, int depth, int usage,
    const struct test_certificate *certificate)
{
	static char answer[1024];
	struct exim_caller *c =
	    exim_call(s, exim_cert_line(session, depth, usage, certificate));
	const char *heard;

	exim_pass_ms(s, 100);
	heard = exim_hear(c);
	assert_non_null(heard);
	snprintf(answer, sizeof(answer), "%s", heard);
	assert_true(exim_hears_end(c));
	exim_hang_up(c);
	return answer;
}
