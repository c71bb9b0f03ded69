/* SPDX-License-Identifier: ISC */
/*
 * Since when the record of a domain could not be looked up. The relay defers
 * mail for such a domain, but not for ever: a broken zone must not hold mail
 * that no policy ever protected until the queue gives up.
 */
#ifndef STRICTMX_COMMON_RECORD_PATIENCE_H
#define STRICTMX_COMMON_RECORD_PATIENCE_H

#include <stddef.h>
#include <stdint.h>

struct record_patience;

/* Remembers at most max domains; the oldest are forgotten first. */
struct record_patience *record_patience_new(size_t max);
void record_patience_free(struct record_patience *patience); /* safe on NULL */

/* One more failure: for how long it has been so, in ms; 0 for the first. */
int64_t record_patience_failed(struct record_patience *patience,
    const char *domain, int64_t now_ms);

/* The record was looked up, whatever it said. NULL: of all domains. */
void record_patience_forget(struct record_patience *patience,
    const char *domain);

#endif
