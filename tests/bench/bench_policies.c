/* SPDX-License-Identifier: ISC */
/*
 * Many policies, and domains that nobody has asked for yet:
 *
 *	memory	1,000,000 policies in the cache: its memory, and what a look
 *		into it costs with few and with many
 *	store	the same with the rest on disk, and how soon strictmxd serves
 *		with 100,000 and 1,000,000 policies there
 *	cold	lookups that ask for the record, the policy and the MX hosts,
 *		100 at once, by strictmxd's own CPU time
 *
 *	usage: bench_policies -d DIRECTORY -e STRICTMXD [-c LOOKUPS] [-a
 *AT-ONCE]
 *	    [-o]
 *
 * in the namespace of tests/bench/world, which has made DIRECTORY/strictmx.conf
 * and answers for N.cold. -a and -o (only the cold lookups) are for profilers.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "tests/bench/process.h"
#include "tests/bench/result.h"

#define MANY 1000000u
#define FEW 10000u
#define STORED 100000u
#define LOOKS 1000000u
#define STORE_LOOKS 20000u
#define DUE_LOOKS 1000u
#define DUE_MAX 100u
#define STARTS 5
#define WAIT_S 60
#define ENGINE_FD 3

static int64_t now_s;
static unsigned missed;

static void
print(const char *what, double value, const char *unit, enum target relation,
    double target)
{
	missed += !result_print(what, value, unit, relation, target);
}

static void
domain_name(char name[DOMAIN_SIZE], unsigned i)
{
	snprintf(name, DOMAIN_SIZE, "domain-%u.example", i);
}

/* As they are published: two patterns, of 20 to 30 octets. */
static struct span
body_of(unsigned i)
{
	static char body[256];
	int len = snprintf(body, sizeof(body),
	    "version: STSv1\r\nmode: enforce\r\nmx: mx1.domain-%u.example\r\n"
	    "mx: *.mail.provider.example\r\nmax_age: 604800\r\n",
	    i);

	return (struct span){ body, (size_t)len };
}

static void
fill_cache(struct policy_cache *cache, unsigned from, unsigned to)
{
	char name[DOMAIN_SIZE];

	for (unsigned i = from; i < to; i++) {
		domain_name(name, i);
		if (!policy_cache_put(cache, name, "20240229T010203",
			body_of(i), now_s))
			die("out of memory");
	}
}

static void
fill_store(struct policy_store *store, unsigned from, unsigned to)
{
	struct policy_row row = { .id = "20240229T010203",
		.fetched_at_s = now_s,
		.record_seen_at_s = now_s,
		.refresh_at_s = now_s + 80000 };

	for (unsigned i = from; i < to; i++) {
		domain_name(row.domain, i);
		row.body = body_of(i);
		if (!policy_store_put(store, &row))
			die("a policy cannot be stored");
	}
}

/* Any order, the same in each run. */
static unsigned
next_random(unsigned n)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

/* Nanoseconds of CPU time for a look at one of the first n. */
static double
look_ns(struct policy_cache *cache, unsigned n, unsigned looks)
{
	uint64_t begun = process_cpu_ns(getpid());
	char name[DOMAIN_SIZE];

	for (unsigned i = 0; i < looks; i++) {
		domain_name(name, next_random(n));
		if (policy_cache_get(cache, name, now_s) == NULL)
			die("a policy is lost");
	}
	return (double)(process_cpu_ns(getpid()) - begun) / looks;
}

/* Memory */

static void
measure_memory(void)
{
	unsigned long before_kib = process_memory_kib(getpid(), "VmRSS");
	struct policy_cache *cache = policy_cache_new(NULL, MANY);
	double few_ns, many_ns;

	if (cache == NULL)
		die("out of memory");
	fill_cache(cache, 0, FEW);
	few_ns = look_ns(cache, FEW, LOOKS);
	fill_cache(cache, FEW, MANY);
	many_ns = look_ns(cache, MANY, LOOKS);
	if (policy_cache_count(cache) != MANY)
		die("%zu policies instead of %u", policy_cache_count(cache),
		    MANY);
	print("1,000,000 policies cached: VmRSS",
	    (double)(process_memory_kib(getpid(), "VmRSS") - before_kib) *
		1024 / 1e6,
	    "MB", AT_MOST, 450);
	print("a look with 10,000 cached", few_ns, "ns", NO_TARGET, 0);
	print("a look with 1,000,000 cached", many_ns, "ns", NO_TARGET, 0);
	/* The rest is memory that is not in the processor's caches. */
	print("a look, 1,000,000 / 10,000", many_ns / few_ns, "", AT_MOST, 4);
	policy_cache_free(cache);
}

