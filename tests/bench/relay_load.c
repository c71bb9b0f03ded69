/* SPDX-License-Identifier: ISC */
/*
 * Many SMTP clients with messages for a relay, as smtpd would send them: one
 * command after the other, one recipient for each message, the domains go
 * around.
 *
 *	usage: relay_load [-a ADDRESS] -p PORT -d DOMAINS-FILE [-n DOMAINS]
 *	           [-c CONNECTIONS] [-m MESSAGES] [-l OCTETS] [-s SECONDS] [-H]
 *
 * A connection ends after MESSAGES, and another begins. Prints how many
 * messages a second were taken. -H: each connection goes as far as the reply to
 * RCPT; then it says "held" and waits until its standard input ends. A reply
 * that is not 2xx or 3xx ends it.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"

#define CONNECTIONS_MAX 2000
#define DOMAINS_MAX 10000
#define HELD_S 120 /* until all connections are held */

/* What was said last: the reply to it is awaited. */
enum step {
	STEP_CONNECT,
	STEP_EHLO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
	STEP_QUIT,
};

struct client {
	enum step step;
	unsigned messages;
	size_t body_sent; /* of the message; only in STEP_BODY */
	size_t len;
	char input[1024];
};

static struct client clients[CONNECTIONS_MAX];
static struct pollfd polled[CONNECTIONS_MAX];
static char domains[DOMAINS_MAX][64];
static char *body;
static size_t body_len;
static unsigned n_domains, n_recipients, n_accepted, n_held;
static struct sockaddr_in server = { .sin_family = AF_INET, .sin_addr = { 0 } };

/* What is asked for. */
static unsigned n_clients = 1, messages = 1;
static bool holds;

static void
make_body(size_t size)
{
	static const char head[] = "Subject: bench\r\n\r\n";
	size_t n = sizeof(head) - 1;

	free(body);
	body = malloc(size + sizeof(head) + 128);
	if (body == NULL)
		die("out of memory");
	memcpy(body, head, n);
	while (n < size) {
		memset(body + n, 'x', 62);
		memcpy(body + n + 62, "\r\n", 2);
		n += 64;
	}
	memcpy(body + n, ".\r\n", 3);
	body_len = n + 3;
}

static void
read_domains(const char *path, unsigned max)
{
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	while (n_domains < max && fscanf(file, "%63s", domains[n_domains]) == 1)
		n_domains++;
	fclose(file);
	if (n_domains == 0)
		die("%s: no domains", path);
}

static void
client_connect(unsigned i)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd == -1 ||
	    (connect(fd, (struct sockaddr *)&server, sizeof(server)) == -1 &&
		errno != EINPROGRESS))
		die("connect: %s", strerror(errno));
	polled[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	memset(&clients[i], 0, sizeof(clients[i]));
}

/* A command always finds room. */
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
say_body(unsigned i)
{
	struct client *c = &clients[i];
	ssize_t n = send(polled[i].fd, body + c->body_sent,
	    body_len - c->body_sent, MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN)
		die("send: %s", strerror(errno));
	if (n > 0)
		c->body_sent += (size_t)n;
	polled[i].events = c->body_sent < body_len ? POLLIN | POLLOUT : POLLIN;
	c->step = STEP_BODY;
}

static void
go_on(unsigned i)
{
	struct client *c = &clients[i];

	switch (c->step) {
	case STEP_CONNECT:
		say(i, STEP_EHLO, "EHLO client.bench\r\n");
		break;
	case STEP_EHLO:
		say(i, STEP_MAIL, "MAIL FROM:<sender@client.bench>\r\n");
		break;
	case STEP_MAIL:
		say_recipient(i);
		break;
	case STEP_RCPT:
		if (holds)
			n_held++;
		else
			say(i, STEP_DATA, "DATA\r\n");
		break;
	case STEP_DATA:
		c->body_sent = 0;
		say_body(i);
		break;
	case STEP_BODY:
		n_accepted++;
		if (++c->messages < messages)
			say(i, STEP_MAIL,
			    "MAIL FROM:<sender@client.bench>\r\n");
		else
			say(i, STEP_QUIT, "QUIT\r\n");
		break;
	case STEP_QUIT:
		close(polled[i].fd);
		client_connect(i);
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

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server hangs up at step %d: %.*s", c->step,
		    (int)c->len, c->input);
	c->len += (size_t)n;
	if (c->input[c->len - 1] != '\n')
		return;
	c->input[c->len - 1] = '\0';
	last = strrchr(c->input, '\n');
	last = last == NULL ? c->input : last + 1;
	if (last[3] == '-') {
		c->input[c->len - 1] = '\n';
		return;
	}
	if (last[0] != '2' && last[0] != '3')
		die("refused at step %d: %s", c->step, last);
	c->len = 0;
	go_on(i);
}

static void
turn(void)
{
	if (poll(polled, n_clients, 100) < 1)
		return;
	for (unsigned i = 0; i < n_clients; i++) {
		if ((polled[i].revents & POLLOUT) != 0 &&
		    clients[i].step == STEP_BODY)
			say_body(i);
		if ((polled[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
			readable(i);
	}
}

static void
run(double seconds)
{
	uint64_t begin = monotonic_ns();
	uint64_t end = begin + (uint64_t)(seconds * 1e9);

	while (monotonic_ns() < end)
		turn();
	printf("%.1f\n", n_accepted / ((double)(monotonic_ns() - begin) / 1e9));
}

static void
hold(void)
{
	uint64_t end = monotonic_ns() + HELD_S * 1000000000ull;

	while (n_held < n_clients) {
		if (monotonic_ns() > end)
			die("only %u of %u are held", n_held, n_clients);
		turn();
	}
	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

int
main(int argc, char **argv)
{
	const char *path = NULL;
	unsigned max = DOMAINS_MAX;
	double seconds = 1;
	int option;

	make_body(2048);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	while ((option = getopt(argc, argv, "a:c:d:Hl:m:n:p:s:")) != -1) {
		if (option == 'a')
			inet_pton(AF_INET, optarg, &server.sin_addr);
		else if (option == 'c')
			n_clients = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'd')
			path = optarg;
		else if (option == 'H')
			holds = true;
		else if (option == 'l')
			make_body(strtoul(optarg, NULL, 10));
		else if (option == 'm')
			messages = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'n')
			max = (unsigned)strtoul(optarg, NULL, 10);
		else if (option == 'p')
			server.sin_port =
			    htons((uint16_t)strtoul(optarg, NULL, 10));
		else if (option == 's')
			seconds = strtod(optarg, NULL);
		else
			die("see the head of relay_load.c");
	}
	if (path == NULL || n_clients == 0 || n_clients > CONNECTIONS_MAX)
		die("see the head of relay_load.c");
	read_domains(path, max < DOMAINS_MAX ? max : DOMAINS_MAX);
	for (unsigned i = 0; i < n_clients; i++)
		client_connect(i);
	if (holds)
		hold();
	else
		run(seconds);
	return 0;
}
