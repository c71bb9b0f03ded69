/* SPDX-License-Identifier: ISC */
/* A policy beside the MX hosts that its domain has now. */
#ifndef STRICTMX_FILTER_TOOL_LINT_MX_H
#define STRICTMX_FILTER_TOOL_LINT_MX_H

struct config;
struct sts_policy;
struct tool_report;

/*
 * Looks the MX hosts of domain (folded) up with the configured resolver, for
 * at most LIMIT_LINT_MX_MS, and warns of those that the policy does not list.
 */
void tool_lint_mx(struct tool_report *report, const struct sts_policy *policy,
    const struct config *config, const char *domain);

#endif