/* The store */

static struct policy_store *
store_make(const char *dir)
{
	struct policy_store *store;

	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		die("%s: %s", dir, strerror(errno));
	store = policy_store_open(dir, MANY);
	if (store == NULL)
		die("no policy store");
	return store;
}

/* One in memory only, so that nearly each look is one at the store. */
static double
store_look_us(struct policy_store *store, unsigned n)
{
	struct policy_cache *cache = policy_cache_new(store, 1);
	double us;

	if (cache == NULL)
		die("out of memory");
	us = look_ns(cache, n, STORE_LOOKS) / 1000;
	policy_cache_free(cache);
	return us;
}

static void
print_size(const char *dir)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/policies.sqlite", dir);
	if (stat(path, &st) == -1)
		die("%s: %s", path, strerror(errno));
	print("1,000,000 policies on disk", (double)st.st_size / 1e6, "MB",
	    NO_TARGET, 0);
}

static double
due_us(struct policy_store *store)
{
	char(*due)[DOMAIN_SIZE] = calloc(DUE_MAX, sizeof(*due));
	uint64_t begun = process_cpu_ns(getpid());
	double us;

	if (due == NULL)
		die("out of memory");
	for (unsigned i = 0; i < DUE_LOOKS; i++)
		if (policy_store_due(store, now_s, due, DUE_MAX) != 0)
			die("a refresh is due");
	us = (double)(process_cpu_ns(getpid()) - begun) / DUE_LOOKS / 1000;
	free(due);
	return us;
}

static void
measure_store(const char *few_dir, const char *many_dir)
{
	struct policy_store *store = store_make(few_dir);
	double few_us, many_us;
	uint64_t begun;

	fill_store(store, 0, FEW);
	few_us = store_look_us(store, FEW);
	begun = process_cpu_ns(getpid());
	fill_store(store, FEW, STORED);
	print("a policy stored",
	    (double)(process_cpu_ns(getpid()) - begun) / (STORED - FEW) / 1000,
	    "us", NO_TARGET, 0);
	many_us = store_look_us(store, STORED);
	print("a look at the store, 100,000 there", many_us, "us", NO_TARGET,
	    0);
	print("a look at the store, 100,000 / 10,000", many_us / few_us, "",
	    AT_MOST, 4);
	policy_store_close(store);
	store = store_make(many_dir);
	fill_store(store, 0, MANY);
	many_us = store_look_us(store, MANY);
	print("a look at the store, 1,000,000 / 10,000", many_us / few_us, "",
	    AT_MOST, 4);
	print("a look for what is due, 1,000,000 there", due_us(store), "us",
	    NO_TARGET, 0);
	policy_store_close(store);
	print_size(many_dir);
}

/* strictmxd */

struct engine {
	pid_t pid;
	int fd;
	char input[65536];
	size_t len;
};

static void
become_engine(const char *program, int fd, const char *config, const char *log)
{
	char number[16];
	int log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);

	snprintf(number, sizeof(number), "%d", ENGINE_FD);
	if (log_fd == -1 || dup2(log_fd, STDERR_FILENO) == -1 ||
	    dup2(fd, ENGINE_FD) == -1)
		_exit(126);
	execl(program, program, "-F", number, "-f", config, (char *)NULL);
	_exit(127);
}

static size_t
engine_read(struct engine *e)
{
	ssize_t n = read(e->fd, e->input + e->len, sizeof(e->input) - e->len);

	if (n <= 0)
		die("strictmxd has ended: see its log");
	e->len += (size_t)n;
	return (size_t)n;
}

/* Until it greets. */
static void
engine_start(struct engine *e, const char *program, const char *config,
    const char *log)
{
	const struct timeval limit = { .tv_sec = WAIT_S };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		die("socketpair: %s", strerror(errno));
	e->fd = fds[0];
	e->len = 0;
	setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	fcntl(e->fd, F_SETFD, FD_CLOEXEC);
	e->pid = fork();
	if (e->pid == -1)
		die("fork: %s", strerror(errno));
	if (e->pid == 0)
		become_engine(program, fds[1], config, log);
	close(fds[1]);
	while (memchr(e->input, '\n', e->len) == NULL)
		engine_read(e);
	e->len = 0;
}

static void
engine_stop(struct engine *e)
{
	close(e->fd);
	waitpid(e->pid, NULL, 0);
}

