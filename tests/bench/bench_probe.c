/* SPDX-License-Identifier: ISC */
/*
 * STARTTLS sessions for a second of CPU time: the project's smtp_client against
 * the least that OpenSSL needs, towards the same sink in another process. Both
 * say EHLO, STARTTLS, EHLO, QUIT, and verify chain and name under TLS 1.3.
 *
 *	usage: bench_probe CA-FILE [SESSIONS [ROUNDS]]
 *
 * CA-FILE is written. Exit status 1: a session was not good.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/smtp_client.h"
#include "common/tls_verify.h"
#include "tests/bench/process.h"
#include "tests/bench/result.h"
#include "tests/bench/sink.h"

#define HELO "here.bench"
#define AT_ONCE 16
#define ROUNDS_MAX 15
#define TARGET 0.85

static char mx[] = "m1.mx.bench"; /* OpenSSL wants it writable */
static uint16_t port;
static unsigned n_bad;

/* The bare client: blocking, one session after the other. */

static SSL_CTX *
bare_ctx_new(const char *ca_path)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_load_verify_file(ctx, ca_path) != 1)
		die("no TLS context");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return ctx;
}

/* One reply, whole: its last line has a blank behind the code. */
static bool
read_reply(int fd, SSL *ssl, const char *code)
{
	char buf[512];
	size_t len = 0;

	for (;;) {
		ssize_t n = ssl == NULL
		    ? recv(fd, buf + len, sizeof(buf) - 1 - len, 0)
		    : SSL_read(ssl, buf + len, (int)(sizeof(buf) - 1 - len));
		char *last;

		if (n <= 0)
			return false;
		len += (size_t)n;
		buf[len] = '\0';
		if (buf[len - 1] != '\n')
			continue;
		buf[len - 1] = '\0';
		last = strrchr(buf, '\n');
		last = last == NULL ? buf : last + 1;
		if (last[3] == ' ')
			return strncmp(last, code, 3) == 0;
		buf[len - 1] = '\n';
	}
}

static bool
command(int fd, SSL *ssl, const char *line, const char *code)
{
	size_t len = strlen(line);
	ssize_t n = ssl == NULL ? send(fd, line, len, MSG_NOSIGNAL)
				: SSL_write(ssl, line, (int)len);

	return n == (ssize_t)len && read_reply(fd, ssl, code);
}

static bool
bare_session(SSL_CTX *ctx)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(ctx);
	bool good;

	if (fd == -1 || ssl == NULL)
		die("no socket");
	good = SSL_set_tlsext_host_name(ssl, mx) == 1 &&
	    SSL_set1_host(ssl, mx) == 1 && SSL_set_fd(ssl, fd) == 1 &&
	    connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0 &&
	    read_reply(fd, NULL, "220") &&
	    command(fd, NULL, "EHLO " HELO "\r\n", "250") &&
	    command(fd, NULL, "STARTTLS\r\n", "220") && SSL_connect(ssl) == 1 &&
	    command(fd, ssl, "EHLO " HELO "\r\n", "250") &&
	    command(fd, ssl, "QUIT\r\n", "221");
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
	return good;
}

static void
run_bare(SSL_CTX *ctx, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		n_bad += !bare_session(ctx);
}

/* The project's client, several sessions at once. */

struct runner {
	struct smtp_port smtp;
	unsigned to_start, running;
};

static void session_start(struct runner *r);

static void
session_ready(const struct smtp_result *result, struct smtp_session *session,
    void *arg)
{
	struct runner *r = arg;

	n_bad += result->stage != SMTP_STAGE_READY ||
	    result->proofs != (PROOF_ENCRYPTED | PROOF_PKIX);
	r->smtp.quit(r->smtp.self, &session);
	r->running--;
	session_start(r);
}

static void
session_start(struct runner *r)
{
	struct smtp_target target = { .mx = mx,
		.port = port,
		.helo = HELO,
		.proofs = PROOF_ENCRYPTED | PROOF_PKIX };

	if (r->to_start == 0)
		return;
	address_parse("127.0.0.1", &target.address);
	if (r->smtp.start(r->smtp.self, &target, session_ready, r) == NULL)
		die("a session cannot be started");
	r->to_start--;
	r->running++;
}

/* Until the last QUIT was answered: the loop has no more events then. */
static void
run_client(struct event_base *base, struct smtp_dialer *dialer, unsigned n)
{
	struct runner r = { .smtp = smtp_dialer_port(dialer), .to_start = n };

	while (r.running < AT_ONCE && r.to_start > 0)
		session_start(&r);
	event_base_dispatch(base);
}

/* The comparison */

static pid_t
start_sink(const char *ca_path)
{
	int ready[2];
	pid_t pid;

	if (pipe(ready) == -1 || (pid = fork()) == -1)
		die("no sink");
	if (pid == 0) {
		struct event_base *base = event_base_new();

		signal(SIGPIPE, SIG_IGN);
		port = sink_listen(base, "127.0.0.1", 0, "DNS:*.mx.bench",
		    ca_path);
		if (write(ready[1], &port, sizeof(port)) != sizeof(port))
			_exit(1);
		event_base_dispatch(base);
		_exit(0);
	}
	close(ready[1]);
	if (read(ready[0], &port, sizeof(port)) != sizeof(port))
		die("no sink");
	close(ready[0]);
	return pid;
}

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *values, unsigned n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

static double
rate(uint64_t cpu_ns, unsigned n)
{
	return n / ((double)(process_cpu_ns(getpid()) - cpu_ns) / 1e9);
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500;
	unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 5;
	double bare[ROUNDS_MAX], client[ROUNDS_MAX];
	struct tls_verify *verify;
	struct smtp_dialer *dialer;
	struct event_base *base;
	const char *why;
	uint64_t begin;
	SSL_CTX *ctx;
	pid_t sink;

	if (argc < 2 || n == 0 || rounds == 0 || rounds > ROUNDS_MAX)
		die("usage: bench_probe CA-FILE [SESSIONS [ROUNDS]]");
	signal(SIGPIPE, SIG_IGN);
	sink = start_sink(argv[1]);
	ctx = bare_ctx_new(argv[1]);
	base = event_base_new();
	verify = tls_verify_new(argv[1], &why);
	dialer = verify == NULL ? NULL : smtp_dialer_new(base, verify);
	if (base == NULL || dialer == NULL)
		die("no client");
	run_bare(ctx, AT_ONCE);
	run_client(base, dialer, AT_ONCE);
	for (unsigned i = 0; i < rounds; i++) {
		begin = process_cpu_ns(getpid());
		run_bare(ctx, n);
		bare[i] = rate(begin, n);
		begin = process_cpu_ns(getpid());
		run_client(base, dialer, n);
		client[i] = rate(begin, n);
	}
	puts("STARTTLS sessions a CPU second");
	result_print("bare OpenSSL", median(bare, rounds), "1/s", NO_TARGET, 0);
	result_print("smtp_client", median(client, rounds), "1/s", NO_TARGET,
	    0);
	result_print("smtp_client / bare OpenSSL",
	    median(client, rounds) / median(bare, rounds), "", AT_LEAST,
	    TARGET);
	result_print("STARTTLS sessions that failed", n_bad, "", AT_MOST, 0);
	smtp_dialer_free(dialer);
	tls_verify_free(verify);
	event_base_free(base);
	SSL_CTX_free(ctx);
	kill(sink, SIGTERM);
	return n_bad > 0;
}
