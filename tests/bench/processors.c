/* SPDX-License-Identifier: ISC */
/* The processors of a process: see processors.h. */
#include "tests/bench/processors.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "tests/bench/process.h"

/* As they were before we changed anything. */
static const cpu_set_t *
all(void)
{
	static cpu_set_t set;
	static bool known;

	if (!known && sched_getaffinity(0, sizeof(set), &set) == -1)
		die("processors: %s", strerror(errno));
	known = true;
	return &set;
}

int
processors_nth(unsigned n)
{
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, all()) && n-- == 0)
			return i;
	return PROCESSORS_ALL;
}

void
processors_use(pid_t pid, int processor)
{
	cpu_set_t set = *all();

	if (processor != PROCESSORS_ALL) {
		CPU_ZERO(&set);
		CPU_SET((size_t)processor, &set);
	}
	if (sched_setaffinity(pid, sizeof(set), &set) == -1)
		die("processor %d: %s", processor, strerror(errno));
}
