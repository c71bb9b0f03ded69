/* SPDX-License-Identifier: ISC */
/*
 * An SMTP session with a hostile server: any bytes in any pieces, in clear, in
 * place of a handshake, and under TLS after a real one. The session ends once;
 * it speaks only when it was answered; it begins the handshake only after
 * exactly three replies, the last one 220, and nothing behind it; and who asked
 * for proofs never gets a session that has not shown them.
 */
#include "tests/fuzz/fuzz.h"

#include <event2/bufferevent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "common/smtp_client.h"
#include "common/smtp_session.h"
#include "common/tls_verify.h"
#include "proto/smtp_reply.h"
#include "tests/fuzz/loop.h"
#include "tests/unit/scratch.h"
#include "tests/unit/test_certificates.h"

#define TEXT_MAX 32768
#define MX "mx1.example.com"
#define HELO "probe.example.net"

/* What is the same in all runs. */
static struct {
	struct tls_verify *verify;
	SSL_CTX *good, *wrong_name;
	struct smtp_dialer *dialer;
} lasting;

static struct fuzz_input input;
static struct fuzz_peer server;
static SSL *tls;	/* the server's end; NULL: bytes go as they are */
static bool hello_seen; /* the client has begun the handshake */
static bool tls_is_up;

/* Said and heard since the beginning, in clear and under TLS. */
static char said[2][TEXT_MAX], heard[2][TEXT_MAX];
static size_t said_len[2], heard_len[2];

static struct smtp_session *session; /* that was got and is kept */
static unsigned proofs;
static unsigned n_calls;
static struct smtp_result result;

/* The beginning */

static SSL_CTX *
server_context(const struct test_certificate *root, const char *alt_names)
{
	struct test_certificate_opts opts = { .alt_names = alt_names };
	struct test_certificate *leaf = test_certificate_make(&opts, root);
	SSL_CTX *ctx = test_certificate_server(leaf, NULL);

	test_certificate_free(leaf);
	return ctx;
}

static void
begin_once(void)
{
	struct test_certificate_opts opts = { .common_name = "root",
		.is_ca = true };
	struct test_certificate *root;
	const char *path, *why;
	void *scratch;

	if (lasting.dialer != NULL)
		return;
	assert(scratch_make(&scratch) == 0);
	path = scratch_path("root.pem");
	root = test_certificate_make(&opts, NULL);
	test_certificate_append_pem(root, path);
	lasting.verify = tls_verify_new(path, &why);
	assert(lasting.verify != NULL);
	assert(scratch_remove(&scratch) == 0);
	lasting.good = server_context(root, "DNS:" MX);
	lasting.wrong_name = server_context(root, "DNS:mx2.example.com");
	test_certificate_free(root);
	lasting.dialer = smtp_dialer_new(fuzz_base(), lasting.verify);
	assert(lasting.dialer != NULL);
}

/* The connection is there at once; it is told as libevent does. */
int __wrap_bufferevent_socket_connect(struct bufferevent *bev,
    const struct sockaddr *address, int len);

int
__wrap_bufferevent_socket_connect(struct bufferevent *bev,
    const struct sockaddr *address, int len)
{
	(void)address;
	(void)len;
	bufferevent_setfd(bev, fuzz_peer_open(&server));
	bufferevent_trigger_event(bev, BEV_EVENT_CONNECTED, 0);
	return 0;
}

/* What the session is heard to say */

static void
note(char text[TEXT_MAX], size_t *text_len, const char *p, size_t len)
{
	assert(len <= TEXT_MAX - *text_len);
	memcpy(text + *text_len, p, len);
	*text_len += len;
}

