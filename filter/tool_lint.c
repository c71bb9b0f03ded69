/* SPDX-License-Identifier: ISC */
/* strictmx lint: finds what is to be judged and calls it. */
#include "filter/tool.h"
#include "filter/tool_options.h"

static const struct tool_subject subjects[] = {
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

int
tool_lint(int argc, char **argv)
{
	return tool_subject_run("lint", usage, subjects,
	    sizeof(subjects) / sizeof(subjects[0]), argc, argv);
}
