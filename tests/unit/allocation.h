/* SPDX-License-Identifier: ISC */
/*
 * Allocations that fail on demand, in the code of the tree that a test links
 * (not in shared libraries). For programs that are linked with ALLOCATION_WRAP
 * of Makefile.am.
 */
#ifndef STRICTMX_TESTS_UNIT_ALLOCATION_H
#define STRICTMX_TESTS_UNIT_ALLOCATION_H

#include <stdbool.h>

/* The nth allocation from now on fails, once; 0 lets all succeed. */
void allocation_fail(unsigned n);

/* The nth fails, and the gap-th after it. */
void allocation_fail_twice(unsigned n, unsigned gap);

/* The nth fails, and so do all after it, until allocation_fail(0). */
void allocation_fail_from(unsigned n);

/* True when the failure that was asked for has come. */
bool allocation_has_failed(void);

#endif
