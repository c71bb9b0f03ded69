/* SPDX-License-Identifier: ISC */
/*
 * strictmx lint policy: is this the body of a valid policy (RFC 8461 3.2)? The
 * engine's own answer, with every reason; then what a valid policy does to its
 * domain that was hardly meant so.
 */
#include <getopt.h>
#include <libpsl.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "filter/tool.h"
#include "filter/tool_input.h"
#include "filter/tool_lint_mx.h"
#include "filter/tool_options.h"
#include "filter/tool_report.h"
#include "proto/domain.h"
#include "proto/sts_policy.h"

#define DAY_S 86400u
#define WEEK_S (7 * DAY_S)

static const char usage[] =
    "usage: strictmx lint policy [--json] [--domain DOMAIN] [--config FILE]\n"
    "                            [FILE]\n"
    "  -d, --domain DOMAIN  look whether its MX hosts are in the policy\n"
    "  -f, --config FILE    names the resolver (" CONFIG_DEFAULT_PATH ")\n"
    "  -j, --json           one line of JSON\n"
    "FILE is the policy, byte by byte; \"-\" or none is standard input.\n"
    "exit status: 0 valid, 1 invalid, 2 wrong call or unreadable file\n";

struct lint {
	bool json;
	const char *domain_text, *config_file;
	char domain[DOMAIN_SIZE]; /* folded */
	struct config *config;	  /* with a domain */
	struct tool_report report;
	struct sts_policy policy;
};

static void
add_finding(const struct sts_finding *finding, void *arg)
{
	struct lint *lint = arg;
	enum tool_severity severity =
	    finding->severity == STS_ERROR ? TOOL_ERROR : TOOL_WARNING;
	char quoted[LOG_QUOTE_SIZE];

	if (finding->about.len == 0)
		tool_report_add(&lint->report, severity, finding->line, "%s",
		    finding->text);
	else
		tool_report_add(&lint->report, severity, finding->line,
		    "%s: %s", finding->text,
		    log_quote(quoted, finding->about.p, finding->about.len));
}

/* The grammar is fine from here on, and the mode is not none. */

static void
warn_of_short_life(struct lint *lint)
{
	uint32_t max_age_s = lint->policy.max_age_s;

	if (max_age_s == 0)
		tool_report_add(&lint->report, TOOL_WARNING, 0,
		    "max_age 0: senders forget the policy at once");
	else if (max_age_s < DAY_S)
		tool_report_add(&lint->report, TOOL_WARNING, 0,
		    "max_age is under a day: who blocks DNS or HTTPS that long "
		    "has switched the policy off");
	else if (max_age_s < WEEK_S && lint->policy.mode == STS_MODE_ENFORCE)
		tool_report_add(&lint->report, TOOL_WARNING, 0,
		    "max_age is under a week: for mode enforce weeks are "
		    "usual");
}

static void
warn_of_wide_patterns(struct lint *lint)
{
	psl_ctx_t *psl = psl_latest(NULL);

	for (size_t i = 0; psl != NULL && i < lint->policy.n_mx; i++) {
		const char *mx = lint->policy.mx[i];

		if (mx[0] == '*' && psl_is_public_suffix(psl, mx + 2))
			tool_report_add(&lint->report, TOOL_WARNING, 0,
			    "mx %s: everybody can get a name directly below "
			    "%s, a public suffix",
			    mx, mx + 2);
	}
	psl_free(psl);
}

static bool
judge(struct lint *lint, const struct tool_input *input)
{
	if (input->is_too_large) {
		tool_report_add(&lint->report, TOOL_ERROR, 0,
		    "larger than 64 KiB");
		return false;
	}
	switch (
	    sts_policy_judge(input->bytes, &lint->policy, add_finding, lint)) {
	case STS_POLICY_OK:
		break;
	case STS_POLICY_INVALID:
		return false;
	case STS_POLICY_NO_MEMORY:
		fatal("out of memory");
	}
	if (lint->policy.mode == STS_MODE_NONE)
		return true;
	warn_of_short_life(lint);
	warn_of_wide_patterns(lint);
	if (lint->config != NULL)
		tool_lint_mx(&lint->report, &lint->policy, lint->config,
		    lint->domain);
	return true;
}

static void
print_json(struct lint *lint, bool valid)
{
	const struct sts_policy *policy = &lint->policy;
	json_t *mx = json_array();

	for (size_t i = 0; i < policy->n_mx; i++)
		json_array_append_new(mx, json_string(policy->mx[i]));
	tool_report_json(json_pack("{s:b, s:s?, s:o, s:o, s:o, s:o}", "valid",
	    (int)valid, "mode", valid ? sts_mode_name(policy->mode) : NULL,
	    "mx", mx, "max_age",
	    valid ? json_integer(policy->max_age_s) : json_null(), "errors",
	    tool_report_take(&lint->report, TOOL_ERROR), "warnings",
	    tool_report_take(&lint->report, TOOL_WARNING)));
}

static void
print_text(const struct lint *lint, bool valid)
{
	const struct sts_policy *policy = &lint->policy;

	if (!valid) {
		tool_report_verdict(false, "invalid");
		return;
	}
	tool_report_verdict(true, "valid: mode %s, max_age %u",
	    sts_mode_name(policy->mode), (unsigned)policy->max_age_s);
	for (size_t i = 0; i < policy->n_mx; i++)
		printf("  mx %s\n", policy->mx[i]);
}

/* -1, or the exit status. */
static int
set_up(struct lint *lint, int argc, char **argv)
{
	const struct tool_option options[] = {
		{ .name = "config",
		    .letter = 'f',
		    .value = &lint->config_file },
		{ .name = "domain",
		    .letter = 'd',
		    .value = &lint->domain_text },
		{ .name = "json", .letter = 'j', .flag = &lint->json },
	};
	char error[CONFIG_ERROR_SIZE];
	const char *file;
	int status =
	    tool_options_read("lint policy", usage, options, 3, argc, argv);

	if (status != -1)
		return status;
	if (argc - optind > 1)
		return tool_options_wrong("lint policy", usage,
		    "one FILE at most");
	if (lint->domain_text == NULL)
		return -1;
	if (domain_fold(span_of(lint->domain_text), lint->domain) != DOMAIN_OK)
		return tool_options_wrong("lint policy", usage,
		    "DOMAIN is no domain name");
	file = lint->config_file;
	lint->config = config_load(file == NULL ? CONFIG_DEFAULT_PATH : file,
	    file != NULL, error);
	if (lint->config != NULL)
		return -1;
	log_error("%s", error);
	return TOOL_USAGE;
}

int
tool_lint_policy(int argc, char **argv)
{
	struct lint lint = { .json = false };
	struct tool_input input;
	int status = set_up(&lint, argc, argv);
	bool valid;

	if (status != -1)
		goto out;
	status = TOOL_USAGE;
	if (!tool_input_read(argv[optind], &input))
		goto out;
	tool_report_init(&lint.report, lint.json, "line");
	valid = judge(&lint, &input);
	if (lint.json)
		print_json(&lint, valid);
	else
		print_text(&lint, valid);
	status = valid ? TOOL_FINE : TOOL_BAD;
	tool_report_cleanup(&lint.report);
	tool_input_cleanup(&input);
out:
	sts_policy_cleanup(&lint.policy);
	config_free(lint.config);
	return status;
}
