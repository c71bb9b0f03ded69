/* SPDX-License-Identifier: ISC */
/*
 * Many clients that hand messages to a mail server: how many does it take in a
 * second? Messages have one recipient, the domains go around.
 *
 *	usage: smtp_load PORT CONNECTIONS SECONDS DOMAINS-FILE
 *
 * Prints messages a second; a reply that is not 2xx or 3xx ends it.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"

#define CONNECTIONS_MAX 256
#define DOMAINS_MAX 10000
#define BODY_SIZE 2048

/* What was said last: the reply to it is awaited. */
enum step {
	STEP_CONNECT,
	STEP_EHLO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
};

struct client {
	enum step step;
	size_t len;
	char input[1024];
};

static struct client clients[CONNECTIONS_MAX];
static struct pollfd polled[CONNECTIONS_MAX];
static char domains[DOMAINS_MAX][64];
static char body[BODY_SIZE + 128];
static unsigned n_domains, n_recipients, n_accepted;
static struct sockaddr_in server = { .sin_family = AF_INET };

static void
make_body(void)
{
	size_t n =
	    (size_t)snprintf(body, sizeof(body), "Subject: bench\r\n\r\n");

	while (n < BODY_SIZE) {
		memset(body + n, 'x', 62);
		memcpy(body + n + 62, "\r\n", 2);
		n += 64;
	}
	memcpy(body + n, ".\r\n", 4);
}

static void
read_domains(const char *path)
{
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	while (n_domains < DOMAINS_MAX &&
	    fscanf(file, "%63s", domains[n_domains]) == 1)
		n_domains++;
	fclose(file);
	if (n_domains == 0)
		die("%s: no domains", path);
}

static void
client_connect(unsigned i)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1)
		die("connect: %s", strerror(errno));
	polled[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	memset(&clients[i], 0, sizeof(clients[i]));
}

/* Loopback takes what is said here at once. */
static void
say(unsigned i, enum step step, const char *text)
{
	size_t len = strlen(text);

	if (send(polled[i].fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send: %s", strerror(errno));
	clients[i].step = step;
}

static void
say_recipient(unsigned i)
{
	char line[128];

	snprintf(line, sizeof(line), "RCPT TO:<user@%s>\r\n",
	    domains[n_recipients++ % n_domains]);
	say(i, STEP_RCPT, line);
}

static void
go_on(unsigned i)
{
	struct client *c = &clients[i];

	switch (c->step) {
	case STEP_CONNECT:
		say(i, STEP_EHLO, "EHLO here.bench\r\n");
		break;
	case STEP_MAIL:
		say_recipient(i);
		break;
	case STEP_RCPT:
		say(i, STEP_DATA, "DATA\r\n");
		break;
	case STEP_DATA:
		say(i, STEP_BODY, body);
		break;
	case STEP_EHLO:
	case STEP_BODY:
		n_accepted += c->step == STEP_BODY;
		say(i, STEP_MAIL, "MAIL FROM:<sender@here.bench>\r\n");
		break;
	}
}

/* A reply is whole when its last line has a blank behind the code. */
static void
readable(unsigned i)
{
	struct client *c = &clients[i];
	ssize_t n = recv(polled[i].fd, c->input + c->len,
	    sizeof(c->input) - 1 - c->len, 0);
	char *last;

	if (n <= 0)
		die("the server hangs up: %.*s", (int)c->len, c->input);
	c->len += (size_t)n;
	if (c->input[c->len - 1] != '\n')
		return;
	c->input[c->len - 1] = '\0';
	last = strrchr(c->input, '\n');
	last = last == NULL ? c->input : last + 1;
	if (last[3] == '-') {
		c->len = 0;
		return;
	}
	if (last[0] != '2' && last[0] != '3')
		die("refused: %s", last);
	c->len = 0;
	go_on(i);
}

int
main(int argc, char **argv)
{
	uint64_t begin, end;
	unsigned n;

	if (argc != 5)
		die("usage: smtp_load PORT CONNECTIONS SECONDS DOMAINS-FILE");
	server.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = (unsigned)strtoul(argv[2], NULL, 10);
	if (n == 0 || n > CONNECTIONS_MAX)
		die("1 to %u connections", CONNECTIONS_MAX);
	read_domains(argv[4]);
	make_body();
	/* One after the other: smtpd's queue of connections is short. */
	for (unsigned i = 0; i < n; i++) {
		client_connect(i);
		while (clients[i].step == STEP_CONNECT)
			readable(i);
	}
	begin = monotonic_ns();
	end = begin + (uint64_t)(strtod(argv[3], NULL) * 1e9);
	while (monotonic_ns() < end) {
		if (poll(polled, n, 100) < 1)
			continue;
		for (unsigned i = 0; i < n; i++)
			if (polled[i].revents != 0)
				readable(i);
	}
	printf("%.1f\n", n_accepted / ((double)(monotonic_ns() - begin) / 1e9));
	return 0;
}