static void
config_make(const char *dir, const char *name, const char *state)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	if (file == NULL)
		die("%s: %s", path, strerror(errno));
	fprintf(file,
	    "resolver = {\"127.0.0.1:53\"}\nstate-dir = \"%s\"\n"
	    "max-policies = %u\n",
	    state, MANY);
	fclose(file);
}

static int
compare_doubles(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
measure_start(const char *program, const char *dir, const char *state,
    const char *what, enum target relation)
{
	char config[512], log[512];
	double seconds[STARTS];

	config_make(dir, "start.conf", state);
	snprintf(config, sizeof(config), "%s/start.conf", dir);
	snprintf(log, sizeof(log), "%s/start.log", dir);
	for (unsigned i = 0; i < STARTS; i++) {
		uint64_t begun = monotonic_ns();
		struct engine e;

		engine_start(&e, program, config, log);
		seconds[i] = (double)(monotonic_ns() - begun) / 1e9;
		engine_stop(&e);
	}
	qsort(seconds, STARTS, sizeof(seconds[0]), compare_doubles);
	print(what, seconds[STARTS / 2], "s", relation, 1);
}

/* Cold lookups */

static void
ask(struct engine *e, unsigned i)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%u rcpt u@%u.cold\n", i, i);

	if (write(e->fd, line, (size_t)len) != len)
		die("strictmxd does not read");
}

/* Counts the answers that have come; all must be that of mode none. */
static unsigned
take_answers(struct engine *e)
{
	char *line = e->input, *end;
	unsigned n = 0;

	engine_read(e);
	while ((end = memchr(line, '\n', e->len - (size_t)(line - e->input))) !=
	    NULL) {
		*end = '\0';
		if (strstr(line, " has mode none") == NULL)
			die("unwanted answer: %s", line);
		line = end + 1;
		n++;
	}
	e->len -= (size_t)(line - e->input);
	memmove(e->input, line, e->len);
	return n;
}

static void
measure_cold(const char *program, const char *dir, unsigned lookups,
    unsigned at_once)
{
	char config[512], log[512];
	unsigned asked = 0, answered = 0;
	uint64_t begun, cpu;
	struct engine e;

	snprintf(config, sizeof(config), "%s/strictmx.conf", dir);
	snprintf(log, sizeof(log), "%s/cold.log", dir);
	engine_start(&e, program, config, log);
	begun = monotonic_ns();
	cpu = process_cpu_ns(e.pid);
	while (answered < lookups) {
		while (asked < lookups && asked - answered < at_once)
			ask(&e, asked++);
		answered += take_answers(&e);
	}
	cpu = process_cpu_ns(e.pid) - cpu;
	print("cold lookups a CPU second, 100 at once",
	    lookups / ((double)cpu / 1e9), "1/s", AT_LEAST, 800);
	print("cold lookups a second",
	    lookups / ((double)(monotonic_ns() - begun) / 1e9), "1/s",
	    NO_TARGET, 0);
	print("memory meanwhile: RssAnon",
	    (double)process_memory_kib(e.pid, "RssAnon") * 1024 / 1e6, "MB",
	    NO_TARGET, 0);
	engine_stop(&e);
	print("longest stall of the loop, cold", process_longest_stall_ms(log),
	    "ms", AT_MOST, 100);
}

int
main(int argc, char **argv)
{
	const char *dir = NULL, *program = NULL;
	unsigned lookups = 5000, at_once = 100;
	char few[400], many[400];
	bool only_cold = false;
	int c;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	log_init("bench", false, LOG_LEVEL_WARNING);
	while ((c = getopt(argc, argv, "a:c:d:e:o")) != -1) {
		if (c == 'a')
			at_once = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'c')
			lookups = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			dir = optarg;
		else if (c == 'e')
			program = optarg;
		else if (c == 'o')
			only_cold = true;
		else
			die("see the source for usage");
	}
	if (dir == NULL || program == NULL || lookups == 0 || at_once == 0)
		die("see the source for usage");
	now_s = time(NULL);
	puts("policies and cold lookups");
	if (!only_cold) {
		measure_memory();
		snprintf(few, sizeof(few), "%s/few", dir);
		snprintf(many, sizeof(many), "%s/many", dir);
		measure_store(few, many);
		measure_start(program, dir, few,
		    "start with 100,000 policies stored", AT_MOST);
		measure_start(program, dir, many,
		    "start with 1,000,000 policies stored", NO_TARGET);
	}
	measure_cold(program, dir, lookups, at_once);
	printf("targets missed %u\n", missed);
	return 0;
}
