/* SPDX-License-Identifier: ISC */
/* What the files of the fake network share: fake_net.c and fake_smtp.c. */
#ifndef STRICTMX_TESTS_FAKE_NET_PRIVATE_H
#define STRICTMX_TESTS_FAKE_NET_PRIVATE_H

#include "common/clock.h"
#include "tests/fake/fake_net.h"

#define TABLE_STEP 32
#define RECORDS_MAX 40

struct fake_name {
	char name[DOMAIN_SIZE + 16];
	enum dns_type type;
	enum dns_outcome outcome;
	char *records[RECORDS_MAX];
	size_t lens[RECORDS_MAX]; /* of these */
	size_t n, asked;
	bool secure;
	char alias[DOMAIN_SIZE]; /* "": none */
};

struct fake_policy {
	char domain[DOMAIN_SIZE];
	char *body;
	size_t len;
	enum result_type failure;
	char why[256];
};

struct fake_mx {
	char mx[DOMAIN_SIZE];
	unsigned proofs;
	enum smtp_stage stage;
	enum result_type failure;
	const char *why;
	bool is_server; /* then it goes as this says: */
	struct fake_server server;
	size_t sessions;
};

struct fake_net {
	struct clock *clock;
	struct fake_name *names;
	struct fake_policy *policies;
	struct fake_mx *mxs;
	size_t n_names, n_policies, n_mxs;
	size_t fetches, pending;
	int dns_ms, fetch_ms, smtp_ms;
	unsigned ttl_s;
	bool refuse_dns, refuse_fetch, refuse_smtp;
	fake_watch_fn *watch;
	void *watch_arg;
};

/* One request of any kind. */
struct fake_request {
	struct fake_net *net;
	struct clock_timer *timer;
	char name[DOMAIN_SIZE + 16];
	enum dns_type type; /* of a question */
	unsigned proofs;    /* asked of a session */
	bool in_clear;
	struct tlsa_set *tlsa; /* and this, with the name: */
	char next_hop[DOMAIN_SIZE];
	union {
		dns_done_fn *dns;
		fetch_done_fn *fetch;
		smtp_ready_fn *smtp;
	} done;
	void *arg;
};

/* The table with room for one more behind its n entries, all zero. */
void *fake_table_room(void *table, size_t n, size_t size);

/* NULL without memory: then the request cannot be begun, as with real ports. */
struct fake_request *fake_request_new(struct fake_net *net, const char *name,
    int64_t delay_ms, clock_fn *fn, void *arg);
void fake_request_end(struct fake_request *request);

/* Tells who watches. */
void fake_net_tell(struct fake_net *net, const struct fake_event *event);

/* The part of the port that fake_smtp.c plays. */
struct smtp_port fake_smtp_port(struct fake_net *net);

#endif
