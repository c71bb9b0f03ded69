/* SPDX-License-Identifier: ISC */
/* One question to DNS, and what the policy says of the answer. */
#include "filter/tool_lint_mx.h"

#include <event2/event.h>
#include <stdio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/event_loop.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/ports.h"
#include "common/resolver.h"
#include "filter/tool_report.h"
#include "proto/sts_policy.h"

struct look {
	struct tool_report *report;
	const struct sts_policy *policy;
	const char *domain;
	struct event_base *base;
	struct clock_timer *deadline;
	struct dns_query *query;
};

static void
warn_unless_listed(const struct look *look, const char *host, size_t *n_listed)
{
	if (sts_policy_lists(look->policy, host))
		++*n_listed;
	else
		tool_report_add(look->report, TOOL_WARNING, 0,
		    "MX host %s of %s is not in the policy: senders that "
		    "follow it do not use the host",
		    host, look->domain);
}

static void
hosts_judge(const struct look *look, const struct dns_answer *answer)
{
	size_t n_hosts = 0, n_listed = 0;

	for (size_t i = 0; i < answer->n; i++)
		if (answer->rr[i].mx.host[0] != '\0') {
			n_hosts++;
			warn_unless_listed(look, answer->rr[i].mx.host,
			    &n_listed);
		}
	/* RFC 5321 5.1: without MX records the domain is its own MX. */
	if (answer->outcome == DNS_NO_DATA) {
		n_hosts++;
		warn_unless_listed(look, look->domain, &n_listed);
	}
	if (n_hosts == 0)
		tool_report_add(look->report, TOOL_WARNING, 0,
		    "%s takes no mail: its MX is \".\"", look->domain);
	else if (n_listed == 0)
		tool_report_add(look->report, TOOL_WARNING, 0,
		    "no MX host of %s is in the policy: senders that follow "
		    "it cannot deliver",
		    look->domain);
}

static void
mx_done(const struct dns_answer *answer, void *arg)
{
	struct look *look = arg;

	look->query = NULL;
	event_base_loopbreak(look->base);
	switch (answer->outcome) {
	case DNS_FOUND:
	case DNS_NO_DATA:
		hosts_judge(look, answer);
		break;
	case DNS_NO_NAME:
		tool_report_add(look->report, TOOL_WARNING, 0,
		    "there is no domain %s", look->domain);
		break;
	case DNS_TEMPFAIL:
		tool_report_add(look->report, TOOL_WARNING, 0,
		    "the MX hosts of %s cannot be looked up: %s", look->domain,
		    answer->why);
		break;
	}
}

static void
time_is_up(void *arg)
{
	struct look *look = arg;

	look->deadline = NULL;
	event_base_loopbreak(look->base);
	tool_report_add(look->report, TOOL_WARNING, 0,
	    "the MX hosts of %s cannot be looked up: no answer in time",
	    look->domain);
}

/* Between both lines of the terminal's progress. */
static void
wait_for_answer(struct look *look)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "looking for the MX hosts of %s ...",
		    look->domain);
	event_base_dispatch(look->base);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

void
tool_lint_mx(struct tool_report *report, const struct sts_policy *policy,
    const struct config *config, const char *domain)
{
	struct look look = { .report = report,
		.policy = policy,
		.domain = domain };
	struct clock *clock = NULL;
	struct resolver *resolver = NULL;
	struct dns_port dns;

	if ((look.base = event_base_new()) == NULL ||
	    (clock = clock_new(look.base)) == NULL ||
	    (resolver = resolver_new(look.base, clock, &config->resolver)) ==
		NULL)
		fatal("the resolver cannot be set up");
	dns = resolver_port(resolver);
	look.deadline =
	    clock_timer_start(clock, LIMIT_LINT_MX_MS, time_is_up, &look);
	look.query = dns.start(dns.self, domain, DNS_MX, true, mx_done, &look);
	if (look.deadline == NULL || look.query == NULL)
		fatal("%s cannot be asked for", domain);
	wait_for_answer(&look);
	dns.cancel(dns.self, &look.query);
	clock_timer_cancel(&look.deadline);
	resolver_free(resolver);
	clock_free(clock);
	event_loop_free(look.base);
	libevent_global_shutdown();
}
