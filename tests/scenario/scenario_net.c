/* SPDX-License-Identifier: ISC */
/* The fake network that a step of a scenario describes: see scenario.h. */
#include <curl/curl.h>
#include <errno.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fetch_outcome.h"
#include "common/limits.h"
#include "proto/mx_match.h"
#include "tests/fake/fake_net.h"
#include "tests/scenario/scenario.h"

#define RECORDS_MAX 40

static bool
is(const char *word, const char *wanted)
{
	return strcmp(word, wanted) == 0;
}

/* Nothing said: no such name. Records, and no word about how: it is there. */
static const char *
rcode_of(json_t *answer)
{
	return scenario_word(answer, "rcode",
	    answer == NULL ? "NXDOMAIN" : "NOERROR");
}

/* DNS answers without records. */
static enum dns_outcome
outcome_of(const char *rcode)
{
	if (is(rcode, "NOERROR"))
		return DNS_NO_DATA;
	return is(rcode, "NXDOMAIN") ? DNS_NO_NAME : DNS_TEMPFAIL;
}

/* The record. */

/* A record is a string, or its character-strings: to be freed. */
static struct span
txt_join(json_t *record)
{
	size_t size = json_string_length(record), len = 0, i;
	json_t *piece;
	char *text;

	json_array_foreach(record, i, piece) size += json_string_length(piece);
	text = malloc(size + 1);
	if (text == NULL)
		abort();
	if (json_is_string(record))
		memcpy(text, json_string_value(record), len = size);
	json_array_foreach(record, i, piece)
	{
		memcpy(text + len, json_string_value(piece),
		    json_string_length(piece));
		len += json_string_length(piece);
	}
	return (struct span){ text, len };
}

static void
txt_say(struct fake_net *net, json_t *txt, const char *policy_domain)
{
	const char *rcode = rcode_of(txt);
	struct span records[RECORDS_MAX];
	char name[DOMAIN_SIZE + 16];
	json_t *record;
	size_t n = 0, i;

	snprintf(name, sizeof(name), "_mta-sts.%s", policy_domain);
	fake_net_dns(net, name, DNS_TXT, outcome_of(rcode), NULL);
	json_array_foreach(scenario_get(txt, "records"), i,
	    record) if (n < RECORDS_MAX) records[n++] = txt_join(record);
	if (n > 0 && is(rcode, "NOERROR"))
		fake_net_records(net, name, DNS_TXT, records, n);
	for (i = 0; i < n; i++)
		free((char *)(uintptr_t)records[i].p);
}

/* The policy host. */

static const struct {
	const char *word;
	CURLcode code;
	int os_error;
	bool connected;
} https_errors[] = {
	{ "refused", CURLE_COULDNT_CONNECT, ECONNREFUSED, false },
	{ "timeout", CURLE_OPERATION_TIMEDOUT, 0, false },
	{ "truncated-body", CURLE_PARTIAL_FILE, 0, true },
};

static struct fetch_outcome
https_outcome(json_t *https)
{
	const char *error = scenario_word(https, "error", NULL);
	struct fetch_outcome o = {
		.code = CURLE_OK,
		.status = 200,
		.connected = true,
		.encrypted = true,
		.content_type = scenario_word(https, "content_type", NULL),
		.curl_error = "",
		.elapsed_ms = LIMIT_FETCH_MS,
	};

	if (scenario_get(https, "status") != NULL)
		o.status =
		    (long)json_integer_value(scenario_get(https, "status"));
	if (!is(scenario_word(https, "cert", "valid"), "valid")) {
		o.code = CURLE_PEER_FAILED_VERIFICATION;
		o.verify = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
	} else if (json_string_length(scenario_get(https, "body")) >
	    LIMIT_FETCH_BODY) {
		o.code = CURLE_WRITE_ERROR;
		o.excess = FETCH_EXCESS_BODY;
	}
	for (size_t i = 0; error != NULL &&
	     i < sizeof(https_errors) / sizeof(https_errors[0]);
	     i++)
		if (is(error, https_errors[i].word)) {
			o.code = https_errors[i].code;
			o.os_error = https_errors[i].os_error;
			o.connected = o.encrypted = https_errors[i].connected;
			o.status = o.connected ? 200 : 0;
		}
	return o;
}

