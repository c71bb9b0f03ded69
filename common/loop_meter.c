/* SPDX-License-Identifier: ISC */
/*
 * The longest stall of the loop: see loop_meter.h. libevent 2.1 has no hook
 * before and after it waits; a timer sees the same from outside. It runs on the
 * system's clock, not on that of the engine, which tests turn by hand.
 */
#include "common/loop_meter.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#include "common/limits.h"

struct loop_meter {
	struct event *beat;
	loop_busy_fn *busy;
	void *arg;
	loop_rest_fn *rest; /* NULL: none */
	void *rest_arg;
	int64_t due_us;
	int64_t longest_us;
	unsigned quiet; /* beats since something was going on */
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
beat_arm(struct loop_meter *meter)
{
	const struct timeval beat = { .tv_usec = LIMIT_LOOP_BEAT_MS * 1000 };

	meter->due_us = now_us() + LIMIT_LOOP_BEAT_MS * 1000;
	evtimer_add(meter->beat, &beat);
}

static void
beat(evutil_socket_t fd, short what, void *arg)
{
	struct loop_meter *meter = arg;
	int64_t late_us = now_us() - meter->due_us;

	(void)fd;
	(void)what;
	if (late_us > meter->longest_us)
		meter->longest_us = late_us;
	if (meter->busy(meter->arg))
		meter->quiet = 0;
	if (++meter->quiet <= LIMIT_LOOP_QUIET_BEATS)
		beat_arm(meter);
	else if (meter->rest != NULL)
		meter->rest(meter->rest_arg);
}

struct loop_meter *
loop_meter_new(struct event_base *base, loop_busy_fn *busy, void *arg)
{
	struct loop_meter *meter = calloc(1, sizeof(*meter));

	if (meter == NULL)
		return NULL;
	meter->busy = busy;
	meter->arg = arg;
	meter->beat = evtimer_new(base, beat, meter);
	if (meter->beat == NULL) {
		free(meter);
		return NULL;
	}
	return meter;
}

void
loop_meter_free(struct loop_meter *meter)
{
	if (meter == NULL)
		return;
	event_free(meter->beat);
	free(meter);
}

void
loop_meter_at_rest(struct loop_meter *meter, loop_rest_fn *rest, void *arg)
{
	meter->rest = rest;
	meter->rest_arg = arg;
}

void
loop_meter_touch(struct loop_meter *meter)
{
	if (meter == NULL)
		return;
	meter->quiet = 0;
	if (!evtimer_pending(meter->beat, NULL))
		beat_arm(meter);
}

int64_t
loop_meter_longest_us(const struct loop_meter *meter)
{
	return meter->longest_us;
}
