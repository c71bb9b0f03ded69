/* SPDX-License-Identifier: ISC */
/* The keys of strictmx.conf(5) and their setters: see config_key.h. */
#include "common/config_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/config_text.h"
#include "common/ports.h"

void
config_run_fail_va(struct config_run *run, const char *path, unsigned line,
    const char *format, va_list ap)
{
	char text[CONFIG_ERROR_SIZE];

	if (run->error[0] != '\0')
		return;
	vsnprintf(text, sizeof(text), format, ap);
	if (line == 0)
		snprintf(run->error, CONFIG_ERROR_SIZE, "%s: %.400s", path,
		    text);
	else
		snprintf(run->error, CONFIG_ERROR_SIZE, "%s:%u: %.400s", path,
		    line, text);
}

bool
config_run_fail(struct config_run *run, const char *path, unsigned line,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	config_run_fail_va(run, path, line, format, ap);
	va_end(ap);
	return false;
}

/* The value being set is not taken; why follows "must" or stands alone. */
static bool
refuse(struct config_run *run, const char *why)
{
	char quoted[LOG_QUOTE_SIZE];

	return config_run_fail(run, run->path, run->line, "%s = %s: %s",
	    run->key, log_quote(quoted, run->value, strlen(run->value)), why);
}

static bool
no_memory(struct config_run *run)
{
	return config_run_fail(run, run->path, 0, "out of memory");
}

/* Kinds of values. */

static bool
set_one_of(struct config_run *run, const char *no, const char *yes, bool *out)
{
	char why[80];

	if (strcmp(run->value, no) == 0 || strcmp(run->value, yes) == 0) {
		*out = strcmp(run->value, yes) == 0;
		return true;
	}
	snprintf(why, sizeof(why), "must be %s or %s", no, yes);
	return refuse(run, why);
}

static bool
set_choice(struct config_run *run, enum config_choice *out)
{
	bool defer = false;

	if (!set_one_of(run, "proceed", "defer", &defer))
		return false;
	*out = defer ? CHOICE_DEFER : CHOICE_PROCEED;
	return true;
}

static bool
set_string(struct config_run *run, const char *value, char **out)
{
	char *copy = NULL;

	if (value != NULL && (copy = strdup(value)) == NULL)
		return no_memory(run);
	free(*out);
	*out = copy;
	return true;
}

/* The programs change their directory: only absolute paths mean anything. */
static bool
set_path(struct config_run *run, char **out)
{
	if (run->value[0] != '/')
		return refuse(run, "must be a path that begins with '/'");
	return set_string(run, run->value, out);
}

static bool
set_number(struct config_run *run, struct span digits, unsigned long unit,
    unsigned long max, unsigned long *out)
{
	char why[80];
	unsigned long n = 0;

	if (span_number(digits, max / unit, &n) && n > 0) {
		*out = n * unit;
		return true;
	}
	snprintf(why, sizeof(why), "must be a number from 1 to %lu", max);
	return refuse(run, why);
}

/* The setters of the keys. */

static bool
set_mode(struct config_run *run)
{
	return set_one_of(run, "enforce", "testing", &run->config->testing);
}

static bool
set_engine_away(struct config_run *run)
{
	return set_choice(run, &run->config->engine_away);
}

static bool
set_unreachable(struct config_run *run)
{
	return set_choice(run, &run->config->unreachable);
}

static bool
set_on_failure(struct config_run *run)
{
	return set_one_of(run, "defer", "reject",
	    &run->config->reject_on_failure);
}

static bool
set_local_submission(struct config_run *run)
{
	return set_one_of(run, "proceed", "judge",
	    &run->config->judge_local_submission);
}

static bool
set_allow_internal(struct config_run *run)
{
	return set_one_of(run, "no", "yes",
	    &run->config->addresses.allow_internal);
}

static bool
set_allow_private_policy_host(struct config_run *run)
{
	return set_one_of(run, "no", "yes",
	    &run->config->addresses.allow_private_policy_host);
}

