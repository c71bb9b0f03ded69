/* SPDX-License-Identifier: ISC */
/*
 * The socketmap server when memory runs out, in libevent too: every question is
 * answered, never with less than the policy asks for, or its client sees the
 * end of the connection.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter/socketmap_server.h"
#include "tests/unit/allocation.h"
#include "tests/unit/mapper.h"

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

/* How many of the three were answered before the end, or silence. */
static unsigned
count_answers(struct mapper *p)
{
	unsigned n = 0;

	while (!mapper_hears_nothing(p) && !mapper_hears_end(p)) {
		const char *answer = mapper_hear(p);

		if (n != 1)
			assert_string_equal(answer, "NOTFOUND ");
		else if (strncmp(answer, "TEMP ", 5) != 0)
			assert_string_equal(answer,
			    "OK secure match=mx.a.test servername=hostname");
		n++;
	}
	return n;
}

static void
each_question_is_answered_or_the_client_ended(bool all_after)
{
	bool failed = true;
	unsigned n = 0;

	while (failed) {
		struct mapped *m = mapped_new();
		struct mapper *p;
		unsigned answered;

		world_enforce(m->world, "a.test", true);
		p = mapper_new(m);
		mapper_write(p, "8:policy .,13:policy a.test,8:policy .,");
		fail_at(++n, all_after);
		mapped_turn(m);
		mapped_seconds_pass(m, 31);
		failed = allocation_has_failed();
		allocation_fail(0);
		/* What could not even be read comes in now. */
		mapped_turn(m);
		mapped_seconds_pass(m, 31);
		answered = count_answers(p);
		if (answered != 3)
			assert_true(failed && mapper_hears_end(p));
		mapper_free(p);
		mapped_free(m);
	}
	assert_in_range(n, 10, 400);
}

static void
an_allocation_that_fails_leaves_nobody_waiting(void **state)
{
	(void)state;
	each_question_is_answered_or_the_client_ended(false);
}

static void
memory_that_runs_out_leaves_nobody_waiting(void **state)
{
	(void)state;
	each_question_is_answered_or_the_client_ended(true);
}

/* The descriptor is still the caller's then. */
static void
a_client_that_finds_no_memory_is_refused(void **state)
{
	struct mapped *m = mapped_new();
	unsigned n = 0;
	bool served;

	(void)state;
	do {
		int fds[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		allocation_fail(++n);
		served = socketmap_server_add(m->server, fds[0]);
		if (!served)
			assert_int_equal(close(fds[0]), 0);
		assert_int_equal(close(fds[1]), 0);
	} while (allocation_has_failed());
	allocation_fail(0);
	assert_true(served && n > 3);
	mapped_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_allocation_that_fails_leaves_nobody_waiting),
		cmocka_unit_test(memory_that_runs_out_leaves_nobody_waiting),
		cmocka_unit_test(a_client_that_finds_no_memory_is_refused),
	};

	event_set_mem_functions(event_malloc, event_realloc, event_release);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
