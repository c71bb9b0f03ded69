/* SPDX-License-Identifier: ISC */
/* The keys outside of sections, and their setters: see config_section.h. */
#include "common/config_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_section.h"
#include "common/config_text.h"
#include "common/config_value.h"
#include "common/ports.h"

/* The setters of the keys. */

static bool
set_mode(struct config_run *run)
{
	return config_value_one_of(run, "enforce", "testing",
	    &run->config->testing);
}

static bool
set_engine_away(struct config_run *run)
{
	run->engine_away_given = true;
	return config_value_choice(run, &run->config->engine_away);
}

static bool
set_unreachable(struct config_run *run)
{
	return config_value_choice(run, &run->config->unreachable);
}

static bool
set_on_failure(struct config_run *run)
{
	return config_value_one_of(run, "defer", "reject",
	    &run->config->reject_on_failure);
}

static bool
set_local_submission(struct config_run *run)
{
	return config_value_one_of(run, "proceed", "judge",
	    &run->config->judge_local_submission);
}

static bool
set_allow_internal(struct config_run *run)
{
	return config_value_one_of(run, "no", "yes",
	    &run->config->addresses.allow_internal);
}

static bool
set_allow_private_policy_host(struct config_run *run)
{
	return config_value_one_of(run, "no", "yes",
	    &run->config->addresses.allow_private_policy_host);
}

static bool
set_socket(struct config_run *run)
{
	return config_value_socket(run, &run->config->socket);
}

static bool
set_socket_group(struct config_run *run)
{
	return config_value_string(run,
	    run->value[0] == '\0' ? NULL : run->value,
	    &run->config->socket_group);
}

static bool
set_state_dir(struct config_run *run)
{
	return config_value_path(run, &run->config->state_dir);
}

static bool
set_user(struct config_run *run)
{
	if (run->value[0] == '\0')
		return config_value_refuse(run, "must be the name of a user");
	return config_value_string(run, run->value, &run->config->user);
}

static bool
set_ca_file(struct config_run *run)
{
	char why[128];

	if (run->value[0] == '\0')
		return config_value_string(run, NULL, &run->config->ca_file);
	if (access(run->value, R_OK) == -1) {
		snprintf(why, sizeof(why), "cannot be read: %s",
		    strerror(errno));
		return config_value_refuse(run, why);
	}
	return config_value_path(run, &run->config->ca_file);
}

static bool
set_hostname(struct config_run *run)
{
	if (run->value[0] != '\0' &&
	    domain_fold(span_of(run->value), run->config->hostname) !=
		DOMAIN_OK)
		return config_value_refuse(run, "must be a host name");
	return true;
}

static bool
set_log_level(struct config_run *run)
{
	if (!log_level_parse(run->value, &run->config->log_level))
		return config_value_refuse(run,
		    "must be error, warning, notice, info or debug");
	return true;
}

static bool
set_max_policies(struct config_run *run)
{
	unsigned long n;

	if (!config_value_number(run, span_of(run->value), 1,
		LIMIT_POLICIES_MAX, &n))
		return false;
	run->config->max_policies = n;
	return true;
}

/* Seconds, or with a unit: "30", "30s", "2m", "1h". */
static bool
set_seconds(struct config_run *run, unsigned long max_s, unsigned *out)
{
	struct span digits = span_of(run->value);
	unsigned long unit = 1, seconds;

	if (digits.len > 0 && strchr("smh", digits.p[digits.len - 1]) != NULL) {
		digits.len--;
		unit = digits.p[digits.len] == 'h' ? 3600
		    : digits.p[digits.len] == 'm'  ? 60
						   : 1;
	}
	if (!config_value_number(run, digits, unit, max_s, &seconds))
		return false;
	*out = (unsigned)seconds;
	return true;
}

static bool
set_deadline(struct config_run *run)
{
	return set_seconds(run, LIMIT_DEADLINE_MAX_S, &run->config->deadline_s);
}

static bool
set_record_patience(struct config_run *run)
{
	return set_seconds(run, LIMIT_RECORD_PATIENCE_MAX_S,
	    &run->config->record_patience_s);
}

bool
config_upstream_parse(const char *text, struct resolver_upstream *out)
{
	struct span host = span_of(text), port = span_of("53");
	const char *colon = strchr(text, ':');
	char buf[ADDRESS_SIZE];
	unsigned long number;

	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		host.p++;
		host.len = (size_t)(end - host.p);
		if (end[1] == ':')
			port = span_of(end + 2);
	} else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
		host.len = (size_t)(colon - text);
		port = span_of(colon + 1);
	}
	if (!span_copy(host, buf, sizeof(buf)) ||
	    !address_parse(buf, &out->address) ||
	    !span_number(port, UINT16_MAX, &number) || number == 0)
		return false;
	out->port = (uint16_t)number;
	return true;
}

static bool
add_resolver(struct config_run *run)
{
	struct resolver_opts *opts = &run->config->resolver;

	if (opts->n_upstreams == LIMIT_DNS_UPSTREAMS)
		return config_value_refuse(run, "one resolver too many");
	if (!config_upstream_parse(run->value,
		&opts->upstreams[opts->n_upstreams]))
		return config_value_refuse(run,
		    "must be an address, or address:port");
	opts->n_upstreams++;
	return true;
}

