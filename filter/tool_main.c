/* SPDX-License-Identifier: ISC */
/* strictmx(1): finds the verb and calls it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "filter/tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} verbs[] = {
	{ "ask", tool_ask, "what the filter would be told about a recipient" },
	{ "cache", tool_cache, "the policies that the engine has cached" },
	{ "check", tool_check, "a live look at a domain, as a sender would" },
	{ "lint", tool_lint, "judge a policy, a TXT record, a certificate" },
	{ "match", tool_match, "does a pattern of a policy match a host" },
	{ "override", tool_override, "policies of your own, until a date" },
	{ "staging", tool_staging, "what a testing mode let through" },
	{ "stats", tool_stats, "what the engine has done, in numbers" },
	{ "tlsa", tool_tlsa, "TLSA records for a host of one's own" },
	{ "why", tool_why, "how the engine judges a domain, and why" },
};

static void
usage(FILE *out)
{
	fputs("usage: strictmx VERB [ARGUMENTS]\n"
	      "       strictmx --help | --version\n\nverbs:\n",
	    out);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].what);
	fputs("\n'strictmx VERB --help' tells more about a verb.\n", out);
}

/* What could not be written was not told. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	log_error("standard output: %s", strerror(errno));
	return TOOL_UNKNOWN;
}

int
main(int argc, char **argv)
{
	log_init("strictmx", false, LOG_LEVEL_WARNING);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		usage(stderr);
		return TOOL_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return finish(TOOL_FINE);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("strictmx " PACKAGE_VERSION);
		return finish(TOOL_FINE);
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return finish(verbs[i].run(argc - 1, argv + 1));
	fprintf(stderr, "strictmx: no verb '%s'\n\n", argv[1]);
	usage(stderr);
	return TOOL_USAGE;
}
