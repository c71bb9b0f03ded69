/* SPDX-License-Identifier: ISC */
/* What a benchmark has found, beside its target: one table for all of them. */
#ifndef STRICTMX_TESTS_BENCH_RESULT_H
#define STRICTMX_TESTS_BENCH_RESULT_H

#include <stdbool.h>

enum target {
	AT_MOST,
	AT_LEAST,
	NO_TARGET, /* good to know */
};

/*
 * Prints the figure and, when the environment names a file in BENCH_RESULTS,
 * adds a line for the table to it. Whether the target is met.
 */
bool result_print(const char *what, double value, const char *unit,
    enum target relation, double target);

#endif
