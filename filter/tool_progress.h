/* SPDX-License-Identifier: ISC */
/*
 * On a terminal a long wait shows that it is one: a line on standard error that
 * counts the seconds, from the first one on. Elsewhere nothing is said.
 */
#ifndef STRICTMX_FILTER_TOOL_PROGRESS_H
#define STRICTMX_FILTER_TOOL_PROGRESS_H

struct clock;
struct tool_progress;

/* clock is borrowed. Without memory the process ends. */
struct tool_progress *tool_progress_new(struct clock *clock);
void tool_progress_free(struct tool_progress *progress); /* safe on NULL */

/* What is waited for from now on, "asking about a.example"; cut to a line.
 * Safe on NULL, like the next. */
void tool_progress_say(struct tool_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the line away, before something is printed. */
void tool_progress_clear(struct tool_progress *progress);

#endif
