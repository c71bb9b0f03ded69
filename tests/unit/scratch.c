/* SPDX-License-Identifier: ISC */
/* Files for tests: see scratch.h. */
#include "tests/unit/scratch.h"

#include "tests/unit/unit.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char directory[PATH_MAX];

int
scratch_make(void **state)
{
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/strictmx-test.XXXXXX",
	    parent == NULL ? "/tmp" : parent);
	return mkdtemp(directory) == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
scratch_remove(void **state)
{
	(void)state;
	return nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
scratch_path(const char *name)
{
	static char paths[4][PATH_MAX + 256];
	static unsigned n;
	char *path = paths[n++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

const char *
scratch_write_bytes(const char *name, const void *p, size_t len)
{
	const char *path = scratch_path(name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(p, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

const char *
scratch_write(const char *name, const char *text)
{
	return scratch_write_bytes(name, text, strlen(text));
}
