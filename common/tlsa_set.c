/* SPDX-License-Identifier: ISC */
/* The TLSA records of one MX host: see tlsa_set.h. */
#include "common/tlsa_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/tls_verify.h"
#include "proto/dns_message.h"

/* What a record is good for is not asked for twice: certificates are parsed. */
struct reading {
	const struct dns_answer *answer;
	const char *why[DNS_RECORDS_MAX]; /* NULL: usable */
	size_t picked[LIMIT_TLSA_RECORDS], n;
	size_t octets; /* of the association data of these */
};

static struct tlsa_record
record_of(const struct dns_rr *rr)
{
	return (struct tlsa_record){ .usage = rr->tlsa.usage,
		.selector = rr->tlsa.selector,
		.matching_type = rr->tlsa.matching_type,
		.association = rr->tlsa.association };
}

static const char *
unusable_why(const struct tlsa_record *record)
{
	const char *why = tlsa_unusable_why(record);

	if (why == NULL && !tls_verify_takes(record))
		why = "holds a certificate or key that cannot be read";
	return why;
}

static void
pick(struct reading *r, bool usable)
{
	for (size_t i = 0; i < r->answer->n && r->n < LIMIT_TLSA_RECORDS; i++)
		if ((r->why[i] == NULL) == usable) {
			r->picked[r->n++] = i;
			r->octets += r->answer->rr[i].tlsa.association.len;
		}
}

static struct tlsa_set *
set_alloc(const struct reading *r)
{
	size_t size = sizeof(struct tlsa_set) +
	    r->n * sizeof(struct tlsa_entry) + r->octets;
	struct tlsa_set *set = calloc(1, size);

	if (set == NULL)
		return NULL;
	set->holders = 1;
	set->bytes = size;
	return set;
}

/* The octets lie behind the entries. */
static void
set_fill(struct tlsa_set *set, const struct reading *r)
{
	char *p = (char *)&set->entries[r->n];

	for (size_t i = 0; i < r->n; i++) {
		struct tlsa_entry *entry = &set->entries[i];

		entry->record = record_of(&r->answer->rr[r->picked[i]]);
		entry->unusable = r->why[r->picked[i]];
		set->n_usable += entry->unusable == NULL ? 1 : 0;
		if (entry->record.association.len > 0)
			memcpy(p, entry->record.association.p,
			    entry->record.association.len);
		entry->record.association.p = p;
		p += entry->record.association.len;
	}
	set->n = r->n;
}

struct tlsa_set *
tlsa_set_new(const char *base, const struct dns_answer *answer)
{
	struct reading r = { .answer = answer };
	struct tlsa_set *set;

	assert(answer->n <= DNS_RECORDS_MAX);
	for (size_t i = 0; i < answer->n; i++) {
		struct tlsa_record record = record_of(&answer->rr[i]);

		r.why[i] = unusable_why(&record);
	}
	pick(&r, true);
	pick(&r, false);
	set = set_alloc(&r);
	if (set == NULL)
		return NULL;
	span_copy(span_of(base), set->base, sizeof(set->base));
	set_fill(set, &r);
	return set;
}

struct tlsa_set *
tlsa_set_hold(struct tlsa_set *set)
{
	if (set != NULL)
		set->holders++;
	return set;
}

static bool
record_same(const struct tlsa_record *a, const struct tlsa_record *b)
{
	return a->usage == b->usage && a->selector == b->selector &&
	    a->matching_type == b->matching_type &&
	    a->association.len == b->association.len &&
	    memcmp(a->association.p, b->association.p, a->association.len) == 0;
}

/* Resolvers turn the records of a set round: in any order. */
static bool
has_record(const struct tlsa_set *set, const struct tlsa_record *record)
{
	for (size_t i = 0; i < set->n; i++)
		if (record_same(&set->entries[i].record, record))
			return true;
	return false;
}

bool
tlsa_set_same(const struct tlsa_set *a, const struct tlsa_set *b)
{
	if (a == b || a == NULL || b == NULL)
		return a == b;
	if (a->n != b->n || strcmp(a->base, b->base) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!has_record(b, &a->entries[i].record))
			return false;
	return true;
}

void
tlsa_set_drop(struct tlsa_set **set)
{
	if (*set != NULL && --(*set)->holders == 0)
		free(*set);
	*set = NULL;
}
