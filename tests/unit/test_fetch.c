/* SPDX-License-Identifier: ISC */
/*
 * The fetcher against real HTTPS servers on loopback: which certificates it
 * takes, and where it connects to.
 */
#include "tests/unit/unit.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/curl_loop.h"
#include "common/fetch_transfer.h"
#include "tests/unit/test_fetch_lab.h"

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
		struct test_certificate *issuers[] = { lab.root, NULL, stranger,
			lab.intermediate };
		struct test_certificate *leaf =
		    test_certificate_make(&c->opts, issuers[c->issuer]);
		SSL_CTX *ctx = test_certificate_server(leaf,
		    c->shows_intermediate ? lab.intermediate : NULL);
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

static const char *
lab_ca_file(void)
{
	static char path[] = "/tmp/test_fetch.XXXXXX";

	close(mkstemp(path));
	test_certificate_append_pem(lab.root, path);
	return path;
}

/* Not the system's, nor what libcurl was built with. */
static void
nobody_is_trusted_but_the_given_roots(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct fetcher_opts opts = lab_opts(0);
	struct told told;

	(void)state;
	opts.roots = X509_STORE_new();
	fetch_from(&told, lab.good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_WEBPKI_INVALID);
	X509_STORE_free(opts.roots);
	assert_int_equal(setenv("SSL_CERT_FILE", lab_ca_file(), 1), 0);
	opts.roots = X509_STORE_new();
	fetch_from(&told, lab.good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_WEBPKI_INVALID);
	X509_STORE_free(opts.roots);
	unlink(getenv("SSL_CERT_FILE"));
	unsetenv("SSL_CERT_FILE");
}

static void
without_roots_nobody_is_trusted(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct fetcher_opts opts = lab_opts(0);
	struct told told;

	(void)state;
	opts.roots = NULL;
	fetch_from(&told, lab.good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_string_equal(told.why,
	    "certificate of " HOST
	    " cannot be verified: no CA certificates could be read");
}

static void
a_server_that_speaks_no_tls_1_2_is_refused(void **state)
{
	const struct https_script script = { .reply = GOOD };
	SSL_CTX *ctx = test_certificate_server(lab.good, NULL);
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
	fetches_run_until_told(&told);
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
	fetch_from(&told, lab.good_ctx, &plain, lab_opts(0));
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, why, strlen(why));
	fetch_from(&told, lab.good_ctx, &cut, lab_opts(0));
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
	fetches_run_until_told(&told);
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
	told.fetch = lab.port.start(lab.port.self, &request, tell, &told);
	fetches_run_until_told(&told);
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
	fetches_run_until_told(&told[0]);
	fetches_run_until_told(&told[1]);
	start(&told[2], "example.com", "127.0.0.1");
	fetches_run_until_told(&told[2]);
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
	fetches_run_until_told(&told);
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
	struct fetcher_opts opts = { .roots = lab.roots,
		.port = server->port,
		.deadline_ms = 1000,
		.connect_ms = 1000,
		.low_speed_s = 1 };
	bool progressed = false;
	struct curl_loop *loop =
	    curl_loop_new(lab.base, 1, note_progress, &progressed);
	CURL *template = fetch_transfer_template(&opts);
	struct fetch_result result = { .why = "" };
	struct fetch_transfer *transfer;
	struct fetch_target target = { .host = HOST, .n_addresses = 1 };
	CURLcode code = CURLE_OK;

	(void)state;
	address_parse("127.0.0.1", &target.addresses[0]);
	transfer = fetch_transfer_new(template, &opts, &target, NULL);
	assert_true(curl_loop_add(loop, fetch_transfer_easy(transfer)));
	while (curl_loop_finished(loop, &code) == NULL)
		event_base_loop(lab.base, EVLOOP_ONCE);
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
	assert_null(lab.port.start(lab.port.self, &request, tell, &told));
	address_parse("127.0.0.1", &address);
	request.addresses = &address;
	request.n_addresses = 1;
	request.domain = "example.com/x@y:1";
	assert_null(lab.port.start(lab.port.self, &request, tell, &told));
	request.domain = "";
	assert_null(lab.port.start(lab.port.self, &request, tell, &told));
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	request.domain = name;
	assert_null(lab.port.start(lab.port.self, &request, tell, &told));
}

static void
proxies_of_the_environment_are_not_used(void **state)
{
	const struct https_script script = { .reply = GOOD };
	struct told told;

	(void)state;
	setenv("https_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	fetch_from(&told, lab.good_ctx, &script, lab_opts(0));
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_string_equal(told.why, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(only_good_certificates_of_this_name_are_taken),
		FETCH_TEST(nobody_is_trusted_but_the_given_roots),
		FETCH_TEST(without_roots_nobody_is_trusted),
		FETCH_TEST(a_server_that_speaks_no_tls_1_2_is_refused),
		FETCH_TEST(a_refused_connection_is_said),
		FETCH_TEST(what_is_no_tls_fails_in_the_handshake),
		FETCH_TEST(ipv6_addresses_are_pinned_too),
		FETCH_TEST(the_next_address_is_tried_when_one_is_dead),
		FETCH_TEST(each_fetch_goes_to_its_own_addresses),
		FETCH_TEST(loopback_is_refused_unless_it_is_allowed),
		FETCH_TEST(the_last_gate_refuses_what_was_pinned_all_the_same),
		FETCH_TEST(requests_that_make_no_sense_are_not_begun),
		FETCH_TEST(proxies_of_the_environment_are_not_used),
	};

	return cmocka_run_group_tests_name("fetch", tests, fetch_lab_open,
	    fetch_lab_close);
}
