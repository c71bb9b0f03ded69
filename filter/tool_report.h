/* SPDX-License-Identifier: ISC */
/*
 * What a lint has to say: errors and warnings with their places, and the
 * verdict. For a person each is printed at once; for a program they are
 * collected, to become members of one JSON object.
 */
#ifndef STRICTMX_FILTER_TOOL_REPORT_H
#define STRICTMX_FILTER_TOOL_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum tool_severity {
	TOOL_ERROR,
	TOOL_WARNING,
	TOOL_SEVERITIES, /* how many there are */
};

struct tool_report {
	bool json;
	const char *place; /* what is counted: "line" */
	json_t *findings[TOOL_SEVERITIES];
	size_t n[TOOL_SEVERITIES]; /* those not kept included */
};

void tool_report_init(struct tool_report *report, bool json, const char *place);
void tool_report_cleanup(struct tool_report *report);

/*
 * at: of the place, from 1; 0 when it concerns the whole. The text is printable
 * ASCII. Of each severity the first LIMIT_LINT_FINDINGS are told.
 */
void tool_report_add(struct tool_report *report, enum tool_severity severity,
    unsigned at, const char *format, ...) __attribute__((format(printf, 4, 5)));

/*
 * The list as a member for json_pack("o"): {PLACE: at, "message": "..."} each.
 * Not there any more afterwards.
 */
json_t *tool_report_take(struct tool_report *report,
    enum tool_severity severity);

/* The verdict for a person; coloured on a terminal. */
void tool_report_verdict(bool good, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints the object on one line, and gives it up; NULL is lack of memory. */
void tool_report_json(json_t *object);

#endif
