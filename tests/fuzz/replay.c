/* SPDX-License-Identifier: ISC */
/*
 * Stands in for libFuzzer in ordinary builds: gives every file of the target's
 * corpus to the target, once, in the order of their names. The target is known
 * by the name of the program: fuzz_NAME replays $srcdir/tests/fuzz/corpus/NAME.
 * Speaks TAP. A corpus that is missing or empty is a failure, and a target that
 * aborts leaves its plan unfulfilled behind the name of the file.
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "fuzz_"
#define SEED_MAX 1048576 /* octets of one file */

static int
is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The file's bytes, in a block of just their size so that ASan sees more. */
static uint8_t *
read_seed(const char *name, size_t *len)
{
	static uint8_t buf[SEED_MAX + 1];
	uint8_t *bytes = NULL;
	FILE *file = fopen(name, "rb");

	if (file == NULL)
		return NULL;
	*len = fread(buf, 1, sizeof(buf), file);
	if (!ferror(file) && *len <= SEED_MAX)
		bytes = malloc(*len == 0 ? 1 : *len);
	if (bytes != NULL)
		memcpy(bytes, buf, *len);
	fclose(file);
	return bytes;
}

/* Runs the target with one file; true when the file could be read. */
static bool
replay(const char *name)
{
	size_t len;
	uint8_t *bytes = read_seed(name, &len);

	if (bytes == NULL)
		return false;
	printf("# %s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return true;
}

static int
replay_all(const char *target, const char *dir)
{
	struct dirent **seeds = NULL;
	int n, failed = 0;

	n = chdir(dir) == -1 ? -1 : scandir(".", &seeds, is_seed, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - %s: no corpus in %s\n", target, dir);
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		bool ok = replay(seeds[i]->d_name);

		printf("%sok %d - %s %s\n", ok ? "" : "not ", i + 1, target,
		    seeds[i]->d_name);
		failed += !ok;
		free(seeds[i]);
	}
	free(seeds);
	return failed != 0;
}

int
main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *target;
	char dir[4096];

	(void)argc;
	target = strrchr(argv[0], '/');
	target = target == NULL ? argv[0] : target + 1;
	if (strncmp(target, PREFIX, sizeof(PREFIX) - 1) == 0)
		target += sizeof(PREFIX) - 1;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s",
	    srcdir == NULL ? "." : srcdir, target);
	return replay_all(target, dir);
}
