/* SPDX-License-Identifier: ISC */
/*
 * A listening Unix socket: see unix_listen.h. Root may do this in a directory
 * that belongs to somebody else, so nothing here follows a link: the mode
 * comes from the mask at bind(), the owner by lchown().
 */
#include "filter/unix_listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "filter/unix_connect.h"
#include "proto/span.h"

#define BACKLOG 128

struct unix_listen {
	struct sockaddr_un address;
	dev_t dev;
	ino_t ino;
};

/* A server that was killed leaves a socket that refuses whoever connects. */
static bool
stale_remove(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1)
		return errno == ENOENT;
	if (!S_ISSOCK(st.st_mode)) {
		errno = ENOTSOCK;
		return false;
	}
	fd = unix_connect(path);
	if (fd != -1 || errno == EAGAIN) {
		if (fd != -1)
			close(fd);
		errno = EADDRINUSE;
		return false;
	}
	return errno == ECONNREFUSED && unlink(path) == 0;
}

static bool
file_make(struct unix_listen *l, int fd)
{
	mode_t before = umask(0117);
	struct stat st;
	int failed =
	    bind(fd, (struct sockaddr *)&l->address, sizeof(l->address));

	umask(before);
	if (failed || lstat(l->address.sun_path, &st) == -1)
		return false;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return true;
}

static bool
is_ours(const struct unix_listen *l)
{
	struct stat st;

	return l->ino != 0 && lstat(l->address.sun_path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino;
}

void
unix_listen_free(struct unix_listen *listening)
{
	if (listening == NULL)
		return;
	if (is_ours(listening))
		unlink(listening->address.sun_path);
	free(listening);
}

int
unix_listen(const char *path, uid_t uid, gid_t gid, struct unix_listen **out)
{
	struct unix_listen *l = calloc(1, sizeof(*l));
	int fd = -1, saved;

	if (l == NULL)
		return -1;
	l->address.sun_family = AF_UNIX;
	if (!span_copy(span_of(path), l->address.sun_path,
		sizeof(l->address.sun_path))) {
		errno = ENAMETOOLONG;
		goto fail;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || !stale_remove(path) || !file_make(l, fd) ||
	    lchown(path, uid, gid) == -1 || listen(fd, BACKLOG) == -1)
		goto fail;
	*out = l;
	return fd;
fail:
	saved = errno;
	if (fd != -1)
		close(fd);
	unix_listen_free(l);
	errno = saved;
	return -1;
}
