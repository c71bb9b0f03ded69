/* SPDX-License-Identifier: ISC */
/*
 * smtpd, played towards one filter program: a socket as its standard input and
 * output, many SMTP sessions, one request at a time in each, one token for the
 * phase. All that would end or mislead a real smtpd is counted as an error.
 */
#ifndef STRICTMX_TESTS_BENCH_LOAD_H
#define STRICTMX_TESTS_BENCH_LOAD_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct load;

#define LOAD_SESSIONS_MAX 10000

enum load_answer {
	LOAD_PROCEED,
	LOAD_TEMPFAIL,
	LOAD_PERMFAIL,
	LOAD_ANY, /* as what is expected */
};

struct load_plan {
	unsigned sessions;
	double seconds;	       /* 0: until each domain was asked for once */
	unsigned slow_every;   /* one recipient in so many has a domain that
				  answers late, and that is new; 0: none */
	enum load_answer want; /* of the others */
	const char *const *domains;
	size_t n_domains;
};

struct load_result {
	double answers_per_s, cpu_us; /* CPU: filter and engine, an answer */
	double p50_us, p99_us;	      /* slow ones are left out of these */
	uint64_t answers;	      /* of the others */
	uint64_t slow_answers;
	uint64_t errors;     /* of protocol */
	uint64_t unexpected; /* answers other than the wanted one */
};

/* Starts the program and waits until it has registered. version: "0.7". */
struct load *load_start(char *const *argv, const char *version,
    const char *log_path);

void load_run(struct load *load, const struct load_plan *plan,
    struct load_result *out);

pid_t load_pid(const struct load *load);

/* Ends its input. True when it ends within 5 s with status 0. */
int load_stop(struct load *load);

#endif
