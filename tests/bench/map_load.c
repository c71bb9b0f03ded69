/* SPDX-License-Identifier: ISC */
/* Postfix, played towards a socketmap server: see map_load.h. */
#include "tests/bench/map_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"

#define ANSWER_MAX 1024
#define SAMPLES_MAX 4000000
#define SILENCE_MS 40000 /* past every deadline of the engine */
#define READY_MAX 256

struct connection {
	int fd;
	uint64_t asked_ns;
	char answer[ANSWER_MAX];
	size_t len;
};

struct run {
	const struct map_load *load;
	struct map_load_result *out;
	struct connection *connections;
	size_t next; /* of the domains */
	unsigned open;
	uint64_t ends_ns;
	uint32_t *samples; /* ns */
	size_t n_samples;
};

static int
dial(uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		die("port %u: %s", port, strerror(errno));
	return fd;
}

static bool
is_over(const struct run *r)
{
	return r->load->seconds == 0 ? r->next >= r->load->n_domains
				     : monotonic_ns() >= r->ends_ns;
}

/* The next question, or none any more. */
static void
ask(struct run *r, struct connection *c)
{
	const struct map_load *load = r->load;
	const char *domain = load->domains[r->next % load->n_domains];
	char question[300];
	int n;

	if (is_over(r)) {
		r->open--;
		return;
	}
	r->next++;
	n = snprintf(question, sizeof(question), "%zu:policy %s,",
	    strlen("policy ") + strlen(domain), domain);
	c->len = 0;
	c->asked_ns = monotonic_ns();
	if (send(c->fd, question, (size_t)n, MSG_NOSIGNAL) != n)
		die("a question could not be sent");
}

static void
take(struct run *r, struct connection *c)
{
	const char *colon = memchr(c->answer, ':', c->len);
	size_t want_len = strlen(r->load->want), head;

	if (colon == NULL)
		return;
	head = (size_t)(colon - c->answer) + 1;
	if (c->len < head + strtoul(c->answer, NULL, 10) + 1)
		return;
	if (r->n_samples < SAMPLES_MAX)
		r->samples[r->n_samples++] =
		    (uint32_t)(monotonic_ns() - c->asked_ns);
	r->out->answers++;
	r->out->unwanted += c->len - head < want_len ||
	    memcmp(colon + 1, r->load->want, want_len) != 0;
	ask(r, c);
}

static void
listen_to(struct run *r, struct connection *c)
{
	ssize_t n =
	    recv(c->fd, c->answer + c->len, sizeof(c->answer) - 1 - c->len, 0);

	if (n <= 0)
		die("the server has closed a connection");
	c->len += (size_t)n;
	c->answer[c->len] = '\0';
	take(r, c);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile_us(const struct run *r, size_t percent)
{
	return r->n_samples == 0
	    ? 0
	    : (double)r->samples[(r->n_samples - 1) * percent / 100] / 1000;
}

static void
converse(struct run *r, int epoll)
{
	struct epoll_event ready[READY_MAX];

	while (r->open > 0) {
		int n = epoll_wait(epoll, ready, READY_MAX, SILENCE_MS);

		if (n <= 0) {
			r->out->unwanted += r->open;
			return;
		}
		for (int i = 0; i < n; i++)
			listen_to(r, ready[i].data.ptr);
	}
}

void
map_load_run(const struct map_load *load, struct map_load_result *out)
{
	struct run r = { .load = load, .out = out, .open = load->connections };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t begun_ns, cpu_ns;

	*out = (struct map_load_result){ 0 };
	r.samples = calloc(SAMPLES_MAX, sizeof(*r.samples));
	r.connections = calloc(load->connections, sizeof(*r.connections));
	if (epoll == -1 || r.samples == NULL || r.connections == NULL)
		die("out of memory");
	for (unsigned i = 0; i < load->connections; i++) {
		struct connection *c = &r.connections[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

		c->fd = dial(load->port);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) == -1)
			die("epoll: %s", strerror(errno));
	}
	cpu_ns = process_cpu_ns(load->server);
	begun_ns = monotonic_ns();
	r.ends_ns = begun_ns + (uint64_t)(load->seconds * 1e9);
	for (unsigned i = 0; i < load->connections; i++)
		ask(&r, &r.connections[i]);
	converse(&r, epoll);
	out->answers_per_s =
	    (double)out->answers * 1e9 / (double)(monotonic_ns() - begun_ns);
	cpu_ns = process_cpu_ns(load->server) - cpu_ns;
	out->cpu_us = (double)cpu_ns / 1000 / (double)out->answers;
	qsort(r.samples, r.n_samples, sizeof(*r.samples), compare);
	out->p50_us = percentile_us(&r, 50);
	out->p99_us = percentile_us(&r, 99);
	for (unsigned i = 0; i < load->connections; i++)
		close(r.connections[i].fd);
	close(epoll);
	free(r.connections);
	free(r.samples);
}
