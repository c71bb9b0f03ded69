/* SPDX-License-Identifier: ISC */
/*
 * The walk over a DNS message (RFC 1035 4.1, 6891): see dns_wire.h.
 *
 * ldns expands the compressed names. It is not asked to take whole records
 * apart: it allocates RDLENGTH octets for each character-string of a TXT
 * record, so 60 KB of empty strings, which any domain may publish, would cost
 * 700 MB.
 */
#include "proto/dns_wire.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ascii.h"

#define MESSAGE_HEADER 12
#define RECORD_HEADER 10 /* type, class, TTL and RDLENGTH behind the owner */
#define CLASS_IN 1
#define TYPE_NS 2
#define TYPE_SOA 6
#define TYPE_DNAME 39
#define TYPE_OPT 41
#define TYPE_RRSIG 46

enum section {
	SECTION_ANSWER,
	SECTION_AUTHORITY,
	SECTION_ADDITIONAL
};

/* Lower case text of an expanded name; false when no text can stand for it. */
static bool
name_text(const uint8_t *labels, char out[DOMAIN_SIZE])
{
	size_t n = 0;

	out[0] = '\0';
	for (; *labels != 0; labels += 1 + *labels) {
		if (n > 0)
			out[n++] = '.';
		for (size_t i = 1; i <= *labels; i++) {
			uint8_t c = labels[i];

			if (c <= ' ' || c == 0x7f || c == '.' || c == '\\') {
				out[0] = '\0';
				return false;
			}
			out[n++] = ascii_lower((char)c);
		}
	}
	out[n] = '\0';
	return true;
}

enum dns_name_form
dns_wire_name(struct dns_wire *w, size_t *pos, char out[DOMAIN_SIZE])
{
	enum dns_name_form form = DNS_NAME_BROKEN;
	ldns_rdf *rdf = NULL;
	ldns_status status;

	out[0] = '\0';
	if (*pos >= w->len)
		return DNS_NAME_BROKEN;
	status = ldns_wire2dname(&rdf, w->wire, w->len, pos);
	if (status == LDNS_STATUS_MEM_ERR)
		w->no_memory = true;
	if (status != LDNS_STATUS_OK || rdf == NULL)
		goto out;
	form = DNS_NAME_UNREADABLE;
	if (name_text(ldns_rdf_data(rdf), out))
		form = out[0] == '\0' ? DNS_NAME_ROOT : DNS_NAME_READABLE;
out:
	ldns_rdf_deep_free(rdf);
	return form;
}

/* Is there a name at *pos that ends at or before end? */
static bool
name_ok(struct dns_wire *w, size_t *pos, size_t end)
{
	char ignored[DOMAIN_SIZE];

	return *pos < end &&
	    dns_wire_name(w, pos, ignored) != DNS_NAME_BROKEN && *pos <= end;
}

static bool
txt_ok(const struct dns_wire *w, size_t pos, size_t end)
{
	if (pos == end)
		return false;
	while (pos < end)
		pos += 1u + w->wire[pos];
	return pos == end;
}

/* Do the octets of a record fit its type? Unknown types have any. */
static bool
rdata_ok(struct dns_wire *w, const struct dns_record *r)
{
	size_t pos = r->rdata, end = r->rdata + r->len;

	switch (r->type) {
	case DNS_A:
		return r->len == 4;
	case DNS_AAAA:
		return r->len == 16;
	case DNS_TXT:
		return txt_ok(w, pos, end);
	case DNS_TLSA:
		return r->len >= 3;
	case DNS_CNAME:
	case TYPE_NS:
		return name_ok(w, &pos, end) && pos == end;
	case DNS_MX:
		pos += 2;
		return name_ok(w, &pos, end) && pos == end;
	case TYPE_SOA:
		return name_ok(w, &pos, end) && name_ok(w, &pos, end) &&
		    pos + 20 == end;
	}
	return true;
}

/* False without memory. */
static bool
record_keep(struct dns_wire *w, const struct dns_record *r)
{
	if (w->n == w->size) {
		size_t size = w->size == 0 ? 16 : w->size * 2;
		struct dns_record *grown =
		    realloc(w->records, size * sizeof(*grown));

		if (grown == NULL) {
			w->no_memory = true;
			return false;
		}
		w->records = grown;
		w->size = size;
	}
	w->records[w->n++] = *r;
	return true;
}

/* RFC 6891 6.1: one, at the root, in the additional section. */
static const char *
opt_check(struct dns_wire *w, const struct dns_record *r, bool at_root,
    enum section section)
{
	if (section != SECTION_ADDITIONAL || !at_root || w->n_opt++ > 0)
		return "misplaced OPT record";
	if (r->ttl_s >> 24 != 0)
		return "extended response code";
	return NULL;
}

