/* SPDX-License-Identifier: ISC */
/*
 * Does an MX host match a pattern of a policy? Asked for each host of the MX
 * set when a verdict is made.
 *
 * RFC 8461 4.1, which takes the wildcard of RFC 6125 6.4.3 and narrows it: "*"
 * is the whole left-most label and stands for exactly one label.
 */
#include "proto/mx_match.h"

#include <string.h>

#include "proto/domain.h"

/* Drops "*." at the start; false, and nothing dropped, without it. */
static bool
cut_wildcard(struct span *pattern)
{
	if (!span_starts(*pattern, "*."))
		return false;
	pattern->p += 2;
	pattern->len -= 2;
	return true;
}

bool
mx_pattern_is_valid(struct span pattern)
{
	cut_wildcard(&pattern);
	return domain_is_ldh(pattern);
}

bool
mx_match(const char *pattern, const char *host)
{
	struct span name = span_of(pattern);
	const char *dot;

	if (!mx_pattern_is_valid(name))
		return false;
	if (!cut_wildcard(&name))
		return span_is_nocase(name, host);
	dot = strchr(host, '.');
	return dot != NULL && dot != host && span_is_nocase(name, dot + 1);
}