/* Bytes of the handshake and of records come and go until there are no more. */
static void
tls_pump(void)
{
	static char buf[65536];
	int n;

	do {
		BIO_write(SSL_get_rbio(tls), server.heard,
		    (int)server.heard_len);
		server.heard_len = 0;
		if (SSL_do_handshake(tls) == 1)
			tls_is_up = true;
		while ((n = SSL_read(tls, buf, sizeof(buf))) > 0)
			note(heard[1], &heard_len[1], buf, (size_t)n);
		ERR_clear_error();
		n = BIO_read(SSL_get_wbio(tls), buf, sizeof(buf));
		if (n > 0)
			fuzz_peer_say(&server, (struct span){ buf, (size_t)n });
	} while (n > 0 || server.heard_len > 0);
}

/* In clear: what is heard up to STARTTLS; then the client's first octets. */
static void
clear_pump(void)
{
	static const char starttls[] = "STARTTLS\r\n";
	size_t len = sizeof(starttls) - 1;

	if (server.heard_len == 0)
		return;
	if (heard_len[0] < len ||
	    memcmp(heard[0] + heard_len[0] - len, starttls, len) != 0) {
		note(heard[0], &heard_len[0], server.heard, server.heard_len);
		server.heard_len = 0;
		return;
	}
	if (server.heard[0] != SSL3_RT_HANDSHAKE) { /* QUIT, when refused */
		note(heard[0], &heard_len[0], server.heard, server.heard_len);
		server.heard_len = 0;
		return;
	}
	hello_seen = true;
}

static void
pump(void)
{
	fuzz_peer_settle(&server);
	if (!hello_seen)
		clear_pump();
	if (!hello_seen)
		return;
	if (tls != NULL)
		tls_pump();
	server.heard_len = 0;
}

static void
say(struct span bytes)
{
	note(said[tls_is_up], &said_len[tls_is_up], bytes.p, bytes.len);
	if (!tls_is_up) {
		fuzz_peer_say(&server, bytes);
	} else {
		SSL_write(tls, bytes.p, (int)bytes.len);
		ERR_clear_error();
	}
	pump();
}

/* What may be */

struct replies {
	size_t n;	  /* whole ones */
	size_t rest;	  /* octets behind them */
	bool bad;	  /* the rest begins with what is none */
	unsigned code;	  /* of the last one */
	bool starttls[2]; /* offered by the last one, and by that before */
};

static struct replies
replies_read(struct span rest)
{
	struct replies found = { 0 };
	struct smtp_reply reply;
	const char *end;

	smtp_reply_init(&reply);
	found.rest = rest.len;
	while (rest.len > 0 && !found.bad &&
	    (end = memchr(rest.p, '\n', rest.len)) != NULL) {
		struct span line = { rest.p, (size_t)(end - rest.p) };

		rest.len -= line.len + 1;
		rest.p = end + 1;
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		switch (smtp_reply_line(&reply, line)) {
		case SMTP_REPLY_MORE:
			break;
		case SMTP_REPLY_BAD:
			found.bad = true;
			break;
		case SMTP_REPLY_DONE:
			found.n++;
			found.rest = rest.len;
			found.code = reply.code;
			found.starttls[1] = found.starttls[0];
			found.starttls[0] = reply.starttls;
			smtp_reply_init(&reply);
		}
	}
	return found;
}

/* The commands that were heard; each of them is one of ours. */
static size_t
commands_count(struct span text)
{
	struct span line;
	size_t n = 0;

	assert(text.len == 0 || text.p[text.len - 1] == '\n');
	while (text.len > 0 && span_cut(&text, '\n', &line)) {
		assert(span_is(line, "EHLO " HELO "\r") ||
		    span_is(line, "STARTTLS\r") || span_is(line, "QUIT\r"));
		n++;
	}
	return n;
}

static bool
is_waiting(void)
{
	return n_calls == 0;
}