/* What the rest of the reading needs of a record that is well-formed. */
static const char *
record_note(struct dns_wire *w, const struct dns_record *r,
    enum section section)
{
	switch (section) {
	case SECTION_ANSWER:
		if (r->type == DNS_CNAME || r->type == w->type)
			return record_keep(w, r) ? NULL : "no memory";
		if (r->type != TYPE_DNAME && r->type != TYPE_RRSIG)
			w->n_other++;
		break;
	case SECTION_AUTHORITY:
		if (r->type == TYPE_NS)
			w->n_ns++;
		if (r->type != TYPE_SOA)
			break;
		w->n_soa++;
		w->soa = *r;
		w->soa_minimum_s =
		    ldns_read_uint32(w->wire + r->rdata + r->len - 4);
		break;
	case SECTION_ADDITIONAL:
		break;
	}
	return NULL;
}

/* Reads the record at w->pos; a reason when the message is not to be used. */
static const char *
record_read(struct dns_wire *w, enum section section)
{
	struct dns_record r = { .used = false };
	enum dns_name_form form = dns_wire_name(w, &w->pos, r.owner);
	const uint8_t *head = w->wire + w->pos;
	uint16_t class;

	if (form == DNS_NAME_BROKEN || w->len - w->pos < RECORD_HEADER)
		return "malformed record";
	r.type = ldns_read_uint16(head);
	class = ldns_read_uint16(head + 2);
	r.ttl_s = ldns_read_uint32(head + 4);
	r.len = ldns_read_uint16(head + 8);
	r.rdata = w->pos + RECORD_HEADER;
	if (w->len - r.rdata < r.len)
		return "record cut short";
	w->pos = r.rdata + r.len;
	if (r.type == TYPE_OPT)
		return opt_check(w, &r, form == DNS_NAME_ROOT, section);
	if (class != CLASS_IN)
		return NULL;
	if (!rdata_ok(w, &r))
		return "malformed record data";
	if (r.ttl_s > INT32_MAX) /* RFC 2181 8: then it is 0 */
		r.ttl_s = 0;
	return record_note(w, &r, section);
}

static const char *
question_read(struct dns_wire *w)
{
	char name[DOMAIN_SIZE];
	const uint8_t *tail;

	if (dns_wire_name(w, &w->pos, name) == DNS_NAME_BROKEN ||
	    w->len - w->pos < 4)
		return "malformed question";
	tail = w->wire + w->pos;
	w->pos += 4;
	if (strcmp(name, w->name) != 0 || ldns_read_uint16(tail) != w->type ||
	    ldns_read_uint16(tail + 2) != CLASS_IN)
		return "answer to another question";
	return NULL;
}

/* The header's fixed part: is this an answer that says something? */
static const char *
header_read(struct dns_wire *w)
{
	if (w->len < MESSAGE_HEADER)
		return "answer shorter than its header";
	if (!LDNS_QR_WIRE(w->wire))
		return "a question instead of an answer";
	if (LDNS_OPCODE_WIRE(w->wire) != LDNS_PACKET_QUERY)
		return "answer with a wrong opcode";
	if (LDNS_TC_WIRE(w->wire))
		return "truncated answer";
	switch (LDNS_RCODE_WIRE(w->wire)) {
	case LDNS_RCODE_NOERROR:
	case LDNS_RCODE_NXDOMAIN:
		break;
	case LDNS_RCODE_SERVFAIL:
		return "the resolver answered SERVFAIL";
	case LDNS_RCODE_REFUSED:
		return "the resolver answered REFUSED";
	default:
		return "the resolver answered an error";
	}
	if (LDNS_QDCOUNT(w->wire) != 1)
		return "not exactly one question in the answer";
	w->pos = MESSAGE_HEADER;
	return NULL;
}

const char *
dns_wire_walk(struct dns_wire *w)
{
	const char *why = header_read(w);
	unsigned count[3];

	if (why == NULL)
		why = question_read(w);
	if (why != NULL)
		return why;
	count[SECTION_ANSWER] = LDNS_ANCOUNT(w->wire);
	count[SECTION_AUTHORITY] = LDNS_NSCOUNT(w->wire);
	count[SECTION_ADDITIONAL] = LDNS_ARCOUNT(w->wire);
	for (unsigned s = SECTION_ANSWER; s <= SECTION_ADDITIONAL; s++)
		for (unsigned i = 0; i < count[s] && why == NULL; i++)
			why = record_read(w, (enum section)s);
	if (why == NULL && w->pos != w->len)
		why = "octets behind the answer";
	return why;
}
