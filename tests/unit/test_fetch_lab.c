/* SPDX-License-Identifier: ISC */
/* What tests of the fetcher share: see test_fetch_lab.h. */
#include "tests/unit/unit.h"

#include "tests/unit/test_fetch_lab.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 20000

struct fetch_lab lab;

static void *
event_malloc(size_t size)
{
	return lab.no_memory ? NULL : malloc(size);
}

static void *
event_realloc(void *p, size_t size)
{
	return lab.no_memory ? NULL : realloc(p, size);
}

int
fetch_lab_open(void **state)
{
	struct test_certificate_opts opts = { .common_name = "root",
		.is_ca = true };

	(void)state;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	event_set_mem_functions(event_malloc, event_realloc, free);
	lab.root = test_certificate_make(&opts, NULL);
	opts.common_name = "intermediate";
	lab.intermediate = test_certificate_make(&opts, lab.root);
	opts.common_name = NULL;
	opts.is_ca = false;
	opts.alt_names = "DNS:" HOST ",DNS:*.example";
	lab.good = test_certificate_make(&opts, lab.root);
	lab.good_ctx = test_certificate_server(lab.good, NULL);
	lab.roots = X509_STORE_new();
	assert_int_equal(X509_STORE_add_cert(lab.roots, lab.root->x509), 1);
	return 0;
}

int
fetch_lab_close(void **state)
{
	(void)state;
	SSL_CTX_free(lab.good_ctx);
	test_certificate_free(lab.good);
	test_certificate_free(lab.intermediate);
	test_certificate_free(lab.root);
	X509_STORE_free(lab.roots);
	curl_global_cleanup();
	libevent_global_shutdown();
	return 0;
}

int
fetch_lab_begin(void **state)
{
	(void)state;
	lab.base = event_base_new();
	return lab.base == NULL ? -1 : 0;
}

int
fetch_lab_end(void **state)
{
	(void)state;
	fetcher_free(lab.fetcher);
	lab.fetcher = NULL;
	event_base_free(lab.base);
	return 0;
}

struct fetcher_opts
lab_opts(uint16_t port)
{
	struct fetcher_opts opts = { .roots = lab.roots,
		.rules = { .allow_internal = true },
		.port = port };

	return opts;
}

void
fetcher_begin(const struct fetcher_opts *opts)
{
	fetcher_free(lab.fetcher);
	lab.fetcher = fetcher_new(lab.base, opts);
	assert_non_null(lab.fetcher);
	lab.port = fetcher_port(lab.fetcher);
}

struct https_server *
serve(const char *address, uint16_t port, const struct https_script *script)
{
	return https_server_new(lab.base, address, port, lab.good_ctx, script);
}

void
tell(const struct fetch_result *result, void *arg)
{
	struct told *told = arg;
	size_t len = result->body.len;

	told->fetch = NULL;
	told->times++;
	told->result = result->result;
	memcpy(told->why, result->why, sizeof(told->why));
	told->body_len = len;
	if (len >= sizeof(told->body))
		len = sizeof(told->body) - 1;
	if (len > 0)
		memcpy(told->body, result->body.p, len);
	told->body[len] = '\0';
}

void
start(struct told *told, const char *domain, const char *address)
{
	struct address parsed;
	struct fetch_request request = { .domain = domain,
		.addresses = &parsed,
		.n_addresses = 1 };

	memset(told, 0, sizeof(*told));
	assert_true(address_parse(address, &parsed));
	told->fetch = lab.port.start(lab.port.self, &request, tell, told);
	assert_non_null(told->fetch);
	assert_int_equal(told->times, 0);
}

static void
time_is_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
run(const struct told *told, unsigned ms)
{
	bool over = false;
	struct event *timer = evtimer_new(lab.base, time_is_over, &over);
	struct timeval limit = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_add(timer, &limit);
	while (!over && (told == NULL || told->times == 0))
		event_base_loop(lab.base, EVLOOP_ONCE);
	event_free(timer);
}

void
fetches_run_until_told(struct told *told)
{
	run(told, PATIENCE_MS);
	assert_int_equal(told->times, 1);
}

void
run_for(unsigned ms)
{
	run(NULL, ms);
}

void
fetch_from(struct told *told, SSL_CTX *ctx, const struct https_script *script,
    struct fetcher_opts opts)
{
	struct https_server *server =
	    https_server_new(lab.base, "127.0.0.1", 0, ctx, script);

	assert_non_null(server);
	opts.port = server->port;
	fetcher_begin(&opts);
	start(told, "example.com", "127.0.0.1");
	fetches_run_until_told(told);
	https_server_free(server);
}
