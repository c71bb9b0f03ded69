/* SPDX-License-Identifier: ISC */
/* Going into the background: see detach.h. */
#include "filter/detach.h"

#include <fcntl.h>
#include <unistd.h>

static int parent_fd = -1;

bool
detach_begin(void)
{
	int ends[2];
	char byte;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return false;
	switch (fork()) {
	case -1:
		return false;
	case 0:
		close(ends[0]);
		parent_fd = ends[1];
		return true;
	default:
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
	}
}

void
detach_done(void)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") == -1 || null_fd == -1)
		_exit(1);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(null_fd, fd) == -1)
			_exit(1);
	close(null_fd);
	if (write(parent_fd, "", 1) != 1)
		_exit(1);
	close(parent_fd);
}