static void
https_say(struct fake_net *net, json_t *https, const char *policy_domain)
{
	struct fetch_outcome outcome = https_outcome(https);
	json_t *body = scenario_get(https, "body");
	struct fetch_result result;
	char host[DOMAIN_SIZE + 16];

	if (https == NULL || is(scenario_word(https, "error", ""), "nxdomain"))
		return; /* what nothing is said of does not exist */
	snprintf(host, sizeof(host), "mta-sts.%s", policy_domain);
	fake_net_dns(net, host, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	fetch_outcome_judge(&outcome, host, &result);
	fake_net_body(net, policy_domain,
	    (struct span){ json_string_value(body), json_string_length(body) },
	    result.result, result.why);
}

/* The MX set. */

static void
mx_say(struct fake_net *net, json_t *mx, const char *domain)
{
	const char *rcode = rcode_of(mx);
	char texts[RECORDS_MAX][DOMAIN_SIZE + 16], host[DOMAIN_SIZE];
	struct span records[RECORDS_MAX];
	enum domain_kind kind;
	json_t *record;
	size_t n = 0, i;

	if (is(scenario_word(mx, "dnssec", "insecure"), "bogus"))
		rcode = "BOGUS"; /* as a validating resolver answers */
	fake_net_dns(net, domain, DNS_MX, outcome_of(rcode), NULL);
	json_array_foreach(scenario_get(mx, "records"), i, record)
	{
		if (n == RECORDS_MAX)
			break;
		kind = domain_fold(span_of(scenario_word(record, "host", "")),
		    host);
		if (kind != DOMAIN_OK && kind != DOMAIN_ABSENT)
			continue; /* as the reader of DNS answers does */
		snprintf(texts[n], sizeof(texts[n]), "%d %s",
		    (int)json_integer_value(scenario_get(record, "pref")),
		    host);
		records[n] = span_of(texts[n]);
		n++;
	}
	if (!is(rcode, "NOERROR") || i == 0)
		return;
	if (n > 0)
		fake_net_records(net, domain, DNS_MX, records, n);
	else
		fake_net_dns(net, domain, DNS_MX, DNS_TEMPFAIL, NULL);
}

/* The hosts. */

static enum result_type
certificate_of(json_t *host, const char *mx)
{
	const char *word = scenario_word(host, "cert", "valid");
	json_t *name;
	size_t i;

	if (is(word, "valid"))
		return RESULT_NONE;
	if (is(word, "expired"))
		return RESULT_CERTIFICATE_EXPIRED;
	if (is(word, "names")) {
		json_array_foreach(scenario_get(host, "names"), i,
		    name) if (mx_match(json_string_value(name),
				  mx)) return RESULT_NONE;
		return RESULT_CERTIFICATE_HOST_MISMATCH;
	}
	return is(word, "name-mismatch") ? RESULT_CERTIFICATE_HOST_MISMATCH
					 : RESULT_CERTIFICATE_NOT_TRUSTED;
}

/* TLS below 1.2 is not spoken. */
static bool
handshake_fails(json_t *host)
{
	const char *version = scenario_word(host, "tls_version", "TLSv1.3");

	return is(scenario_word(host, "tls", "ok"), "handshake-failure") ||
	    (!is(version, "TLSv1.2") && !is(version, "TLSv1.3"));
}

static struct fake_server
server_of(json_t *host, const char *mx)
{
	const char *reach = scenario_word(host, "reach", "ok");
	struct fake_server server = {
		.offers_starttls =
		    !json_is_false(json_object_get(host, "starttls")),
		.refuses_starttls =
		    is(scenario_word(host, "tls", "ok"), "starttls-454"),
		.handshake_fails = handshake_fails(host),
		.certificate = certificate_of(host, mx),
		.certificate_why = scenario_word(host, "cert", "valid"),
	};

	if (is(reach, "refused"))
		server.unreachable = "refused the connection";
	else if (is(reach, "timeout"))
		server.unreachable = "timed out at the connection";
	return server;
}

static bool
has_no_answer(json_t *host)
{
	return is(scenario_word(host, "reach", "ok"), "dns-servfail") ||
	    is(scenario_word(host, "addr_dnssec", ""), "bogus") ||
	    is(scenario_word(scenario_get(host, "cname"), "dnssec", ""),
		"bogus");
}

static void
host_say(struct fake_net *net, json_t *host, const char *key, int n)
{
	struct address address;
	struct fake_server server;
	char mx[DOMAIN_SIZE], text[ADDRESS_SIZE];

	if (address_parse(key, &address))
		address_format(&address, mx);
	else if (domain_fold(span_of(key), mx) != DOMAIN_OK)
		return;
	server = server_of(host, mx);
	fake_net_server(net, mx, &server);
	snprintf(text, sizeof(text), "198.51.%d.%d", n / 200, n % 200 + 1);
	if (has_no_answer(host)) {
		fake_net_dns(net, mx, DNS_A, DNS_TEMPFAIL, NULL);
		fake_net_dns(net, mx, DNS_AAAA, DNS_TEMPFAIL, NULL);
	} else {
		fake_net_dns(net, mx, DNS_A, DNS_FOUND, text, NULL);
		fake_net_dns(net, mx, DNS_AAAA, DNS_NO_DATA, NULL);
	}
}

void
scenario_net(struct fake_net *net, json_t *step, const char *policy_domain)
{
	struct scenario_target target;
	const char *name;
	json_t *host;
	int n = 0;

	fake_net_forget(net);
	if (policy_domain[0] != '\0') {
		txt_say(net, scenario_get(step, "txt"), policy_domain);
		https_say(net, scenario_get(step, "https"), policy_domain);
	}
	if (scenario_target(step, &target) && target.domain[0] != '\0')
		mx_say(net, scenario_get(step, "mx"), target.domain);
	json_object_foreach(scenario_get(step, "hosts"), name, host)
	    host_say(net, host, name, n++);
}
