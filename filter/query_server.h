/* SPDX-License-Identifier: ISC */
/*
 * The engine's side of strictmx-query(7): clients on a Unix socket, or one on a
 * socketpair, each with many requests in flight and answers in any order. A
 * client that does not read is not read from.
 */
#ifndef STRICTMX_FILTER_QUERY_SERVER_H
#define STRICTMX_FILTER_QUERY_SERVER_H

#include <sys/types.h>

#include <stdbool.h>

struct clock;
struct config;
struct engine;
struct event_base;
struct loop_meter;
struct query_server;

/* All is borrowed. NULL without memory. */
struct query_server *query_server_new(struct event_base *base,
    struct clock *clock, struct engine *engine, const struct config *config);

/* Closes what it has open; unlinks its socket. Safe on NULL. */
void query_server_free(struct query_server *server);

/* From now on this engine is asked; what was asked before ends where it is. */
void query_server_use(struct query_server *server, struct engine *engine,
    const struct config *config);

/* Each request begins work that the meter, which is borrowed, is to see. */
void query_server_set_meter(struct query_server *server,
    struct loop_meter *meter);

/*
 * Serves a Unix socket at path, mode 0660, owned by uid and gid ((uid_t)-1 and
 * (gid_t)-1 leave it). A stale socket is taken away. At most once. False with
 * one line in the log.
 */
bool query_server_listen(struct query_server *server, const char *path,
    uid_t uid, gid_t gid);

typedef void query_server_gone_fn(void *arg);

/*
 * Serves one client on a connected descriptor, the server's own from now on;
 * gone (may be NULL) runs when the client has left. False, and fd is still the
 * caller's, when it cannot be served.
 */
bool query_server_add(struct query_server *server, int fd,
    query_server_gone_fn *gone, void *arg);

#endif
