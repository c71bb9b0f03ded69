/* SPDX-License-Identifier: ISC */
/*
 * The fetcher against real HTTPS servers on loopback: each way in which a
 * policy host can be wrong, the pools, and the laws of the port.
 */
#include "tests/unit/unit.h"

#include <curl/curl.h>
#include <dirent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/curl_loop.h"
#include "common/fetch.h"
#include "common/fetch_transfer.h"
#include "common/limits.h"
#include "tests/unit/test_certificates.h"
#include "tests/unit/test_https_server.h"

#define POLICY "version: STSv1\nmode: none\nmax_age: 86400\n"
#define TEXT_PLAIN "Content-Type: text/plain\r\n"
#define GOOD                                                                   \
	"HTTP/1.1 200 OK\r\n" TEXT_PLAIN "Content-Length: 41\r\n\r\n" POLICY
#define HOST "mta-sts.example.com"
#define PATIENCE_S 20 /* of the test with the fetcher */

/* Made once: what a good policy host has, and the bundle that trusts it. */
static struct test_certificate *root, *intermediate, *good;
static SSL_CTX *good_ctx;
static char ca_file[] = "/tmp/test_fetch.XXXXXX";
static bool no_memory; /* for libevent */

/* Of one test */
static struct event_base *base;
static struct fetcher *fetcher;
static struct fetch_port port;

struct told {
	struct fetch *fetch; /* NULL when done ran */
	unsigned times;
	enum result_type result;
	char why[256];
	char body[256]; /* its beginning */
	size_t body_len;
};

static void
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

static void
patience_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Runs the loop until *times fetches have been told, or for ms without. */
static void
run(const unsigned *times, unsigned wanted, unsigned ms)
{
	bool over = false;
	struct event *timer = evtimer_new(base, patience_over, &over);
	struct timeval limit = { .tv_sec = ms / 1000,
		.tv_usec = ms % 1000 * 1000 };

	event_add(timer, &limit);
	while (!over && (times == NULL || *times < wanted))
		event_base_loop(base, EVLOOP_ONCE);
	event_free(timer);
	if (times != NULL)
		assert_int_equal(*times, wanted);
}

static void
run_until_told(struct told *told)
{
	run(&told->times, 1, PATIENCE_S * 1000);
}

static void
run_for(unsigned ms)
{
	run(NULL, 0, ms);
}

static void
fetcher_begin(const struct fetcher_opts *opts)
{
	fetcher_free(fetcher);
	fetcher = fetcher_new(base, opts);
	assert_non_null(fetcher);
	port = fetcher_port(fetcher);
}

static struct fetcher_opts
lab_opts(uint16_t server_port)
{
	struct fetcher_opts opts = { .ca_file = ca_file,
		.rules = { .allow_internal = true },
		.port = server_port };

	return opts;
}

static void
start(struct told *told, const char *domain, const char *address)
{
	struct address parsed;
	struct fetch_request request = { .domain = domain,
		.addresses = &parsed,
		.n_addresses = 1 };

	memset(told, 0, sizeof(*told));
	assert_true(address_parse(address, &parsed));
	told->fetch = port.start(port.self, &request, tell, told);
	assert_non_null(told->fetch);
	assert_int_equal(told->times, 0);
}

static struct https_server *
serve(const char *address, uint16_t server_port,
    const struct https_script *script)
{
	return https_server_new(base, address, server_port, good_ctx, script);
}

/* A fetch of example.com from a server of this kind, from begin to end. */
static void
fetch_from(struct told *told, SSL_CTX *ctx, const struct https_script *script,
    struct fetcher_opts opts)
{
	struct https_server *server =
	    https_server_new(base, "127.0.0.1", 0, ctx, script);

	assert_non_null(server);
	opts.port = server->port;
	fetcher_begin(&opts);
	start(told, "example.com", "127.0.0.1");
	run_until_told(told);
	https_server_free(server);
}

/* Certificates */

