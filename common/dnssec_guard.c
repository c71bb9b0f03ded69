/* SPDX-License-Identifier: ISC */
/* Does the resolver validate? See dnssec_guard.h. */
#include "common/dnssec_guard.h"

#include <sys/queue.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/ports.h"
#include "common/uthash_quiet.h"

/* What a test has shown. */
enum finding {
	FINDING_NOTHING, /* an answer did not come */
	FINDING_WORKS,
	FINDING_BROKEN,
};

/* A domain that had DANE in force; the one noted longest ago first. */
struct memory {
	TAILQ_ENTRY(memory) entry;
	UT_hash_handle hh;
	int64_t until_ms;
	char domain[];
};

struct dnssec_wait {
	struct dnssec_guard *guard;
	TAILQ_ENTRY(dnssec_wait) entry;
	bool covered; /* the test that runs was begun after it joined */
	dnssec_wait_fn *done;
	void *arg;
};

/* One of the two questions. */
struct probe_name {
	struct dnssec_guard *guard;
	struct dns_query *query; /* NULL when none runs */
	enum finding finding;
	const char *why; /* static, when BROKEN */
};

struct dnssec_guard {
	const struct config *config;
	const struct ports *ports;
	bool wanted; /* DANE, of a resolver whose word counts */
	bool broken; /* a test has shown so, and none the contrary since */
	struct clock_timer *timer; /* the next test, or telling who waits */
	struct probe_name good, bad;
	TAILQ_HEAD(, dnssec_wait) waits;
	struct memory *table;
	TAILQ_HEAD(memories, memory) memories;
};

static void test_begin(void *arg);

static bool
has_names(const struct dnssec_guard *g)
{
	return g->config->dnssec_test_good[0] != '\0' ||
	    g->config->dnssec_test_bad[0] != '\0';
}

static bool
is_testing(const struct dnssec_guard *g)
{
	return g->good.query != NULL || g->bad.query != NULL;
}

/* Without memory for a timer there is no further test. */
static void
test_later(struct dnssec_guard *g, int64_t ms)
{
	clock_timer_cancel(&g->timer);
	g->timer = clock_timer_start(g->ports->clock, ms, test_begin, g);
}

/* The end of a test. */

static void
waits_cover(struct dnssec_guard *g)
{
	struct dnssec_wait *wait;

	TAILQ_FOREACH (wait, &g->waits, entry)
		wait->covered = true;
}

/* Those that are covered stand before the others. */
static void
tell_waits(struct dnssec_guard *g, bool works)
{
	struct dnssec_wait *wait;

	while ((wait = TAILQ_FIRST(&g->waits)) != NULL && wait->covered) {
		dnssec_wait_fn *done = wait->done;
		void *arg = wait->arg;

		dnssec_wait_cancel(&wait);
		done(works, arg);
	}
}

static void
finding_take(struct dnssec_guard *g, enum finding finding, const char *why)
{
	switch (finding) {
	case FINDING_NOTHING:
		log_warning("whether the resolver validates could not be "
			    "tried: no answer for %s or %s",
		    g->config->dnssec_test_good, g->config->dnssec_test_bad);
		break;
	case FINDING_WORKS:
		if (g->broken)
			log_notice("the resolver validates again: DANE is on");
		g->broken = false;
		break;
	case FINDING_BROKEN:
		log_error("the resolver does not validate: %s: DANE is off, "
			  "and mail for domains that had it waits",
		    why);
		g->broken = true;
		break;
	}
}

static void
test_end(struct dnssec_guard *g)
{
	enum finding finding = FINDING_WORKS;
	const char *why = NULL;

	if (g->good.finding == FINDING_BROKEN ||
	    g->bad.finding == FINDING_BROKEN) {
		finding = FINDING_BROKEN;
		why = g->good.finding == FINDING_BROKEN ? g->good.why
							: g->bad.why;
	} else if (g->good.finding == FINDING_NOTHING ||
	    g->bad.finding == FINDING_NOTHING) {
		finding = FINDING_NOTHING;
	}
	finding_take(g, finding, why);
	tell_waits(g, finding == FINDING_WORKS);
	/* Who joined meanwhile wants a test that begins now. */
	test_later(g,
	    TAILQ_EMPTY(&g->waits) ? (int64_t)LIMIT_DNSSEC_TEST_S * 1000 : 0);
}

/* The questions. */

static void
good_done(const struct dns_answer *answer, void *arg)
{
	struct probe_name *name = arg;
	struct dnssec_guard *g = name->guard;

	name->query = NULL;
	name->why = "dnssec-test-good is answered without the AD bit";
	if (answer->outcome == DNS_TEMPFAIL)
		name->finding = FINDING_NOTHING;
	else
		name->finding = answer->secure ? FINDING_WORKS : FINDING_BROKEN;
	if (!is_testing(g))
		test_end(g);
}

/* That it cannot be had is what a resolver that validates says. */
static void
bad_done(const struct dns_answer *answer, void *arg)
{
	struct probe_name *name = arg;
	struct dnssec_guard *g = name->guard;

	name->query = NULL;
	name->why = "dnssec-test-bad is answered";
	name->finding =
	    answer->outcome == DNS_FOUND ? FINDING_BROKEN : FINDING_WORKS;
	if (!is_testing(g))
		test_end(g);
}

static void
question_begin(struct dnssec_guard *g, struct probe_name *name,
    const char *domain, dns_done_fn *done)
{
	const struct dns_port *dns = &g->ports->dns;

	name->guard = g;
	name->finding = FINDING_WORKS; /* unless asked */
	if (domain[0] == '\0')
		return;
	name->finding = FINDING_NOTHING;
	name->query = dns->start(dns->self, domain, DNS_A, true, done, name);
}

