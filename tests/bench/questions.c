/* SPDX-License-Identifier: ISC */
/* Questions that are counted: see questions.h. */
#include "tests/bench/questions.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/process.h"

volatile uint64_t *
questions_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *number;

	if (fd == -1 || ftruncate(fd, sizeof(uint64_t)) == -1)
		die("%s: %s", path, strerror(errno));
	number = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (number == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	return number;
}
