/* SPDX-License-Identifier: ISC */
/*
 * filter-strictmx against the floor (null_filter), both alive at the same time
 * and under load in turn: rounds alternate, medians are compared.
 *
 *	usage: bench_filter [-p 0.6|0.7] [-s SESSIONS]... [-r ROUNDS]
 *	    [-t SECONDS] [-w proceed|tempfail|any] [-o] -d DOMAINS-FILE
 *	    -q QUESTIONS-FILE -n NULL-FILTER -l LOG FILTER [ARGUMENT...]
 *
 * -o: with records that are old, too; they take a minute to become so. Exit
 * status 1: an error of protocol, or an answer that was not wanted.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "tests/bench/load.h"
#include "tests/bench/process.h"
#include "tests/bench/processors.h"
#include "tests/bench/questions.h"
#include "tests/bench/result.h"

#define ROUNDS_MAX 101
#define COUNTS_MAX 8
#define WARM_SESSIONS 32
#define FRESHEN_TRIES 20
#define FEW_SESSIONS 10 /* their latency counts, not their answers/s */
#define SLOW_EVERY 100
#define SLOW_SESSIONS 100
#define SLOW_ROUNDS 3 /* at most: each takes over 4 s */

/* Of bench, floor and filter; each of these two is two processes. */
enum placement {
	ANYWHERE,
	ONE_PROCESSOR,	/* nobody runs but who has something to do */
	TWO_PROCESSORS, /* who is asked is always on the other one */
};

static const char *const placements[] = {
	[ANYWHERE] = "",
	[ONE_PROCESSOR] = ", one processor",
	[TWO_PROCESSORS] = ", two processors",
};

struct bench {
	const char *version, *null_filter, *log;
	enum load_answer want;
	unsigned rounds;
	double seconds;
	unsigned counts[COUNTS_MAX], n_counts;
	char **domains;
	size_t n_domains;
	bool old_records;
	const volatile uint64_t *questions; /* that the engine has asked */
	struct load *floor, *filter;
	uint64_t errors, unexpected;
	unsigned missed; /* targets */
};

static void
read_domains(struct bench *b, const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256];

	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file) != NULL) {
		char **more = realloc(b->domains,
		    (b->n_domains + 1) * sizeof(*b->domains));

		line[strcspn(line, "\n")] = '\0';
		if (more == NULL || (more[b->n_domains] = strdup(line)) == NULL)
			die("out of memory");
		b->domains = more;
		b->n_domains++;
	}
	fclose(file);
	if (b->n_domains == 0)
		die("%s: no domains", path);
}

static struct load_plan
plan_of(const struct bench *b, unsigned sessions)
{
	return (struct load_plan){ .sessions = sessions,
		.seconds = b->seconds,
		.want = b->want,
		.domains = (const char *const *)b->domains,
		.n_domains = b->n_domains };
}

static struct load_result
run(struct bench *b, struct load *load, const struct load_plan *plan)
{
	struct load_result result;

	load_run(load, plan, &result);
	b->errors += result.errors;
	b->unexpected += result.unexpected;
	return result;
}

/* Medians of each figure by itself. */

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median_of(double *values, unsigned n)
{
	qsort(values, n, sizeof(values[0]), compare_doubles);
	return n % 2 == 1 ? values[n / 2]
			  : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static double
median(const struct load_result *results, unsigned n, size_t offset)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < n; i++)
		memcpy(&values[i], (const char *)&results[i] + offset,
		    sizeof(values[i]));
	return median_of(values, n);
}

/*
 * What ran side by side is compared, and the median of that taken: a machine
 * that is busy for a while is so for both.
 */
static double
median_ratio(const struct load_result *floor, const struct load_result *filter,
    unsigned n, size_t offset)
{
	double ratios[ROUNDS_MAX], a, b;

	for (unsigned i = 0; i < n; i++) {
		memcpy(&a, (const char *)&floor[i] + offset, sizeof(a));
		memcpy(&b, (const char *)&filter[i] + offset, sizeof(b));
		ratios[i] = b / a;
	}
	return median_of(ratios, n);
}

