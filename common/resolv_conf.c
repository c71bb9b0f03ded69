/* SPDX-License-Identifier: ISC */
/*
 * resolver_from_resolv_conf(): see resolver.h. Read by ourselves, because what
 * getdns reads is read once and for good, search list and options included.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/resolver.h"
#include "proto/ascii.h"
#include "proto/span.h"

#define DNS_PORT 53

/* "nameserver 192.0.2.1", with whatever behind a blank. */
static bool
nameserver_parse(struct span line, struct address *out)
{
	static const size_t word = sizeof("nameserver") - 1;
	struct span rest;
	char text[ADDRESS_SIZE];

	if (!span_starts(line, "nameserver") || line.len == word ||
	    !ascii_is_blank(line.p[word]))
		return false;
	rest.p = line.p + word;
	rest.len = line.len - word;
	rest = span_trim(rest);
	for (size_t i = 0; i < rest.len; i++)
		if (ascii_is_blank(rest.p[i]))
			rest.len = i;
	return span_copy(rest, text, sizeof(text)) && address_parse(text, out);
}

static size_t
nameserver_choose(struct span file, struct resolver_upstream *out)
{
	struct span line;
	struct address address;
	size_t n = 0;

	while (span_cut(&file, '\n', &line)) {
		if (!nameserver_parse(line, &address))
			continue;
		if (n > 0 && !address_is_loopback(&address))
			continue;
		n = 1;
		out->address = address;
		out->port = DNS_PORT;
		out->trusted_ad = address_is_loopback(&address);
		if (out->trusted_ad)
			break;
	}
	return n;
}

size_t
resolver_from_resolv_conf(const char *path, struct resolver_upstream *out)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(LIMIT_RESOLV_CONF);
	struct span all = { text, 0 };
	size_t n = 0;

	if (file == NULL || text == NULL)
		goto out;
	all.len = fread(text, 1, LIMIT_RESOLV_CONF, file);
	if (ferror(file) == 0)
		n = nameserver_choose(all, out);
out:
	free(text);
	if (file != NULL)
		fclose(file);
	return n;
}
