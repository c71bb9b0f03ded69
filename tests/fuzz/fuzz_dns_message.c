/* SPDX-License-Identifier: ISC */
/*
 * The answer reader: the first octet is the type asked for, the rest is the
 * message; the name asked for is always a.example.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
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

/*
 * What the header alone rules out (RFC 1035 4.1.1): a question, an opcode, a
 * cut, an rcode other than 0 and 3, not one question. AD is what it says.
 */
static void
header_check(const struct dns_answer *answer, const uint8_t *wire, size_t len)
{
	unsigned rcode;

	if (answer->outcome == DNS_TEMPFAIL)
		return;
	assert(len >= 12);
	rcode = wire[3] & 0x0f;
	assert((wire[2] & 0x80) != 0 && (wire[2] & 0x7a) == 0);
	assert(wire[4] == 0 && wire[5] == 1);
	assert(answer->secure == ((wire[3] & 0x20) != 0));
	assert(rcode == 0 || rcode == 3);
	assert((answer->outcome == DNS_NO_NAME) == (rcode == 3));
}

/* A message of one octet more or less is none. */
static void
length_check(const uint8_t *wire, size_t len, enum dns_type type)
{
	struct dns_answer *answer;
	uint8_t *longer = malloc(len + 1), *shorter = malloc(len);

	assert(longer != NULL && shorter != NULL);
	memcpy(longer, wire, len);
	longer[len] = 0;
	memcpy(shorter, wire, len - 1);
	answer = dns_message_read(longer, len + 1, NAME, type);
	assert(answer->outcome == DNS_TEMPFAIL);
	dns_answer_free(answer);
	answer = dns_message_read(shorter, len - 1, NAME, type);
	assert(answer->outcome == DNS_TEMPFAIL);
	dns_answer_free(answer);
	free(longer);
	free(shorter);
}

static void
message_check(const uint8_t *wire, size_t len, enum dns_type type)
{
	struct dns_answer *answer = dns_message_read(wire, len, NAME, type);

	assert(answer != NULL);
	answer_check(answer, type);
	header_check(answer, wire, len);
	if (answer->outcome != DNS_TEMPFAIL) {
		assert(answer->type == type);
		length_check(wire, len, type);
	}
	dns_answer_free(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const enum dns_type types[] = { DNS_A, DNS_CNAME, DNS_MX,
		DNS_TXT, DNS_AAAA, DNS_TLSA };

	if (len == 0)
		return 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (bytes[0] == types[i])
			message_check(bytes + 1, len - 1, types[i]);
	return 0;
}
