/* SPDX-License-Identifier: ISC */
/*
 * The resolver against servers that misbehave on demand. Nothing here waits
 * for luck: the loop runs until what is awaited has happened, and a watchdog
 * fails the test when it does not.
 */
#ifndef STRICTMX_TESTS_RESOLVER_FIXTURE_H
#define STRICTMX_TESTS_RESOLVER_FIXTURE_H

#include "tests/unit/unit.h"

#include "common/clock.h"
#include "common/resolver.h"
#include "tests/unit/dns_server.h"

extern struct event_base *base;
extern struct clock *clock_now;
extern struct dns_server *server, *second;
extern struct resolver *resolver;
extern struct dns_port port;

/* What one asker was told. */
struct told {
	struct dns_query *query;
	unsigned times;
	enum dns_outcome outcome;
	bool secure;
	uint32_t ttl_s;
	size_t n;
	char why[80];
	char canonical[DOMAIN_SIZE];
	void (*then)(struct told *told); /* from within the callback */
};

extern unsigned
    told_count; /* since resolver_run_until_told() was called last */

/* Begins a question; told->query is NULL when it was not begun. */
void ask_as(struct told *told, const char *name, enum dns_type type,
    bool fresh);
void ask(struct told *told, const char *name);

/* Runs the loop while *value is below wanted; fails after WATCHDOG_S. */
void run_until(const unsigned *value, unsigned wanted);
/* Until so many more askers have been told. */
void resolver_run_until_told(unsigned wanted);
/* Whatever is ready now, and what becomes ready by it. */
void run_ready(void);
void run_ms(long ms);
/* Until the server has been asked so often. */
void asked_becomes(unsigned wanted);
int64_t now_ms(void);

/* At server, and at second if two upstreams are wanted. */
void resolver_begin(bool fake_clock, bool trusted, size_t n_upstreams);

/* For cmocka: an event base and two servers; the end of all. */
int setup(void **state);
int teardown(void **state);

#endif
