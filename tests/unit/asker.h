/* SPDX-License-Identifier: ISC */
/*
 * The query server in the world of world.h, and clients of it in the same
 * process. The loop turns when a client hears or says something.
 */
#ifndef STRICTMX_TESTS_UNIT_ASKER_H
#define STRICTMX_TESTS_UNIT_ASKER_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/unit/world.h"

struct asker;
struct event_base;
struct query_server;

struct served {
	struct world *world;
	struct event_base *base;
	struct query_server *server;
};

/* As setup and teardown of cmocka; *state is a struct served. */
int served_setup(void **state);
int served_teardown(void **state);

/* Lets the loop do all that it has to do. */
void served_turn(struct served *s);

/* On a socketpair, with a callback at its end. */
struct asker *asker_new(struct served *s);

/* On the server's socket; NULL with errno. */
struct asker *asker_connect(struct served *s, const char *path);

/* Closes its end. */
void asker_free(struct asker *a);

void asker_say(struct asker *a, const char *text);
void asker_say_bytes(struct asker *a, const char *p, size_t len);

/* Says it without a turn of the loop. */
void asker_write(struct asker *a, const char *text);

/* Says what the server takes without an answer being read; how much. */
size_t asker_stuff(struct asker *a, const char *p, size_t len);

/* Closes its way to the server only. */
void asker_says_no_more(struct asker *a);

/* The next line, until the next call. */
const char *asker_hear(struct asker *a);

/* A line has come already: without a turn of the loop. */
bool asker_has_heard(struct asker *a);

/* Nothing came, and the connection is open. */
bool asker_hears_nothing(struct asker *a);

/* The server has closed the connection, with nothing before that. */
bool asker_hears_end(struct asker *a);

/* How often the callback at its end ran. */
size_t asker_gone(const struct asker *a);

#endif
