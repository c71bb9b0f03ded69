/* SPDX-License-Identifier: ISC */
/*
 * The TLSA records of one MX host, as they were published at one TLSA base
 * domain (RFC 7672 2.2.3). Never changed once it is made; held by all who look
 * at it: facts, kept verdicts, sessions.
 */
#ifndef STRICTMX_COMMON_TLSA_SET_H
#define STRICTMX_COMMON_TLSA_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/domain.h"
#include "proto/tlsa.h"

struct dns_answer;

struct tlsa_entry {
	struct tlsa_record record;
	const char *unusable; /* static text, see proto/tlsa.h; NULL: usable */
};

struct tlsa_set {
	unsigned holders;
	char base[DOMAIN_SIZE]; /* the TLSA base domain */
	size_t bytes;		/* of memory */
	size_t n, n_usable;
	struct tlsa_entry entries[]; /* the usable ones first */
};

/*
 * Of an answer that has found TLSA records; with one holder. At most
 * LIMIT_TLSA_RECORDS are kept, the usable ones before others. NULL without
 * memory.
 */
struct tlsa_set *tlsa_set_new(const char *base,
    const struct dns_answer *answer);

/* One holder more; set may be NULL. Returns it. */
struct tlsa_set *tlsa_set_hold(struct tlsa_set *set);

/* The same records at the same base domain; NULL is the same as NULL only. */
bool tlsa_set_same(const struct tlsa_set *a, const struct tlsa_set *b);

/* Clears the pointer. Safe on NULL. */
void tlsa_set_drop(struct tlsa_set **set);

#endif
