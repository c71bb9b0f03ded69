/* SPDX-License-Identifier: ISC */
/* The policy of a domain that is known: see policy_known.h. */
#include "common/policy_known.h"

#include <string.h>

#include "common/config.h"
#include "common/facts.h"
#include "common/overrides.h"
#include "common/policy_cache.h"

bool
policy_known_set(struct overrides *overrides, const struct config *config,
    const char *domain, int64_t now_s, struct policy_facts *facts)
{
	const struct override *set =
	    overrides_find(overrides, config, domain, now_s);

	if (set != NULL)
		(void)policy_facts_take_override(facts, set);
	else if (overrides_unread(overrides))
		facts->state = POLICY_UNREAD;
	else
		return false;
	return true;
}

bool
policy_known_needless(const struct config *config, const char *domain,
    struct policy_facts *facts)
{
	if (!config_is_local(config, domain))
		return false;
	facts->state = POLICY_NONE;
	facts->record = RECORD_NONE;
	return true;
}

bool
policy_known_cached(struct policy_cache *cache, const char *domain,
    int64_t now_s, struct policy_facts *facts)
{
	const struct cached_policy *cached =
	    policy_cache_get(cache, domain, now_s);

	if (cached == NULL) {
		if (policy_cache_unread(cache))
			facts->state = POLICY_UNREAD;
		return false;
	}
	if (!sts_policy_copy(&cached->policy, &facts->policy)) {
		facts->state = POLICY_UNREAD;
		return false;
	}
	facts->state = POLICY_CACHED;
	memcpy(facts->id, cached->id, sizeof(facts->id));
	facts->fetched_at_s = cached->fetched_at_s;
	return true;
}
