/* SPDX-License-Identifier: ISC */
/* The nameserver of resolv.conf(5): see resolv_conf.h. */
#include "common/resolv_conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_text.h"

#define DNS_PORT 53

/* "nameserver", blanks, an address; what may follow behind blanks is ignored.
 */
static bool
nameserver_of(struct span line, struct address *address)
{
	static const char keyword[] = "nameserver";
	const size_t len = sizeof(keyword) - 1;
	char text[ADDRESS_SIZE];
	struct span value;

	if (!span_starts(line, keyword) || line.len == len ||
	    strchr(" \t", line.p[len]) == NULL)
		return false;
	line.p += len;
	line.len -= len;
	value = span_trim(line);
	for (size_t i = 0; i < value.len; i++)
		if (strchr(" \t\r", value.p[i]) != NULL)
			value.len = i;
	return span_copy(value, text, sizeof(text)) &&
	    address_parse(text, address);
}

bool
resolv_conf_nameserver(const char *path, struct resolver_upstream *out)
{
	const char *why;
	char *text = config_text_read(path, &why);
	struct span rest = span_of(text), line;
	struct address address;
	bool found = false, loopback = false;

	while (!loopback && span_cut(&rest, '\n', &line)) {
		if (!nameserver_of(line, &address))
			continue;
		loopback = address_is_loopback(&address);
		if (found && !loopback)
			continue;
		out->address = address;
		out->port = DNS_PORT;
		out->trusted_ad = loopback;
		found = true;
	}
	free(text);
	return found;
}
