/* SPDX-License-Identifier: ISC */
/* The engine on a fake network: see world.h. */
#include "tests/unit/world.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/staging.h"

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->clock = clock_new_fake(WORLD_NOW);
	w->net = fake_net_new(w->clock);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = 30;
	w->config.unreachable = CHOICE_DEFER;
	snprintf(w->config.hostname, sizeof(w->config.hostname), "me.test");
	w->cache = policy_cache_new(NULL, 100);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	assert_non_null(w->engine);
	w->overrides = overrides_new(NULL, WORLD_NOW);
	w->staging = staging_new(LIMIT_STAGED, WORLD_NOW);
	assert_true(w->overrides != NULL && w->staging != NULL);
	engine_use_overrides(w->engine, w->overrides);
	engine_use_staging(w->engine, w->staging);
	return w;
}

void
world_free(struct world *w)
{
	engine_free(w->engine);
	overrides_free(w->overrides);
	staging_free(w->staging);
	policy_cache_free(w->cache);
	fake_net_free(w->net); /* asserts that nothing is pending */
	clock_free(w->clock);  /* asserts that no timer is left */
	free(w);
}

void
world_publish(struct world *w, const char *domain, const char *policy,
    bool good)
{
	char name[DOMAIN_SIZE + 16], record[DOMAIN_SIZE + 16];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	fake_net_dns(w->net, name, DNS_TXT, DNS_FOUND, "v=STSv1; id=1;", NULL);
	snprintf(name, sizeof(name), "mta-sts.%s", domain);
	fake_net_dns(w->net, name, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	fake_net_policy(w->net, domain, policy, RESULT_NONE, NULL);
	snprintf(record, sizeof(record), "10 mx.%s", domain);
	fake_net_dns(w->net, domain, DNS_MX, DNS_FOUND, record, NULL);
	snprintf(name, sizeof(name), "mx.%s", domain);
	fake_net_dns(w->net, name, DNS_A, DNS_FOUND, "192.0.2.25", NULL);
	if (good)
		fake_net_mx(w->net, name, PROOF_ENCRYPTED | PROOF_PKIX,
		    SMTP_STAGE_READY, RESULT_NONE, "");
	else
		fake_net_mx(w->net, name, PROOF_ENCRYPTED, SMTP_STAGE_TLS,
		    RESULT_CERTIFICATE_EXPIRED, "has expired");
}

void
world_enforce(struct world *w, const char *domain, bool good)
{
	char policy[DOMAIN_SIZE + 80];

	snprintf(policy, sizeof(policy),
	    "version: STSv1\nmode: enforce\nmx: mx.%s\nmax_age: 604800\n",
	    domain);
	world_publish(w, domain, policy, good);
}