static const struct certificate_case {
	struct test_certificate_opts opts;
	enum {
		BY_ROOT,
		BY_ITSELF,
		BY_STRANGER,
		BY_INTERMEDIATE
	} issuer;
	bool shows_intermediate;
	const char *why; /* NULL: fetched */
} certificates[] = {
	{ { .alt_names = "DNS:" HOST }, .why = NULL },
	{ { .alt_names = "DNS:*.example.com" }, .why = NULL },
	{ { .alt_names = "DNS:" HOST }, BY_INTERMEDIATE, true, NULL },
	{ { .alt_names = "DNS:" HOST, .from_days = -9, .until_days = -1 },
	    .why = "certificate of " HOST " has expired" },
	{ { .alt_names = "DNS:" HOST, .from_days = 1 },
	    .why = "certificate of " HOST " is not valid yet" },
	{ { .alt_names = "DNS:" HOST }, BY_ITSELF,
	    .why = "certificate of " HOST " is self-signed" },
	{ { .alt_names = "DNS:" HOST }, BY_STRANGER,
	    .why = "certificate of " HOST
		   " does not lead to a trusted authority" },
	{ { .alt_names = "DNS:" HOST }, BY_INTERMEDIATE,
	    .why = "certificate of " HOST
		   " does not lead to a trusted authority" },
	{ { .alt_names = "DNS:mta-sts.example.net" },
	    .why = "certificate of " HOST " does not name this host" },
	{ { .alt_names = "DNS:*.com" },
	    .why = "certificate of " HOST " does not name this host" },
	{ { .alt_names = "DNS:mta*.example.com" },
	    .why = "certificate of " HOST " does not name this host" },
	{ { .common_name = HOST },
	    .why = "certificate of " HOST " does not name this host" },
	{ { .alt_names = "IP:127.0.0.1" },
	    .why = "certificate of " HOST " does not name this host" },
	{ { .alt_names = "DNS:" HOST, .usage = "clientAuth" },
	    .why = "certificate of " HOST " is not good: unsuitable "
		   "certificate purpose" },
};

static void
only_good_certificates_of_this_name_are_taken(void **state)
{
	const struct https_script script = { .reply = GOOD };
	const struct test_certificate_opts ca = { .common_name = "stranger",
		.is_ca = true };
	struct test_certificate *stranger = test_certificate_make(&ca, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(certificates) / sizeof(certificates[0]);
	     i++) {
		const struct certificate_case *c = &certificates[i];
		struct test_certificate *issuers[] = { root, NULL, stranger,
			intermediate };
		struct test_certificate *leaf =
		    test_certificate_make(&c->opts, issuers[c->issuer]);
		SSL_CTX *ctx = test_certificate_server(leaf,
		    c->shows_intermediate ? intermediate : NULL);
		struct told told;

		fetch_from(&told, ctx, &script, lab_opts(0));
		assert_string_equal(told.why, c->why == NULL ? "" : c->why);
		assert_int_equal(told.result,
		    c->why == NULL ? RESULT_NONE : RESULT_STS_WEBPKI_INVALID);
		assert_string_equal(told.body, c->why == NULL ? POLICY : "");
		SSL_CTX_free(ctx);
		test_certificate_free(leaf);
	}
	test_certificate_free(stranger);
}

static void
the_systems_authorities_do_not_count_beside_a_ca_file(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct fetcher_opts opts = lab_opts(0);
	struct told told;

	(void)state;
	opts.ca_file = NULL;
	fetch_from(&told, good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_WEBPKI_INVALID);
}

static void
a_missing_ca_file_is_said_and_trusts_nobody(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct fetcher_opts opts = lab_opts(0);
	struct told told;

	(void)state;
	opts.ca_file = "/nonexistent";
	fetch_from(&told, good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(told.why,
	    "certificate of " HOST
	    " cannot be verified: no CA certificates could be read");
}

static void
a_server_that_speaks_no_tls_1_2_is_refused(void **state)
{
	const struct https_script script = { .reply = GOOD };
	SSL_CTX *ctx = test_certificate_server(good, NULL);
	struct told told;

	(void)state;
	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION), 1);
	fetch_from(&told, ctx, &script, lab_opts(0));
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(told.why, HOST " speaks no TLS 1.2 or later");
	SSL_CTX_free(ctx);
}

