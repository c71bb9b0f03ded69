/* SPDX-License-Identifier: ISC */
/* This host among MX hosts: see own_host.h. */
#include "common/own_host.h"

#include <string.h>

#include "common/config.h"
#include "common/facts.h"

static bool
is_own_name(const char *host, const struct config *config)
{
	return strcmp(host, config->hostname) == 0 ||
	    strcmp(host, "localhost") == 0 ||
	    name_list_has(&config->relay.own_names, host);
}

bool
own_host_matters(const struct facts *facts)
{
	return facts->mx_state == MX_FOUND || facts->mx_state == MX_IMPLICIT;
}

unsigned
own_host_preference(const struct facts *facts, const struct config *config)
{
	for (size_t i = 0; own_host_matters(facts) && i < facts->n_mx; i++)
		if (is_own_name(facts->mx[i].host, config))
			return facts->mx[i].preference;
	return OWN_HOST_NOT_THERE;
}
