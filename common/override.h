/* SPDX-License-Identifier: ISC */
/*
 * A policy that the administrator has set for one domain, with an end: to let
 * a broken partner through until Friday, or to pin one that publishes nothing.
 * Until then it stands in the place of the published policy, and is judged like
 * one. Written in strictmx.conf(5), or set while the engine runs.
 */
#ifndef STRICTMX_COMMON_OVERRIDE_H
#define STRICTMX_COMMON_OVERRIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/domain.h"
#include "proto/sts_policy.h"

#define OVERRIDE_REASON_SIZE 256

struct override {
	char domain[DOMAIN_SIZE];	   /* folded */
	int64_t until_s;		   /* wall clock */
	char reason[OVERRIDE_REASON_SIZE]; /* for people; may be "" */
	unsigned line;	 /* of strictmx.conf(5); 0: set at run time */
	unsigned serial; /* of those set at run time, no two are equal */
	char *body;	 /* as a policy would be published; owned */
	struct sts_policy policy; /* read from body by override_finish() */
};

/*
 * Adds "key: value" to the body: "mode", or "mx" for each pattern. False
 * without memory, or when the body is longer than a policy may be.
 */
bool override_add(struct override *override, const char *key,
    const char *value);

/*
 * No more will be added: the body is read as any policy is (RFC 8461 3.2).
 * NULL, or a static text that says what is wrong.
 */
const char *override_finish(struct override *override);

/* The same with a body that was finished before. */
const char *override_read(struct override *override, struct span body);

/* What either says without memory: another time it may be well. */
extern const char override_no_memory[];

/* Frees what it holds, not the struct itself. Safe when all zero. */
void override_cleanup(struct override *override);

#endif
