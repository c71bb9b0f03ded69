/* SPDX-License-Identifier: ISC */
/*
 * The fetcher against real HTTPS servers on loopback: which answers it takes
 * as a policy, and for how long it waits for one.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/test_fetch_lab.h"

/* Answers */

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

		fetch_from(&told, lab.good_ctx, &c->script, lab_opts(0));
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
	fetch_from(&told, lab.good_ctx, &with_nul, lab_opts(0));
	assert_int_equal(told.body_len, 3);
	assert_memory_equal(told.body, "a\0b", 3);
	fetch_from(&told, lab.good_ctx, &full, lab_opts(0));
	assert_int_equal(told.body_len, 65536);
	fetch_from(&told, lab.good_ctx, &gzip, lab_opts(0));
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
	fetches_run_until_told(&told);
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

		fetch_from(&told, lab.good_ctx, &times[i].script, opts);
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
	fetches_run_until_told(&told);
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
	fetch_from(&told, lab.good_ctx, &script, opts);
	assert_int_equal(told.result, RESULT_STS_POLICY_FETCH_ERROR);
	assert_memory_equal(told.why, "no ", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FETCH_TEST(only_a_200_with_a_short_text_is_a_policy),
		FETCH_TEST(the_body_comes_as_it_was_sent),
		FETCH_TEST(
		    the_request_is_for_the_well_known_path_of_the_policy_host),
		FETCH_TEST(the_deadline_ends_whatever_takes_too_long),
		FETCH_TEST(a_host_that_does_not_even_accept_is_said),
		FETCH_TEST(a_trickle_ends_long_before_the_deadline),
	};

	return cmocka_run_group_tests_name("fetch_answers", tests,
	    fetch_lab_open, fetch_lab_close);
}
