/* SPDX-License-Identifier: ISC */
/*
 * One HTTPS GET of a policy (RFC 8461 3.2, 3.3): see fetch_transfer.h.
 *
 * Each transfer has a DNS cache of its own, a "share", that holds nothing but
 * its pinned addresses and is gone with it; in the common cache libcurl would
 * keep each pin for good. For a name without a pin it would start a resolver
 * thread, so no transfer is made without addresses.
 */
#include "common/fetch_transfer.h"

#include <assert.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/fetch_outcome.h"
#include "common/limits.h"
#include "common/starved.h"
#include "proto/domain.h"

/* "host:65535:[address],[address]..." */
#define PIN_SIZE                                                               \
	(DOMAIN_SIZE + sizeof(":65535:") +                                     \
	    LIMIT_FETCH_ADDRESSES * (ADDRESS_SIZE + sizeof("[],")))

struct fetch_transfer {
	CURL *easy;
	CURLSH *share;
	struct curl_slist *pins;
	const struct fetch_target *target; /* the fetch's */
	const struct address_rules *rules; /* the fetcher's */
	X509_STORE *roots;		   /* the same's */
	char error[CURL_ERROR_SIZE];

	struct address refused_address;
	const char *refused; /* why */
	bool starved;	     /* no descriptor or memory for a socket */

	enum fetch_excess excess;
	size_t n_header_octets;
	size_t body_len;
	char *body; /* LIMIT_FETCH_BODY */
};

/* The end of a body that is too long; libcurl takes any other count as one. */
static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_transfer *transfer = arg;
	size_t len = size * n;

	if (len > LIMIT_FETCH_BODY - transfer->body_len) {
		transfer->excess = FETCH_EXCESS_BODY;
		return 0;
	}
	memcpy(transfer->body + transfer->body_len, p, len);
	transfer->body_len += len;
	return len;
}

/* All of them count: "100 Continue" a hundred thousand times is a flood. */
static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	struct fetch_transfer *transfer = arg;
	size_t len = size * n;

	(void)p;
	if (len > LIMIT_FETCH_HEADERS - transfer->n_header_octets) {
		transfer->excess = FETCH_EXCESS_HEADERS;
		return 0;
	}
	transfer->n_header_octets += len;
	return len;
}

/* The last gate: whatever led here, no connection to a refused address. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct fetch_transfer *transfer = arg;
	struct address address;
	int fd;

	(void)purpose;
	if (!address_from_sockaddr(&to->addr, &address))
		return CURL_SOCKET_BAD;
	transfer->refused =
	    address_refused(&address, ADDRESS_OF_POLICY_HOST, transfer->rules);
	if (transfer->refused != NULL) {
		transfer->refused_address = address;
		return CURL_SOCKET_BAD;
	}
	fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd == -1 && is_starved(errno))
		transfer->starved = true;
	return fd == -1 ? CURL_SOCKET_BAD : fd;
}

/*
 * RFC 8461 3.3: the host must be named by a dNSName. libcurl alone would fall
 * back to the CN where there is none, so OpenSSL is told to look as well. Whom
 * we trust was read before: libcurl would do that in the first handshake, for
 * a usual bundle 100 ms in which nothing else goes on.
 */
static CURLcode
set_demands(CURL *easy, void *ssl_ctx, void *arg)
{
	const struct fetch_transfer *transfer = arg;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ssl_ctx);

	(void)easy;
	if (transfer->roots == NULL)
		return CURLE_SSL_CACERT_BADFILE;
	if (SSL_CTX_set1_verify_cert_store(ssl_ctx, transfer->roots) != 1)
		return CURLE_OUT_OF_MEMORY;
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, transfer->target->host, 0) != 1)
		return CURLE_OUT_OF_MEMORY;
	return CURLE_OK;
}

