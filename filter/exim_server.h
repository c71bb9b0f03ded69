/* SPDX-License-Identifier: ISC */
/*
 * The engine's socket for Exim (strictmx-query(7), EXIM): a connection brings
 * one line, gets one, and is closed. Exim opens one for each question.
 */
#ifndef STRICTMX_FILTER_EXIM_SERVER_H
#define STRICTMX_FILTER_EXIM_SERVER_H

#include <sys/types.h>

#include <stdbool.h>

struct clock;
struct config;
struct engine;
struct event_base;
struct exim_server;
struct loop_meter;
struct tls_verify;

/* All is borrowed. NULL without memory. */
struct exim_server *exim_server_new(struct event_base *base,
    struct clock *clock);

/* Closes what it has open; unlinks its socket. Safe on NULL. */
void exim_server_free(struct exim_server *server);

/*
 * From now on these are asked; what was asked before ends where it is. To be
 * called before the loop runs.
 */
void exim_server_use(struct exim_server *server, struct engine *engine,
    const struct config *config, const struct tls_verify *verify);

/* Each request begins work that the meter, which is borrowed, is to see. */
void exim_server_set_meter(struct exim_server *server,
    struct loop_meter *meter);

/* As query_server_listen(). */
bool exim_server_listen(struct exim_server *server, const char *path, uid_t uid,
    gid_t gid);

/*
 * Serves one client on a connected descriptor, the server's own from now on.
 * False, and fd is still the caller's, when it cannot be served.
 */
bool exim_server_add(struct exim_server *server, int fd);

#endif
