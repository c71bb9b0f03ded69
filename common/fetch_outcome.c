/* SPDX-License-Identifier: ISC */
/*
 * What the end of a transfer means: see fetch_outcome.h. The table of cases is
 * that of RFC 8461 3.3 (which answers hold a policy) and RFC 8460 4.3.2.2:
 * a certificate that is not good is sts-webpki-invalid, all else that keeps a
 * policy from being fetched is sts-policy-fetch-error.
 */
#include "common/fetch_outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/span.h"

#define HOST_SHOWN 100 /* octets of a host's name in a sentence */
#define TEXT_SHOWN 80  /* octets of foreign text */

/* Text that may come from the network, made short and printable. */
static const char *
printable(char buf[TEXT_SHOWN + 1], const char *text)
{
	size_t n = 0;

	for (; text[n] != '\0' && n < TEXT_SHOWN; n++)
		buf[n] = text[n] >= 0x20 && text[n] < 0x7f ? text[n] : '?';
	buf[n] = '\0';
	return buf;
}

/* The sentence must not lose its end to a long name. */
static const char *
shown(char buf[HOST_SHOWN + 1], const char *host)
{
	size_t len = strlen(host);

	if (len <= HOST_SHOWN) {
		memcpy(buf, host, len + 1);
		return buf;
	}
	memcpy(buf, host, HOST_SHOWN - 3);
	memcpy(buf + HOST_SHOWN - 3, "...", 4);
	return buf;
}

static void __attribute__((format(printf, 3, 4)))
fail(struct fetch_result *result, enum result_type type, const char *format,
    ...)
{
	va_list ap;

	result->result = type;
	va_start(ap, format);
	vsnprintf(result->why, sizeof(result->why), format, ap);
	va_end(ap);
}

/* RFC 8461 3.3: the certificate of the policy host. */
static void
judge_certificate(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	const char *is;

	switch (o->verify) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		is = "has expired";
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		is = "is not valid yet";
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		is = "is self-signed";
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		is = "does not lead to a trusted authority";
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_UNSPECIFIED: /* libcurl's own look at the name */
		is = "does not name this host";
		break;
	default:
		is = X509_verify_cert_error_string(o->verify);
		fail(result, RESULT_STS_WEBPKI_INVALID,
		    "certificate of %s is not good: %.80s", host, is);
		return;
	}
	fail(result, RESULT_STS_WEBPKI_INVALID, "certificate of %s %s", host,
	    is);
}

void
fetch_outcome_refused(const struct address *address, const char *why,
    const char *host, struct fetch_result *result)
{
	char text[ADDRESS_SIZE], name[HOST_SHOWN + 1];

	fail(result, RESULT_STS_POLICY_FETCH_ERROR,
	    "no connection to %s: %s %s", shown(name, host),
	    address_format(address, text), why);
}

void
fetch_outcome_crowded_out(const char *host, struct fetch_result *result)
{
	char name[HOST_SHOWN + 1];

	fail(result, RESULT_STS_POLICY_FETCH_ERROR,
	    "%s was too slow while others waited", shown(name, host));
}

static void
judge_connect(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	const enum result_type type = RESULT_STS_POLICY_FETCH_ERROR;

	if (o->address_refused != NULL)
		fetch_outcome_refused(&o->address, o->address_refused, host,
		    result);
	else if (o->os_error == ECONNREFUSED)
		fail(result, type, "connection to %s refused", host);
	else if (o->os_error != 0)
		fail(result, type, "no connection to %s: %s", host,
		    strerror(o->os_error));
	else
		fail(result, type, "no connection to %s", host);
}

static void
judge_timeout(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	const enum result_type type = RESULT_STS_POLICY_FETCH_ERROR;
	const bool seconds = o->elapsed_ms >= 1000;
	const int64_t time = seconds ? o->elapsed_ms / 1000 : o->elapsed_ms;
	const char *unit = seconds ? "s" : "ms";

	if (!o->connected)
		fail(result, type, "no connection to %s within %" PRId64 " %s",
		    host, time, unit);
	else if (!o->encrypted)
		fail(result, type,
		    "no TLS handshake with %s within %" PRId64 " %s", host,
		    time, unit);
	else if (o->status == 0)
		fail(result, type, "no answer from %s within %" PRId64 " %s",
		    host, time, unit);
	else
		fail(result, type,
		    "no whole policy from %s within %" PRId64 " %s", host, time,
		    unit);
}