/* Answers */

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer_case {
	struct https_script script;
	const char *why; /* NULL: fetched */
} answers[] = {
	/* Media types */
	{ { .reply = OK "content-type: TEXT/Plain; charset=utf-8\r\n\r\nx" },
	    NULL },
	{ { .reply = OK "Content-Type: text/plain;\r\n\r\nx" }, NULL },
	{ { .reply = OK "Content-Type: text/html\r\n\r\nx" },
	    HOST " sent text/html instead of text/plain" },
	{ { .reply = OK "Content-Type: text/plainer\r\n\r\nx" },
	    HOST " sent text/plainer instead of text/plain" },
	{ { .reply = OK "Content-Type: text/plain,text/html\r\n\r\nx" },
	    HOST " sent text/plain,text/html instead of text/plain" },
	{ { .reply = OK "Content-Type: a\x1b[31m\xc3\xa4\r\n\r\nx" },
	    HOST " sent a?[31m?? instead of text/plain" },
	{ { .reply = OK "\r\nx" },
	    HOST " sent no content type instead of text/plain" },
	/* Status */
	{ { .reply =
		  "HTTP/1.1 301 Moved\r\nLocation: https://mta-sts.exam"
		  "ple.com/other\r\n" TEXT_PLAIN "Content-Length: 0\r\n\r\n" },
	    HOST " answered with a redirect (301), which RFC 8461 3.3 "
		 "forbids to follow" },
	{ { .reply = "HTTP/1.1 404 Not Found\r\n" TEXT_PLAIN "\r\n" POLICY },
	    HOST " answered 404 instead of 200" },
	{ { .reply = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" },
	    HOST " answered 500 instead of 200" },
	{ { .reply = "HTTP/1.1 204 Empty\r\n" TEXT_PLAIN "\r\n" },
	    HOST " answered 204 instead of 200" },
	/* A page of 70,000 octets that says 404 is a 404. */
	{ { .reply = "HTTP/1.1 404 Not Found\r\n" TEXT_PLAIN "\r\n",
	      .unit = "0123456789",
	      .n_units = 7000 },
	    HOST " answered 404 instead of 200" },
	/* Sizes */
	{ { .reply = OK TEXT_PLAIN "Content-Length: 65537\r\n\r\n",
	      .manner = HTTPS_LEAVE },
	    HOST " sent more than 64 KiB" },
	{ { .reply = OK TEXT_PLAIN "Transfer-Encoding: chunked\r\n\r\n",
	      .unit = "10\r\n0123456789abcdef\r\n",
	      .n_units = 4097 },
	    HOST " sent more than 64 KiB" },
	{ { .reply = OK TEXT_PLAIN "\r\n",
	      .unit = "0123456789abcdef",
	      .n_units = 1000000 },
	    HOST " sent more than 64 KiB" },
	{ { .reply = OK "X: ", .unit = "0123456789abcdef", .n_units = 640000 },
	    HOST " sent more than 16 KiB of headers" },
	{ { .reply = OK, .unit = "X: y\r\n", .n_units = 200000 },
	    HOST " sent more than 16 KiB of headers" },
	{ { .reply = "HTTP/1.1 100 Continue\r\n\r\n",
	      .unit = "HTTP/1.1 100 Continue\r\n\r\n",
	      .n_units = 100000 },
	    HOST " sent more than 16 KiB of headers" },
	/* Broken off, or no HTTP */
	{ { .reply = OK TEXT_PLAIN "Content-Length: 4\r\n\r\nabc" },
	    HOST " closed before all of the policy was sent" },
	{ { .reply = OK TEXT_PLAIN
	      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" },
	    HOST " closed before all of the policy was sent" },
	{ { .reply = POLICY }, HOST " does not answer in HTTP" },
	{ { .manner = HTTPS_CLOSE }, HOST " closed without an answer" },
	/* What only the reader of the policy can judge */
	{ { .reply = OK TEXT_PLAIN "Content-Encoding: gzip\r\n\r\n\x1f\x8b" },
	    NULL },
	{ { .reply = OK TEXT_PLAIN "\r\n" POLICY }, NULL },
	{ { .reply = OK TEXT_PLAIN "Content-Length: 0\r\n\r\n" }, NULL },
};

static void
only_a_200_with_a_short_text_is_a_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer_case *c = &answers[i];
		struct told told;

		fetch_from(&told, good_ctx, &c->script, lab_opts(0));
		assert_string_equal(told.why, c->why == NULL ? "" : c->why);
		assert_int_equal(told.result,
		    c->why == NULL ? RESULT_NONE
				   : RESULT_STS_POLICY_FETCH_ERROR);
		if (c->why != NULL)
			assert_int_equal(told.body_len, 0);
	}
}

static void
the_body_comes_as_it_was_sent(void **state)
{
	const char nul[] = OK TEXT_PLAIN "Content-Length: 3\r\n\r\na\0b";
	const struct https_script with_nul = { .reply = nul,
		.reply_len = sizeof(nul) - 1 };
	const struct https_script full = { .reply = OK TEXT_PLAIN
		"Content-Length: 65536\r\n\r\n",
		.unit = "0123456789abcdef",
		.n_units = 4096 };
	const struct https_script gzip = { .reply = OK TEXT_PLAIN
		"Content-Encoding: gzip\r\n\r\n\x1f\x8b" };
	struct told told;

	(void)state;
	fetch_from(&told, good_ctx, &with_nul, lab_opts(0));
	assert_int_equal(told.body_len, 3);
	assert_memory_equal(told.body, "a\0b", 3);
	fetch_from(&told, good_ctx, &full, lab_opts(0));
	assert_int_equal(told.body_len, 65536);
	fetch_from(&told, good_ctx, &gzip, lab_opts(0));
	assert_string_equal(told.body, "\x1f\x8b");
}

