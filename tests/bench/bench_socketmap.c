/* SPDX-License-Identifier: ISC */
/*
 * strictmxd's socketmap against the floor (null_socketmap), both alive at the
 * same time and under load in turn: rounds alternate, medians are compared.
 *
 *	usage: bench_socketmap [-r ROUNDS] [-t SECONDS] [-s CONNECTIONS]...
 *	    -d DOMAINS-FILE -p PORT -P PID -f PORT -F PID
 *
 * -p and -P are strictmxd's, -f and -F the floor's. Exit status 1: an answer
 * that was not wanted, or none.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/map_load.h"
#include "tests/bench/process.h"
#include "tests/bench/processors.h"
#include "tests/bench/result.h"

#define ROUNDS_MAX 15
#define COUNTS_MAX 8
#define WARM_CONNECTIONS 32
#define FEW_CONNECTIONS 10 /* these on one processor */
#define WANT "OK secure match=m"

struct bench {
	unsigned rounds;
	double seconds;
	unsigned counts[COUNTS_MAX], n_counts;
	char **domains;
	size_t n_domains;
	uint16_t port, floor_port;
	pid_t pid, floor_pid;
	uint64_t unwanted;
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
}

static struct map_load_result
run(struct bench *b, uint16_t port, unsigned connections, double seconds)
{
	struct map_load load = { .port = port,
		.server = port == b->port ? b->pid : b->floor_pid,
		.connections = connections,
		.seconds = seconds,
		.domains = (const char *const *)b->domains,
		.n_domains = b->n_domains,
		.want = WANT };
	struct map_load_result result;

	map_load_run(&load, &result);
	b->unwanted += result.unwanted;
	return result;
}

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
figure(const struct map_load_result *result, size_t offset)
{
	double value;

	memcpy(&value, (const char *)result + offset, sizeof(value));
	return value;
}

static double
median(const struct map_load_result *results, unsigned n, size_t offset)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < n; i++)
		values[i] = figure(&results[i], offset);
	return median_of(values, n);
}

/* Of what ran side by side: a machine that is busy is so for both. */
static double
median_ratio(const struct map_load_result *floor,
    const struct map_load_result *ours, unsigned n, size_t offset)
{
	double ratios[ROUNDS_MAX];

	for (unsigned i = 0; i < n; i++)
		ratios[i] =
		    figure(&ours[i], offset) / figure(&floor[i], offset);
	return median_of(ratios, n);
}

#define MEDIAN(results, n, member)                                             \
	median((results), (n), offsetof(struct map_load_result, member))
#define MEDIAN_RATIO(floor, ours, n, member)                                   \
	median_ratio((floor), (ours), (n),                                     \
	    offsetof(struct map_load_result, member))

static void
print_row(const char *who, const struct map_load_result *results, unsigned n)
{
	printf("%-16s %9.0f/s  p50 %7.1f us  p99 %7.1f us  cpu %6.2f us\n", who,
	    MEDIAN(results, n, answers_per_s), MEDIAN(results, n, p50_us),
	    MEDIAN(results, n, p99_us), MEDIAN(results, n, cpu_us));
}

static void
print_ratio(struct bench *b, unsigned connections, const char *what,
    double ratio, enum target relation, double target)
{
	char name[96];

	snprintf(name, sizeof(name), "socketmap: %u connection%s%s, %s",
	    connections, connections == 1 ? "" : "s",
	    connections <= FEW_CONNECTIONS ? ", one processor" : "", what);
	b->missed += !result_print(name, ratio, "x floor",
	    connections == 1 ? NO_TARGET : relation, target);
}

static void
place(struct bench *b, int processor)
{
	processors_use(getpid(), processor);
	processors_use(b->floor_pid, processor);
	processors_use(b->pid, processor);
}

/* With one connection it is how fast two processes are woken up. */
static void
compare_at(struct bench *b, unsigned connections)
{
	struct map_load_result floor[ROUNDS_MAX], ours[ROUNDS_MAX];

	if (connections <= FEW_CONNECTIONS)
		place(b, processors_nth(0));
	for (unsigned i = 0; i < b->rounds; i++) {
		floor[i] = run(b, b->floor_port, connections, b->seconds);
		ours[i] = run(b, b->port, connections, b->seconds);
	}
	place(b, PROCESSORS_ALL);
	printf("%u connections\n", connections);
	print_row("floor", floor, b->rounds);
	print_row("strictmxd", ours, b->rounds);
	print_ratio(b, connections, "answers/s",
	    MEDIAN_RATIO(floor, ours, b->rounds, answers_per_s), AT_LEAST, 0.8);
	print_ratio(b, connections, "p99",
	    MEDIAN_RATIO(floor, ours, b->rounds, p99_us), AT_MOST, 2);
	print_ratio(b, connections, "CPU",
	    MEDIAN_RATIO(floor, ours, b->rounds, cpu_us), NO_TARGET, 0);
}

static void
print_memory(struct bench *b, const char *when)
{
	char name[96];

	snprintf(name, sizeof(name), "socketmap: RssAnon, %s", when);
	b->missed += !result_print(name,
	    (double)process_memory_kib(b->pid, "RssAnon") * 1024 / 1e6, "MB",
	    AT_MOST, 12);
}

static void
parse_options(struct bench *b, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:f:F:p:P:r:s:t:")) != -1) {
		if (c == 'd')
			read_domains(b, optarg);
		else if (c == 'f')
			b->floor_port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (c == 'F')
			b->floor_pid = (pid_t)strtol(optarg, NULL, 10);
		else if (c == 'p')
			b->port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (c == 'P')
			b->pid = (pid_t)strtol(optarg, NULL, 10);
		else if (c == 'r')
			b->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 't')
			b->seconds = strtod(optarg, NULL);
		else if (c == 's' && b->n_counts < COUNTS_MAX)
			b->counts[b->n_counts++] =
			    (unsigned)strtoul(optarg, NULL, 10);
		else
			die("see the source for usage");
	}
	if (b->n_domains == 0 || b->port == 0 || b->floor_port == 0 ||
	    b->pid == 0 || b->floor_pid == 0 || b->rounds == 0 ||
	    b->rounds > ROUNDS_MAX)
		die("see the source for usage");
}

int
main(int argc, char **argv)
{
	struct bench b = { .rounds = 3, .seconds = 1 };
	struct map_load_result first;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(&b, argc, argv);
	first = run(&b, b.port, WARM_CONNECTIONS, 0);
	printf("%" PRIu64 " first answers: %.0f/s, p50 %.1f ms, p99 %.1f ms\n",
	    first.answers, first.answers_per_s, first.p50_us / 1000,
	    first.p99_us / 1000);
	print_memory(&b, "all verdicts kept");
	for (unsigned i = 0; i < b.n_counts; i++)
		compare_at(&b, b.counts[i]);
	print_memory(&b, "at the end");
	printf("unwanted answers %" PRIu64 ", targets missed %u\n", b.unwanted,
	    b.missed);
	return b.unwanted > 0;
}