static struct load_result
medians(const struct load_result *results, unsigned n)
{
	return (struct load_result){
		.answers_per_s = median(results, n,
		    offsetof(struct load_result, answers_per_s)),
		.cpu_us =
		    median(results, n, offsetof(struct load_result, cpu_us)),
		.p50_us =
		    median(results, n, offsetof(struct load_result, p50_us)),
		.p99_us =
		    median(results, n, offsetof(struct load_result, p99_us)),
	};
}

/* The table */

static void
print_row(const char *name, const struct load_result *r)
{
	printf("%-28s %9.0f/s  p50 %7.1f us  p99 %7.1f us  cpu %6.2f us\n",
	    name, r->answers_per_s, r->p50_us, r->p99_us, r->cpu_us);
}

static void
print(struct bench *b, const char *what, double value, const char *unit,
    enum target relation, double target)
{
	char name[96];

	snprintf(name, sizeof(name), "filter %s: %s", b->version, what);
	b->missed += !result_print(name, value, unit, relation, target);
}

/* Which processes run where. */

static void
place_filter(struct load *load, int front, int behind)
{
	processors_use(load_pid(load), front);
	processors_use(process_child(load_pid(load)), behind);
}

static void
place(struct bench *b, enum placement placement)
{
	int one = PROCESSORS_ALL, other = PROCESSORS_ALL;

	if (placement != ANYWHERE)
		one = other = processors_nth(0);
	if (placement == TWO_PROCESSORS)
		other = processors_nth(1);
	processors_use(getpid(), one);
	place_filter(b->floor, other, one);
	place_filter(b->filter, other, one);
}

/*
 * Looks at records that are due are done now, not in the rounds that follow:
 * each domain is asked for, until that makes no question.
 */
static void
freshen(struct bench *b)
{
	struct load_plan plan = plan_of(b, WARM_SESSIONS);
	uint64_t before;

	plan.seconds = 0;
	for (int i = 0; i < FRESHEN_TRIES; i++) {
		before = *b->questions;
		run(b, b->filter, &plan);
		process_settle(process_child(load_pid(b->filter)));
		if (*b->questions == before)
			return;
	}
}

/* A ratio to the floor at so many sessions. */
static void
print_ratio(struct bench *b, unsigned sessions, const char *how,
    const char *what, double ratio, enum target relation, double target)
{
	char name[80];

	snprintf(name, sizeof(name), "%u session%s%s, %s", sessions,
	    sessions == 1 ? "" : "s", how, what);
	print(b, name, ratio, "x floor", relation, target);
}

/* Runs in turn, and what they did. */
struct rounds {
	struct load_result floor[ROUNDS_MAX], filter[ROUNDS_MAX];
	unsigned n;
	uint64_t questions, answers; /* of the filter */
};

static void
round_run(struct bench *b, const struct load_plan *plan, struct rounds *r)
{
	uint64_t before;

	r->floor[r->n] = run(b, b->floor, plan);
	before = *b->questions;
	r->filter[r->n] = run(b, b->filter, plan);
	r->questions += *b->questions - before;
	r->answers += r->filter[r->n].answers;
	r->n++;
}

static void
rounds_print(const struct rounds *r, unsigned sessions, const char *how)
{
	struct load_result floor = medians(r->floor, r->n);
	struct load_result filter = medians(r->filter, r->n);

	printf("%u session%s%s: %" PRIu64 " answers, %" PRIu64
	       " DNS questions\n",
	    sessions, sessions == 1 ? "" : "s", how, r->answers, r->questions);
	print_row("  floor", &floor);
	print_row("  strictmx", &filter);
}

static double
rounds_ratio(const struct rounds *r, size_t offset)
{
	return median_ratio(r->floor, r->filter, r->n, offset);
}

