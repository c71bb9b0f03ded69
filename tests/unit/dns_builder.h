/* SPDX-License-Identifier: ISC */
/*
 * Builds DNS messages octet by octet, right or wrong, for tests. Counts in the
 * header follow the records that are added; every octet may be spoilt later.
 */
#ifndef STRICTMX_TESTS_DNS_BUILDER_H
#define STRICTMX_TESTS_DNS_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DNS_FLAG_QR 0x8000u
#define DNS_FLAG_TC 0x0200u
#define DNS_FLAG_RD 0x0100u
#define DNS_FLAG_RA 0x0080u
#define DNS_FLAG_AD 0x0020u
#define DNS_ANSWER_FLAGS (DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA)

enum dns_built_section {
	BUILT_ANSWER = 6, /* where the header counts it */
	BUILT_AUTHORITY = 8,
	BUILT_ADDITIONAL = 10
};

struct dns_built {
	uint8_t wire[70000];
	size_t len;
	size_t rdata; /* begin of the record's data that is being written */
};

static inline void
put8(struct dns_built *m, unsigned value)
{
	m->wire[m->len++] = (uint8_t)value;
}

static inline void
put16(struct dns_built *m, unsigned value)
{
	put8(m, value >> 8);
	put8(m, value & 0xff);
}

static inline void
put32(struct dns_built *m, uint32_t value)
{
	put16(m, value >> 16);
	put16(m, value & 0xffff);
}

static inline void
put_bytes(struct dns_built *m, const void *p, size_t len)
{
	memcpy(m->wire + m->len, p, len);
	m->len += len;
}

/* "a.b" without a dot at the end; "" is the root. */
static inline void
put_name(struct dns_built *m, const char *name)
{
	while (*name != '\0') {
		size_t label = strcspn(name, ".");

		put8(m, (unsigned)label);
		put_bytes(m, name, label);
		name += label + (name[label] == '.');
	}
	put8(m, 0);
}

static inline void
set16(struct dns_built *m, size_t at, unsigned value)
{
	m->wire[at] = (uint8_t)(value >> 8);
	m->wire[at + 1] = (uint8_t)value;
}

static inline unsigned
get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static inline void
built_begin(struct dns_built *m, unsigned flags, const char *name,
    unsigned type)
{
	m->len = 0;
	put16(m, 4711);
	put16(m, flags);
	put16(m, 1);
	put16(m, 0);
	put32(m, 0);
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
}

/* Begins a record; its data follows with put_*, then record_end(). */
static inline void
record_class_begin(struct dns_built *m, enum dns_built_section section,
    const char *owner, unsigned type, unsigned class, uint32_t ttl)
{
	set16(m, (size_t)section, get16(m->wire + section) + 1);
	put_name(m, owner);
	put16(m, type);
	put16(m, class);
	put32(m, ttl);
	put16(m, 0);
	m->rdata = m->len;
}

static inline void
record_begin(struct dns_built *m, enum dns_built_section section,
    const char *owner, unsigned type, uint32_t ttl)
{
	record_class_begin(m, section, owner, type, 1, ttl);
}

static inline void
record_end(struct dns_built *m)
{
	set16(m, m->rdata - 2, (unsigned)(m->len - m->rdata));
}

static inline void
add_name_record(struct dns_built *m, enum dns_built_section section,
    const char *owner, unsigned type, uint32_t ttl, const char *target)
{
	record_begin(m, section, owner, type, ttl);
	put_name(m, target);
	record_end(m);
}

static inline void
add_a(struct dns_built *m, const char *owner, uint32_t ttl, uint32_t address)
{
	record_begin(m, BUILT_ANSWER, owner, 1, ttl);
	put32(m, address);
	record_end(m);
}

static inline void
add_mx(struct dns_built *m, const char *owner, uint32_t ttl,
    unsigned preference, const char *host)
{
	record_begin(m, BUILT_ANSWER, owner, 15, ttl);
	put16(m, preference);
	put_name(m, host);
	record_end(m);
}

static inline void
add_txt(struct dns_built *m, const char *owner, uint32_t ttl, const char *text)
{
	record_begin(m, BUILT_ANSWER, owner, 16, ttl);
	put8(m, (unsigned)strlen(text));
	put_bytes(m, text, strlen(text));
	record_end(m);
}

static inline void
add_soa(struct dns_built *m, const char *owner, uint32_t ttl, uint32_t minimum)
{
	record_begin(m, BUILT_AUTHORITY, owner, 6, ttl);
	put_name(m, "ns");
	put_name(m, "hostmaster");
	for (unsigned i = 1; i <= 4; i++)
		put32(m, i);
	put32(m, minimum);
	record_end(m);
}

/* An OPT record with this extended rcode. */
static inline void
add_opt(struct dns_built *m, unsigned extended)
{
	record_class_begin(m, BUILT_ADDITIONAL, "", 41, 1232,
	    (uint32_t)extended << 24);
	record_end(m);
}

#endif
