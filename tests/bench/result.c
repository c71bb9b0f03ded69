/* SPDX-License-Identifier: ISC */
/* What a benchmark has found: see result.h. */
#include "tests/bench/result.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/process.h"

static const char *const relations[] = {
	[AT_MOST] = "at most",
	[AT_LEAST] = "at least",
	[NO_TARGET] = "",
};

/* As tests/bench/run reads it: fields with a bar between them. */
static void
add_to_table(const char *line)
{
	const char *path = getenv("BENCH_RESULTS");
	FILE *file = path == NULL ? NULL : fopen(path, "a");

	if (path == NULL)
		return;
	if (file == NULL || fprintf(file, "%s\n", line) < 0 ||
	    fclose(file) == EOF)
		die("%s: %s", path, strerror(errno));
}

bool
result_print(const char *what, double value, const char *unit,
    enum target relation, double target)
{
	bool met = relation == AT_MOST ? value <= target
	    : relation == AT_LEAST     ? value >= target
				       : true;
	char wanted[64] = "", line[256];

	if (relation != NO_TARGET)
		snprintf(wanted, sizeof(wanted), "%s %g", relations[relation],
		    target);
	snprintf(line, sizeof(line), "%s|%.4g|%s|%s|%s", what, value, unit,
	    wanted,
	    relation == NO_TARGET ? ""
		: met		  ? "MET"
				  : "MISSED");
	printf("    %-44s %9.4g %-8s %-14s %s\n", what, value, unit, wanted,
	    relation == NO_TARGET ? ""
		: met		  ? "MET"
				  : "MISSED");
	add_to_table(line);
	return met;
}
