/* SPDX-License-Identifier: ISC */
/*
 * The world of the filter's benchmark, in a network namespace of its own:
 * DOMAINS domains, each with an enforced policy that is in the store already
 * and an MX host that shows STARTTLS and a good certificate.
 *
 *	dN.bench	MX mN.mx.bench, record with the id of the stored policy
 *	mN.mx.bench	127.0.0.1, where port 25 is ours
 *	N.slow		no such name, which is said late to each of two
 *			questions
 *	N.cold		a policy in mode none that has to be fetched, on one of
 *			many loopback addresses; MX as above
 *
 *	usage: world DIRECTORY DOMAINS
 *
 * It makes DIRECTORY/{domains,ca.pem,strictmx.conf,state/policies.sqlite},
 *counts DNS questions in DIRECTORY/questions, says "ready" and serves until its
 * standard input ends.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/policy_store.h"
#include "tests/bench/policy_hosts.h"
#include "tests/bench/process.h"
#include "tests/bench/questions.h"
#include "tests/bench/sink.h"
#include "tests/unit/dns_builder.h"

#define RECORD_ID "20240229"
#define RECORD_AGE_S 3600 /* so that each is looked at again, once */
#define REFRESH_S 43200	  /* from now, so that none is fetched again */
#define TTL_S 3600
#define SLOW_S 1 /* TXT, then MX: 2 s together */
#define SMTP_PORT 25
#define COLD_POLICY                                                            \
	"version: STSv1\r\nmode: none\r\nmx: mx1.example.com\r\n"              \
	"max_age: 604800\r\n"

enum dns_types {
	TYPE_A = 1,
	TYPE_MX = 15,
	TYPE_TXT = 16,
};

/* Preparation */

static FILE *
create(const char *dir, const char *name)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	return file;
}

static void
make_policies(const char *dir, unsigned n)
{
	char state[512], body[256];
	struct policy_store *store;
	struct policy_row row = { .id = RECORD_ID,
		.fetched_at_s = time(NULL) - RECORD_AGE_S,
		.record_seen_at_s = time(NULL) - RECORD_AGE_S,
		.refresh_at_s = time(NULL) + REFRESH_S };
	FILE *domains = create(dir, "domains");

	snprintf(state, sizeof(state), "%s/state", dir);
	if (mkdir(state, 0700) == -1 && errno != EEXIST)
		die("%s: %s", state, strerror(errno));
	store = policy_store_open(state, 0);
	if (store == NULL)
		die("no policy store");
	for (unsigned i = 0; i < n; i++) {
		snprintf(row.domain, sizeof(row.domain), "d%u.bench", i);
		snprintf(body, sizeof(body),
		    "version: STSv1\nmode: enforce\nmx: m%u.mx.bench\n"
		    "mx: *.backup.bench\nmax_age: 604800\n",
		    i);
		row.body = span_of(body);
		if (!policy_store_put(store, &row))
			die("a policy cannot be stored");
		fprintf(domains, "%s\n", row.domain);
	}
	policy_store_close(store);
	fclose(domains);
}

/* What a real installation trusts costs time and memory, too. */
static void
add_system_roots(const char *ca)
{
	FILE *from = fopen("/etc/ssl/certs/ca-certificates.crt", "r");
	FILE *to = fopen(ca, "a");
	char line[256];

	if (to == NULL)
		die("%s: %s", ca, strerror(errno));
	while (from != NULL && fgets(line, sizeof(line), from) != NULL)
		fputs(line, to);
	if (from != NULL)
		fclose(from);
	fclose(to);
}

static void
make_config(const char *dir, unsigned dns_port)
{
	FILE *file = create(dir, "strictmx.conf");

	fprintf(file,
	    "resolver = {\"127.0.0.1:%u\"}\nstate-dir = \"%s/state\"\n"
	    "ca-file = \"%s/ca.pem\"\nhostname = here.bench\n"
	    "allow-internal = yes\n",
	    dns_port, dir, dir);
	fclose(file);
}

/* DNS */

struct question {
	uint8_t id[2];
	char name[256];
	unsigned type;
};

struct late {
	struct bufferevent *bev;
	struct question question;
	struct event *timer;
};

static struct event_base *base;
static volatile uint64_t *n_questions;

static void
question_parse(const uint8_t *wire, size_t len, struct question *q)
{
	size_t at = 12, n = 0;

	while (at < len && wire[at] != 0 && at + wire[at] < len &&
	    n + wire[at] + 2 < sizeof(q->name)) {
		if (n > 0)
			q->name[n++] = '.';
		memcpy(q->name + n, wire + at + 1, wire[at]);
		n += wire[at];
		at += 1u + wire[at];
	}
	if (at + 5 > len)
		die("a bad question");
	q->name[n] = '\0';
	memcpy(q->id, wire, sizeof(q->id));
	q->type = get16(wire + at + 1);
}

