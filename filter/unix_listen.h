/* SPDX-License-Identifier: ISC */
/* A Unix socket that a daemon listens on, and the file that stands for it. */
#ifndef STRICTMX_FILTER_UNIX_LISTEN_H
#define STRICTMX_FILTER_UNIX_LISTEN_H

#include <sys/types.h>

struct unix_listen; /* remembers the file */

/*
 * Listens at path with mode 0660, owned by uid and gid ((uid_t)-1 and
 * (gid_t)-1 leave it). A socket there that nobody listens on is taken away;
 * anything else there stays, and is a failure. Returns a descriptor,
 * non-blocking and close-on-exec, or -1 with errno and nothing left behind.
 */
int unix_listen(const char *path, uid_t uid, gid_t gid,
    struct unix_listen **out);

/*
 * Takes the file away, unless somebody has put another into its place. The
 * descriptor is the caller's to close. Safe on NULL.
 */
void unix_listen_free(struct unix_listen *listening);

#endif
