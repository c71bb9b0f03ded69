/* SPDX-License-Identifier: ISC */
/* The nameserver of resolv.conf(5): see resolv_conf.h. */
#include "common/resolv_conf.h"

#include <stdio.h>
#include <string.h>

#define DNS_PORT 53
#define LINE_SIZE 256 /* of a line, what follows is not read */

/*
 * The next line, cut to size; what does not fit is dropped, so that the rest
 * of a long line is never taken for a line of its own.
 */
static bool
next_line(FILE *file, char line[LINE_SIZE])
{
	size_t len;
	int c;

	if (fgets(line, LINE_SIZE, file) == NULL)
		return false;
	len = strcspn(line, "\n");
	if (line[len] == '\0')
		do
			c = getc(file);
		while (c != EOF && c != '\n');
	line[len] = '\0';
	return true;
}

/* "nameserver", blanks, an address, and nothing but blanks behind it. */
static bool
nameserver_of(char *line, struct address *address)
{
	static const char keyword[] = "nameserver";
	const size_t len = sizeof(keyword) - 1;
	char *value = line + len;

	if (strncmp(line, keyword, len) != 0 || strspn(value, " \t") == 0)
		return false;
	value += strspn(value, " \t");
	value[strcspn(value, " \t\r")] = '\0';
	return address_parse(value, address);
}

bool
resolv_conf_nameserver(const char *path, struct resolver_upstream *out)
{
	char line[LINE_SIZE];
	struct address address;
	bool found = false;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return false;
	while (next_line(file, line)) {
		bool loopback;

		if (!nameserver_of(line, &address))
			continue;
		loopback = address_is_loopback(&address);
		if (!found || loopback) {
			out->address = address;
			out->port = DNS_PORT;
			out->trusted_ad = loopback;
			found = true;
		}
		if (loopback)
			break;
	}
	fclose(file);
	return found;
}
