/* SPDX-License-Identifier: ISC */
/*
 * Postfix's questions for the TLS policy of a next hop (strictmx-postfix(7)),
 * on loopback and Unix sockets. Each client has one question open at a time, as
 * Postfix has; what it says meanwhile waits. A client that is silent, or does
 * not read, for a minute is closed; Postfix opens another connection then.
 */
#ifndef STRICTMX_FILTER_SOCKETMAP_SERVER_H
#define STRICTMX_FILTER_SOCKETMAP_SERVER_H

#include <sys/types.h>

#include <stdbool.h>

struct clock;
struct config;
struct config_listen;
struct engine;
struct event_base;
struct loop_meter;
struct socketmap_server;

/* All is borrowed. NULL without memory. */
struct socketmap_server *socketmap_server_new(struct event_base *base,
    struct clock *clock, struct engine *engine, const struct config *config);

/* Closes what it has open; unlinks its sockets. Safe on NULL. */
void socketmap_server_free(struct socketmap_server *server);

/* From now on this engine is asked; what was asked before ends where it is. */
void socketmap_server_use(struct socketmap_server *server,
    struct engine *engine, const struct config *config);

/* Each question begins work that the meter, which is borrowed, is to see. */
void socketmap_server_set_meter(struct socketmap_server *server,
    struct loop_meter *meter);

/*
 * Listens there as well, LIMIT_SOCKETMAP_LISTENS times at most; uid and gid are
 * for a Unix socket, as with acceptor_listen(). False with one line in the log.
 */
bool socketmap_server_listen(struct socketmap_server *server,
    const struct config_listen *where, uid_t uid, gid_t gid);

/*
 * Serves a client on a connected descriptor, the server's own from now on.
 * False, and fd is still the caller's, when it cannot be served.
 */
bool socketmap_server_add(struct socketmap_server *server, int fd);

#endif
