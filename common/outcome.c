/* SPDX-License-Identifier: ISC */
/* How a session or a probe ended: see outcome.h. */
#include "common/outcome.h"

#include <string.h>

#include "common/log.h"

void
outcome_report(const struct outcome *o)
{
	char address[ADDRESS_SIZE] = "none", why[LOG_QUOTE_SIZE];

	if (o->address->family != 0)
		address_format(o->address, address);
	log_debug("domain=%s source=%s mode=%s %s mx=%s address=%s result=%s "
		  "why=%s",
	    o->domain, verdict_source_name(o->source), sts_mode_name(o->mode),
	    o->is_probe ? "probe" : "session", o->mx, address,
	    result_type_name(o->result),
	    log_quote(why, o->why, strlen(o->why)));
}
