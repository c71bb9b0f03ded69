/* SPDX-License-Identifier: ISC */
/*
 * Connections to a listening socket, as many at once as a server has places
 * for: while all are taken, those who come wait in the backlog.
 */
#ifndef STRICTMX_FILTER_ACCEPTOR_H
#define STRICTMX_FILTER_ACCEPTOR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acceptor;
struct address;
struct clock;
struct event_base;

/*
 * A connection has come; fd is the callee's own when this returns true, and is
 * closed when it returns false (no memory), with a line in the log.
 */
typedef bool acceptor_fn(int fd, void *arg);

/*
 * name: of the socket, for the log ("query socket"); borrowed. base and clock
 * are borrowed. NULL without memory.
 */
struct acceptor *acceptor_new(struct event_base *base, struct clock *clock,
    const char *name, size_t places, acceptor_fn *accepted, void *arg);

/* Closes its socket and unlinks its file. Safe on NULL. */
void acceptor_free(struct acceptor *acceptor);

/*
 * Listens on a Unix socket at path, mode 0660, owned by uid and gid
 * ((uid_t)-1 and (gid_t)-1 leave it). A stale socket is taken away. At most
 * once. False with one line in the log.
 */
bool acceptor_listen(struct acceptor *acceptor, const char *path, uid_t uid,
    gid_t gid);

/* The same on TCP. */
bool acceptor_listen_tcp(struct acceptor *acceptor,
    const struct address *address, uint16_t port);

/* Somebody has a place now, whether he came by the socket or otherwise. */
void acceptor_take_place(struct acceptor *acceptor);

/* He has left. */
void acceptor_give_place(struct acceptor *acceptor);

#endif
