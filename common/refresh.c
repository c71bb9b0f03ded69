/* SPDX-License-Identifier: ISC */
/* Fetches policies again before their life ends: see refresh.h. */
#include "common/refresh.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/policy_cache.h"
#include "common/policy_update.h"

struct refresh {
	struct clock *clock;
	struct policy_cache *cache;
	struct policy_updates *updates;
	struct clock_timer *timer;
	char due[LIMIT_REFRESHES][DOMAIN_SIZE];
};

static void
refresh_look(void *arg)
{
	struct refresh *r = arg;
	int64_t now_s = clock_wall_s(r->clock);
	size_t n = policy_cache_due(r->cache, now_s, r->due, LIMIT_REFRESHES);

	for (size_t i = 0; i < n; i++)
		if (policy_cache_get(r->cache, r->due[i], now_s) == NULL)
			/* Expired: not asked for again unless mail comes. */
			policy_cache_refresh_later(r->cache, r->due[i], now_s);
		else
			policy_update_refresh(r->updates, r->due[i]);
	/* Without memory for a timer refreshing ends: policies expire. */
	r->timer = clock_timer_start(r->clock,
	    n == LIMIT_REFRESHES ? LIMIT_REFRESH_MORE_MS
				 : LIMIT_REFRESH_LOOK_MS,
	    refresh_look, r);
}

struct refresh *
refresh_new(struct clock *clock, struct policy_cache *cache,
    struct policy_updates *updates)
{
	struct refresh *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->clock = clock;
	r->cache = cache;
	r->updates = updates;
	r->timer =
	    clock_timer_start(clock, LIMIT_REFRESH_LOOK_MS, refresh_look, r);
	if (r->timer == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
refresh_free(struct refresh *refresh)
{
	if (refresh == NULL)
		return;
	clock_timer_cancel(&refresh->timer);
	free(refresh);
}
