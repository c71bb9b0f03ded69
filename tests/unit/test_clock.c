/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "tests/unit/scratch.h"

#define WALL 1700000000

/* What has fired, in order, as letters. */
static char fired[16];

struct shot {
	struct clock *clock;
	struct clock_timer *timer;
	char letter;
	struct shot *next;	 /* started when this one fires, at once */
	struct shot *victim;	 /* cancelled when this one fires */
	int64_t wall_s, mono_ms; /* when it fired */
};

static void
shot_fired(void *arg)
{
	struct shot *shot = arg;
	size_t len = strlen(fired);

	shot->timer = NULL;
	shot->wall_s = clock_wall_s(shot->clock);
	shot->mono_ms = clock_mono_ms(shot->clock);
	assert_true(len + 1 < sizeof(fired));
	fired[len] = shot->letter;
	fired[len + 1] = '\0';
	if (shot->victim != NULL)
		clock_timer_cancel(&shot->victim->timer);
	if (shot->next != NULL)
		shot->next->timer =
		    clock_timer_start(shot->clock, 0, shot_fired, shot->next);
}

static void
start(struct shot *shot, struct clock *clock, char letter, int64_t delay_ms)
{
	shot->clock = clock;
	shot->letter = letter;
	shot->timer = clock_timer_start(clock, delay_ms, shot_fired, shot);
	assert_non_null(shot->timer);
}

static struct clock *
new_fake(void)
{
	struct clock *clock = clock_new_fake(WALL);

	assert_non_null(clock);
	fired[0] = '\0';
	return clock;
}

static void
a_fake_clock_stands_still_until_it_is_turned(void **state)
{
	struct clock *clock = new_fake();

	(void)state;
	assert_int_equal(clock_wall_s(clock), WALL);
	assert_int_equal(clock_mono_ms(clock), 0);
	clock_advance(clock, 1999);
	assert_int_equal(clock_wall_s(clock), WALL + 1);
	assert_int_equal(clock_mono_ms(clock), 1999);
	clock_advance(clock, 1);
	assert_int_equal(clock_wall_s(clock), WALL + 2);
	clock_free(clock);
	clock_free(NULL);
}

static void
fake_timers_fire_in_the_order_of_their_time(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	start(&a, clock, 'a', 3000);
	start(&b, clock, 'b', 1000);
	start(&c, clock, 'c', 1000);
	start(&d, clock, 'd', 3001);
	assert_string_equal(fired, "");
	clock_advance(clock, 999);
	assert_string_equal(fired, "");
	clock_advance(clock, 2001);
	assert_string_equal(fired, "bca");
	assert_int_equal(b.mono_ms, 1000);
	assert_int_equal(b.wall_s, WALL + 1);
	assert_int_equal(a.mono_ms, 3000);
	assert_int_equal(clock_mono_ms(clock), 3000);
	clock_advance(clock, 1);
	assert_string_equal(fired, "bcad");
	clock_free(clock);
}

static void
a_timer_of_no_delay_waits_for_the_next_turn(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 }, b = { 0 };

	(void)state;
	start(&a, clock, 'a', 0);
	start(&b, clock, 'b', -5);
	assert_string_equal(fired, "");
	clock_advance(clock, 0);
	assert_string_equal(fired, "ab");
	clock_free(clock);
}

static void
timers_may_start_and_cancel_timers(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

	(void)state;
	start(&a, clock, 'a', 10);
	start(&b, clock, 'b', 20);
	start(&d, clock, 'd', 20);
	c.clock = clock;
	c.letter = 'c';
	a.next = &c;
	b.victim = &d;
	clock_advance(clock, 100);
	assert_string_equal(fired, "acb");
	assert_int_equal(c.mono_ms, 10);
	assert_null(d.timer);
	clock_free(clock);
}

static void
a_cancelled_timer_is_cleared_and_does_not_fire(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 };

	(void)state;
	start(&a, clock, 'a', 10);
	clock_timer_cancel(&a.timer);
	assert_null(a.timer);
	clock_timer_cancel(&a.timer);
	clock_advance(clock, 100);
	assert_string_equal(fired, "");
	clock_free(clock);
}

static void
a_jump_of_the_wall_clock_leaves_timers_alone(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 };

	(void)state;
	start(&a, clock, 'a', 10000);
	clock_advance(clock, 500);
	clock_set_wall_s(clock, 5);
	assert_int_equal(clock_wall_s(clock), 5);
	assert_int_equal(clock_mono_ms(clock), 500);
	clock_advance(clock, 9499);
	assert_string_equal(fired, "");
	clock_advance(clock, 1);
	assert_string_equal(fired, "a");
	assert_int_equal(a.wall_s, 14);
	clock_free(clock);
}

