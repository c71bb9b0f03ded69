/* SPDX-License-Identifier: ISC */
/*
 * What a DNS answer says (RFC 1034 3.6.2, 2308, 7505): see dns_message.h. The
 * walk of dns_wire has checked the form of every record; here the alias chain
 * is followed among those of the answer section, in whatever order they came,
 * and what stands at its end is copied out.
 */
#include "proto/dns_message.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns_wire.h"

#define ALIASES_MAX 16 /* followed in one answer */

static void
use(struct dns_record *r, struct dns_answer *answer)
{
	r->used = true;
	if (r->ttl_s < answer->ttl_s)
		answer->ttl_s = r->ttl_s;
}

/*
 * Follows the alias of answer->canonical, if it has one: *alias says so. Beside
 * an alias nothing else may stand (RFC 1034 3.6.2), nor a second one.
 */
static const char *
alias_follow(struct dns_wire *w, struct dns_answer *answer, bool *alias)
{
	struct dns_record *found = NULL;
	bool others = false;
	size_t pos;

	for (size_t i = 0; i < w->n; i++) {
		struct dns_record *r = &w->records[i];

		if (strcmp(r->owner, answer->canonical) != 0)
			continue;
		if (r->type != DNS_CNAME)
			others = true;
		else if (found != NULL)
			return "two aliases of one name";
		else
			found = r;
	}
	*alias = found != NULL;
	if (found == NULL)
		return NULL;
	if (others)
		return "an alias beside other records";
	use(found, answer);
	answer->aliased = true;
	pos = found->rdata;
	if (dns_wire_name(w, &pos, answer->canonical) != DNS_NAME_READABLE)
		return "an alias of an unreadable name";
	return NULL;
}

static const char *
aliases_follow(struct dns_wire *w, struct dns_answer *answer)
{
	const char *why;
	bool alias;

	if (w->type == DNS_CNAME) /* then it is what was asked for */
		return NULL;
	for (unsigned i = 0; i <= ALIASES_MAX; i++) {
		why = alias_follow(w, answer, &alias);
		if (why != NULL || !alias)
			return why;
	}
	return "a loop of aliases, or too many";
}

/* Uses the records of the final name; returns how many there are. */
static size_t
records_use(struct dns_wire *w, struct dns_answer *answer, size_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	for (size_t i = 0; i < w->n; i++) {
		struct dns_record *r = &w->records[i];

		if (r->type != w->type ||
		    strcmp(r->owner, answer->canonical) != 0)
			continue;
		use(r, answer);
		if (n < DNS_RECORDS_MAX) {
			n++;
			*bytes += r->len;
		}
	}
	return n;
}

/* A record that is neither of the chain nor of its end has no business here. */
static bool
all_used(const struct dns_wire *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (!w->records[i].used)
			return false;
	return true;
}

/* Is name the same as zone, or below it? The root is above all. */
static bool
is_below(const char *name, const char *zone)
{
	size_t n = strlen(name), z = strlen(zone);

	return z == 0 ||
	    (n >= z && strcmp(name + n - z, zone) == 0 &&
		(n == z || name[n - z - 1] == '.'));
}

/*
 * There is nothing: what kind of nothing, and for how long (RFC 2308 5: the
 * smaller of the SOA's TTL and its minimum; 0 without a SOA)?
 */
static const char *
negative_read(struct dns_wire *w, struct dns_answer *answer, bool no_name)
{
	bool soa = w->n_soa == 1 && is_below(answer->canonical, w->soa.owner);

	/* RFC 2308 2.2: a referral looks like "no data" but has no SOA. */
	if (!no_name && !soa && w->n_ns > 0)
		return "a referral instead of an answer";
	/* Only the SOA shows that the alias's end was looked for at all. */
	if (!no_name && !soa && answer->aliased)
		return "an alias without its end";
	answer->outcome = no_name ? DNS_NO_NAME : DNS_NO_DATA;
	if (!soa)
		answer->ttl_s = 0;
	else
		use(&w->soa, answer);
	if (soa && w->soa_minimum_s < answer->ttl_s)
		answer->ttl_s = w->soa_minimum_s;
	return NULL;
}

static struct span
bytes_add(char **bytes, const uint8_t *p, size_t len)
{
	struct span s = { *bytes, len };

	memcpy(*bytes, p, len);
	*bytes += len;
	return s;
}

/* The character-strings of a TXT record as one (RFC 8461 3.1, 7208 3.3). */
static struct span
txt_join(char **bytes, const uint8_t *p, size_t len)
{
	struct span s = { *bytes, 0 };

	for (const uint8_t *end = p + len; p < end; p += 1 + *p)
		s.len += bytes_add(bytes, p + 1, *p).len;
	return s;
}

