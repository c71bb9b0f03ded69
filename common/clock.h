/* SPDX-License-Identifier: ISC */
/*
 * Time as the engine sees it: the wall clock for when policies expire, a
 * monotonic one (CLOCK_BOOTTIME) for how long something took, and timers.
 * Every deadline, back-off and refresh of the engine goes through a clock, so
 * that tests can turn it by hand: clock_new_fake() stands still until
 * clock_advance().
 */
#ifndef STRICTMX_COMMON_CLOCK_H
#define STRICTMX_COMMON_CLOCK_H

#include <stdint.h>

struct event_base;
struct clock;
struct clock_timer;

typedef void clock_fn(void *arg);

/*
 * NULL without memory. base outlives the clock. In a tree configured with
 * --enable-debug-clock, and in no other, the file that the environment names
 * as STRICTMX_CLOCK_OFFSET holds the seconds by which the wall clock is off;
 * it may change at any time.
 */
struct clock *clock_new(struct event_base *base);

/* Begins at wall time wall_s and monotonic time 0. NULL without memory. */
struct clock *clock_new_fake(int64_t wall_s);

/* All timers are cancelled or have fired. Safe on NULL. */
void clock_free(struct clock *clock);

int64_t clock_wall_s(const struct clock *clock);
int64_t clock_mono_ms(const struct clock *clock);

/*
 * Calls fn(arg) once, delay_ms from now, never before this call returned (0
 * is "on the next turn of the loop"). The timer is spent when fn runs: the
 * caller's pointer is to be cleared by fn. NULL without memory.
 */
struct clock_timer *clock_timer_start(struct clock *clock, int64_t delay_ms,
    clock_fn *fn, void *arg);

/* Clears the pointer; fn will not run. Safe on a NULL timer. */
void clock_timer_cancel(struct clock_timer **timer);

/*
 * Fake clocks only: moves both times on by ms and runs every timer that comes
 * due on the way, in the order of their time, those they start included.
 */
void clock_advance(struct clock *clock, int64_t ms);

/*
 * Fake clocks only: the machine was asleep for ms. Both times move on, timers
 * do not: each has as long to go as before.
 */
void clock_suspend(struct clock *clock, int64_t ms);

/* Fake clocks only: the wall clock jumps, the monotonic one does not. */
void clock_set_wall_s(struct clock *clock, int64_t wall_s);

#endif
