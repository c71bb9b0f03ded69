/* SPDX-License-Identifier: ISC */
/*
 * What tests of the fetcher share: certificates, servers, a fetcher on a loop,
 * and a note of what was told about each fetch.
 */
#ifndef STRICTMX_TESTS_TEST_FETCH_LAB_H
#define STRICTMX_TESTS_TEST_FETCH_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

#include "common/fetch.h"
#include "tests/unit/test_certificates.h"
#include "tests/unit/test_https_server.h"

#define HOST "mta-sts.example.com"
#define POLICY "version: STSv1\nmode: none\nmax_age: 86400\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define TEXT_PLAIN "Content-Type: text/plain\r\n"
#define GOOD OK TEXT_PLAIN "Content-Length: 41\r\n\r\n" POLICY

struct fetch_lab {
	/* For the whole program: a good host's certificate, who trusts it */
	struct test_certificate *root, *intermediate, *good;
	SSL_CTX *good_ctx;
	X509_STORE *roots;
	/* For one test */
	struct event_base *base;
	struct fetcher *fetcher; /* freed at the end, if any */
	struct fetch_port port;
	bool no_memory; /* for libevent */
};

extern struct fetch_lab lab;

/* What was told about a fetch. */
struct told {
	struct fetch *fetch; /* NULL when done ran */
	unsigned times;
	enum result_type result;
	char why[256];
	char body[256]; /* its beginning */
	size_t body_len;
};

/* For cmocka */
int fetch_lab_open(void **state);
int fetch_lab_close(void **state);
int fetch_lab_begin(void **state);
int fetch_lab_end(void **state);

#define FETCH_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, fetch_lab_begin, fetch_lab_end)

/* Loopback allowed, the lab's root trusted. */
struct fetcher_opts lab_opts(uint16_t port);

/* Another fetcher for this test. */
void fetcher_begin(const struct fetcher_opts *opts);

/* With the good certificate. */
struct https_server *serve(const char *address, uint16_t port,
    const struct https_script *script);

/* Begins a fetch of domain from address. */
void start(struct told *told, const char *domain, const char *address);

/* The fetch_done_fn of start(). */
void tell(const struct fetch_result *result, void *arg);

/* Runs the loop; a test that waits for 20 s fails. */
void fetches_run_until_told(struct told *told);
void run_for(unsigned ms);

/* A fetch of example.com from a server of this kind, from begin to end. */
void fetch_from(struct told *told, SSL_CTX *ctx,
    const struct https_script *script, struct fetcher_opts opts);

#endif