static void
the_request_is_for_the_well_known_path_of_the_policy_host(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	const char *get = "GET /.well-known/mta-sts.txt HTTP/1.1\r\n"
			  "Host: mta-sts.example.com:";
	struct told told;

	(void)state;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_memory_equal(server->request, get, strlen(get));
	assert_null(strstr(server->request, "Cookie"));
	assert_null(strstr(server->request, "Accept-Encoding"));
	https_server_free(server);
}

/* Time */

static const struct time_case {
	struct https_script script;
	const char *why;
} times[] = {
	{ { .manner = HTTPS_NO_TLS },
	    "no TLS handshake with " HOST " within 2" },
	{ { .manner = HTTPS_LEAVE }, "no answer from " HOST " within 3" },
	{ { .manner = HTTPS_DRIP, .reply = GOOD, .delay_ms = 40 },
	    "no answer from " HOST " within 3" },
	{ { .manner = HTTPS_LEAVE,
	      .reply = OK TEXT_PLAIN "Content-Length: 42\r\n\r\nversion:" },
	    "no whole policy from " HOST " within 3" },
};

static void
the_deadline_ends_whatever_takes_too_long(void **state)
{
	struct fetcher_opts opts = lab_opts(0);

	(void)state;
	opts.connect_ms = 200;
	opts.deadline_ms = 300;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct told told;

		fetch_from(&told, good_ctx, &times[i].script, opts);
		assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
		assert_memory_equal(told.why, times[i].why,
		    strlen(times[i].why));
	}
}

/* A listener that has no place for one more connection: SYNs are dropped. */
static void
a_host_that_does_not_even_accept_is_said(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), waiting[8];
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	const char *why = "no connection to " HOST " within 2";
	struct fetcher_opts opts;
	struct told told;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	for (size_t i = 0; i < 8; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(waiting[i], (struct sockaddr *)&in, len);
	}
	opts = lab_opts(ntohs(in.sin_port));
	opts.connect_ms = 200;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, why, strlen(why));
	for (size_t i = 0; i < 8; i++)
		close(waiting[i]);
	close(fd);
}

static void
a_trickle_ends_long_before_the_deadline(void **state)
{
	const struct https_script script = { .manner = HTTPS_DRIP,
		.reply = GOOD,
		.delay_ms = 50 };
	struct fetcher_opts opts = lab_opts(0);
	struct told told;

	(void)state;
	opts.low_speed_s = 1;
	fetch_from(&told, good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, "no ", 3);
}

/* Connecting */

static void
a_refused_connection_is_said(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told;

	(void)state;
	https_server_free(server);
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(told.why, "connection to " HOST " refused");
}

static void
what_is_no_tls_fails_in_the_handshake(void **state)
{
	const struct https_script plain = { .manner = HTTPS_PLAIN_TEXT,
		.reply = GOOD };
	const struct https_script cut = { .manner = HTTPS_CUT };
	const char *why = "TLS handshake with " HOST " failed: ";
	struct told told;

	(void)state;
	fetch_from(&told, good_ctx, &plain, lab_opts(0));
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, why, strlen(why));
	fetch_from(&told, good_ctx, &cut, lab_opts(0));
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, why, strlen(why));
}

static void
ipv6_addresses_are_pinned_too(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("::1", 0, &script);
	struct fetcher_opts opts;
	struct told told;

	(void)state;
	if (server == NULL)
		skip(); /* a host without IPv6 */
	opts = lab_opts(server->port);
	fetcher_begin(&opts);
	start(&told, "example.com", "::1");
	run_until_told(&told);
	assert_string_equal(told.why, "");
	assert_string_equal(told.body, POLICY);
	https_server_free(server);
}

static void
the_next_address_is_tried_when_one_is_dead(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.2", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct address addresses[4];
	struct fetch_request request = { "example.com", addresses, 4 };
	struct told told = { .times = 0 };

	(void)state;
	address_parse("::1", &addresses[0]);
	address_parse("127.0.0.9", &addresses[1]);
	address_parse("127.0.0.9", &addresses[2]);
	address_parse("127.0.0.2", &addresses[3]);
	fetcher_begin(&opts);
	told.fetch = port.start(port.self, &request, tell, &told);
	run_until_told(&told);
	assert_string_equal(told.why, "");
	assert_string_equal(told.body, POLICY);
	https_server_free(server);
}

