/* SPDX-License-Identifier: ISC */
/*
 * The sections 'policy "DOMAIN" { ... }' of strictmx.conf(5): a policy that
 * wins over the published one until a date (common/override).
 */
#include <stdlib.h>
#include <string.h>

#include "common/config_section.h"
#include "common/config_value.h"
#include "common/log.h"
#include "common/override.h"
#include "proto/mx_match.h"
#include "proto/rfc3339.h"

static struct override *
current(struct config_run *run)
{
	return &run->config->policies[run->policy];
}

static bool
is_given(const struct config *config, const char *domain)
{
	for (size_t i = 0; i < config->n_policies; i++)
		if (strcmp(config->policies[i].domain, domain) == 0)
			return true;
	return false;
}

/* Takes its place in the list; the values come later. */
static bool
policy_begin(struct config_run *run)
{
	const size_t step = 16;
	struct config *config = run->config;
	char quoted[LOG_QUOTE_SIZE];
	struct override override = { .line = run->line };
	struct override *grown;

	log_quote(quoted, run->value, strlen(run->value));
	if (domain_fold(span_of(run->value), override.domain) != DOMAIN_OK)
		return config_run_fail(run, run->path, run->line,
		    "policy %s: is not a domain", quoted);
	if (is_given(config, override.domain))
		return config_run_fail(run, run->path, run->line,
		    "policy %s: is given twice", quoted);
	if (config->n_policies == LIMIT_CONFIG_POLICIES)
		return config_run_fail(run, run->path, run->line,
		    "policy %s: one too many", quoted);
	if (config->n_policies % step == 0) {
		grown = realloc(config->policies,
		    (config->n_policies + step) * sizeof(*grown));
		if (grown == NULL)
			return config_no_memory(run);
		config->policies = grown;
	}
	config->policies[config->n_policies++] = override;
	return true;
}

static bool
set_mode(struct config_run *run)
{
	if (strcmp(run->value, "enforce") != 0 &&
	    strcmp(run->value, "testing") != 0 &&
	    strcmp(run->value, "none") != 0)
		return config_value_refuse(run,
		    "must be enforce, testing or none");
	return override_add(current(run), "mode", run->value) ||
	    config_no_memory(run);
}

static bool
add_mx(struct config_run *run)
{
	if (!mx_pattern_is_valid(span_of(run->value)))
		return config_value_refuse(run,
		    "must be a host name, or \"*.\" and one");
	return override_add(current(run), "mx", run->value) ||
	    config_value_refuse(run, "one too many, or out of memory");
}

static bool
set_until(struct config_run *run)
{
	int64_t *until_s = &current(run)->until_s;

	if (!rfc3339_read(span_of(run->value), until_s) || *until_s <= 0)
		return config_value_refuse(run,
		    "must be a time like 2026-12-01T00:00:00Z");
	return true;
}

static bool
set_reason(struct config_run *run)
{
	struct override *o = current(run);

	if (!span_copy(span_of(run->value), o->reason, sizeof(o->reason)))
		return config_value_refuse(run, "is too long");
	return true;
}

static bool
policy_end(struct config_run *run)
{
	struct override *o = current(run);
	const char *why = override_finish(o);

	run->policy++;
	if (o->until_s == 0)
		why = "until is missing";
	return why == NULL ||
	    config_run_fail(run, run->path, o->line, "policy \"%s\": %s",
		o->domain, why);
}

static const struct config_key keys[] = {
	{ "mode", false, set_mode },
	{ "mx", true, add_mx },
	{ "until", false, set_until },
	{ "reason", false, set_reason },
};

const struct config_section config_policy_section = {
	.name = "policy",
	.titled = true,
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.begin = policy_begin,
	.end = policy_end,
};
