/* SPDX-License-Identifier: ISC */
/*
 * A network that exists only in memory, behind the engine's ports: what a test
 * says of names, policy hosts and MX hosts is what the engine finds. Answers
 * come from the clock, so nothing happens until clock_advance().
 */
#ifndef STRICTMX_TESTS_FAKE_NET_H
#define STRICTMX_TESTS_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ports.h"

struct fake_net;

struct fake_net *fake_net_new(struct clock *clock);
void fake_net_free(struct fake_net *net);
struct ports fake_net_ports(struct fake_net *net);

/*
 * The answer to a question from now on; records in presentation form
 * ("10 mx1.example.com", "192.0.2.1", the text of a TXT), up to a NULL. A name
 * that nothing is said of does not exist.
 */
void fake_net_dns(struct fake_net *net, const char *name, enum dns_type type,
    enum dns_outcome outcome, ...) __attribute__((sentinel));

/* What a fetch for domain gives: a body, or (body NULL) a failure. */
void fake_net_policy(struct fake_net *net, const char *domain, const char *body,
    enum result_type failure, const char *why);

/* How a session with this MX goes: one that shows proofs, or a failure. */
void fake_net_mx(struct fake_net *net, const char *mx, unsigned proofs,
    enum smtp_stage stage, enum result_type failure, const char *why);

/* How long each answer takes from now on, in ms; -1: it never comes. */
void fake_net_delay(struct fake_net *net, int dns_ms, int fetch_ms,
    int smtp_ms);

/* TTL of all answers from now on, in seconds. */
void fake_net_ttl(struct fake_net *net, unsigned ttl_s);

/* Whether requests can be begun at all. */
void fake_net_refuse(struct fake_net *net, bool dns, bool fetch, bool smtp);

/* How often something was asked. */
size_t fake_net_dns_asked(const struct fake_net *net, const char *name,
    enum dns_type type);
size_t fake_net_fetches(const struct fake_net *net);
size_t fake_net_sessions(const struct fake_net *net, const char *mx);

/* Requests that have not been answered or cancelled. */
size_t fake_net_pending(const struct fake_net *net);

#endif
