/* SPDX-License-Identifier: ISC */
/* Recipients that no policy can be about: see exempt.h. */
#include "common/exempt.h"

#include <stddef.h>

#include "common/config.h"

const char *
exempt_why(const struct config *config, enum domain_kind kind,
    const char *domain)
{
	/* All but local mail goes to the smart host, whoever it is for. */
	if (config->smarthost[0] != '\0' && kind != DOMAIN_OK)
		return NULL;
	switch (kind) {
	case DOMAIN_ABSENT:
		return "recipient without a domain";
	case DOMAIN_LITERAL:
		return "address literal: no policy applies";
	case DOMAIN_INVALID:
		return "not a domain that DNS could be asked for";
	case DOMAIN_OK:
	case DOMAIN_NO_MEMORY:
		break;
	}
	return config_is_local(config, domain) ? "local domain" : NULL;
}
