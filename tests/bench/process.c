/* SPDX-License-Identifier: ISC */
/* Other processes, as /proc shows them: see process.h. */
#include "tests/bench/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
die(const char *format, ...)
{
	va_list ap;

	fputs("bench: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static uint64_t
timespec_ns(struct timespec ts)
{
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return timespec_ns(now);
}

pid_t
process_child(pid_t pid)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
	    (int)pid);
	file = fopen(path, "r");
	if (file == NULL || fscanf(file, "%d", &child) != 1)
		child = 0;
	if (file != NULL)
		fclose(file);
	return child;
}

uint64_t
process_cpu_ns(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &used) == -1)
		return 0;
	return timespec_ns(used);
}

unsigned long
process_memory_kib(pid_t pid, const char *name)
{
	unsigned long kib = 0;
	size_t len = strlen(name);
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			kib = strtoul(line + len + 1, NULL, 10);
	fclose(file);
	return kib;
}

void
process_settle(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	uint64_t before, now = process_cpu_ns(pid);

	for (int i = 0; i < 20; i++) {
		nanosleep(&pause, NULL);
		before = now;
		now = process_cpu_ns(pid);
		if (now == before)
			return;
	}
}

double
process_longest_stall_ms(const char *log)
{
	FILE *file = fopen(log, "r");
	char line[1024], *at;
	double ms = -1;

	if (file == NULL)
		die("%s: %s", log, strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL)
		if ((at = strstr(line, "was late by ")) != NULL)
			ms = strtod(at + strlen("was late by "), NULL);
	fclose(file);
	if (ms < 0)
		die("%s: no word of stalls", log);
	return ms;
}
