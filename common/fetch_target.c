/* SPDX-License-Identifier: ISC */
/* Where a fetch goes (RFC 8461 3.2): see fetch_target.h. */
#include "common/fetch_target.h"

#include <stdio.h>
#include <string.h>

#include "common/fetch_outcome.h"

static bool
has_address(const struct fetch_target *target, const struct address *address)
{
	for (size_t i = 0; i < target->n_addresses; i++)
		if (address_equal(&target->addresses[i], address))
			return true;
	return false;
}

static void
take_addresses(struct fetch_target *target, const struct fetch_request *request,
    const struct address_rules *rules, struct fetch_result *refused)
{
	const struct address *address = request->addresses;
	const char *why;

	for (size_t i = 0; i < request->n_addresses; i++, address++) {
		if (target->n_addresses == LIMIT_FETCH_ADDRESSES)
			return;
		why = address_refused(address, ADDRESS_OF_POLICY_HOST, rules);
		if (why != NULL)
			fetch_outcome_refused(address, why, target->host,
			    refused);
		else if (!has_address(target, address))
			target->addresses[target->n_addresses++] = *address;
	}
}

/* The name goes into a URL: folded names have no other characters. */
static bool
is_folded(const char *domain)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	return domain[0] != '\0' && domain[strspn(domain, letters)] == '\0';
}

bool
fetch_target_read(struct fetch_target *target,
    const struct fetch_request *request, const struct address_rules *rules,
    struct fetch_result *refused)
{
	int len;

	memset(target, 0, sizeof(*target));
	if (request->n_addresses == 0 || !is_folded(request->domain))
		return false;
	len = snprintf(target->host, sizeof(target->host), "mta-sts.%s",
	    request->domain);
	if (len < 0 || (size_t)len >= sizeof(target->host))
		return false;
	take_addresses(target, request, rules, refused);
	return true;
}
