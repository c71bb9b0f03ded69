/* SPDX-License-Identifier: ISC */
/*
 * All that strictmxd serves with one engine: the query socket, the relay,
 * Postfix's socketmap and Exim's socket. What the configuration does not ask
 * for is not there.
 */
#ifndef STRICTMX_FILTER_FRONT_ENDS_H
#define STRICTMX_FILTER_FRONT_ENDS_H

#include <sys/types.h>

#include <stdbool.h>

#include "filter/query_server.h"

struct clock;
struct config;
struct event_base;
struct front_ends;
struct loop_meter;
struct service;

/* Without an engine yet. All is borrowed. NULL without memory. */
struct front_ends *front_ends_new(struct event_base *base, struct clock *clock,
    const struct config *config);

/* With their sockets. Safe on NULL. */
void front_ends_free(struct front_ends *front);

/*
 * Listens wherever the configuration says, while the rights of root are there,
 * if they are: a port below 1024 may be wanted. Unix sockets are owned by uid
 * and gid ((uid_t)-1 and (gid_t)-1: as they come), but for the groups that the
 * configuration names. False with a line in the log.
 */
bool front_ends_listen(struct front_ends *front, uid_t uid, gid_t gid);

/* Serves queries on one descriptor only: see query_server_add(). */
bool front_ends_serve(struct front_ends *front, int fd,
    query_server_gone_fn *gone, void *arg);

/* From now on this service's engine is asked. */
void front_ends_use(struct front_ends *front, struct service *service);

void front_ends_set_meter(struct front_ends *front, struct loop_meter *meter);

#endif
