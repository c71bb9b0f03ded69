/* SPDX-License-Identifier: ISC */
/* A connection to a Unix socket: see unix_connect.h. */
#include "filter/unix_connect.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <unistd.h>

#include "proto/span.h"

int
unix_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, saved;

	if (!span_copy(span_of(path), address.sun_path,
		sizeof(address.sun_path))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd; /* at once or not at all: it is a Unix socket */
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
