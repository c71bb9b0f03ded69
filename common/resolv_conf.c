/* SPDX-License-Identifier: ISC */
/*
 * resolver_from_resolv_conf(): see resolver.h. Read by ourselves, because what
 * getdns reads is read once and for good, search list and options included.
 */
#include <stdio.h>
#include <string.h>

#include "common/resolver.h"
#include "proto/span.h"

#define DNS_PORT 53

/* "nameserver 192.0.2.1", with whatever behind it. */
static bool
nameserver_parse(const char *line, struct address *out)
{
	char word[16], text[64];

	return sscanf(line, "%15[a-z]%*[ \t]%63s", word, text) == 2 &&
	    strcmp(word, "nameserver") == 0 && address_parse(text, out);
}

size_t
resolver_from_resolv_conf(const char *path, struct resolver_upstream *out)
{
	FILE *file = fopen(path, "re");
	char line[512];
	struct address address;
	size_t n = 0, left = LIMIT_RESOLV_CONF;
	bool at_start = true, is_line;

	if (file == NULL)
		return 0;
	while (
	    left >= sizeof(line) && fgets(line, sizeof(line), file) != NULL) {
		left -= strlen(line);
		is_line = at_start; /* not the rest of a long one */
		at_start = strchr(line, '\n') != NULL;
		if (!is_line || !nameserver_parse(line, &address))
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
	fclose(file);
	return n;
}
