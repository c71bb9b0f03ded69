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
#include "proto/tlsa.h"

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

/*
 * The same with records that may hold any octets; none: the type is absent. A
 * TLSA record is as on the wire: three octets and the association data.
 */
void fake_net_records(struct fake_net *net, const char *name,
    enum dns_type type, const struct span *records, size_t n);

/*
 * Of an answer that was said: whether DNSSEC proves it (at first it does not),
 * and the alias that led to it, NULL for none.
 */
void fake_net_dnssec(struct fake_net *net, const char *name, enum dns_type type,
    bool secure, const char *alias);

/* What a fetch for domain gives: a body, or (body NULL) a failure. */
void fake_net_policy(struct fake_net *net, const char *domain, const char *body,
    enum result_type failure, const char *why);
void fake_net_body(struct fake_net *net, const char *domain, struct span body,
    enum result_type failure, const char *why);

/* How a session with this MX goes: one that shows proofs, or a failure. */
void fake_net_mx(struct fake_net *net, const char *mx, unsigned proofs,
    enum smtp_stage stage, enum result_type failure, const char *why);

/* The same, as it follows from what is asked of the session. */
struct fake_server {
	const char *unreachable; /* why no connection comes about; or NULL */
	bool silent;		 /* until the session's own deadline */
	bool offers_starttls, refuses_starttls;
	bool handshake_fails;
	enum result_type certificate; /* what is wrong with it; NONE: good */
	const char *certificate_why;
	/* Under DANE: does a record match the chain? NULL: none does. */
	bool (*tlsa_fits)(const struct tlsa_record *record);
	/* Is a name among those of the certificate? NULL: the MX's alone. */
	bool (*has_name)(const char *name, const void *names);
	const void *names;
};

void fake_net_server(struct fake_net *net, const char *mx,
    const struct fake_server *server);

/* How long each answer takes from now on, in ms; -1: it never comes. */
void fake_net_delay(struct fake_net *net, int dns_ms, int fetch_ms,
    int smtp_ms);

/* TTL of all answers from now on, in seconds. */
void fake_net_ttl(struct fake_net *net, unsigned ttl_s);

/* Whether requests can be begun at all. */
void fake_net_refuse(struct fake_net *net, bool dns, bool fetch, bool smtp);

/* Nothing is known of any name or host any more, and nothing was asked. */
void fake_net_forget(struct fake_net *net);

/* Told of each request when it is made. */
struct fake_event {
	enum fake_kind {
		FAKE_DNS,
		FAKE_FETCH,
		FAKE_SESSION
	} kind;
	const char *name; /* asked for; domain; MX */
	enum dns_type type;
	bool fresh;
	const struct smtp_target *target; /* of a session */
};

typedef void fake_watch_fn(const struct fake_event *event, void *arg);
void fake_net_watch(struct fake_net *net, fake_watch_fn *watch, void *arg);

/* How often something was asked. */
size_t fake_net_dns_asked(const struct fake_net *net, const char *name,
    enum dns_type type);
size_t fake_net_fetches(const struct fake_net *net);
size_t fake_net_sessions(const struct fake_net *net, const char *mx);

/* Requests that have not been answered or cancelled. */
size_t fake_net_pending(const struct fake_net *net);

#endif
