/* SPDX-License-Identifier: ISC */
/*
 * Does the resolver validate? Two names are asked for at the start and every
 * hour: one that is signed, which must come with the AD bit, and one that is
 * signed wrongly, whose records must not come. Only an answer that is plainly
 * wrong switches DANE off; one that does not come changes nothing.
 *
 * And the domains that had DANE in force lately, so that its going away with
 * DNSSEC itself is noticed: they wait then, and are not sent to without it.
 */
#ifndef STRICTMX_COMMON_DNSSEC_GUARD_H
#define STRICTMX_COMMON_DNSSEC_GUARD_H

#include <stdbool.h>

struct config;
struct dnssec_guard;
struct dnssec_wait;
struct ports;

/* All borrowed, and outlive the guard. NULL without memory. */
struct dnssec_guard *dnssec_guard_new(const struct config *config,
    const struct ports *ports);

/* Who still waits is not called. Safe on NULL. */
void dnssec_guard_free(struct dnssec_guard *guard);

/* DANE is wanted, and no test has shown that there is no validation. */
bool dnssec_guard_dane(const struct dnssec_guard *guard);

/* A domain had DANE in force, now. Folded. Without memory it is forgotten. */
void dnssec_guard_note(struct dnssec_guard *guard, const char *domain);

/* Had it, within LIMIT_DANE_MEMORY_S? */
bool dnssec_guard_remembers(struct dnssec_guard *guard, const char *domain);
void dnssec_guard_forget(struct dnssec_guard *guard, const char *domain);

/*
 * works: a test that was begun after the join has shown that the resolver
 * validates, or no names are configured that would show it.
 */
typedef void dnssec_wait_fn(bool works, void *arg);

/*
 * done runs once, never before this call returned; the wait is spent then.
 * NULL without memory: nothing is known.
 */
struct dnssec_wait *dnssec_guard_join(struct dnssec_guard *guard,
    dnssec_wait_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void dnssec_wait_cancel(struct dnssec_wait **wait);

/*
 * The domains that another guard remembers, and what it has found out, are
 * taken over from it: after a change of the configuration.
 */
void dnssec_guard_inherit(struct dnssec_guard *heir, struct dnssec_guard *from);

#endif
