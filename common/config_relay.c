/* SPDX-License-Identifier: ISC */
/* The section 'relay { ... }' of strictmx.conf(5): see relay_settings.h. */
#include <string.h>

#include "common/config_section.h"
#include "common/config_value.h"

static struct relay_settings *
current(struct config_run *run)
{
	return &run->config->relay;
}

static bool
taken(struct config_run *run, const char *why)
{
	return why == NULL || config_value_refuse(run, why);
}

static bool
add_listen(struct config_run *run)
{
	return taken(run, relay_settings_listen(current(run), run->value));
}

static bool
add_allow(struct config_run *run)
{
	return taken(run, relay_settings_allow(current(run), run->value));
}

static bool
add_own_name(struct config_run *run)
{
	return taken(run, relay_settings_own(current(run), run->value));
}

static bool
set_unsigned(struct config_run *run, unsigned long max, unsigned *out)
{
	unsigned long n;

	if (!config_value_number(run, span_of(run->value), 1, max, &n))
		return false;
	*out = (unsigned)n;
	return true;
}

static bool
set_port(struct config_run *run)
{
	unsigned port;

	if (!set_unsigned(run, UINT16_MAX, &port))
		return false;
	current(run)->port = (uint16_t)port;
	return true;
}

static bool
set_sessions(struct config_run *run)
{
	return set_unsigned(run, LIMIT_RELAY_SESSIONS_MAX,
	    &current(run)->sessions);
}

static bool
set_sessions_per_domain(struct config_run *run)
{
	return set_unsigned(run, LIMIT_RELAY_SESSIONS_MAX,
	    &current(run)->sessions_per_domain);
}

static bool
set_messages(struct config_run *run)
{
	return set_unsigned(run, LIMIT_RELAY_MESSAGES_MAX,
	    &current(run)->messages);
}

/* Seconds; "0" keeps no session. */
static bool
set_idle(struct config_run *run)
{
	struct span digits = span_of(run->value);
	unsigned long seconds;

	if (digits.len > 1 && digits.p[digits.len - 1] == 's')
		digits.len--;
	if (span_is(digits, "0"))
		seconds = 0;
	else if (!config_value_number(run, digits, 1, LIMIT_POOL_AGE_MS / 1000,
		     &seconds))
		return false;
	current(run)->idle_ms = (unsigned)seconds * 1000;
	return true;
}

static const struct config_key keys[] = {
	{ "listen", true, add_listen },
	{ "port", false, set_port },
	{ "allow", true, add_allow },
	{ "own-names", true, add_own_name },
	{ "sessions", false, set_sessions },
	{ "sessions-per-domain", false, set_sessions_per_domain },
	{ "idle", false, set_idle },
	{ "messages", false, set_messages },
};

static bool
relay_begin(struct config_run *run)
{
	current(run)->on = true;
	return true;
}

static bool
relay_end(struct config_run *run)
{
	const char *why = relay_settings_finish(current(run));

	return why == NULL ||
	    config_run_fail(run, run->path, run->line, "section 'relay': %s",
		why);
}

const struct config_section config_relay_section = {
	.name = "relay",
	.titled = false,
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.begin = relay_begin,
	.end = relay_end,
};
