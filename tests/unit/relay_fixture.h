/* SPDX-License-Identifier: ISC */
/*
 * The relay with all that is behind it, for tests: the real engine and the real
 * SMTP client, DNS and HTTPS in memory, MX hosts that are sinks on loopback,
 * and a mail server in front that is the test itself.
 *
 * example.com has the MX hosts mx1 (10, 127.0.1.1) and mx2 (20, 127.0.1.2);
 * both have good certificates. Other domains are relay_fixture_domain()'s.
 */
#ifndef STRICTMX_TESTS_RELAY_FIXTURE_H
#define STRICTMX_TESTS_RELAY_FIXTURE_H

#include "common/config.h"
#include "common/ports.h"
#include "filter/relay.h"
#include "tests/fake/fake_net.h"
#include "tests/unit/smtp_fixture.h"
#include "tests/unit/smtp_sink.h"

#define RELAY_SINKS 2
#define RELAY_REPLY_SIZE 16384

struct engine;
struct policy_cache;

struct relay_fixture {
	struct smtp_fixture *smtp; /* base, dialer, and its descriptors */
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct smtp_port dialer;
	struct config config;
	struct policy_cache *cache;
	struct engine *engine, *other;
	struct relay *relay;
	struct relay_times times;
	size_t users;
	size_t n_dialled;
	struct smtp_sink *sinks[RELAY_SINKS]; /* of mx1 and mx2 */
	/* The mail server */
	struct bufferevent *mta;
	bool mta_is_cut;
	char reply[RELAY_REPLY_SIZE]; /* the last one, whole */
	char log[8192];		      /* lines of the level info and above */
};

int relay_fixture_group_set_up(void **state);
int relay_fixture_group_tear_down(void **state);

/* For each test: *state is the fixture; the mail server has its greeting. */
int relay_fixture_set_up(void **state);
int relay_fixture_tear_down(void **state);

/* Publishes a policy for example.com; mode "": none. */
void relay_fixture_policy(struct relay_fixture *f, const char *mode);

/* DOMAIN with the MX hosts mx1 and mx2 of example.com, without a policy. */
void relay_fixture_domain(struct relay_fixture *f, const char *domain);

/* A server in the place of mx1 (0) or mx2 (1). */
void relay_fixture_serve(struct relay_fixture *f, size_t i,
    const struct smtp_sink_script *script);

/* The good one, with a certificate that nobody has signed. */
void relay_fixture_bad_certificate(struct relay_fixture *f, size_t i);

/*
 * What a server says to commands that begin so, whatever its script has: until
 * the next restart, or once. What was said later wins.
 */
void relay_fixture_say(const char *command, const char *answer);
void relay_fixture_say_once(const char *command, const char *answer);

/*
 * Begins anew: a relay and an engine that know nothing, good servers, no policy
 * for example.com, a new connection.
 */
void relay_fixture_restart(struct relay_fixture *f);

/* The relay is told to take the configuration as it is now. */
void relay_fixture_reconfigure(struct relay_fixture *f);

/* The same, of another engine that stands beside the first. */
void relay_fixture_other_engine(struct relay_fixture *f);

/* A new connection in place of the last one. */
void relay_fixture_connect(struct relay_fixture *f);

/* A new one; the last one is the caller's to free. */
struct bufferevent *relay_fixture_another(struct relay_fixture *f);

/* Without waiting for anything. */
void relay_fixture_send(struct relay_fixture *f, const char *text);

/* The next whole reply. */
const char *relay_fixture_reply(struct relay_fixture *f);

/* Sends the line, with CR LF, and waits for its reply, which begins so. */
void relay_fixture_ask(struct relay_fixture *f, const char *line,
    const char *reply);

/* EHLO, MAIL, RCPT TO:<to>, all taken. */
void relay_fixture_begin(struct relay_fixture *f, const char *to);

/* DATA and a small message; the reply to its dot begins so. */
void relay_fixture_finish(struct relay_fixture *f, const char *reply);

/* What is there to happen at once happens; no reply comes of it. */
void relay_fixture_settle(struct relay_fixture *f);
void relay_fixture_assert_silent(struct relay_fixture *f);

/* Runs until the last session with the sink was ended; returns its log. */
const char *relay_fixture_end_of(struct relay_fixture *f, size_t i);

/* Runs until the sink, the log, or the closing of the connection has it. */
void relay_fixture_until_sink(struct relay_fixture *f, size_t i,
    const char *log);
void relay_fixture_until_log(struct relay_fixture *f, const char *text);
void relay_fixture_until_closed(struct relay_fixture *f);

#endif
