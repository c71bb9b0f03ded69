/* SPDX-License-Identifier: ISC */
/*
 * Domains whose policy could not be told in the time that Exim waits, and of
 * which it was found out later that none binds: a policy host that takes a
 * minute to say nothing. Exim asks again a quarter of an hour later, and would
 * be put off again and again, for days, until the mail comes back.
 */
#ifndef STRICTMX_FILTER_EXIM_SLOW_H
#define STRICTMX_FILTER_EXIM_SLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exim_slow;

/*
 * Remembers up to max domains, the youngest, for life_ms each. NULL without
 * memory.
 */
struct exim_slow *exim_slow_new(size_t max, int64_t life_ms);
void exim_slow_free(struct exim_slow *slow); /* safe on NULL */

/* domain (folded) turned out to have no policy that binds. */
void exim_slow_note(struct exim_slow *slow, const char *domain, int64_t now_ms);
bool exim_slow_knows(struct exim_slow *slow, const char *domain,
    int64_t now_ms);
void exim_slow_forget(struct exim_slow *slow, const char *domain);

#endif
