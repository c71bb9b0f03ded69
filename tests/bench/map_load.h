/* SPDX-License-Identifier: ISC */
/*
 * Postfix, played towards a socketmap server on loopback: connections with one
 * question open at a time, each the next domain of a list.
 */
#ifndef STRICTMX_TESTS_BENCH_MAP_LOAD_H
#define STRICTMX_TESTS_BENCH_MAP_LOAD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define MAP_LOAD_CONNECTIONS 1000

struct map_load {
	uint16_t port;
	pid_t server;
	unsigned connections;
	double seconds; /* 0: until each domain was asked for once */
	const char *const *domains;
	size_t n_domains;
	const char *want; /* an answer begins so, behind its length */
};

struct map_load_result {
	double answers_per_s, p50_us, p99_us;
	double cpu_us; /* of the server, an answer */
	uint64_t answers;
	uint64_t unwanted; /* another answer, or none */
};

void map_load_run(const struct map_load *load, struct map_load_result *out);

#endif