static void
check_turns(void)
{
	struct replies clear =
	    replies_read((struct span){ said[0], said_len[0] });
	struct replies under =
	    replies_read((struct span){ said[1], said_len[1] });
	size_t n = commands_count((struct span){ heard[0], heard_len[0] });
	size_t n_tls = commands_count((struct span){ heard[1], heard_len[1] });

	assert(n <= clear.n && n_tls <= under.n + 1);
	if (hello_seen && (is_waiting() || tls_is_up) && tls != NULL)
		assert(clear.n == 3 && clear.rest == 0 && clear.code == 220 &&
		    clear.starttls[1]);
	/* Who spoke out of turn is not waited for any more. */
	if (is_waiting() && !hello_seen)
		assert(clear.n == n && !clear.bad);
	if (is_waiting() && tls_is_up)
		assert(under.n + 1 == n_tls && !under.bad);
}

static void
check_result(void)
{
	bool is_ready = result.stage == SMTP_STAGE_READY;

	assert(memchr(result.why, '\0', sizeof(result.why)) != NULL);
	assert(fuzz_is_printable(span_of(result.why)));
	assert(is_ready || result.why[0] != '\0');
	assert(result.reply_code == 0 ||
	    (result.reply_code >= 200 && result.reply_code <= 599));
	if (!is_ready)
		return;
	assert((proofs & ~result.proofs) == 0);
	assert((result.proofs != 0) == (result.tls_version[0] != '\0'));
	assert(result.proofs == 0 || hello_seen);
}

/* One run */

static void
ready(const struct smtp_result *found, struct smtp_session *s, void *arg)
{
	(void)arg;
	n_calls++;
	result = *found;
	assert((s != NULL) == (found->stage == SMTP_STAGE_READY));
	session = s;
}

/* It is kept, said goodbye to, or cut. */
static void
end_some_day(struct smtp_port *port)
{
	if (session == NULL)
		return;
	switch (fuzz_choose(&input, 4)) {
	case 0:
		port->cancel(port->self, &session);
		break;
	case 1:
	case 2:
		port->quit(port->self, &session);
		break;
	}
	assert(session == NULL || n_calls == 1);
}

static struct smtp_session *
start(struct smtp_port *port)
{
	static const unsigned wanted[] = { 0, PROOF_ENCRYPTED,
		PROOF_ENCRYPTED | PROOF_PKIX };
	struct smtp_target target = { .mx = MX, .port = 25, .helo = HELO };
	bool parsed = address_parse("192.0.2.1", &target.address);
	struct smtp_session *started;

	assert(parsed);
	server = (struct fuzz_peer){ .base = fuzz_base(), .fd = -1 };
	memset(said_len, 0, sizeof(said_len));
	memset(heard_len, 0, sizeof(heard_len));
	hello_seen = tls_is_up = false;
	n_calls = 0;
	session = NULL;
	tls = NULL;
	if (fuzz_choose(&input, 4) != 1) {
		tls = SSL_new(fuzz_choose(&input, 4) == 1 ? lasting.wrong_name
							  : lasting.good);
		assert(tls != NULL);
		SSL_set_accept_state(tls);
		SSL_set_bio(tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	}
	target.proofs = proofs = wanted[fuzz_choose(&input, 3)];
	started = port->start(port->self, &target, ready, NULL);
	assert(started != NULL && n_calls == 0);
	return started;
}

static void
converse(struct smtp_port *port)
{
	struct span chunk;

	pump();
	while (fuzz_chunk(&input, &chunk)) {
		say(chunk);
		check_turns();
		end_some_day(port);
		pump();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct smtp_port port;
	struct smtp_session *started;

	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	begin_once();
	port = smtp_dialer_port(lasting.dialer);
	started = start(&port);
	converse(&port);
	if (n_calls == 0 && fuzz_choose(&input, 4) == 1)
		port.cancel(port.self, &started);
	else
		fuzz_peer_hang_up(&server);
	port.cancel(port.self, &session);
	fuzz_peer_settle(&server);
	assert(n_calls == 1 || (n_calls == 0 && started == NULL));
	if (n_calls == 1)
		check_result();
	assert(lasting.dialer->n_sessions == 0);
	fuzz_peer_cleanup(&server);
	SSL_free(tls);
	return 0;
}