static void
a_machine_that_slept_finds_its_timers_as_they_were(void **state)
{
	struct clock *clock = new_fake();
	struct shot a = { 0 };
	int64_t wall_s = clock_wall_s(clock);

	(void)state;
	start(&a, clock, 'a', 10000);
	clock_advance(clock, 1000);
	clock_suspend(clock, 3600000);
	assert_string_equal(fired, "");
	assert_int_equal(clock_mono_ms(clock), 3601000);
	assert_int_equal(clock_wall_s(clock), wall_s + 3601);
	clock_advance(clock, 8999);
	assert_string_equal(fired, "");
	clock_advance(clock, 1);
	assert_string_equal(fired, "a");
	clock_free(clock);
}

static void
a_real_clock_fires_from_the_loop_and_in_order(void **state)
{
	struct event_base *base = event_base_new();
	struct clock *clock;
	struct shot a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	int64_t before;

	(void)state;
	assert_non_null(base);
	clock = clock_new(base);
	assert_non_null(clock);
	fired[0] = '\0';
	before = clock_mono_ms(clock);
	start(&a, clock, 'a', 20);
	start(&b, clock, 'b', 1);
	start(&c, clock, 'c', 0);
	start(&d, clock, 'd', 3600000);
	assert_string_equal(fired, "");
	b.victim = &d;
	assert_int_equal(event_base_dispatch(base), 1);
	assert_string_equal(fired, "cba");
	assert_null(d.timer);
	/* libevent counts in ticks of the system's coarse clock. */
	assert_true(a.mono_ms - before >= 20 - 10);
	clock_free(clock);
	event_base_free(base);
}

static void
a_real_clock_tells_the_time_of_the_system(void **state)
{
	struct event_base *base = event_base_new();
	struct clock *clock = clock_new(base);
	int64_t wall = (int64_t)time(NULL), mono;

	(void)state;
	assert_non_null(clock);
	assert_in_range(clock_wall_s(clock), wall, wall + 5);
	mono = clock_mono_ms(clock);
	assert_true(mono > 0);
	assert_true(clock_mono_ms(clock) >= mono);
	clock_free(clock);
	event_base_free(base);
}

/* A release has no way to be told a wrong time. */
static void
only_a_debug_clock_can_be_moved_by_the_environment(void **state)
{
	struct event_base *base = event_base_new();
	struct clock *clock = clock_new(base);
	const char *path = scratch_write("offset", "-86400\n");
	int64_t wall, day_s = 0;

	(void)state;
#ifdef STRICTMX_DEBUG_CLOCK
	day_s = 86400;
#endif
	assert_non_null(clock);
	assert_int_equal(setenv("STRICTMX_CLOCK_OFFSET", path, 1), 0);
	wall = (int64_t)time(NULL);
	assert_in_range(clock_wall_s(clock), wall - day_s, wall - day_s + 5);
	scratch_write("offset", "86400\n");
	assert_in_range(clock_wall_s(clock), wall + day_s, wall + day_s + 5);
	scratch_write("offset", "");
	assert_in_range(clock_wall_s(clock), wall, wall + 5);
	unsetenv("STRICTMX_CLOCK_OFFSET");
	clock_free(clock);
	event_base_free(base);
}

static int
shut_down(void **state)
{
	(void)state;
	libevent_global_shutdown();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fake_clock_stands_still_until_it_is_turned),
		cmocka_unit_test(fake_timers_fire_in_the_order_of_their_time),
		cmocka_unit_test(a_timer_of_no_delay_waits_for_the_next_turn),
		cmocka_unit_test(timers_may_start_and_cancel_timers),
		cmocka_unit_test(
		    a_cancelled_timer_is_cleared_and_does_not_fire),
		cmocka_unit_test(a_jump_of_the_wall_clock_leaves_timers_alone),
		cmocka_unit_test(
		    a_machine_that_slept_finds_its_timers_as_they_were),
		cmocka_unit_test(a_real_clock_fires_from_the_loop_and_in_order),
		cmocka_unit_test(a_real_clock_tells_the_time_of_the_system),
		cmocka_unit_test_setup_teardown(
		    only_a_debug_clock_can_be_moved_by_the_environment,
		    scratch_make, scratch_remove),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, shut_down);
}
