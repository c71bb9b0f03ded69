/* SPDX-License-Identifier: ISC */
/*
 * kill -9 at random moments of an engine under load, on a real store: the
 * network and the clock are those of a test, the process, its store and its
 * death are real. After each: every policy that an answer was based on is
 * there, every policy that was set and acknowledged, and nothing half-written
 * is believed.
 *
 * KILLS in the environment says how often; "make check-long" asks for 200.
 */
#include "tests/unit/unit.h"

#include <sys/wait.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/verdict.h"
#include "tests/fake/fake_net.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/world.h"

#define DOMAINS 40
#define CACHED 8 /* in memory: the others come from the store */
#define BODY_SIZE 12000
#define MOMENT_US 60000 /* a process lives up to that long under load */

/* What an engine has said that it knows; it tells so as it goes. */
enum said_what {
	SAID_POLICY,
	SAID_SET,
	SAID_DROPPED,
};

struct said {
	enum said_what what;
	unsigned domain, id;
};

/* Each id has a body of its own, from one page of SQLite to some. */
static struct span
body_of(unsigned domain, unsigned id)
{
	static char body[BODY_SIZE];
	unsigned more = (domain * 7 + id * 13) % 200;
	size_t len = (size_t)snprintf(body, sizeof(body),
	    "version: STSv1\nmode: enforce\nmax_age: %u\nmx: mx.d%u.test\n",
	    600000 + id % 10000, domain);

	for (unsigned i = 0; i < more; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
		    "mx: mx%u-%u.d%u.test\n", i, id, domain);
	return (struct span){ body, len };
}

static void
domain_name(unsigned domain, char name[DOMAIN_SIZE])
{
	snprintf(name, DOMAIN_SIZE, "d%u.test", domain);
}

/* The engine that will be killed. */

struct victim {
	struct world world; /* its cache and overrides have the store below */
	struct policy_store *store;
	int out;
};

static void
victim_open(struct victim *v, const char *dir, int out)
{
	struct world *w = &v->world;

	v->out = out;
	v->store = policy_store_open(dir, 0);
	w->clock = clock_new_fake(WORLD_NOW);
	w->net = fake_net_new(w->clock);
	fake_net_ttl(w->net, 1);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = 30;
	w->cache = policy_cache_new(v->store, CACHED);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	w->overrides = overrides_new(v->store, WORLD_NOW);
	if (v->store == NULL || w->engine == NULL || w->overrides == NULL)
		_exit(1);
	engine_use_overrides(w->engine, w->overrides);
}

/* Whole or not at all: a record is less than PIPE_BUF. */
static void
say(const struct victim *v, enum said_what what, unsigned domain, unsigned id)
{
	const struct said said = { what, domain, id };

	if (write(v->out, &said, sizeof(said)) != (ssize_t)sizeof(said))
		_exit(1);
}

static void
publish(struct victim *v, unsigned domain, unsigned id)
{
	struct world *w = &v->world;
	char name[DOMAIN_SIZE], record[64];

	domain_name(domain, name);
	world_enforce(w, name, true);
	fake_net_body(w->net, name, body_of(domain, id), RESULT_NONE, NULL);
	snprintf(record, sizeof(record), "v=STSv1; id=%u;", id);
	domain_name(domain, name);
	snprintf(name, sizeof(name), "_mta-sts.d%u.test", domain);
	fake_net_dns(w->net, name, DNS_TXT, DNS_FOUND, record, NULL);
}

static void
answered(const struct verdict *verdict, void *arg)
{
	unsigned *id = arg;

	if (facts_have_policy(&verdict->facts))
		*id = (unsigned)strtoul(verdict->facts.sts.id, NULL, 10);
}

/* Mail to a domain that has just published a new policy. */
static void
serve(struct victim *v, unsigned domain, unsigned id)
{
	struct world *w = &v->world;
	char name[DOMAIN_SIZE];
	unsigned told = 0;

	publish(v, domain, id);
	domain_name(domain, name);
	clock_advance(w->clock, LIMIT_FETCH_BACKOFF_S * 1000);
	if (engine_ask(w->engine, GATE_DELIVERY, name, answered, &told) == NULL)
		_exit(1);
	clock_advance(w->clock, 1000);
	if (told != 0)
		say(v, SAID_POLICY, domain, told);
}

static void
set_or_drop(struct victim *v, unsigned domain, unsigned id)
{
	struct override o = { .until_s = WORLD_NOW + (int64_t)id };
	char name[DOMAIN_SIZE];

	snprintf(o.domain, sizeof(o.domain), "o%u.test", domain);
	snprintf(name, sizeof(name), "o%u.test", domain);
	if (id % 3 == 0) {
		(void)overrides_drop(v->world.overrides, name);
		say(v, SAID_DROPPED, domain, id);
		return;
	}
	if (!override_add(&o, "mode", "none") || override_finish(&o) != NULL ||
	    overrides_set(v->world.overrides, &o, WORLD_NOW) != OVERRIDES_DONE)
		_exit(1);
	say(v, SAID_SET, domain, id);
}

