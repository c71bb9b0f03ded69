/* SPDX-License-Identifier: ISC */
/* How a session, a probe or a fetch ended: see outcome.h. */
#include "common/outcome.h"

#include <string.h>

#include "common/failures.h"
#include "common/log.h"
#include "common/stats.h"

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

bool
outcome_is_good(const struct outcome *o)
{
	return o->result == RESULT_NONE && o->why[0] == '\0';
}

static void
remember(const struct outcome *o)
{
	struct failure failure = { .what = kinds[o->kind],
		.mx = o->mx,
		.why = o->why,
		.result = o->result };

	if (o->address != NULL)
		failure.address = *o->address;
	failures_add(o->domain, &failure);
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
	stats_outcome(o);
	if (!outcome_is_good(o))
		remember(o);
	if (outcome_sink != NULL)
		outcome_sink(o, outcome_sink_arg);
}
