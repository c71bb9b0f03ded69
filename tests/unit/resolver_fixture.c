/* SPDX-License-Identifier: ISC */
/* What the resolver's tests share: see resolver_fixture.h. */
#include "tests/unit/resolver_fixture.h"

#include <event2/event.h>
#include <stdio.h>
#include <time.h>

#define WATCHDOG_S 30

struct event_base *base;
struct clock *clock_now;
struct dns_server *server, *second;
struct resolver *resolver;
struct dns_port port;

unsigned told_count;

static void
tell(const struct dns_answer *answer, void *arg)
{
	struct told *told = arg;

	told->query = NULL;
	told->times++;
	told_count++;
	told->outcome = answer->outcome;
	told->secure = answer->secure;
	told->ttl_s = answer->ttl_s;
	told->n = answer->n;
	snprintf(told->why, sizeof(told->why), "%s",
	    answer->why == NULL ? "" : answer->why);
	snprintf(told->canonical, sizeof(told->canonical), "%s",
	    answer->canonical);
	if (told->then != NULL)
		told->then(told);
}

void
ask_as(struct told *told, const char *name, enum dns_type type, bool fresh)
{
	unsigned before = told_count;

	told->query = port.start(port.self, name, type, fresh, tell, told);
	assert_int_equal(told_count, before); /* never before it returned */
}

void
ask(struct told *told, const char *name)
{
	ask_as(told, name, DNS_TXT, false);
	assert_non_null(told->query);
}

static void
barked(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("the watchdog barked");
}

static struct event *
watchdog_begin(void)
{
	struct timeval limit = { WATCHDOG_S, 0 };
	struct event *watchdog = evtimer_new(base, barked, NULL);

	evtimer_add(watchdog, &limit);
	return watchdog;
}

void
run_until(const unsigned *value, unsigned wanted)
{
	struct event *watchdog = watchdog_begin();

	while (*value < wanted)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

void
resolver_run_until_told(unsigned wanted)
{
	told_count = 0;
	run_until(&told_count, wanted);
}

void
run_ready(void)
{
	for (unsigned i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

void
run_ms(long ms)
{
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &limit);
	event_base_dispatch(base);
}

void
asked_becomes(unsigned wanted)
{
	struct event *watchdog = watchdog_begin();

	while (dns_server_asked(server) < wanted)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(watchdog);
}

int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
resolver_begin(bool fake_clock, bool trusted, size_t n_upstreams)
{
	struct resolver_opts opts = { .n_upstreams = n_upstreams };

	for (size_t i = 0; i < n_upstreams; i++) {
		address_parse("127.0.0.1", &opts.upstreams[i].address);
		opts.upstreams[i].trusted_ad = trusted;
	}
	opts.upstreams[0].port = dns_server_port(server);
	if (n_upstreams > 1)
		opts.upstreams[1].port = dns_server_port(second);
	clock_now = fake_clock ? clock_new_fake(1000) : clock_new(base);
	resolver = resolver_new(base, clock_now, &opts);
	assert_non_null(resolver);
	port = resolver_port(resolver);
}

int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	server = dns_server_new(base);
	second = dns_server_new(base);
	told_count = 0;
	return 0;
}

int
teardown(void **state)
{
	(void)state;
	resolver_free(resolver);
	resolver = NULL;
	dns_server_free(server);
	dns_server_free(second);
	run_ready();
	clock_free(clock_now);
	event_base_free(base);
	return 0;
}