static bool
set_long(CURL *easy, CURLoption option, long value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool
set_string(CURL *easy, CURLoption option, const char *value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

/* https to the pinned addresses and nothing else, whatever is asked of us. */
static bool
set_protocol(CURL *easy)
{
	/* HTTP/2 where both ends have it; a libcurl without it does 1.1. */
	(void)set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
	return set_string(easy, CURLOPT_PROTOCOLS_STR, "https") &&
	    set_long(easy, CURLOPT_FOLLOWLOCATION, 0) &&
	    set_long(easy, CURLOPT_MAXREDIRS, 0) &&
	    set_string(easy, CURLOPT_PROXY, "") &&
	    set_string(easy, CURLOPT_NOPROXY, "*") &&
	    set_long(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
	    set_long(easy, CURLOPT_HTTP09_ALLOWED, 0) &&
	    set_string(easy, CURLOPT_ACCEPT_ENCODING, NULL) &&
	    set_long(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0) &&
	    set_long(easy, CURLOPT_FRESH_CONNECT, 1) &&
	    set_long(easy, CURLOPT_FORBID_REUSE, 1) &&
	    set_long(easy, CURLOPT_NOSIGNAL, 1);
}

static bool
set_tls(CURL *easy)
{
	return set_string(easy, CURLOPT_CAINFO, NULL) &&
	    set_string(easy, CURLOPT_CAPATH, NULL) &&
	    set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
	    set_long(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
	    set_long(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
	    set_long(easy, CURLOPT_SSL_SESSIONID_CACHE, 0) &&
	    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, set_demands) ==
	    CURLE_OK;
}

static bool
set_bounds(CURL *easy, const struct fetcher_opts *opts)
{
	return set_long(easy, CURLOPT_TIMEOUT_MS, (long)opts->deadline_ms) &&
	    set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)opts->connect_ms) &&
	    set_long(easy, CURLOPT_LOW_SPEED_LIMIT, LIMIT_FETCH_LOW_SPEED) &&
	    set_long(easy, CURLOPT_LOW_SPEED_TIME, (long)opts->low_speed_s) &&
	    set_long(easy, CURLOPT_BUFFERSIZE, 16384) &&
	    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
		(curl_off_t)LIMIT_FETCH_BODY) == CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) ==
	    CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header) ==
	    CURLE_OK &&
	    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) ==
	    CURLE_OK;
}

CURL *
fetch_transfer_template(const struct fetcher_opts *opts)
{
	CURL *easy = curl_easy_init();

	if (easy != NULL && set_protocol(easy) && set_tls(easy) &&
	    set_bounds(easy, opts))
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}

static bool
set_url(struct fetch_transfer *transfer, uint16_t port)
{
	char url[DOMAIN_SIZE + 64];

	snprintf(url, sizeof(url), "https://%s:%u/.well-known/mta-sts.txt",
	    transfer->target->host, (unsigned)port);
	return set_string(transfer->easy, CURLOPT_URL, url);
}

/* A list of addresses, IPv6 in brackets, for this host and port. */
static bool
pin_addresses(struct fetch_transfer *transfer, uint16_t port)
{
	const struct fetch_target *target = transfer->target;
	char pin[PIN_SIZE], text[ADDRESS_SIZE];
	size_t len;

	len = (size_t)snprintf(pin, sizeof(pin), "%s:%u:", target->host,
	    (unsigned)port);
	for (size_t i = 0; i < target->n_addresses; i++) {
		bool is_ipv6 = target->addresses[i].family == AF_INET6;

		address_format(&target->addresses[i], text);
		len += (size_t)snprintf(pin + len, sizeof(pin) - len,
		    is_ipv6 ? "%s[%s]" : "%s%s", i == 0 ? "" : ",", text);
	}
	assert(len < sizeof(pin));
	transfer->pins = curl_slist_append(NULL, pin);
	transfer->share = curl_share_init();
	return transfer->pins != NULL && transfer->share != NULL &&
	    curl_share_setopt(transfer->share, CURLSHOPT_SHARE,
		CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
	    curl_easy_setopt(transfer->easy, CURLOPT_SHARE, transfer->share) ==
	    CURLE_OK &&
	    curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->pins) ==
	    CURLE_OK;
}