static void
judge_handshake(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	char text[TEXT_SHOWN + 1];

	/* An alert of the server's, or our own refusal of what it chose. */
	if (strstr(o->curl_error, "protocol version") != NULL ||
	    strstr(o->curl_error, "unsupported protocol") != NULL)
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s speaks no TLS 1.2 or later", host);
	else
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "TLS handshake with %s failed: %s", host,
		    printable(text, o->curl_error));
}

/* RFC 8461 3.3: 200 only; 3xx must not be followed. */
static void
judge_status(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	if (o->status >= 300 && o->status < 400)
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s answered with a redirect (%ld), which RFC 8461 3.3 "
		    "forbids to follow",
		    host, o->status);
	else
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s answered %ld instead of 200", host, o->status);
}

/* RFC 8461 3.2: text/plain, with any parameters. */
static void
judge_media_type(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	struct span rest = span_of(o->content_type), type;
	char text[TEXT_SHOWN + 1];

	if (rest.len == 0 || !span_cut(&rest, ';', &type))
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s sent no content type instead of text/plain", host);
	else if (!span_is_nocase(span_trim(type), "text/plain"))
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s sent %s instead of text/plain", host,
		    printable(text, o->content_type));
}

/* The rest of libcurl's words: what stands before and after the host. */
static const struct {
	CURLcode code;
	const char *before;
	const char *after;
} sentences[] = {
	{ CURLE_UNSUPPORTED_PROTOCOL, "", " does not answer in HTTP" },
	{ CURLE_WEIRD_SERVER_REPLY, "", " does not answer in HTTP" },
	{ CURLE_FILESIZE_EXCEEDED, "", " sent more than 64 KiB" },
	/* A single line beyond libcurl's own bounds, not a lack of memory. */
	{ CURLE_OUT_OF_MEMORY, "", " sent more than 16 KiB of headers" },
	{ CURLE_PARTIAL_FILE, "", " closed before all of the policy was sent" },
	{ CURLE_GOT_NOTHING, "", " closed without an answer" },
	{ CURLE_RECV_ERROR, "connection to ", " broke" },
	{ CURLE_SEND_ERROR, "connection to ", " broke" },
	{ CURLE_SSL_CACERT_BADFILE, "certificate of ",
	    " cannot be verified: no CA certificates could be read" },
};

static void
judge_code(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	char text[TEXT_SHOWN + 1];

	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (sentences[i].code == o->code) {
			fail(result, RESULT_STS_POLICY_FETCH_ERROR, "%s%s%s",
			    sentences[i].before, host, sentences[i].after);
			return;
		}
	fail(result, RESULT_STS_POLICY_FETCH_ERROR, "fetch from %s failed: %s",
	    host,
	    printable(text,
		o->curl_error[0] != '\0' ? o->curl_error
					 : curl_easy_strerror(o->code)));
}

void
fetch_outcome_judge(const struct fetch_outcome *o, const char *host,
    struct fetch_result *result)
{
	char name[HOST_SHOWN + 1];

	result->result = RESULT_NONE;
	result->why[0] = '\0';
	host = shown(name, host);
	if (o->code == CURLE_PEER_FAILED_VERIFICATION)
		judge_certificate(o, host, result);
	else if (o->excess == FETCH_EXCESS_HEADERS)
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s sent more than 16 KiB of headers", host);
	else if (o->status > 200)
		judge_status(o, host, result); /* however its body ended */
	else if (o->excess == FETCH_EXCESS_BODY)
		fail(result, RESULT_STS_POLICY_FETCH_ERROR,
		    "%s sent more than 64 KiB", host);
	else if (o->code == CURLE_COULDNT_CONNECT)
		judge_connect(o, host, result);
	else if (o->code == CURLE_OPERATION_TIMEDOUT)
		judge_timeout(o, host, result);
	else if (o->code == CURLE_SSL_CONNECT_ERROR)
		judge_handshake(o, host, result);
	else if (o->code != CURLE_OK)
		judge_code(o, host, result);
	else if (o->status != 200)
		judge_status(o, host, result);
	else
		judge_media_type(o, host, result);
}
