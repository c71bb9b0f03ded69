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

/* True when the failure that was asked for has come. */
bool allocation_has_failed(void);

#endif
