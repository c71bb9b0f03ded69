/* SPDX-License-Identifier: ISC */
/*
 * The answer reader: the first octet is the type asked for, the rest is the
 * message; the name asked for is always a.example.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/dns_message.h"

#define NAME "a.example"

/* Reads every octet, so that a span that points astray is seen. */
static void
span_touch(struct span s)
{
	unsigned sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum += (unsigned char)s.p[i];
	assert(sum <= s.len * 255);
}

static void
host_check(const char *host)
{
	char again[DOMAIN_SIZE];

	if (host[0] == '\0')
		return;
	assert(domain_fold(span_of(host), again) == DOMAIN_OK);
	assert(strcmp(host, again) == 0);
}

static void
record_check(const struct dns_rr *rr, enum dns_type type)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		break;
	case DNS_CNAME:
		assert(rr->target[0] != '\0');
		assert(strlen(rr->target) <= DOMAIN_MAX);
		break;
	case DNS_MX:
		host_check(rr->mx.host);
		break;
	case DNS_TXT:
		span_touch(rr->txt);
		break;
	case DNS_TLSA:
		span_touch(rr->tlsa.association);
		break;
	}
}

static void
answer_check(const struct dns_answer *answer, enum dns_type type)
{
	assert((answer->outcome == DNS_TEMPFAIL) == (answer->why != NULL));
	assert((answer->outcome == DNS_FOUND) == (answer->n > 0));
	assert(answer->n <= DNS_RECORDS_MAX);
	assert(answer->outcome != DNS_TEMPFAIL ||
	    (!answer->secure && answer->ttl_s == 0));
	assert(answer->outcome == DNS_TEMPFAIL || answer->aliased ||
	    strcmp(answer->canonical, NAME) == 0);
	for (size_t i = 0; i < answer->n; i++)
		record_check(&answer->rr[i], type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_MX,
		DNS_TXT, DNS_AAAA, DNS_TLSA };
	struct dns_answer *answer;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (bytes[0] != types[i])
			continue;
		answer = dns_message_read(bytes + 1, len - 1, NAME, types[i]);
		assert(answer != NULL);
		answer_check(answer, types[i]);
		dns_answer_free(answer);
	}
	return 0;
}
