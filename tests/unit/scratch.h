/* SPDX-License-Identifier: ISC */
/* A directory of a test's own, with the files that it wants to find there. */
#ifndef STRICTMX_TESTS_UNIT_SCRATCH_H
#define STRICTMX_TESTS_UNIT_SCRATCH_H

#include <stddef.h>

/* As setup and teardown of cmocka; the directory goes with all it holds. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* The path of a name in it; valid until the fourth next call. */
const char *scratch_path(const char *name);

/* Both return the path; the file is made anew. */
const char *scratch_write(const char *name, const char *text);
const char *scratch_write_bytes(const char *name, const void *p, size_t len);

#endif
