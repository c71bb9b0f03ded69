/* SPDX-License-Identifier: ISC */
/* Allocations that fail: see allocation.h. */
#include "tests/unit/allocation.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);

static unsigned countdown;
static unsigned again; /* the next countdown */
static bool has_failed, goes_on;

void
allocation_fail(unsigned n)
{
	countdown = n;
	again = 0;
	has_failed = false;
	goes_on = false;
}

void
allocation_fail_twice(unsigned n, unsigned gap)
{
	allocation_fail(n);
	again = gap;
}

void
allocation_fail_from(unsigned n)
{
	allocation_fail(n);
	again = 1;
	goes_on = true;
}

bool
allocation_has_failed(void)
{
	return has_failed;
}

static bool
fails(void)
{
	if (countdown == 0 || --countdown > 0)
		return false;
	has_failed = true;
	countdown = again;
	if (!goes_on)
		again = 0;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

char *
__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}
