/* SPDX-License-Identifier: ISC */
/* A connection to a Unix socket, such as that of a running daemon. */
#ifndef STRICTMX_FILTER_UNIX_CONNECT_H
#define STRICTMX_FILTER_UNIX_CONNECT_H

/*
 * Returns a descriptor, non-blocking and close-on-exec, or -1 with errno. Does
 * not wait: a server with too many callers is EAGAIN.
 */
int unix_connect(const char *path);

#endif