static void
each_fetch_goes_to_its_own_addresses(void **state)
{
	const struct https_script a = { .reply = OK TEXT_PLAIN "\r\na" };
	const struct https_script b = { .reply = OK TEXT_PLAIN "\r\nb" };
	struct https_server *server_a = serve("127.0.0.1", 0, &a);
	struct https_server *server_b = serve("127.0.0.2", server_a->port, &b);
	struct fetcher_opts opts = lab_opts(server_a->port);
	struct told told[3];

	(void)state;
	assert_non_null(server_b);
	fetcher_begin(&opts);
	start(&told[0], "example.com", "127.0.0.1");
	start(&told[1], "example.com", "127.0.0.2");
	run_until_told(&told[0]);
	run_until_told(&told[1]);
	start(&told[2], "example.com", "127.0.0.1");
	run_until_told(&told[2]);
	assert_string_equal(told[0].body, "a");
	assert_string_equal(told[1].body, "b");
	assert_string_equal(told[2].body, "a");
	https_server_free(server_a);
	https_server_free(server_b);
}

static void
loopback_is_refused_unless_it_is_allowed(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told;

	(void)state;
	opts.rules.allow_internal = false;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(told.why,
	    "no connection to " HOST ": 127.0.0.1 is a loopback address");
	assert_int_equal(server->accepted, 0);
	https_server_free(server);
}

static void
note_progress(void *arg)
{
	*(bool *)arg = true;
}

/* Behind the check of a request there is one of each single connection. */
static void
the_last_gate_refuses_what_was_pinned_all_the_same(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = { .ca_file = ca_file,
		.port = server->port,
		.deadline_ms = 1000,
		.connect_ms = 1000,
		.low_speed_s = 1 };
	bool progressed = false;
	struct curl_loop *loop =
	    curl_loop_new(base, 1, note_progress, &progressed);
	CURL *template = fetch_transfer_template(&opts);
	struct fetch_result result = { .why = "" };
	struct fetch_transfer *transfer;
	struct address address;
	CURLcode code = CURLE_OK;

	(void)state;
	address_parse("127.0.0.1", &address);
	transfer = fetch_transfer_new(template, &opts, HOST, &address, 1, NULL);
	assert_true(curl_loop_add(loop, fetch_transfer_easy(transfer)));
	while (curl_loop_finished(loop, &code) == NULL)
		event_base_loop(base, EVLOOP_ONCE);
	assert_true(progressed);
	assert_true(fetch_transfer_judge(transfer, code, &result));
	assert_string_equal(result.why,
	    "no connection to " HOST ": 127.0.0.1 is a loopback address");
	assert_int_equal(server->accepted, 0);
	curl_loop_remove(loop, fetch_transfer_easy(transfer));
	fetch_transfer_free(transfer);
	curl_easy_cleanup(template);
	curl_loop_free(loop);
	https_server_free(server);
}

static void
requests_that_make_no_sense_are_not_begun(void **state)
{
	struct fetcher_opts opts = lab_opts(1);
	struct fetch_request request = { .domain = "example.com" };
	char name[254];
	struct address address;
	struct told told;

	(void)state;
	fetcher_begin(&opts);
	assert_null(port.start(port.self, &request, tell, &told));
	address_parse("127.0.0.1", &address);
	request.addresses = &address;
	request.n_addresses = 1;
	request.domain = "example.com/x@y:1";
	assert_null(port.start(port.self, &request, tell, &told));
	request.domain = "";
	assert_null(port.start(port.self, &request, tell, &told));
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	request.domain = name;
	assert_null(port.start(port.self, &request, tell, &told));
}

static void
proxies_of_the_environment_are_not_used(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct told told;

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	fetch_from(&told, good_ctx, &script, lab_opts(0));
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_string_equal(told.why, "");
}

/* Pools */

static void
an_address_has_at_most_four_connections_and_blocks_nobody_else(void **state)
{
	const struct https_script slow = { .reply = GOOD, .delay_ms = 100 };
	const struct https_script quick = { .reply = GOOD };
	struct https_server *popular = serve("127.0.0.1", 0, &slow);
	struct https_server *other = serve("127.0.0.2", popular->port, &quick);
	struct fetcher_opts opts = lab_opts(popular->port);
	struct told told[10], behind;

	(void)state;
	assert_non_null(other);
	fetcher_begin(&opts);
	for (size_t i = 0; i < 10; i++)
		start(&told[i], "example.com", "127.0.0.1");
	start(&behind, "example.com", "127.0.0.2");
	run_until_told(&behind);
	assert_int_equal(told[9].times, 0);
	for (size_t i = 0; i < 10; i++) {
		run_until_told(&told[i]);
		assert_string_equal(told[i].why, "");
	}
	assert_int_equal(popular->most_open, LIMIT_FETCH_PER_ADDRESS);
	assert_int_equal(popular->accepted, 10);
	https_server_free(popular);
	https_server_free(other);
}

