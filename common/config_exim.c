/* SPDX-License-Identifier: ISC */
/* The section 'exim { ... }' of strictmx.conf(5): the socket for Exim. */
#include <string.h>

#include "common/config_section.h"
#include "common/config_value.h"

/* Where strictmx-exim(8) looks for it. */
#define DEFAULT_SOCKET STRICTMX_RUNSTATEDIR "/strictmx/exim.sock"

/* That the section is there is what makes the daemon serve Exim. */
static bool
exim_begin(struct config_run *run)
{
	run->exim_line = run->line; /* for check_exim() of config.c */
	return config_value_string(run, DEFAULT_SOCKET,
	    &run->config->exim_socket);
}

static bool
set_socket(struct config_run *run)
{
	return config_value_socket(run, &run->config->exim_socket);
}

static bool
set_socket_group(struct config_run *run)
{
	return config_value_string(run,
	    run->value[0] == '\0' ? NULL : run->value,
	    &run->config->exim_socket_group);
}

static const struct config_key keys[] = {
	{ "socket", false, set_socket },
	{ "socket-group", false, set_socket_group },
};

const struct config_section config_exim_section = {
	.name = "exim",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.begin = exim_begin,
};
