/* SPDX-License-Identifier: ISC */
/*
 * How long did the loop keep others waiting? The meter measures how late a
 * timer is that should fire every LIMIT_LOOP_BEAT_MS while there is work, which
 * is what a request that came at that moment has felt. A stall shorter than a
 * beat can hide between two, a longer one is seen but for a beat at most. An
 * idle process has no beat and sleeps.
 */
#ifndef STRICTMX_COMMON_LOOP_METER_H
#define STRICTMX_COMMON_LOOP_METER_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct loop_meter;

/* Is something going on that began earlier? */
typedef bool loop_busy_fn(void *arg);

/* NULL without memory. base outlives the meter. */
struct loop_meter *loop_meter_new(struct event_base *base, loop_busy_fn *busy,
    void *arg);
void loop_meter_free(struct loop_meter *meter); /* safe on NULL */

/* Work begins: beats from now on, until there is none. Safe on NULL. */
void loop_meter_touch(struct loop_meter *meter);

/* Runs when there is no work any more and the beats end. */
typedef void loop_rest_fn(void *arg);
void loop_meter_at_rest(struct loop_meter *meter, loop_rest_fn *rest,
    void *arg);

/* The longest so far. */
int64_t loop_meter_longest_us(const struct loop_meter *meter);

#endif