#define TARPITS 50

/* TARPITS * 4 hosts that never answer, on as many addresses as that needs. */
struct tarpits {
	struct https_server *servers[TARPITS];
	struct told told[TARPITS * LIMIT_FETCH_PER_ADDRESS];
};

static void
tarpits_open(struct tarpits *tarpits, const struct https_script *script,
    uint16_t server_port)
{
	char address[16];

	for (unsigned i = 0; i < TARPITS; i++) {
		snprintf(address, sizeof(address), "127.0.1.%u", i + 1);
		tarpits->servers[i] = serve(address, server_port, script);
		assert_non_null(tarpits->servers[i]);
	}
}

static void
tarpits_ask(struct tarpits *tarpits)
{
	char address[16], domain[32];

	for (unsigned i = 0; i < TARPITS * LIMIT_FETCH_PER_ADDRESS; i++) {
		snprintf(address, sizeof(address), "127.0.1.%u",
		    i % TARPITS + 1);
		snprintf(domain, sizeof(domain), "tarpit%u.example", i);
		start(&tarpits->told[i], domain, address);
	}
}

static unsigned
tarpits_hold(const struct tarpits *tarpits)
{
	unsigned open = 0;

	for (size_t i = 0; i < TARPITS; i++) {
		assert_true(
		    tarpits->servers[i]->most_open <= LIMIT_FETCH_PER_ADDRESS);
		open += tarpits->servers[i]->open;
	}
	return open;
}

static void
tarpits_close(struct tarpits *tarpits)
{
	for (size_t i = 0; i < TARPITS; i++)
		https_server_free(tarpits->servers[i]);
}

