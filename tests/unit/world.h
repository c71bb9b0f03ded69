/* SPDX-License-Identifier: ISC */
/*
 * The engine on a fake network and a fake clock, for tests of what stands in
 * front of it.
 */
#ifndef STRICTMX_TESTS_UNIT_WORLD_H
#define STRICTMX_TESTS_UNIT_WORLD_H

#include "common/config.h"
#include "common/ports.h"
#include "tests/fake/fake_net.h"

struct engine;
struct overrides;
struct policy_cache;
struct staging;

#define WORLD_NOW 1700000000

struct world {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_cache *cache;
	struct overrides *overrides; /* in memory only */
	struct staging *staging;
	struct engine *engine;
};

struct world *world_new(void);

/* Asserts that nothing is left that runs. */
void world_free(struct world *w);

/*
 * domain publishes an enforce policy and has the one MX host mx.DOMAIN, whose
 * certificate is good, or has expired.
 */
void world_enforce(struct world *w, const char *domain, bool good);

/* The same with a policy of one's own. */
void world_publish(struct world *w, const char *domain, const char *policy,
    bool good);

#endif
