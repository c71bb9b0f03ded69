/* SPDX-License-Identifier: ISC */
/*
 * strictmx match: does a pattern of a policy match this MX host (RFC 8461
 * 4.1)? The engine's own answer.
 */
#include <getopt.h>

#include "common/log.h"
#include "filter/tool.h"
#include "filter/tool_options.h"
#include "filter/tool_report.h"
#include "proto/domain.h"
#include "proto/mx_match.h"

static const char usage[] =
    "usage: strictmx match [--json] PATTERN HOST\n"
    "  -j, --json  {\"match\": true} or {\"match\": false}\n"
    "PATTERN as in an mx line of a policy: a host name, or \"*.\" and one.\n"
    "HOST may have letters of any script (UTF-8) and end in a dot.\n"
    "exit status: 0 match, 1 no match, 2 wrong call\n";

/* Says why, when one of them can match nothing at all. */
static bool
matches(const char *pattern, const char *host)
{
	char folded[DOMAIN_SIZE], quoted[LOG_QUOTE_SIZE];
	struct span p = span_of(pattern), h = span_of(host);
	bool legal = mx_pattern_is_valid(p);

	if (!legal)
		log_warning("pattern %s is neither a host name nor \"*.\" and "
			    "one: it never matches",
		    log_quote(quoted, p.p, p.len));
	if (domain_fold(h, folded) != DOMAIN_OK) {
		log_warning("host %s is no host name",
		    log_quote(quoted, h.p, h.len));
		return false;
	}
	return legal && mx_match(pattern, folded);
}

int
tool_match(int argc, char **argv)
{
	bool json = false, match;
	const struct tool_option options[] = {
		{ .name = "json", .letter = 'j', .flag = &json },
	};
	int status = tool_options_read("match", usage, options, 1, argc, argv);

	if (status != -1)
		return status;
	if (argc - optind != 2)
		return tool_options_wrong("match", usage,
		    "one PATTERN and one HOST are wanted");
	match = matches(argv[optind], argv[optind + 1]);
	if (json)
		tool_report_json(json_pack("{s:b}", "match", (int)match));
	else
		tool_report_verdict(match, "%s", match ? "match" : "no match");
	return match ? TOOL_FINE : TOOL_BAD;
}
