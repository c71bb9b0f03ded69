/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <time.h>

#include "common/loop_meter.h"

#define STALL_MS 60

static struct event_base *base;
static struct loop_meter *meter;
static unsigned busy_beats; /* more of them are to come */

static bool
is_busy(void *arg)
{
	(void)arg;
	if (busy_beats == 0)
		return false;
	busy_beats--;
	return true;
}

static int
setup(void **state)
{
	(void)state;
	busy_beats = 0;
	base = event_base_new();
	meter = loop_meter_new(base, is_busy, NULL);
	return meter == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	loop_meter_free(meter);
	event_base_free(base);
	return 0;
}

static void
stall(evutil_socket_t fd, short what, void *arg)
{
	const struct timespec pause = { .tv_nsec = STALL_MS * 1000000L };

	(void)fd;
	(void)what;
	(void)arg;
	loop_meter_touch(meter);
	nanosleep(&pause, NULL);
}

static void
a_stall_is_seen(void **state)
{
	struct event *event = evtimer_new(base, stall, NULL);
	const struct timeval now = { 0, 0 };

	(void)state;
	evtimer_add(event, &now);
	event_base_dispatch(base);
	assert_true(loop_meter_longest_us(meter) > STALL_MS / 2 * 1000);
	event_free(event);
}

/* A loop without events ends. */
static void
without_work_there_is_no_beat(void **state)
{
	(void)state;
	assert_int_equal(event_base_dispatch(base), 1);
	loop_meter_touch(meter);
	assert_int_equal(event_base_dispatch(base), 1);
}

static void
work_that_goes_on_keeps_the_beat(void **state)
{
	(void)state;
	busy_beats = 50;
	loop_meter_touch(meter);
	event_base_dispatch(base);
	assert_int_equal(busy_beats, 0);
}

static void
count_rest(void *arg)
{
	++*(unsigned *)arg;
}

static void
the_end_of_work_is_told_once(void **state)
{
	unsigned rests = 0;

	(void)state;
	loop_meter_at_rest(meter, count_rest, &rests);
	busy_beats = 50;
	loop_meter_touch(meter);
	event_base_dispatch(base);
	assert_int_equal(busy_beats, 0);
	assert_int_equal(rests, 1);
	event_base_dispatch(base);
	assert_int_equal(rests, 1);
	loop_meter_touch(meter);
	event_base_dispatch(base);
	assert_int_equal(rests, 2);
}

static void
no_meter_can_be_touched(void **state)
{
	(void)state;
	loop_meter_touch(NULL);
	loop_meter_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_stall_is_seen, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(without_work_there_is_no_beat,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    work_that_goes_on_keeps_the_beat, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_of_work_is_told_once,
		    setup, teardown),
		cmocka_unit_test(no_meter_can_be_touched),
	};

	return cmocka_run_group_tests_name("loop_meter", tests, NULL, NULL);
}
