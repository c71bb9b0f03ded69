/* SPDX-License-Identifier: ISC */
/* The line that says what is waited for: see tool_progress.h. */
#include "filter/tool_progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define TICK_MS 1000

struct tool_progress {
	struct clock *clock;
	struct clock_timer *tick;
	bool shown;
	int64_t since_ms;
	char text[60]; /* fits into a line of any terminal */
};

static void
tick(void *arg)
{
	struct tool_progress *p = arg;

	p->tick = clock_timer_start(p->clock, TICK_MS, tick, p);
	if (p->text[0] == '\0')
		return;
	fprintf(stderr, "\r\033[K%s ... %lld s", p->text,
	    (long long)(clock_mono_ms(p->clock) - p->since_ms) / 1000);
	p->shown = true;
}

struct tool_progress *
tool_progress_new(struct clock *clock)
{
	struct tool_progress *p = calloc(1, sizeof(*p));

	if (p == NULL)
		fatal("out of memory");
	p->clock = clock;
	if (isatty(STDERR_FILENO))
		p->tick = clock_timer_start(clock, TICK_MS, tick, p);
	return p;
}

void
tool_progress_free(struct tool_progress *progress)
{
	if (progress == NULL)
		return;
	tool_progress_clear(progress);
	clock_timer_cancel(&progress->tick);
	free(progress);
}

void
tool_progress_say(struct tool_progress *progress, const char *format, ...)
{
	va_list ap;

	if (progress == NULL)
		return;
	va_start(ap, format);
	vsnprintf(progress->text, sizeof(progress->text), format, ap);
	va_end(ap);
	progress->since_ms = clock_mono_ms(progress->clock);
}

void
tool_progress_clear(struct tool_progress *progress)
{
	if (progress == NULL || !progress->shown)
		return;
	fputs("\r\033[K", stderr);
	progress->shown = false;
}
