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
#include "tests/unit/dane_fixture.h"

#define RECORDS_MAX 40

static bool
is(const char *word, const char *wanted)
{
	return strcmp(word, wanted) == 0;
}

static bool
is_secure(json_t *object, const char *member)
{
	return is(scenario_word(object, member, "insecure"), "secure");
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
	fake_net_dnssec(net, domain, DNS_MX, is_secure(mx, "dnssec"), NULL);
	if (!is(rcode, "NOERROR") || i == 0)
		return;
	if (n > 0)
		fake_net_records(net, domain, DNS_MX, records, n);
	else
		fake_net_dns(net, domain, DNS_MX, DNS_TEMPFAIL, NULL);
	fake_net_dnssec(net, domain, DNS_MX, is_secure(mx, "dnssec"), NULL);
}

/* The hosts. */

static bool
has_name(const char *name, const void *host)
{
	json_t *names = json_object_get(host, "names"), *pattern;
	size_t i;

	json_array_foreach(names, i,
	    pattern) if (mx_match(json_string_value(pattern),
			     name)) return true;
	return false;
}

static enum result_type
certificate_of(json_t *host, const char *mx)
{
	const char *word = scenario_word(host, "cert", "valid");

	if (is(word, "valid"))
		return RESULT_NONE;
	if (is(word, "expired"))
		return RESULT_CERTIFICATE_EXPIRED;
	if (is(word, "names") && has_name(mx, host))
		return RESULT_NONE;
	if (is(word, "names"))
		return RESULT_CERTIFICATE_HOST_MISMATCH;
	return is(word, "name-mismatch") ? RESULT_CERTIFICATE_HOST_MISMATCH
					 : RESULT_CERTIFICATE_NOT_TRUSTED;
}

/* TLSA. */

/* Whatever chain a host shows, records that match are of the first of these. */
static const struct test_certificate *
certificate(bool matches)
{
	static struct test_certificate *made[2];
	const struct test_certificate_opts opts = { .common_name = "x" };

	if (made[matches] == NULL)
		made[matches] = test_certificate_make(&opts, NULL);
	return made[matches];
}

static struct span
association(unsigned selector, unsigned matching_type, bool matches)
{
	const struct dane_record record = { .selector = selector,
		.matching_type = matching_type,
		.of = certificate(matches) };

	return dane_association(&record);
}

static bool
tlsa_fits(const struct tlsa_record *record)
{
	struct span wanted =
	    association(record->selector, record->matching_type, true);
	bool fits = wanted.len == record->association.len &&
	    memcmp(wanted.p, record->association.p, wanted.len) == 0;

	free((char *)(uintptr_t)wanted.p);
	return fits;
}

static unsigned
number(json_t *object, const char *name)
{
	return (unsigned)json_integer_value(scenario_get(object, name)) & 0xff;
}

/* A record as on the wire, to be freed. */
static struct span
tlsa_record(json_t *record)
{
	struct span data =
	    association(number(record, "selector"), number(record, "mtype"),
		json_is_true(scenario_get(record, "match")));
	char *octets = malloc(3 + data.len);

	if (octets == NULL)
		abort();
	octets[0] = (char)number(record, "usage");
	octets[1] = (char)number(record, "selector");
	octets[2] = (char)number(record, "mtype");
	memcpy(octets + 3, data.p, data.len);
	free((char *)(uintptr_t)data.p);
	return (struct span){ octets, 3 + data.len };
}

static enum dns_outcome
tlsa_outcome(const char *status)
{
	if (is(status, "secure") || is(status, "insecure"))
		return DNS_NO_DATA; /* when there are no records */
	if (is(status, "none") || is(status, "secure-nxdomain"))
		return DNS_NO_NAME;
	return DNS_TEMPFAIL;
}

static void
tlsa_say(struct fake_net *net, json_t *tlsa, uint16_t port, const char *base)
{
	const char *status = scenario_word(tlsa, "status", "none");
	struct span records[RECORDS_MAX];
	char name[TLSA_NAME_SIZE], folded[DOMAIN_SIZE];
	json_t *record;
	size_t n = 0, i;

	if (domain_fold(span_of(base), folded) != DOMAIN_OK ||
	    !tlsa_name(port, folded, name))
		return;
	fake_net_dns(net, name, DNS_TLSA, tlsa_outcome(status), NULL);
	json_array_foreach(scenario_get(tlsa, "records"), i,
	    record) if (n < RECORDS_MAX) records[n++] = tlsa_record(record);
	if (n > 0 && tlsa_outcome(status) == DNS_NO_DATA)
		fake_net_records(net, name, DNS_TLSA, records, n);
	fake_net_dnssec(net, name, DNS_TLSA,
	    is(status, "secure") || is(status, "secure-nxdomain"), NULL);
	for (i = 0; i < n; i++)
		free((char *)(uintptr_t)records[i].p);
}

static void
tlsa_of_host(struct fake_net *net, json_t *host, uint16_t port, const char *mx)
{
	const char *base;
	json_t *tlsa;

	tlsa_say(net, scenario_get(host, "tlsa"), port, mx);
	json_object_foreach(scenario_get(host, "tlsa_at"), base, tlsa)
	    tlsa_say(net, tlsa, port, base);
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
		.tlsa_fits = tlsa_fits,
		.has_name = has_name,
		.names = host,
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

/* The chain is as secure as its weakest part. */
static void
addresses_say(struct fake_net *net, json_t *host, const char *mx,
    const char *address)
{
	json_t *cname = scenario_get(host, "cname");
	char target[DOMAIN_SIZE];
	bool aliased = cname != NULL &&
	    domain_fold(span_of(scenario_word(cname, "target", "")), target) ==
		DOMAIN_OK;
	bool secure = is_secure(host, "addr_dnssec") &&
	    (!aliased || is_secure(cname, "dnssec"));

	if (has_no_answer(host)) {
		fake_net_dns(net, mx, DNS_A, DNS_TEMPFAIL, NULL);
		fake_net_dns(net, mx, DNS_AAAA, DNS_TEMPFAIL, NULL);
		return;
	}
	fake_net_dns(net, mx, DNS_A, DNS_FOUND, address, NULL);
	fake_net_dns(net, mx, DNS_AAAA, DNS_NO_DATA, NULL);
	fake_net_dnssec(net, mx, DNS_A, secure, aliased ? target : NULL);
	fake_net_dnssec(net, mx, DNS_AAAA, secure, aliased ? target : NULL);
	if (!aliased)
		return;
	fake_net_dns(net, mx, DNS_CNAME, DNS_FOUND, target, NULL);
	fake_net_dnssec(net, mx, DNS_CNAME, is_secure(cname, "dnssec"), NULL);
}

static void
host_say(struct fake_net *net, json_t *host, uint16_t port, const char *key,
    int n)
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
	addresses_say(net, host, mx, text);
	tlsa_of_host(net, host, port, mx);
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
	    host_say(net, host,
		target.smarthost[0] == '\0' ? SMTP_PORT : target.smarthost_port,
		name, n++);
}