static void
test_begin(void *arg)
{
	struct dnssec_guard *g = arg;

	g->timer = NULL;
	if (is_testing(g))
		return;
	waits_cover(g);
	question_begin(g, &g->good, g->config->dnssec_test_good, good_done);
	question_begin(g, &g->bad, g->config->dnssec_test_bad, bad_done);
	if (!is_testing(g)) /* nothing was begun */
		test_end(g);
}

/* Who waits. */

/* There is no test to be had: told from the loop all the same. */
static void
tell_soon(void *arg)
{
	struct dnssec_guard *g = arg;

	g->timer = NULL;
	waits_cover(g);
	tell_waits(g, g->wanted);
}

struct dnssec_wait *
dnssec_guard_join(struct dnssec_guard *guard, dnssec_wait_fn *done, void *arg)
{
	struct dnssec_wait *wait = calloc(1, sizeof(*wait));

	if (wait == NULL)
		return NULL;
	wait->guard = guard;
	wait->done = done;
	wait->arg = arg;
	if (!is_testing(guard)) {
		clock_timer_cancel(&guard->timer);
		guard->timer = clock_timer_start(guard->ports->clock, 0,
		    guard->wanted && has_names(guard) ? test_begin : tell_soon,
		    guard);
		if (guard->timer == NULL) {
			free(wait);
			return NULL;
		}
	}
	TAILQ_INSERT_TAIL(&guard->waits, wait, entry);
	return wait;
}

void
dnssec_wait_cancel(struct dnssec_wait **wait)
{
	if (*wait != NULL)
		TAILQ_REMOVE(&(*wait)->guard->waits, *wait, entry);
	free(*wait);
	*wait = NULL;
}

/* Memory. */

static struct memory *
memory_find(struct dnssec_guard *g, const char *domain)
{
	struct memory *memory;

	HASH_FIND_STR(g->table, domain, memory);
	return memory;
}

static void
memory_remove(struct dnssec_guard *g, struct memory *memory)
{
	HASH_DEL(g->table, memory);
	TAILQ_REMOVE(&g->memories, memory, entry);
	free(memory);
}

void
dnssec_guard_forget(struct dnssec_guard *guard, const char *domain)
{
	struct memory *memory = memory_find(guard, domain);

	if (memory != NULL)
		memory_remove(guard, memory);
}

static void
memory_add(struct dnssec_guard *g, const char *domain, int64_t until_ms)
{
	size_t len = strlen(domain);
	struct memory *memory;

	dnssec_guard_forget(g, domain);
	memory = calloc(1, sizeof(*memory) + len + 1);
	if (memory == NULL)
		return;
	memcpy(memory->domain, domain, len + 1);
	memory->until_ms = until_ms;
	HASH_ADD_STR(g->table, domain, memory);
	if (memory->hh.tbl == NULL) {
		free(memory);
		return;
	}
	TAILQ_INSERT_TAIL(&g->memories, memory, entry);
	while (HASH_COUNT(g->table) > LIMIT_DANE_MEMORIES)
		memory_remove(g, TAILQ_FIRST(&g->memories));
}

void
dnssec_guard_note(struct dnssec_guard *guard, const char *domain)
{
	memory_add(guard, domain,
	    clock_mono_ms(guard->ports->clock) +
		(int64_t)LIMIT_DANE_MEMORY_S * 1000);
}

bool
dnssec_guard_remembers(struct dnssec_guard *guard, const char *domain)
{
	struct memory *memory = memory_find(guard, domain);

	if (memory == NULL)
		return false;
	if (memory->until_ms > clock_mono_ms(guard->ports->clock))
		return true;
	memory_remove(guard, memory);
	return false;
}

void
dnssec_guard_inherit(struct dnssec_guard *heir, struct dnssec_guard *from)
{
	struct memory *memory;

	heir->broken = from->broken;
	TAILQ_FOREACH (memory, &from->memories, entry)
		memory_add(heir, memory->domain, memory->until_ms);
}

/* Life. */

/* The AD bit counts of loopback resolvers and those in trusted-ad. */
static bool
has_trusted_upstream(const struct config *config)
{
	for (size_t i = 0; i < config->resolver.n_upstreams; i++)
		if (config->resolver.upstreams[i].trusted_ad)
			return true;
	return false;
}

bool
dnssec_guard_dane(const struct dnssec_guard *guard)
{
	return guard->wanted && !guard->broken;
}

struct dnssec_guard *
dnssec_guard_new(const struct config *config, const struct ports *ports)
{
	struct dnssec_guard *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->config = config;
	g->ports = ports;
	TAILQ_INIT(&g->waits);
	TAILQ_INIT(&g->memories);
	g->wanted = config->dane && has_trusted_upstream(config);
	if (config->dane && !g->wanted)
		log_warning("DANE is off: no resolver is on a loopback address "
			    "or in trusted-ad");
	if (!g->wanted || !has_names(g))
		return g;
	test_later(g, 0);
	if (g->timer == NULL) {
		free(g);
		return NULL;
	}
	return g;
}

void
dnssec_guard_free(struct dnssec_guard *guard)
{
	const struct dns_port *dns;

	if (guard == NULL)
		return;
	dns = &guard->ports->dns;
	clock_timer_cancel(&guard->timer);
	dns->cancel(dns->self, &guard->good.query);
	dns->cancel(dns->self, &guard->bad.query);
	while (!TAILQ_EMPTY(&guard->waits)) {
		struct dnssec_wait *wait = TAILQ_FIRST(&guard->waits);

		dnssec_wait_cancel(&wait);
	}
	while (!TAILQ_EMPTY(&guard->memories))
		memory_remove(guard, TAILQ_FIRST(&guard->memories));
	free(guard);
}
