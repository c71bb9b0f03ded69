/* SPDX-License-Identifier: ISC */
/*
 * Which processor a process runs on. Where the scheduler puts processes that
 * wake each other is a matter of luck, and is worth more than what they do.
 */
#ifndef STRICTMX_TESTS_BENCH_PROCESSORS_H
#define STRICTMX_TESTS_BENCH_PROCESSORS_H

#include <sys/types.h>

#define PROCESSORS_ALL (-1)

/* The nth of those that we may use, or PROCESSORS_ALL: there are not as many.
 */
int processors_nth(unsigned n);

/* The process runs on this one only, or on all that we may use. */
void processors_use(pid_t pid, int processor);

#endif