static void
at_most_sixteen_wait_for_a_first_answer_while_young(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;

	(void)state;
	tarpits_open(&tarpits, &script, server->port);
	fetcher_begin(&opts);
	tarpits_ask(&tarpits);
	run_for(300);
	assert_int_equal(tarpits_hold(&tarpits), LIMIT_FETCH_HANDSHAKES);
	fetcher_free(fetcher);
	fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

static unsigned
count_told(const struct tarpits *tarpits, const char *why)
{
	unsigned n = 0;

	for (size_t i = 0; i < TARPITS * LIMIT_FETCH_PER_ADDRESS; i++)
		if (tarpits->told[i].times > 0) {
			assert_int_equal(tarpits->told[i].result,
			    RESULT_STS_POLICY_FETCH_ERROR);
			assert_non_null(strstr(tarpits->told[i].why, why));
			n++;
		}
	return n;
}

static void
two_hundred_tarpits_do_not_starve_a_good_host(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &good_script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct tarpits tarpits;
	struct told told;

	(void)state;
	opts.slow_ms = 50;
	tarpits_open(&tarpits, &script, server->port);
	fetcher_begin(&opts);
	tarpits_ask(&tarpits);
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_string_equal(told.why, "");
	/* No more of them were ended than there had to be. */
	run_for(100);
	assert_int_equal(tarpits_hold(&tarpits), LIMIT_FETCH_AT_ONCE - 1);
	assert_int_equal(count_told(&tarpits, "too slow while others waited"),
	    TARPITS * LIMIT_FETCH_PER_ADDRESS - LIMIT_FETCH_AT_ONCE + 1);
	/* With nobody waiting, the slow may have all places. */
	start(&told, "example.com", "127.0.0.1");
	run_until_told(&told);
	assert_string_equal(told.why, "");
	fetcher_free(fetcher);
	fetcher = NULL;
	tarpits_close(&tarpits);
	https_server_free(server);
}

static void
a_slow_fetch_holds_only_the_address_it_is_connected_to(void **state)
{
	const struct https_script script = { .manner = HTTPS_NO_TLS };
	const struct https_script good_script = { .reply = GOOD };
	struct https_server *tarpit = serve("127.0.0.1", 0, &script);
	struct https_server *server =
	    serve("127.0.0.2", tarpit->port, &good_script);
	struct fetcher_opts opts = lab_opts(tarpit->port);
	struct address addresses[2];
	struct fetch_request request = { "evil.example", addresses, 2 };
	struct told evil[LIMIT_FETCH_PER_ADDRESS], told;

	(void)state;
	address_parse("127.0.0.1", &addresses[0]);
	address_parse("127.0.0.2", &addresses[1]);
	opts.slow_ms = 50;
	fetcher_begin(&opts);
	memset(evil, 0, sizeof(evil));
	for (size_t i = 0; i < LIMIT_FETCH_PER_ADDRESS; i++)
		evil[i].fetch = port.start(port.self, &request, tell, &evil[i]);
	start(&told, "example.com", "127.0.0.2");
	run_until_told(&told);
	assert_string_equal(told.why, "");
	assert_int_equal(evil[0].times, 0);
	fetcher_free(fetcher);
	fetcher = NULL;
	https_server_free(tarpit);
	https_server_free(server);
}

static void
the_queue_has_an_end(void **state)
{
	struct fetcher_opts opts = lab_opts(1);
	struct address address;
	struct fetch_request request = { "example.com", &address, 1 };
	struct fetch *first = NULL, *fetch;
	struct told told;

	(void)state;
	address_parse("127.0.0.1", &address);
	fetcher_begin(&opts);
	for (size_t i = 0; i < LIMIT_FETCH_QUEUED; i++) {
		fetch = port.start(port.self, &request, tell, &told);
		assert_non_null(fetch);
		if (first == NULL)
			first = fetch;
	}
	assert_null(port.start(port.self, &request, tell, &told));
	port.cancel(port.self, &first);
	assert_non_null(port.start(port.self, &request, tell, &told));
}

/* The laws of the port */

static void
cancel_is_safe_in_every_state(void **state)
{
	const struct https_script script = { .reply = OK TEXT_PLAIN
		"Content-Length: 42\r\n\r\nversion:",
		.manner = HTTPS_LEAVE };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told;

	(void)state;
	opts.slow_ms = 100;
	fetcher_begin(&opts);
	told.fetch = NULL;
	port.cancel(port.self, &told.fetch);
	/* Waiting; connecting; young and answered; slow. */
	for (unsigned ms = 0; ms < 200; ms = ms * 3 + 1) {
		start(&told, "example.com", "127.0.0.1");
		if (ms > 0)
			run_for(ms);
		port.cancel(port.self, &told.fetch);
		assert_null(told.fetch);
		port.cancel(port.self, &told.fetch);
		run_for(10);
		assert_int_equal(told.times, 0);
		assert_int_equal(server->open, 0);
	}
	/* Finished, but not told yet. */
	opts.rules.allow_internal = false;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	port.cancel(port.self, &told.fetch);
	run_for(10);
	assert_int_equal(told.times, 0);
	https_server_free(server);
}

struct canceller {
	struct told own;
	struct told *others;
	size_t n_others;
	struct told next; /* started from within done */
	bool done;
};

static void
tell_and_cancel(const struct fetch_result *result, void *arg)
{
	struct canceller *canceller = arg;

	tell(result, &canceller->own);
	for (size_t i = 0; i < canceller->n_others; i++)
		port.cancel(port.self, &canceller->others[i].fetch);
	start(&canceller->next, "example.com", "127.0.0.1");
}

static void
a_done_callback_may_cancel_others_and_start_anew(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct address address;
	struct fetch_request request = { "example.com", &address, 1 };
	struct told others[8];
	struct canceller canceller = { .others = others, .n_others = 8 };

	(void)state;
	address_parse("127.0.0.1", &address);
	/* First all are finished at the same time, then they still run. */
	for (int allowed = 0; allowed < 2; allowed++) {
		opts.rules.allow_internal = allowed != 0;
		fetcher_begin(&opts);
		memset(&canceller.own, 0, sizeof(canceller.own));
		canceller.own.fetch = port.start(port.self, &request,
		    tell_and_cancel, &canceller);
		for (size_t i = 0; i < 8; i++)
			start(&others[i], "example.com", "127.0.0.1");
		run_until_told(&canceller.own);
		run_until_told(&canceller.next);
		for (size_t i = 0; i < 8; i++)
			assert_true(
			    others[i].times == 0 || others[i].fetch == NULL);
		if (!allowed)
			assert_int_equal(others[7].times, 0);
	}
	https_server_free(server);
}

static void
a_fetcher_may_be_freed_while_fetches_run(void **state)
{
	const struct https_script script = { .manner = HTTPS_LEAVE };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told[9];

	(void)state;
	fetcher_begin(&opts);
	for (size_t i = 0; i < 8; i++)
		start(&told[i], "example.com", "127.0.0.1");
	run_for(100);
	start(&told[8], "example.com", "127.0.0.1");
	fetcher_free(fetcher);
	fetcher = NULL;
	run_for(10);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(told[i].times, 0);
	assert_int_equal(server->open, 0);
	fetcher_free(NULL);
	https_server_free(server);
}

/* What lacks here is no fact about the host. */

static void
a_lack_of_descriptors_is_waited_out(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct rlimit old, none;
	struct told told;

	(void)state;
	fetcher_begin(&opts);
	start(&told, "example.com", "127.0.0.1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run_for(100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(told.times, 0);
	run_until_told(&told);
	assert_string_equal(told.why, "");
	https_server_free(server);
}

static void
a_lack_of_memory_for_events_is_waited_out(void **state)
{
	const struct https_script script = { .reply = GOOD, .delay_ms = 50 };
	struct https_server *server = serve("127.0.0.1", 0, &script);
	struct fetcher_opts opts = lab_opts(server->port);
	struct told told[2];

	(void)state;
	fetcher_begin(&opts);
	start(&told[0], "example.com", "127.0.0.1");
	start(&told[1], "example.com", "127.0.0.1");
	evconnlistener_disable(server->listener); /* it shares our memory */
	no_memory = true;
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	no_memory = false;
	evconnlistener_enable(server->listener);
	assert_int_equal(told[0].times + told[1].times, 0);
	run_until_told(&told[0]);
	run_until_told(&told[1]);
	assert_string_equal(told[0].why, "");
	assert_string_equal(told[1].why, "");
	https_server_free(server);
}

static void
no_thread_was_started(void **state)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned n = 0;

	(void)state;
	if (tasks == NULL)
		skip(); /* no Linux */
	for (struct dirent *d; (d = readdir(tasks)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(tasks);
	assert_int_equal(n, 1);
}

static void *
event_malloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

static void *
event_realloc(void *p, size_t size)
{
	return no_memory ? NULL : realloc(p, size);
}

static int
group_setup(void **state)
{
	struct test_certificate_opts opts = { .common_name = "root",
		.is_ca = true };
	int fd = mkstemp(ca_file);

	(void)state;
	if (fd == -1 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -1;
	close(fd);
	signal(SIGPIPE, SIG_IGN);
	event_set_mem_functions(event_malloc, event_realloc, free);
	root = test_certificate_make(&opts, NULL);
	opts.common_name = "intermediate";
	intermediate = test_certificate_make(&opts, root);
	opts.common_name = NULL;
	opts.is_ca = false;
	opts.alt_names = "DNS:mta-sts.example.com";
	good = test_certificate_make(&opts, root);
	good_ctx = test_certificate_server(good, NULL);
	test_certificate_append_pem(root, ca_file);
	return 0;
}

static int
group_teardown(void **state)
{
	(void)state;
	SSL_CTX_free(good_ctx);
	test_certificate_free(good);
	test_certificate_free(intermediate);
	test_certificate_free(root);
	unlink(ca_file);
	curl_global_cleanup();
	libevent_global_shutdown();
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	base = event_base_new();
	return base == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	fetcher_free(fetcher);
	fetcher = NULL;
	event_base_free(base);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_good_certificates_of_this_name_are_taken),
		TEST(the_systems_authorities_do_not_count_beside_a_ca_file),
		TEST(a_missing_ca_file_is_said_and_trusts_nobody),
		TEST(a_server_that_speaks_no_tls_1_2_is_refused),
		TEST(only_a_200_with_a_short_text_is_a_policy),
		TEST(the_body_comes_as_it_was_sent),
		TEST(the_request_is_for_the_well_known_path_of_the_policy_host),
		TEST(the_deadline_ends_whatever_takes_too_long),
		TEST(a_host_that_does_not_even_accept_is_said),
		TEST(a_trickle_ends_long_before_the_deadline),
		TEST(a_refused_connection_is_said),
		TEST(what_is_no_tls_fails_in_the_handshake),
		TEST(ipv6_addresses_are_pinned_too),
		TEST(the_next_address_is_tried_when_one_is_dead),
		TEST(each_fetch_goes_to_its_own_addresses),
		TEST(loopback_is_refused_unless_it_is_allowed),
		TEST(the_last_gate_refuses_what_was_pinned_all_the_same),
		TEST(requests_that_make_no_sense_are_not_begun),
		TEST(proxies_of_the_environment_are_not_used),
		TEST(
		    an_address_has_at_most_four_connections_and_blocks_nobody_else),
		TEST(at_most_sixteen_wait_for_a_first_answer_while_young),
		TEST(two_hundred_tarpits_do_not_starve_a_good_host),
		TEST(a_slow_fetch_holds_only_the_address_it_is_connected_to),
		TEST(the_queue_has_an_end),
		TEST(cancel_is_safe_in_every_state),
		TEST(a_done_callback_may_cancel_others_and_start_anew),
		TEST(a_fetcher_may_be_freed_while_fetches_run),
		TEST(a_lack_of_descriptors_is_waited_out),
		TEST(a_lack_of_memory_for_events_is_waited_out),
		TEST(no_thread_was_started),
	};

	return cmocka_run_group_tests_name("fetch", tests, group_setup,
	    group_teardown);
}