/* Pointers only: these cannot fail. */
static void
set_pointers(struct fetch_transfer *transfer, void *owner)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

struct fetch_transfer *
fetch_transfer_new(CURL *template, const struct fetcher_opts *opts,
    const struct fetch_target *target, void *owner)
{
	struct fetch_transfer *transfer = calloc(1, sizeof(*transfer));

	assert(target->n_addresses > 0);
	if (transfer == NULL)
		return NULL;
	transfer->target = target;
	transfer->rules = &opts->rules;
	transfer->roots = opts->roots;
	transfer->body = malloc(LIMIT_FETCH_BODY);
	transfer->easy = curl_easy_duphandle(template);
	if (transfer->body == NULL || transfer->easy == NULL ||
	    !set_url(transfer, opts->port) ||
	    !pin_addresses(transfer, opts->port)) {
		fetch_transfer_free(transfer);
		return NULL;
	}
	set_pointers(transfer, owner);
	return transfer;
}

void
fetch_transfer_free(struct fetch_transfer *transfer)
{
	if (transfer == NULL)
		return;
	curl_easy_cleanup(transfer->easy);
	curl_share_cleanup(transfer->share);
	curl_slist_free_all(transfer->pins);
	free(transfer->body);
	free(transfer);
}

CURL *
fetch_transfer_easy(const struct fetch_transfer *transfer)
{
	return transfer->easy;
}

bool
fetch_transfer_answered(const struct fetch_transfer *transfer)
{
	return transfer->n_header_octets > 0;
}

bool
fetch_transfer_connected(const struct fetch_transfer *transfer,
    struct address *address)
{
	char *text = NULL;

	return curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &text) ==
	    CURLE_OK &&
	    text != NULL && address_parse(text, address);
}

static curl_off_t
info_time(CURL *easy, CURLINFO info)
{
	curl_off_t time_us = 0;

	curl_easy_getinfo(easy, info, &time_us);
	return time_us;
}

static long
info_long(CURL *easy, CURLINFO info)
{
	long value = 0;

	curl_easy_getinfo(easy, info, &value);
	return value;
}

/* Did it end for a lack on this side, before the host had any part in it? */
static bool
is_our_lack(const struct fetch_transfer *transfer, CURLcode code)
{
	if (code == CURLE_COULDNT_CONNECT)
		return transfer->starved;
	if (code == CURLE_OUT_OF_MEMORY)
		return info_time(transfer->easy, CURLINFO_PRETRANSFER_TIME_T) ==
		    0;
	return code == CURLE_FAILED_INIT;
}

bool
fetch_transfer_judge(struct fetch_transfer *transfer, CURLcode code,
    struct fetch_result *result)
{
	CURL *easy = transfer->easy;
	struct fetch_outcome outcome = { .code = code,
		.status = info_long(easy, CURLINFO_RESPONSE_CODE),
		.verify = info_long(easy, CURLINFO_SSL_VERIFYRESULT),
		.os_error = (int)info_long(easy, CURLINFO_OS_ERRNO),
		.encrypted = info_time(easy, CURLINFO_APPCONNECT_TIME_T) > 0,
		.elapsed_ms = info_time(easy, CURLINFO_TOTAL_TIME_T) / 1000,
		.excess = transfer->excess,
		.address = transfer->refused_address,
		.address_refused = transfer->refused,
		.curl_error = transfer->error };
	char *content_type = NULL;
	struct address address;

	if (is_our_lack(transfer, code))
		return false;
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
	outcome.content_type = content_type;
	outcome.connected = fetch_transfer_connected(transfer, &address);
	fetch_outcome_judge(&outcome, transfer->target->host, result);
	result->body.p = transfer->body;
	result->body.len =
	    result->result == RESULT_NONE ? transfer->body_len : 0;
	return true;
}
