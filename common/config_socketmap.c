/* SPDX-License-Identifier: ISC */
/*
 * The section 'socketmap { ... }' of strictmx.conf(5): where Postfix asks for
 * the TLS policies of its next hops (filter/socketmap_server).
 */
#include "common/config_section.h"
#include "common/config_value.h"

static bool
add_listen(struct config_run *run)
{
	struct config_socketmap *socketmap = &run->config->socketmap;

	if (socketmap->n_listen == LIMIT_SOCKETMAP_LISTENS)
		return config_value_refuse(run, "one too many");
	if (!config_value_listen(run, &socketmap->listen[socketmap->n_listen]))
		return false;
	socketmap->n_listen++;
	return true;
}

static bool
set_group(struct config_run *run)
{
	return config_value_string(run,
	    run->value[0] == '\0' ? NULL : run->value,
	    &run->config->socketmap.group);
}

static bool
set_report_testing(struct config_run *run)
{
	return config_value_one_of(run, "no", "yes",
	    &run->config->socketmap.report_testing);
}

/* For check_socketmap() of config.c. */
static bool
socketmap_begin(struct config_run *run)
{
	run->socketmap_line = run->line;
	return true;
}

static const struct config_key keys[] = {
	{ "listen", true, add_listen },
	{ "group", false, set_group },
	{ "report-testing", false, set_report_testing },
};

const struct config_section config_socketmap_section = {
	.name = "socketmap",
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.begin = socketmap_begin,
};