static bool
add_trusted_ad(struct config_run *run)
{
	if (run->n_trusted_ad == LIMIT_CONFIG_TRUSTED_AD)
		return config_value_refuse(run, "one address too many");
	if (!address_parse(run->value, &run->trusted_ad[run->n_trusted_ad]))
		return config_value_refuse(run,
		    "must be an address without a port");
	run->n_trusted_ad++;
	return true;
}

static bool
add_local_domain(struct config_run *run)
{
	const char *why;

	if (!name_list_add(&run->config->local_domains, span_of(run->value),
		&why))
		return config_value_refuse(run, why);
	return true;
}

/* A line without its comment and the blanks at both ends. */
static struct span
domain_of_line(struct span line)
{
	struct span name = line;

	if (name.len > 0 && name.p[name.len - 1] == '\r')
		name.len--;
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] == '#')
			name.len = i;
	return span_trim(name);
}

static bool
read_local_domains(struct config_run *run)
{
	char quoted[LOG_QUOTE_SIZE];
	const char *why;
	char *text;
	struct span rest, line;
	bool good = true;

	if (run->value[0] == '\0')
		return true;
	text = config_text_read(run->value, &why);
	if (text == NULL)
		return config_value_refuse(run, why);
	rest = span_of(text);
	for (unsigned n = 1; good && span_cut(&rest, '\n', &line); n++) {
		struct span name = domain_of_line(line);

		if (name.len == 0 ||
		    name_list_add(&run->config->local_domains, name, &why))
			continue;
		good = config_run_fail(run, run->value, n, "%s: %s",
		    log_quote(quoted, name.p, name.len), why);
	}
	free(text);
	return good;
}

static bool
set_dane(struct config_run *run)
{
	return config_value_one_of(run, "no", "yes", &run->config->dane);
}

static bool
add_dane_required(struct config_run *run)
{
	const char *why;

	if (!name_list_add(&run->config->dane_required, span_of(run->value),
		&why))
		return config_value_refuse(run, why);
	return true;
}

/* "" for none. */
static bool
set_name(struct config_run *run, char name[DOMAIN_SIZE])
{
	name[0] = '\0';
	if (run->value[0] != '\0' &&
	    domain_fold(span_of(run->value), name) != DOMAIN_OK)
		return config_value_refuse(run, "must be a domain");
	return true;
}

static bool
set_dnssec_test_good(struct config_run *run)
{
	return set_name(run, run->config->dnssec_test_good);
}

static bool
set_dnssec_test_bad(struct config_run *run)
{
	return set_name(run, run->config->dnssec_test_bad);
}

/* "relay.example.net" or "relay.example.net:587"; "" for none. */
static bool
set_smarthost(struct config_run *run)
{
	struct config *config = run->config;
	const char *colon = strchr(run->value, ':');
	struct span name = span_of(run->value);
	unsigned long port = SMTP_PORT;

	if (run->value[0] == '\0')
		return true;
	if (colon != NULL)
		name.len = (size_t)(colon - run->value);
	if (colon != NULL &&
	    (!span_number(span_of(colon + 1), UINT16_MAX, &port) || port == 0))
		return config_value_refuse(run,
		    "must be a host name, or name:port");
	if (domain_fold(name, config->smarthost) != DOMAIN_OK ||
	    !domain_is_ldh(span_of(config->smarthost))) {
		config->smarthost[0] = '\0';
		return config_value_refuse(run,
		    "must be a host name, or name:port");
	}
	config->smarthost_port = (uint16_t)port;
	return true;
}

/* Every key outside of sections; "set" is called for each value, in the order
 * of the file. */
static const struct config_key keys[] = {
	{ "mode", false, set_mode },
	{ "socket", false, set_socket },
	{ "socket-group", false, set_socket_group },
	{ "state-dir", false, set_state_dir },
	{ "resolver", true, add_resolver },
	{ "trusted-ad", true, add_trusted_ad },
	{ "ca-file", false, set_ca_file },
	{ "hostname", false, set_hostname },
	{ "user", false, set_user },
	{ "engine-away", false, set_engine_away },
	{ "unreachable", false, set_unreachable },
	{ "on-failure", false, set_on_failure },
	{ "local-submission", false, set_local_submission },
	{ "local-domains", true, add_local_domain },
	{ "local-domains-file", false, read_local_domains },
	{ "smarthost", false, set_smarthost },
	{ "dane", false, set_dane },
	{ "dane-required", true, add_dane_required },
	{ "dnssec-test-good", false, set_dnssec_test_good },
	{ "dnssec-test-bad", false, set_dnssec_test_bad },
	{ "deadline", false, set_deadline },
	{ "record-patience", false, set_record_patience },
	{ "log-level", false, set_log_level },
	{ "max-policies", false, set_max_policies },
	{ "allow-internal", false, set_allow_internal },
	{ "allow-private-policy-host", false, set_allow_private_policy_host },
};

const struct config_section config_main_section = {
	.name = "",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
};
