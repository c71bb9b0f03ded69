/* SPDX-License-Identifier: ISC */
/*
 * STARTTLS trials of the MX hosts of a domain, by preference, until one is
 * good. One that fails gives its turn to the next at once; while one keeps
 * silent the next begins beside it after LIMIT_TRIALS_LATE_MS, so that a few
 * dead hosts do not eat up the time in which a good one would have been found.
 */
#ifndef STRICTMX_COMMON_TRIALS_H
#define STRICTMX_COMMON_TRIALS_H

struct config;
struct facts;
struct ports;
struct trials;

typedef void trials_done_fn(void *arg);

/*
 * All is borrowed. What a trial shows is put into its host of facts->mx, as
 * soon as it is known; hosts that are not allowed, or of which something is
 * known already, are not tried. done runs once, never before this call
 * returned. NULL when there is nothing to try, or nothing could be begun.
 */
struct trials *trials_start(const struct ports *ports,
    const struct config *config, struct facts *facts, trials_done_fn *done,
    void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void trials_cancel(struct trials **trials);

#endif