static bool
set_socket(struct config_run *run)
{
	if (strlen(run->value) >=
	    sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return refuse(run, "too long for a socket");
	return set_path(run, &run->config->socket);
}

static bool
set_socket_group(struct config_run *run)
{
	return set_string(run, run->value[0] == '\0' ? NULL : run->value,
	    &run->config->socket_group);
}

static bool
set_state_dir(struct config_run *run)
{
	return set_path(run, &run->config->state_dir);
}

static bool
set_user(struct config_run *run)
{
	if (run->value[0] == '\0')
		return refuse(run, "must be the name of a user");
	return set_string(run, run->value, &run->config->user);
}

static bool
set_ca_file(struct config_run *run)
{
	char why[128];

	if (run->value[0] == '\0')
		return set_string(run, NULL, &run->config->ca_file);
	if (access(run->value, R_OK) == -1) {
		snprintf(why, sizeof(why), "cannot be read: %s",
		    strerror(errno));
		return refuse(run, why);
	}
	return set_path(run, &run->config->ca_file);
}

static bool
set_hostname(struct config_run *run)
{
	if (run->value[0] != '\0' &&
	    domain_fold(span_of(run->value), run->config->hostname) !=
		DOMAIN_OK)
		return refuse(run, "must be a host name");
	return true;
}

static bool
set_log_level(struct config_run *run)
{
	if (!log_level_parse(run->value, &run->config->log_level))
		return refuse(run,
		    "must be error, warning, notice, info or debug");
	return true;
}

static bool
set_max_policies(struct config_run *run)
{
	unsigned long n;

	if (!set_number(run, span_of(run->value), 1, LIMIT_POLICIES_MAX, &n))
		return false;
	run->config->max_policies = n;
	return true;
}

/* Seconds, or with a unit: "30", "30s", "2m". */
static bool
set_deadline(struct config_run *run)
{
	struct span digits = span_of(run->value);
	unsigned long unit = 1, seconds;

	if (digits.len > 0 && strchr("sm", digits.p[digits.len - 1]) != NULL) {
		digits.len--;
		unit = digits.p[digits.len] == 'm' ? 60 : 1;
	}
	if (!set_number(run, digits, unit, LIMIT_DEADLINE_MAX_S, &seconds))
		return false;
	run->config->deadline_s = (unsigned)seconds;
	return true;
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
		return refuse(run, "one resolver too many");
	if (!config_upstream_parse(run->value,
		&opts->upstreams[opts->n_upstreams]))
		return refuse(run, "must be an address, or address:port");
	opts->n_upstreams++;
	return true;
}

static bool
add_trusted_ad(struct config_run *run)
{
	if (run->n_trusted_ad == LIMIT_CONFIG_TRUSTED_AD)
		return refuse(run, "one address too many");
	if (!address_parse(run->value, &run->trusted_ad[run->n_trusted_ad]))
		return refuse(run, "must be an address without a port");
	run->n_trusted_ad++;
	return true;
}

/* Takes a folded name. False, with *why set, when there is no room. */
static bool
keep_local_domain(struct config *config, const char *name, const char **why)
{
	const size_t step = 64;
	size_t n = config->n_local_domains;
	char *copy;

	*why = "one domain too many";
	if (n == LIMIT_CONFIG_LIST)
		return false;
	*why = "out of memory";
	if (n % step == 0) {
		char **grown =
		    realloc(config->local_domains, (n + step) * sizeof(*grown));

		if (grown == NULL)
			return false;
		config->local_domains = grown;
	}
	copy = strdup(name);
	if (copy == NULL)
		return false;
	config->local_domains[config->n_local_domains++] = copy;
	return true;
}

static bool
take_local_domain(struct config *config, struct span name, const char **why)
{
	char folded[DOMAIN_SIZE];

	if (domain_fold(name, folded) == DOMAIN_OK)
		return keep_local_domain(config, folded, why);
	*why = "is not a domain";
	return false;
}

static bool
add_local_domain(struct config_run *run)
{
	const char *why;

	if (!take_local_domain(run->config, span_of(run->value), &why))
		return refuse(run, why);
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
		return refuse(run, why);
	rest = span_of(text);
	for (unsigned n = 1; good && span_cut(&rest, '\n', &line); n++) {
		struct span name = domain_of_line(line);

		if (name.len == 0 || take_local_domain(run->config, name, &why))
			continue;
		good = config_run_fail(run, run->value, n, "%s: %s",
		    log_quote(quoted, name.p, name.len), why);
	}
	free(text);
	return good;
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
		return refuse(run, "must be a host name, or name:port");
	if (domain_fold(name, config->smarthost) != DOMAIN_OK ||
	    !domain_is_ldh(span_of(config->smarthost))) {
		config->smarthost[0] = '\0';
		return refuse(run, "must be a host name, or name:port");
	}
	config->smarthost_port = (uint16_t)port;
	return true;
}

/* Every key; "set" is called for each value, in the order of the file. */
const struct config_key config_keys[] = {
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
	{ "deadline", false, set_deadline },
	{ "log-level", false, set_log_level },
	{ "max-policies", false, set_max_policies },
	{ "allow-internal", false, set_allow_internal },
	{ "allow-private-policy-host", false, set_allow_private_policy_host },
};

size_t
config_key_find(struct span name)
{
	size_t i = 0;

	while (i < CONFIG_KEYS && !span_is(name, config_keys[i].name))
		i++;
	return i;
}
