/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <errno.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#include "common/fetch_outcome.h"

/* What no server on loopback can be made to do; test_fetch has the rest. */
static const struct {
	struct fetch_outcome outcome;
	enum result_type result;
	const char *why;
} cases[] = {
	{ { .code = CURLE_PEER_FAILED_VERIFICATION,
	      .verify = X509_V_ERR_UNSPECIFIED },
	    RESULT_STS_WEBPKI_INVALID,
	    "certificate of host does not name this host" },
	{ { .code = CURLE_PEER_FAILED_VERIFICATION,
	      .verify = X509_V_ERR_CERT_SIGNATURE_FAILURE },
	    RESULT_STS_WEBPKI_INVALID,
	    "certificate of host is not good: certificate signature failure" },
	/* 1 is no verdict of the certificate in any other code. */
	{ { .code = CURLE_SSL_CONNECT_ERROR,
	      .verify = X509_V_ERR_UNSPECIFIED,
	      .curl_error = "tlsv1 alert protocol version" },
	    RESULT_STS_POLICY_FETCH_ERROR, "host speaks no TLS 1.2 or later" },
	{ { .code = CURLE_SSL_CONNECT_ERROR,
	      .curl_error = "SSL: unsupported protocol" },
	    RESULT_STS_POLICY_FETCH_ERROR, "host speaks no TLS 1.2 or later" },
	{ { .code = CURLE_SSL_CONNECT_ERROR, .curl_error = "reset\r\nnow" },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "TLS handshake with host failed: reset??now" },
	{ { .code = CURLE_COULDNT_CONNECT, .os_error = ENETUNREACH },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "no connection to host: Network is unreachable" },
	{ { .code = CURLE_COULDNT_CONNECT }, RESULT_STS_POLICY_FETCH_ERROR,
	    "no connection to host" },
	{ { .code = CURLE_OPERATION_TIMEDOUT,
	      .connected = true,
	      .encrypted = true,
	      .elapsed_ms = 60004 },
	    RESULT_STS_POLICY_FETCH_ERROR, "no answer from host within 60 s" },
	{ { .code = CURLE_OPERATION_TIMEDOUT, .elapsed_ms = 999 },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "no connection to host within 999 ms" },
	{ { .code = CURLE_OUT_OF_MEMORY, .status = 200 },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "host sent more than 16 KiB of headers" },
	{ { .code = CURLE_RECV_ERROR, .status = 200 },
	    RESULT_STS_POLICY_FETCH_ERROR, "connection to host broke" },
	{ { .code = CURLE_HTTP2_STREAM, .curl_error = "stream 1 reset" },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "fetch from host failed: stream 1 reset" },
	{ { .code = CURLE_HTTP2_STREAM }, RESULT_STS_POLICY_FETCH_ERROR,
	    "fetch from host failed: Stream error in the HTTP/2 framing "
	    "layer" },
	{ { .code = CURLE_OK, .status = 0, .content_type = "text/plain" },
	    RESULT_STS_POLICY_FETCH_ERROR, "host answered 0 instead of 200" },
	{ { .code = CURLE_OK, .status = 200, .content_type = "" },
	    RESULT_STS_POLICY_FETCH_ERROR,
	    "host sent no content type instead of text/plain" },
	{ { .code = CURLE_OK, .status = 200, .content_type = "text/plain " },
	    RESULT_NONE, "" },
};

static void
each_end_has_its_word_and_its_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fetch_outcome outcome = cases[i].outcome;
		struct fetch_result result = { .why = "left over" };

		if (outcome.curl_error == NULL)
			outcome.curl_error = "";
		fetch_outcome_judge(&outcome, "host", &result);
		assert_string_equal(result.why, cases[i].why);
		assert_int_equal(result.result, cases[i].result);
	}
}

static void
a_long_name_leaves_room_for_the_rest_of_the_sentence(void **state)
{
	struct fetch_outcome outcome = { .code = CURLE_OK,
		.status = 301,
		.curl_error = "" };
	struct fetch_result result;
	const char *end = "...";
	char host[254];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[253] = '\0';
	fetch_outcome_judge(&outcome, host, &result);
	assert_non_null(strstr(result.why, end));
	end = strstr(result.why, "forbids to follow");
	assert_non_null(end);
	assert_string_equal(end, "forbids to follow");
}

static void
foreign_text_is_cut(void **state)
{
	char type[5000];
	struct fetch_outcome outcome = { .code = CURLE_OK,
		.status = 200,
		.content_type = type,
		.curl_error = "" };
	struct fetch_result result;
	const char *end;

	(void)state;
	memset(type, 'x', sizeof(type));
	type[sizeof(type) - 1] = '\0';
	fetch_outcome_judge(&outcome, "host", &result);
	end = strstr(result.why, " instead of text/plain");
	assert_non_null(end);
	assert_int_equal(end - result.why, strlen("host sent ") + 80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_end_has_its_word_and_its_sentence),
		cmocka_unit_test(
		    a_long_name_leaves_room_for_the_rest_of_the_sentence),
		cmocka_unit_test(foreign_text_is_cut),
	};

	return cmocka_run_group_tests_name("fetch_outcome", tests, NULL, NULL);
}
