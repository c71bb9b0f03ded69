/* SPDX-License-Identifier: ISC */
/*
 * One recursive resolver that questions are sent to, over TCP, through a
 * getdns context of its own. Of use to common/resolver only: it decides what
 * is asked where and how often; here is the transport, and whether there is
 * life at the other end.
 */
#ifndef STRICTMX_COMMON_DNS_UPSTREAM_H
#define STRICTMX_COMMON_DNS_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "proto/dns_message.h"

struct clock;
struct dns_upstream;
struct event_base;

enum dns_upstream_result {
	UPSTREAM_REPLIED, /* with some octets, good or bad */
	UPSTREAM_SILENT,  /* nothing within LIMIT_DNS_TRY_MS */
	UPSTREAM_LOST,	  /* no connection, or it was closed */
};

/*
 * Runs within getdns, so it must not ask, tend or free; wire is borrowed for
 * the call.
 */
typedef void dns_upstream_fn(enum dns_upstream_result result,
    const uint8_t *wire, size_t len, void *arg);

/* NULL without memory or when getdns refuses the set-up. */
struct dns_upstream *dns_upstream_new(struct event_base *base,
    struct clock *clock, const struct address *address, uint16_t port);

/* Running questions end without a callback. Safe on NULL. */
void dns_upstream_free(struct dns_upstream *upstream);

/*
 * Sends one question, once. False when it is lost at once; done will not run
 * then. Otherwise done runs once, after this call has returned.
 */
bool dns_upstream_ask(struct dns_upstream *upstream, const char *name,
    enum dns_type type, dns_upstream_fn *done, void *arg);

/* Has nothing come back lately, though something should have? */
bool dns_upstream_failing(const struct dns_upstream *upstream);

/*
 * The monotonic time before which it is better not asked: a failing upstream
 * is given LIMIT_DNS_BACKOFF_MIN_MS, doubled with each failure.
 */
int64_t dns_upstream_retry_ms(const struct dns_upstream *upstream);

/*
 * Gives an upstream that was silent, or lost LIMIT_DNS_RENEW_AFTER times in a
 * row, a new getdns context: one that has seen errors does not always recover.
 * Running questions are lost: done runs for them. To be called now and then.
 */
void dns_upstream_tend(struct dns_upstream *upstream);

#endif
