/* SPDX-License-Identifier: ISC */
/* How a session, a probe or a fetch ended: see outcome.h. */
#include "common/outcome.h"

#include <string.h>

#include "common/log.h"

static const char *const kinds[] = {
	[OUTCOME_SESSION] = "session",
	[OUTCOME_PROBE] = "probe",
	[OUTCOME_FETCH] = "fetch",
};

static outcome_sink_fn *outcome_sink;
static void *outcome_sink_arg;

void
outcome_set_sink(outcome_sink_fn *sink, void *arg)
{
	outcome_sink = sink;
	outcome_sink_arg = arg;
}

void
outcome_report(const struct outcome *o)
{
	char address[ADDRESS_SIZE] = "none", why[LOG_QUOTE_SIZE];

	if (o->address != NULL && o->address->family != 0)
		address_format(o->address, address);
	log_debug("domain=%s source=%s mode=%s %s mx=%s address=%s result=%s "
		  "why=%s",
	    o->domain, verdict_source_name(o->source), sts_mode_name(o->mode),
	    kinds[o->kind], o->mx == NULL ? "none" : o->mx, address,
	    result_type_name(o->result),
	    log_quote(why, o->why, strlen(o->why)));
	if (outcome_sink != NULL)
		outcome_sink(o, outcome_sink_arg);
}
