/* SPDX-License-Identifier: ISC */
/* Findings and verdicts of the lints, as text or as JSON: see tool_report.h. */
#include "filter/tool_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"

#define TEXT_SIZE 1024
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

/* https://no-color.org: set and not empty means none. */
static bool
has_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) &&
	    (no_color == NULL || *no_color == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

static void
print_colored(const char *color, const char *text)
{
	if (has_color())
		printf("%s%s" PLAIN, color, text);
	else
		fputs(text, stdout);
}

void
tool_report_init(struct tool_report *report, bool json, const char *place)
{
	*report = (struct tool_report){ .json = json, .place = place };
	for (size_t i = 0; i < TOOL_SEVERITIES; i++) {
		report->findings[i] = json_array();
		if (report->findings[i] == NULL)
			fatal("out of memory");
	}
}

void
tool_report_cleanup(struct tool_report *report)
{
	for (size_t i = 0; i < TOOL_SEVERITIES; i++)
		json_decref(report->findings[i]);
	memset(report, 0, sizeof(*report));
}

static void
finding_print(const struct tool_report *report, enum tool_severity severity,
    unsigned at, const char *text)
{
	if (at > 0)
		printf("%s %u: ", report->place, at);
	if (severity == TOOL_ERROR)
		print_colored(RED, "error");
	else
		print_colored(YELLOW, "warning");
	printf(": %s\n", text);
}

void
tool_report_add(struct tool_report *report, enum tool_severity severity,
    unsigned at, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	if (++report->n[severity] > LIMIT_LINT_FINDINGS + 1)
		return;
	if (report->n[severity] > LIMIT_LINT_FINDINGS) {
		at = 0;
		snprintf(text, sizeof(text), "and more of this kind");
	} else {
		va_start(ap, format);
		vsnprintf(text, sizeof(text), format, ap);
		va_end(ap);
	}
	if (!report->json)
		finding_print(report, severity, at, text);
	else if (json_array_append_new(report->findings[severity],
		     json_pack("{s:I, s:s}", report->place, (json_int_t)at,
			 "message", text)) != 0)
		fatal("out of memory");
}

json_t *
tool_report_take(struct tool_report *report, enum tool_severity severity)
{
	json_t *list = report->findings[severity];

	report->findings[severity] = NULL;
	return list;
}

void
tool_report_verdict(bool good, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	print_colored(good ? GREEN : RED, text);
	putchar('\n');
}

void
tool_report_json(json_t *object)
{
	char *line = object == NULL ? NULL : json_dumps(object, 0);

	if (line == NULL)
		fatal("out of memory");
	puts(line);
	free(line);
	json_decref(object);
}
