/* SPDX-License-Identifier: ISC */
/*
 * Memory of failed policy fetches (RFC 8461 3.3: wait five minutes or more
 * before the next try). Kept per domain and record id; whatever ids are shown,
 * a domain is fetched at most LIMIT_FETCHES_PER_BACKOFF times in that time, so
 * that nobody who can change a TXT record makes this host a hammer.
 */
#ifndef STRICTMX_COMMON_FETCH_BACKOFF_H
#define STRICTMX_COMMON_FETCH_BACKOFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/result_type.h"

struct fetch_backoff;

/* Remembers at most max domains; the oldest are forgotten first. */
struct fetch_backoff *fetch_backoff_new(size_t max);
void fetch_backoff_free(struct fetch_backoff *backoff); /* safe on NULL */

/*
 * Must no fetch for this id be begun now? Then *failure and *why (borrowed
 * until the next call) tell how the last one ended.
 */
bool fetch_backoff_holds(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type *failure,
    const char **why);

/* In how many ms holds() will say no; 0: now. */
int64_t fetch_backoff_left_ms(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms);

/* A fetch has ended without a policy. */
void fetch_backoff_failed(struct fetch_backoff *backoff, const char *domain,
    const char *id, int64_t now_ms, enum result_type failure, const char *why);

/* A fetch has brought a policy: all is forgotten. NULL: of all domains. */
void fetch_backoff_forget(struct fetch_backoff *backoff, const char *domain);

#endif
