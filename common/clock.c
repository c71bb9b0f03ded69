/* SPDX-License-Identifier: ISC */
/*
 * Wall and monotonic time and timers, real or turned by hand: see clock.h. A
 * real timer is a libevent timer; a fake one stands in a list until
 * clock_advance() comes by.
 */
#include "common/clock.h"

#include <sys/queue.h>

#include <assert.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct clock_timer {
	struct clock *clock;
	clock_fn *fn;
	void *arg;
	struct event *event; /* real clocks */
	int64_t due_ms;	     /* fake clocks: monotonic */
	TAILQ_ENTRY(clock_timer) entry;
};

struct clock {
	struct event_base *base; /* NULL for a fake clock */
	int64_t fake_wall_s;
	int64_t fake_wall_rest_ms;
	int64_t fake_mono_ms;
	TAILQ_HEAD(, clock_timer) timers; /* fake: in the order of due_ms */
};

struct clock *
clock_new(struct event_base *base)
{
	struct clock *clock = calloc(1, sizeof(*clock));

	if (clock == NULL)
		return NULL;
	clock->base = base;
	TAILQ_INIT(&clock->timers);
	return clock;
}

struct clock *
clock_new_fake(int64_t wall_s)
{
	struct clock *clock = clock_new(NULL);

	if (clock != NULL)
		clock->fake_wall_s = wall_s;
	return clock;
}

void
clock_free(struct clock *clock)
{
	if (clock == NULL)
		return;
	assert(TAILQ_EMPTY(&clock->timers));
	free(clock);
}

#ifdef STRICTMX_DEBUG_CLOCK
static int64_t
debug_offset_s(void)
{
	const char *path = getenv("STRICTMX_CLOCK_OFFSET");
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	char text[32] = "";

	if (file == NULL)
		return 0;
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	fclose(file);
	return strtoll(text, NULL, 10);
}
#else
static int64_t
debug_offset_s(void)
{
	return 0;
}
#endif

int64_t
clock_wall_s(const struct clock *clock)
{
	return clock->base == NULL ? clock->fake_wall_s
				   : (int64_t)time(NULL) + debug_offset_s();
}

int64_t
clock_mono_ms(const struct clock *clock)
{
	struct timespec now;

	if (clock->base == NULL)
		return clock->fake_mono_ms;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
timer_free(struct clock_timer *timer)
{
	TAILQ_REMOVE(&timer->clock->timers, timer, entry);
	if (timer->event != NULL)
		event_free(timer->event);
	free(timer);
}

static void
timer_fire(struct clock_timer *timer)
{
	clock_fn *fn = timer->fn;
	void *arg = timer->arg;

	timer_free(timer);
	fn(arg);
}

static void
real_timer_fired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	timer_fire(arg);
}

static bool
real_timer_add(struct clock_timer *timer, int64_t delay_ms)
{
	struct timeval delay = { .tv_sec = (time_t)(delay_ms / 1000),
		.tv_usec = (suseconds_t)(delay_ms % 1000 * 1000) };

	timer->event = evtimer_new(timer->clock->base, real_timer_fired, timer);
	if (timer->event == NULL)
		return false;
	if (evtimer_add(timer->event, &delay) == -1) {
		event_free(timer->event);
		return false;
	}
	TAILQ_INSERT_TAIL(&timer->clock->timers, timer, entry);
	return true;
}

static void
fake_timer_add(struct clock_timer *timer)
{
	struct clock_timer *other;

	TAILQ_FOREACH (other, &timer->clock->timers, entry)
		if (other->due_ms > timer->due_ms) {
			TAILQ_INSERT_BEFORE(other, timer, entry);
			return;
		}
	TAILQ_INSERT_TAIL(&timer->clock->timers, timer, entry);
}

struct clock_timer *
clock_timer_start(struct clock *clock, int64_t delay_ms, clock_fn *fn,
    void *arg)
{
	struct clock_timer *timer = calloc(1, sizeof(*timer));

	if (timer == NULL)
		return NULL;
	timer->clock = clock;
	timer->fn = fn;
	timer->arg = arg;
	if (delay_ms < 0)
		delay_ms = 0;
	if (clock->base == NULL) {
		timer->due_ms = clock->fake_mono_ms + delay_ms;
		fake_timer_add(timer);
	} else if (!real_timer_add(timer, delay_ms)) {
		free(timer);
		return NULL;
	}
	return timer;
}

void
clock_timer_cancel(struct clock_timer **timer)
{
	if (*timer == NULL)
		return;
	timer_free(*timer);
	*timer = NULL;
}

static void
fake_time_to(struct clock *clock, int64_t mono_ms)
{
	clock->fake_wall_rest_ms += mono_ms - clock->fake_mono_ms;
	clock->fake_wall_s += clock->fake_wall_rest_ms / 1000;
	clock->fake_wall_rest_ms %= 1000;
	clock->fake_mono_ms = mono_ms;
}

void
clock_advance(struct clock *clock, int64_t ms)
{
	int64_t end = clock->fake_mono_ms + ms;
	struct clock_timer *timer;

	assert(clock->base == NULL);
	while ((timer = TAILQ_FIRST(&clock->timers)) != NULL &&
	    timer->due_ms <= end) {
		if (timer->due_ms > clock->fake_mono_ms)
			fake_time_to(clock, timer->due_ms);
		timer_fire(timer);
	}
	fake_time_to(clock, end);
}

void
clock_suspend(struct clock *clock, int64_t ms)
{
	struct clock_timer *timer;

	assert(clock->base == NULL);
	TAILQ_FOREACH (timer, &clock->timers, entry)
		timer->due_ms += ms;
	fake_time_to(clock, clock->fake_mono_ms + ms);
}

void
clock_set_wall_s(struct clock *clock, int64_t wall_s)
{
	assert(clock->base == NULL);
	clock->fake_wall_s = wall_s;
	clock->fake_wall_rest_ms = 0;
}
