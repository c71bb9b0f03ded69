/* SPDX-License-Identifier: ISC */
/*
 * The name that strictmx gives itself: see hostname.h. It stands apart from the
 * configuration because the system's resolver blocks, and because the filter,
 * which reads the configuration too, must not look anything up.
 */
#include "common/hostname.h"

#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* False when the name could not be completed. */
static bool
complete(const char *name, char out[DOMAIN_SIZE])
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME };
	struct addrinfo *found = NULL;

	out[0] = '\0';
	if (getaddrinfo(name, NULL, &hints, &found) == 0 &&
	    found->ai_canonname != NULL)
		(void)domain_fold(span_of(found->ai_canonname), out);
	if (found != NULL)
		freeaddrinfo(found);
	return strchr(out, '.') != NULL;
}

void
hostname_find(char out[DOMAIN_SIZE])
{
	char name[DOMAIN_SIZE] = "";

	if (gethostname(name, sizeof(name) - 1) == -1)
		name[0] = '\0';
	if (strchr(name, '.') == NULL && complete(name, out))
		return;
	if (domain_fold(span_of(name), out) != DOMAIN_OK)
		(void)domain_fold(span_of("localhost"), out);
}