/* RFC 7505: the host "." says that the domain takes no mail. */
static bool
mx_copy(struct dns_wire *w, const struct dns_record *r, struct dns_rr *rr)
{
	char host[DOMAIN_SIZE];
	size_t pos = r->rdata + 2;
	enum domain_kind kind;

	rr->mx.preference = ldns_read_uint16(w->wire + r->rdata);
	rr->mx.host[0] = '\0';
	switch (dns_wire_name(w, &pos, host)) {
	case DNS_NAME_ROOT:
		return true;
	case DNS_NAME_READABLE:
		kind = domain_fold(span_of(host), rr->mx.host);
		w->no_memory = w->no_memory || kind == DOMAIN_NO_MEMORY;
		return kind == DOMAIN_OK;
	case DNS_NAME_UNREADABLE:
	case DNS_NAME_BROKEN:
		break;
	}
	return false;
}

/* Copies one record out; false when it is to be dropped. */
static bool
record_copy(struct dns_wire *w, const struct dns_record *r, struct dns_rr *rr,
    char **bytes)
{
	const uint8_t *p = w->wire + r->rdata;
	size_t pos = r->rdata;

	switch (w->type) {
	case DNS_A:
		memcpy(rr->a, p, sizeof(rr->a));
		return true;
	case DNS_AAAA:
		memcpy(rr->aaaa, p, sizeof(rr->aaaa));
		return true;
	case DNS_CNAME:
		return dns_wire_name(w, &pos, rr->target) == DNS_NAME_READABLE;
	case DNS_MX:
		return mx_copy(w, r, rr);
	case DNS_TXT:
		rr->txt = txt_join(bytes, p, r->len);
		return true;
	case DNS_TLSA:
		rr->tlsa.usage = p[0];
		rr->tlsa.selector = p[1];
		rr->tlsa.matching_type = p[2];
		rr->tlsa.association = bytes_add(bytes, p + 3, r->len - 3);
		return true;
	}
	return false;
}

/*
 * n records with bytes octets of data: one piece of memory for both, the
 * octets behind the records.
 */
static const char *
records_copy(struct dns_wire *w, struct dns_answer *answer, size_t n,
    size_t bytes)
{
	char *free_bytes;

	answer->rr = calloc(1, n * sizeof(*answer->rr) + bytes);
	if (answer->rr == NULL) {
		w->no_memory = true;
		return "no memory";
	}
	free_bytes = (char *)&answer->rr[n];
	for (size_t i = 0; i < w->n && n > 0; i++) {
		const struct dns_record *r = &w->records[i];

		if (r->type != w->type ||
		    strcmp(r->owner, answer->canonical) != 0)
			continue;
		n--;
		if (record_copy(w, r, &answer->rr[answer->n], &free_bytes))
			answer->n++;
	}
	if (w->no_memory)
		return "no memory";
	if (answer->n == 0)
		return "only unreadable names";
	answer->outcome = DNS_FOUND;
	return NULL;
}

static const char *
message_judge(struct dns_wire *w, struct dns_answer *answer)
{
	bool no_name = LDNS_RCODE_WIRE(w->wire) == LDNS_RCODE_NXDOMAIN;
	const char *why = aliases_follow(w, answer);
	size_t n, bytes;

	if (why != NULL)
		return why;
	n = records_use(w, answer, &bytes);
	if (!all_used(w))
		return "records of another name in the answer";
	if (no_name && (n > 0 || w->n_other > 0))
		return "no such name, and yet records";
	if (n == 0)
		return negative_read(w, answer, no_name);
	return records_copy(w, answer, n, bytes);
}

struct dns_answer *
dns_message_read(const uint8_t *wire, size_t len, const char *name,
    enum dns_type type)
{
	struct dns_wire w = { .wire = wire,
		.len = len,
		.name = name,
		.type = type };
	struct dns_answer *answer = calloc(1, sizeof(*answer));
	const char *why;

	if (answer == NULL)
		return NULL;
	answer->type = type;
	answer->ttl_s = UINT32_MAX;
	if (!span_copy(span_of(name), answer->canonical, DOMAIN_SIZE))
		why = "the name asked for is too long";
	else
		why = dns_wire_walk(&w);
	if (why == NULL)
		why = message_judge(&w, answer);
	free(w.records);
	if (why != NULL) {
		dns_answer_free(answer);
		return w.no_memory ? NULL : dns_answer_tempfail(why);
	}
	answer->secure = LDNS_AD_WIRE(wire);
	return answer;
}

struct dns_answer *
dns_answer_tempfail(const char *why)
{
	struct dns_answer *answer = calloc(1, sizeof(*answer));

	if (answer != NULL)
		answer->why = why; /* the outcome is DNS_TEMPFAIL, which is 0 */
	return answer;
}

void
dns_answer_free(struct dns_answer *answer)
{
	if (answer == NULL)
		return;
	free(answer->rr);
	free(answer);
}

const char *
dns_type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_CNAME:
		return "CNAME";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_AAAA:
		return "AAAA";
	case DNS_TLSA:
		return "TLSA";
	}
	return "of an unknown type";
}
