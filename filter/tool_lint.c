/* SPDX-License-Identifier: ISC */
/* strictmx lint: finds what is to be judged and calls it. */
#include <stdio.h>
#include <string.h>

#include "filter/tool.h"
#include "filter/tool_options.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subjects[] = {
	{ "certificate", tool_lint_certificate },
	{ "policy", tool_lint_policy },
	{ "sts-record", tool_lint_record },
};

static const char usage[] =
    "usage: strictmx lint certificate --host HOST [CHAIN.pem]\n"
    "       strictmx lint policy [FILE]\n"
    "       strictmx lint sts-record [RECORD...]\n"
    "Judges as the engine does. 'strictmx lint policy --help' and so on tell\n"
    "more.\n";

static bool
is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

int
tool_lint(int argc, char **argv)
{
	int at = 1;

	/* --json may come before the subject. */
	while (at < argc && is_one_of(argv[at], "--json", "-j"))
		at++;
	if (at == argc)
		return tool_options_wrong("lint", usage, "lint what?");
	if (is_one_of(argv[at], "--help", "-h")) {
		fputs(usage, stdout);
		return TOOL_FINE;
	}
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strcmp(argv[at], subjects[i].name) != 0)
			continue;
		if (at == 1)
			return subjects[i].run(argc - 1, argv + 1);
		/* It changes places with the --json before it. */
		argv[at] = argv[at - 1];
		return subjects[i].run(argc - at + 1, argv + at - 1);
	}
	return tool_options_wrong("lint", usage, "no such thing to judge");
}
