/* SPDX-License-Identifier: ISC */
/* Kinds of values in strictmx.conf(5): see config_value.h. */
#include "common/config_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/config_key.h"
#include "common/config_section.h"
#include "common/log.h"

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

bool
config_value_refuse(struct config_run *run, const char *why)
{
	char quoted[LOG_QUOTE_SIZE];

	return config_run_fail(run, run->path, run->line, "%s = %s: %s",
	    run->key, log_quote(quoted, run->value, strlen(run->value)), why);
}

bool
config_no_memory(struct config_run *run)
{
	return config_run_fail(run, run->path, 0, "out of memory");
}

bool
config_value_one_of(struct config_run *run, const char *no, const char *yes,
    bool *out)
{
	char why[80];

	if (strcmp(run->value, no) == 0 || strcmp(run->value, yes) == 0) {
		*out = strcmp(run->value, yes) == 0;
		return true;
	}
	snprintf(why, sizeof(why), "must be %s or %s", no, yes);
	return config_value_refuse(run, why);
}

bool
config_value_choice(struct config_run *run, enum config_choice *out)
{
	bool defer = false;

	if (!config_value_one_of(run, "proceed", "defer", &defer))
		return false;
	*out = defer ? CHOICE_DEFER : CHOICE_PROCEED;
	return true;
}

bool
config_value_string(struct config_run *run, const char *value, char **out)
{
	char *copy = NULL;

	if (value != NULL && (copy = strdup(value)) == NULL)
		return config_no_memory(run);
	free(*out);
	*out = copy;
	return true;
}

/* The programs change their directory: only absolute paths mean anything. */
bool
config_value_path(struct config_run *run, char **out)
{
	if (run->value[0] != '/')
		return config_value_refuse(run,
		    "must be a path that begins with '/'");
	return config_value_string(run, run->value, out);
}

/* A port behind an address, not the end of one of IPv6. */
static bool
has_port(const char *text)
{
	const char *colon = strrchr(text, ':');

	return colon != NULL && colon != text &&
	    (colon[-1] == ']' || colon == strchr(text, ':'));
}

bool
config_value_listen(struct config_run *run, struct config_listen *out)
{
	struct resolver_upstream where;

	if (run->value[0] == '/') {
		if (strlen(run->value) >=
		    sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return config_value_refuse(run,
			    "too long for a socket");
		return config_value_string(run, run->value, &out->path);
	}
	if (!has_port(run->value) ||
	    !config_upstream_parse(run->value, &where) ||
	    !address_is_loopback(&where.address))
		return config_value_refuse(run,
		    "must be a path, or a loopback address with a port "
		    "(127.0.0.1:8462)");
	out->address = where.address;
	out->port = where.port;
	return true;
}

bool
config_value_socket(struct config_run *run, char **out)
{
	if (strlen(run->value) >=
	    sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return config_value_refuse(run, "too long for a socket");
	return config_value_path(run, out);
}

bool
config_value_number(struct config_run *run, struct span digits,
    unsigned long unit, unsigned long max, unsigned long *out)
{
	char why[80];
	unsigned long n = 0;

	if (span_number(digits, max / unit, &n) && n > 0) {
		*out = n * unit;
		return true;
	}
	snprintf(why, sizeof(why), "must be a number from 1 to %lu", max);
	return config_value_refuse(run, why);
}
