/* SPDX-License-Identifier: ISC */
/*
 * How many questions the DNS server of "world" has had: a number in a file that
 * it and a benchmark have mapped. A benchmark of answers from memory can tell
 * by it that they were.
 */
#ifndef STRICTMX_TESTS_BENCH_QUESTIONS_H
#define STRICTMX_TESTS_BENCH_QUESTIONS_H

#include <stdint.h>

/* Makes the file when there is none. Only "world" writes to it. */
volatile uint64_t *questions_map(const char *path);

#endif
