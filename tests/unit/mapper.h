/* SPDX-License-Identifier: ISC */
/*
 * The socketmap server in the world of world.h, and clients of it in the same
 * process, as Postfix is one. The loop turns when a client hears or says
 * something.
 */
#ifndef STRICTMX_TESTS_UNIT_MAPPER_H
#define STRICTMX_TESTS_UNIT_MAPPER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/unit/world.h"

struct event_base;
struct mapper;
struct socketmap_server;

struct mapped {
	struct world *world;
	struct event_base *base;
	struct socketmap_server *server;
};

struct mapped *mapped_new(void);
void mapped_free(struct mapped *mapped);

/* Lets the loop do all that it has to do. */
void mapped_turn(struct mapped *mapped);
void mapped_seconds_pass(struct mapped *mapped, int seconds);

/* A lookup of the domain that ends only with the engine, or in time. */
void mapped_occupy(struct mapped *mapped, const char *domain);

/* On a socketpair, or on a descriptor that is connected. */
struct mapper *mapper_new(struct mapped *mapped);
struct mapper *mapper_of(struct mapped *mapped, int fd);

/* Closes its end. */
void mapper_free(struct mapper *mapper);

/* A question, put into a netstring. */
void mapper_ask(struct mapper *mapper, const char *question);
void mapper_say(struct mapper *mapper, const char *p, size_t len);

/* The same without a turn of the loop. */
void mapper_write(struct mapper *mapper, const char *text);

/* Says text over and over, up to max octets, reading nothing; how much. */
size_t mapper_stuff(struct mapper *mapper, const char *text, size_t max);

/* Closes its way to the server only. */
void mapper_says_no_more(struct mapper *mapper);

/* The next answer, out of its netstring, until the next call. */
const char *mapper_hear(struct mapper *mapper);

/* Nothing whole came, and the connection is open. */
bool mapper_hears_nothing(struct mapper *mapper);

/* The server has closed the connection, with nothing before that. */
bool mapper_hears_end(struct mapper *mapper);

/* The server has closed; what it said before is not read. */
bool mapper_is_closed(struct mapper *mapper);

#endif