static void __attribute__((noreturn))
victim_run(const char *dir, int out, unsigned first_id)
{
	static struct victim v;

	/* That refreshes fail is not the matter here. */
	log_set_level(LOG_LEVEL_ERROR);
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(1);
	victim_open(&v, dir, out);
	for (unsigned id = first_id;; id++) {
		serve(&v, id % DOMAINS, id);
		set_or_drop(&v, id * 7 % DOMAINS, id);
	}
}

/* Who kills it and looks at what is left. */

/* The last that was said of each; 0: nothing. */
static struct {
	unsigned policy[DOMAINS];
	unsigned set[DOMAINS]; /* UINT_MAX: dropped */
	unsigned last_id;
	size_t n_policies, n_sets;
} known;

static void
note(const struct said *said)
{
	assert_true(said->domain < DOMAINS);
	if (said->id > known.last_id)
		known.last_id = said->id;
	switch (said->what) {
	case SAID_POLICY:
		known.policy[said->domain] = said->id;
		known.n_policies++;
		break;
	case SAID_SET:
		known.set[said->domain] = said->id;
		known.n_sets++;
		break;
	case SAID_DROPPED:
		known.set[said->domain] = UINT_MAX;
		break;
	}
}

static void
hear_all(int in)
{
	struct said said;
	ssize_t n;

	while ((n = read(in, &said, sizeof(said))) == (ssize_t)sizeof(said))
		note(&said);
	assert_int_equal(n, 0);
}

/* At a random moment after its first word. */
static void
kill_one(const char *dir)
{
	struct timespec moment = { .tv_nsec =
				       (long)(random() % MOMENT_US) * 1000 };
	struct said said;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(ends[0]);
		victim_run(dir, ends[1], known.last_id + 2);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &said, sizeof(said)),
	    (ssize_t)sizeof(said));
	note(&said);
	nanosleep(&moment, NULL);
	kill(pid, SIGKILL);
	hear_all(ends[0]);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A row is what was served for its id, to the last octet. */
static void
row_look(const struct policy_row *row, void *arg)
{
	unsigned domain, id, *n = arg;
	struct span body;

	assert_int_equal(sscanf(row->domain, "d%u.test", &domain), 1);
	assert_int_equal(sscanf(row->id, "%u", &id), 1);
	body = body_of(domain, id);
	assert_int_equal(row->body.len, body.len);
	assert_memory_equal(row->body.p, body.p, body.len);
	/* The answer may not have come that far; what it was based on has. */
	assert_true(id >= known.policy[domain]);
	known.policy[domain] = id;
	n[domain]++;
}

static void
policies_look(struct policy_store *store)
{
	unsigned n[DOMAINS] = { 0 };

	(void)policy_store_list(store, "", DOMAINS + 1, row_look, n);
	for (unsigned i = 0; i < DOMAINS; i++)
		if (known.policy[i] != 0)
			assert_int_equal(n[i], 1);
}

/* One more may have been set or dropped than was said. */
static void
overrides_look(struct policy_store *store)
{
	struct overrides *overrides = overrides_new(store, WORLD_NOW);
	unsigned wrong = 0;

	assert_non_null(overrides);
	for (unsigned i = 0; i < DOMAINS; i++) {
		const struct config none = { .n_policies = 0 };
		const struct override *o;
		char name[DOMAIN_SIZE];
		unsigned stored;

		snprintf(name, sizeof(name), "o%u.test", i);
		o = overrides_find(overrides, &none, name, WORLD_NOW);
		stored =
		    o == NULL ? UINT_MAX : (unsigned)(o->until_s - WORLD_NOW);
		wrong += stored != known.set[i] &&
		    (stored != UINT_MAX || known.set[i] != 0);
		known.set[i] = stored;
	}
	assert_in_range(wrong, 0, 1);
	overrides_free(overrides);
}

static void
look(const char *dir)
{
	struct policy_store *store;
	const char *log;

	log_capture_start();
	store = policy_store_open(dir, 0);
	log = log_capture_end();
	assert_string_equal(log, ""); /* no damage */
	assert_non_null(store);
	policies_look(store);
	overrides_look(store);
	policy_store_close(store);
}

static void
what_was_answered_survives_kill_9_at_any_moment(void **state)
{
	const char *kills = getenv("KILLS");
	unsigned n = kills == NULL ? 20 : (unsigned)atoi(kills);
	unsigned seed = (unsigned)time(NULL);
	const char *dir = scratch_path(".");
	char copy[512];

	(void)state;
	snprintf(copy, sizeof(copy), "%s", dir);
	srandom(seed);
	for (unsigned i = 0; i < n; i++) {
		kill_one(copy);
		look(copy);
	}
	print_message("# seed %u: %u kills, %zu policies answered with, %zu "
		      "set, all there\n",
	    seed, n, known.n_policies, known.n_sets);
	assert_true(known.n_policies >= n && known.n_sets >= n / 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_answered_survives_kill_9_at_any_moment),
	};

	log_init("test", false, LOG_LEVEL_WARNING);
	return cmocka_run_group_tests_name("store_kill", tests, scratch_make,
	    scratch_remove);
}