static void
compare_at(struct bench *b, unsigned sessions, enum placement placement)
{
	const struct load_plan plan = plan_of(b, sessions);
	const char *how = placements[placement];
	struct rounds r = { .n = 0 };

	freshen(b);
	place(b, placement);
	while (r.n < b->rounds)
		round_run(b, &plan, &r);
	place(b, ANYWHERE);
	rounds_print(&r, sessions, how);
	if (sessions <= FEW_SESSIONS) {
		print_ratio(b, sessions, how, "p50",
		    rounds_ratio(&r, offsetof(struct load_result, p50_us)),
		    AT_MOST, 1.3);
		print_ratio(b, sessions, how, "p99",
		    rounds_ratio(&r, offsetof(struct load_result, p99_us)),
		    AT_MOST, 2);
	} else {
		print_ratio(b, sessions, how, "answers/s",
		    rounds_ratio(&r,
			offsetof(struct load_result, answers_per_s)),
		    AT_LEAST, 0.5);
		print_ratio(b, sessions, how, "CPU",
		    rounds_ratio(&r, offsetof(struct load_result, cpu_us)),
		    NO_TARGET, 0);
	}
}

static void
compare(struct bench *b, unsigned sessions)
{
	if (sessions > FEW_SESSIONS) {
		compare_at(b, sessions, ANYWHERE);
		return;
	}
	compare_at(b, sessions, ONE_PROCESSOR);
	if (processors_nth(1) != PROCESSORS_ALL)
		compare_at(b, sessions, TWO_PROCESSORS);
}

/*
 * All records are old, each is looked at again behind the answer: no domain
 * twice, so these rounds are short.
 */
static void
compare_old(struct bench *b)
{
	struct load_plan plan = plan_of(b, 1);
	struct rounds r = { .n = 0 };

	plan.seconds = 0;
	plan.n_domains = b->n_domains / b->rounds;
	sleep(LIMIT_RECORD_AGE_S + 2);
	place(b, ONE_PROCESSOR);
	while (r.n < b->rounds) {
		round_run(b, &plan, &r);
		plan.domains += plan.n_domains;
	}
	place(b, ANYWHERE);
	rounds_print(&r, 1, ", old records");
	print_ratio(b, 1, ", old records", "p50",
	    rounds_ratio(&r, offsetof(struct load_result, p50_us)), NO_TARGET,
	    0);
	print_ratio(b, 1, ", old records", "p99",
	    rounds_ratio(&r, offsetof(struct load_result, p99_us)), NO_TARGET,
	    0);
}

/* 1 % of the domains answer only after 2 s: what of the others? */
static void
compare_slow(struct bench *b)
{
	struct load_plan plan = plan_of(b, SLOW_SESSIONS);
	struct load_result without[SLOW_ROUNDS] = { { .answers = 0 } };
	struct load_result with[SLOW_ROUNDS] = { { .answers = 0 } }, m[2];
	unsigned rounds = b->rounds < SLOW_ROUNDS ? b->rounds : SLOW_ROUNDS;
	uint64_t slow = 0;

	for (unsigned i = 0; i < rounds; i++) {
		plan.slow_every = 0;
		plan.seconds = b->seconds;
		without[i] = run(b, b->filter, &plan);
		plan.slow_every = SLOW_EVERY;
		plan.seconds = b->seconds + 4; /* some 2 s twice */
		with[i] = run(b, b->filter, &plan);
		slow += with[i].slow_answers;
	}
	m[0] = medians(without, rounds);
	m[1] = medians(with, rounds);
	print_row("100 sessions, none slow", &m[0]);
	print_row("100 sessions, 1 % slow", &m[1]);
	printf("    %" PRIu64 " slow answers\n", slow);
	print(b, "1 % slow, p99 of the others",
	    median_ratio(without, with, rounds,
		offsetof(struct load_result, p99_us)),
	    "x none", AT_MOST, 2);
}

