/* SPDX-License-Identifier: ISC */
/*
 * The server for Exim in the world of world.h, with an authority of its own,
 * and callers in the same process who ask as Exim does. The loop turns when
 * one says or hears something.
 */
#ifndef STRICTMX_TESTS_UNIT_EXIM_CALLER_H
#define STRICTMX_TESTS_UNIT_EXIM_CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/unit/world.h"

struct event_base;
struct exim_server;
struct test_certificate;
struct tls_verify;

struct exim_served {
	struct world *world;
	struct event_base *base;
	struct exim_server *server;
	struct tls_verify *verify;
	struct test_certificate *root, *stranger;
};

/* As setup and teardown of cmocka; *state is a struct exim_served. */
int exim_served_setup(void **state);
int exim_served_teardown(void **state);

void exim_served_turn(struct exim_served *s);

/* Another engine, with what is configured now. */
void exim_served_restart(struct exim_served *s);

/* One who asks; it has said its line, without the LF if that is not in it. */
struct exim_caller;
struct exim_caller *exim_call(struct exim_served *s, const char *line);
void exim_say(struct exim_caller *c, const char *text);

/* The whole answer without its LF; NULL: none has come yet. */
const char *exim_hear(struct exim_caller *c);

/* The connection was closed. */
bool exim_hears_end(struct exim_caller *c);
void exim_hang_up(struct exim_caller *c); /* frees it */

/* Time goes by, and the loop turns. */
void exim_pass_ms(struct exim_served *s, int64_t ms);

/* The answer to a line, LF included, that must come at once; until the next. */
const char *exim_ask(struct exim_served *s, const char *line);

/* The certificate as Exim says it, for the next call. */
const char *exim_base64(const struct test_certificate *certificate);

/* One for mx, signed by issuer (NULL: by itself); until_days as there. */
struct test_certificate *exim_certificate(const char *mx, int until_days,
    const struct test_certificate *issuer);

/* The line CERT of one piece of a chain, until the next call. */
const char *exim_cert_line(const char *session, int depth, int usage,
    const struct test_certificate *certificate);

/* The answer to it when lookups of the engine have had their time. */
const char *exim_shown(struct exim_served *s, const char *session, int depth,
    int usage, const struct test_certificate *certificate);

#endif