/* Policy hosts, mta-sts.N.cold, have many: a few fetches at once from each. */
static uint32_t
address_of(const char *name)
{
	static const char prefix[] = "mta-sts.";

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return INADDR_LOOPBACK;
	return INADDR_LOOPBACK +
	    (uint32_t)strtoul(name + strlen(prefix), NULL, 10) % 65536;
}

static void
answer(struct bufferevent *bev, const struct question *q)
{
	static struct dns_built m;
	uint8_t size[2];
	char mx[300];

	built_begin(&m, DNS_ANSWER_FLAGS, q->name, q->type);
	memcpy(m.wire, q->id, sizeof(q->id));
	if (strstr(q->name, ".slow") != NULL) {
		set16(&m, 2, DNS_ANSWER_FLAGS | 3);
		add_soa(&m, "slow", 1, 1);
	} else if (q->type == TYPE_TXT) {
		add_txt(&m, q->name, TTL_S, "v=STSv1; id=" RECORD_ID ";");
	} else if (q->type == TYPE_MX) {
		/* dN.bench: mN.mx.bench */
		snprintf(mx, sizeof(mx), "m%.*s.mx.bench",
		    (int)strcspn(q->name + 1, "."), q->name + 1);
		add_mx(&m, q->name, TTL_S, 10, mx);
	} else if (q->type == TYPE_A) {
		add_a(&m, q->name, TTL_S, address_of(q->name));
	} else {
		add_soa(&m, "bench", TTL_S, TTL_S);
	}
	size[0] = (uint8_t)(m.len >> 8);
	size[1] = (uint8_t)m.len;
	bufferevent_write(bev, size, sizeof(size));
	bufferevent_write(bev, m.wire, m.len);
}

static void
answer_late(evutil_socket_t fd, short what, void *arg)
{
	struct late *late = arg;

	(void)fd;
	(void)what;
	answer(late->bev, &late->question);
	bufferevent_decref(late->bev);
	event_free(late->timer);
	free(late);
}

static void
question_take(struct bufferevent *bev, const struct question *q)
{
	const struct timeval delay = { .tv_sec = SLOW_S };
	struct late *late;

	++*n_questions;
	if (strstr(q->name, ".slow") == NULL) {
		answer(bev, q);
		return;
	}
	late = calloc(1, sizeof(*late));
	if (late == NULL ||
	    (late->timer = evtimer_new(base, answer_late, late)) == NULL)
		die("out of memory");
	bufferevent_incref(bev);
	late->bev = bev;
	late->question = *q;
	evtimer_add(late->timer, &delay);
}

static void
dns_readable(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct question question;
	uint8_t size[2];
	size_t len;

	(void)arg;
	while (evbuffer_copyout(input, size, 2) == 2) {
		len = get16(size);
		if (evbuffer_get_length(input) < 2 + len)
			return;
		evbuffer_drain(input, 2);
		question_parse(evbuffer_pullup(input, (ssize_t)len), len,
		    &question);
		evbuffer_drain(input, len);
		question_take(bev, &question);
	}
}

static void
dns_ended(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void
dns_accepted(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct bufferevent *bev =
	    bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)sa;
	(void)len;
	(void)arg;
	if (bev == NULL)
		die("out of memory");
	bufferevent_setcb(bev, dns_readable, NULL, dns_ended, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

/* Returns its port. */
static unsigned
dns_listen(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	struct evconnlistener *listener = evconnlistener_new_bind(base,
	    dns_accepted, NULL, LEV_OPT_CLOSE_ON_FREE, 128,
	    (struct sockaddr *)&sin, sizeof(sin));

	if (listener == NULL ||
	    getsockname(evconnlistener_get_fd(listener),
		(struct sockaddr *)&sin, &len) == -1)
		die("DNS server: %s", strerror(errno));
	return ntohs(sin.sin_port);
}

static void
input_ended(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

int
main(int argc, char **argv)
{
	struct event *input;
	char ca[512], questions[512];

	if (argc != 3)
		die("usage: world DIRECTORY DOMAINS");
	log_init("world", false, LOG_LEVEL_WARNING);
	signal(SIGPIPE, SIG_IGN); /* TLS writes to those who have left */
	base = event_base_new();
	input = event_new(base, STDIN_FILENO, EV_READ, input_ended, NULL);
	if (base == NULL || input == NULL || event_add(input, NULL) == -1)
		die("cannot wait for standard input");
	snprintf(questions, sizeof(questions), "%s/questions", argv[1]);
	n_questions = questions_map(questions);
	snprintf(ca, sizeof(ca), "%s/ca.pem", argv[1]);
	sink_listen(base, "127.0.0.1", SMTP_PORT, "DNS:*.mx.bench", ca);
	policy_hosts_listen(base, COLD_POLICY, ca);
	add_system_roots(ca);
	make_policies(argv[1], (unsigned)strtoul(argv[2], NULL, 10));
	make_config(argv[1], dns_listen());
	puts("ready");
	fflush(stdout);
	event_base_dispatch(base);
	return 0;
}