static void
print_memory(struct bench *b, const char *when)
{
	pid_t engine = process_child(load_pid(b->filter));
	double anon, rss;
	char name[64];

	process_settle(engine); /* it gives memory back when it rests */
	anon = (double)process_memory_kib(engine, "RssAnon") * 1.024e-3;
	rss = (double)process_memory_kib(engine, "VmRSS") * 1.024e-3;
	snprintf(name, sizeof(name), "VmRSS, %s", when);
	print(b, name, rss, "MB", NO_TARGET, 0);
	snprintf(name, sizeof(name), "RssAnon, %s", when);
	print(b, name, anon, "MB", AT_MOST, 12);
}

/* Each domain once, so that the engine knows all verdicts. */
static void
warm_up(struct bench *b)
{
	struct load_plan plan = plan_of(b, WARM_SESSIONS);
	struct load_result result;

	plan.seconds = 0;
	result = run(b, b->filter, &plan);
	printf("%" PRIu64 " first answers: %.0f/s, p50 %.0f ms, p99 %.0f ms, "
	       "cpu %.0f us\n",
	    result.answers, result.answers_per_s, result.p50_us / 1000,
	    result.p99_us / 1000, result.cpu_us);
}

static void
parse_options(struct bench *b, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+d:l:n:op:q:r:s:t:w:")) != -1) {
		if (c == 'd')
			read_domains(b, optarg);
		else if (c == 'l')
			b->log = optarg;
		else if (c == 'n')
			b->null_filter = optarg;
		else if (c == 'o')
			b->old_records = true;
		else if (c == 'p')
			b->version = optarg;
		else if (c == 'q')
			b->questions = questions_map(optarg);
		else if (c == 'r')
			b->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 's' && b->n_counts < COUNTS_MAX)
			b->counts[b->n_counts++] =
			    (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 't')
			b->seconds = strtod(optarg, NULL);
		else if (c == 'w')
			b->want = strcmp(optarg, "any") == 0  ? LOAD_ANY
			    : strcmp(optarg, "tempfail") == 0 ? LOAD_TEMPFAIL
							      : LOAD_PROCEED;
		else
			die("see the source for usage");
	}
	if (optind == argc || b->n_domains == 0 || b->null_filter == NULL ||
	    b->questions == NULL || b->log == NULL || b->rounds == 0 ||
	    b->rounds > ROUNDS_MAX || b->seconds <= 0 ||
	    (b->old_records && b->n_domains < b->rounds))
		die("see the source for usage");
}

int
main(int argc, char **argv)
{
	struct bench b = { .version = "0.6", .rounds = 3, .seconds = 1 };
	char n_domains[24];
	bool ended;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(&b, argc, argv);
	snprintf(n_domains, sizeof(n_domains), "%zu", b.n_domains);
	char *null_argv[] = { (char *)(uintptr_t)b.null_filter, n_domains,
		NULL };

	printf("protocol %s, %u rounds of %.1f s\n", b.version, b.rounds,
	    b.seconds);
	b.floor = load_start(null_argv, b.version, "/dev/null");
	b.filter = load_start(argv + optind, b.version, b.log);
	warm_up(&b);
	print_memory(&b, "all policies and verdicts");
	for (unsigned i = 0; i < b.n_counts; i++)
		compare(&b, b.counts[i]);
	compare_slow(&b);
	if (b.old_records)
		compare_old(&b);
	print_memory(&b, "at the end");
	ended = load_stop(b.filter);
	ended &= load_stop(b.floor) != 0;
	print(&b, "errors of protocol", (double)b.errors, "", AT_MOST, 0);
	print(&b, "unwanted answers", (double)b.unexpected, "", AT_MOST, 0);
	print(&b, "longest stall of the loop", process_longest_stall_ms(b.log),
	    "ms", NO_TARGET, 0);
	printf("ended %s, targets missed %u\n", ended ? "well" : "BADLY",
	    b.missed);
	return b.errors > 0 || b.unexpected > 0 || !ended;
}
