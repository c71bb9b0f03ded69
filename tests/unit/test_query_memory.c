/* SPDX-License-Identifier: ISC */
/*
 * The query server when memory runs out, in libevent too: every request is
 * answered, or its client sees the end of the connection.
 */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "filter/query_server.h"
#include "tests/unit/allocation.h"
#include "tests/unit/asker.h"

/* libevent allocates through these: the ones of the tree, that can fail. */
static void *
event_malloc(size_t size)
{
	return malloc(size);
}

static void *
event_realloc(void *p, size_t size)
{
	return realloc(p, size);
}

static void
event_release(void *p)
{
	free(p);
}

static void
fail_at(unsigned n, bool all_after)
{
	if (all_after)
		allocation_fail_from(n);
	else
		allocation_fail(n);
}

/* Which of the requests were answered before the end, or silence. */
static unsigned
count_answers(struct asker *a)
{
	unsigned answered = 0;

	while (!asker_hears_nothing(a) && !asker_hears_end(a)) {
		const char *line = asker_hear(a);
		unsigned id = (unsigned)(line[0] - '0');

		assert_in_range(id, 1, 5);
		assert_int_equal(line[1], ' ');
		assert_false(answered & 1u << id);
		answered |= 1u << id;
	}
	return answered;
}

static void
each_request_is_answered_or_the_client_ended(bool all_after)
{
	bool failed = true;
	unsigned n = 0;

	while (failed) {
		void *state = NULL;
		struct served *s;
		struct asker *a;
		unsigned answered;

		served_setup(&state);
		s = state;
		world_enforce(s->world, "bad.test", false);
		a = asker_new(s);
		asker_write(a,
		    "1 rcpt u@[192.0.2.1]\n2 rcpt u@bad.test\n"
		    "3 explain u@bad.test\n4 cache-refresh bad.test\n"
		    "5 cache-list\n");
		fail_at(++n, all_after);
		served_turn(s);
		clock_advance(s->world->clock, 31000);
		served_turn(s);
		failed = allocation_has_failed();
		allocation_fail(0);
		/* What could not even be read comes in now. */
		served_turn(s);
		clock_advance(s->world->clock, 31000);
		served_turn(s);
		answered = count_answers(a);
		if (answered != 0x3e)
			assert_true(failed && asker_hears_end(a));
		asker_free(a);
		served_teardown(&state);
	}
	assert_in_range(n, 10, 800);
}

static void
an_allocation_that_fails_leaves_nobody_waiting(void **state)
{
	(void)state;
	each_request_is_answered_or_the_client_ended(false);
}

static void
memory_that_runs_out_leaves_nobody_waiting(void **state)
{
	(void)state;
	each_request_is_answered_or_the_client_ended(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_allocation_that_fails_leaves_nobody_waiting),
		cmocka_unit_test(memory_that_runs_out_leaves_nobody_waiting),
	};

	event_set_mem_functions(event_malloc, event_realloc, event_release);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
