/* SPDX-License-Identifier: ISC */
/*
 * The server for Exim when memory runs out, in libevent too: who asks gets an
 * answer that is not an all clear, the right answer, or the end of the
 * connection.
 */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/outcome.h"
#include "filter/exim_server.h"
#include "proto/exim_line.h"
#include "tests/unit/allocation.h"
#include "tests/unit/exim_caller.h"
#include "tests/unit/test_certificates.h"

#define SESSION "m bad.test mx.bad.test 192.0.2.25"

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

/*
 * A caller whose nth allocation fails; true when none was left to fail. heard:
 * what it got, "" for nothing.
 */
static bool
one_call(unsigned n, bool all_after, const char *line, char heard[1024])
{
	struct exim_served *s;
	struct exim_caller *c;
	void *state = NULL;
	const char *answer;
	bool failed;

	exim_served_setup(&state);
	s = state;
	s->world->config.record_patience_s = 3600;
	world_enforce(s->world, "bad.test", false);
	c = exim_call(s, "");
	if (all_after)
		allocation_fail_from(n);
	else
		allocation_fail(n);
	exim_say(c, line);
	clock_advance(s->world->clock, 100);
	exim_served_turn(s);
	failed = allocation_has_failed();
	allocation_fail(0);
	clock_advance(s->world->clock, 4000);
	answer = exim_hear(c);
	snprintf(heard, 1024, "%s", answer == NULL ? "" : answer);
	clock_advance(s->world->clock, 10000);
	assert_true(exim_hears_end(c));
	exim_hang_up(c);
	clock_advance(s->world->clock, 60000);
	exim_served_teardown(&state);
	return !failed;
}

static void
nobody_is_told_that_all_is_well(const char *line, const char *right)
{
	for (int all_after = 0; all_after < 2; all_after++) {
		char heard[1024];
		unsigned n = 1;

		while (!one_call(n, all_after == 1, line, heard)) {
			assert_string_not_equal(heard, "ok");
			assert_null(strstr(heard, "mode=none"));
			assert_null(strstr(heard, "mode=testing"));
			assert_in_range(++n, 1, 400);
		}
		assert_memory_equal(heard, right, strlen(right));
		assert_in_range(n, 3, 400);
	}
}

static void
a_policy_is_told_or_nobody_knows(void **state)
{
	(void)state;
	nobody_is_told_that_all_is_well("POLICY bad.test\n", "mode=enforce ");
	nobody_is_told_that_all_is_well("ROUTE bad.test\n", "mode=enforce ");
}

static void
a_bad_certificate_is_never_a_good_one(void **state)
{
	struct test_certificate *leaf =
	    exim_certificate("mx.bad.test", 0, NULL);
	char line[EXIM_REQUEST_MAX];

	(void)state;
	snprintf(line, sizeof(line), "CERT " SESSION " 0 0 %s\n",
	    exim_base64(leaf));
	nobody_is_told_that_all_is_well(line, "certificate-not-trusted: ");
	test_certificate_free(leaf);
}

static void
a_message_does_not_pass(void **state)
{
	(void)state;
	nobody_is_told_that_all_is_well("VERDICT " SESSION
					" cv=1 dane=no cipher=X\n",
	    "MTA-STS policy ");
}

/* It is told of once, or not at all. */
static size_t n_outcomes;

static void
count_outcome(const struct outcome *outcome, void *arg)
{
	(void)arg;
	n_outcomes += outcome->kind == OUTCOME_SESSION;
}

static void
an_event_is_told_of_or_not(void **state)
{
	char heard[1024];
	unsigned n = 0;
	bool all;

	(void)state;
	outcome_set_sink(count_outcome, NULL);
	do {
		n_outcomes = 0;
		all = one_call(++n, false,
		    "EVENT tcp:close " SESSION " cv=0 cipher= data=\n", heard);
		assert_string_equal(heard, "");
		assert_in_range(n_outcomes, 0, 1);
		assert_in_range(n, 1, 400);
	} while (!all);
	outcome_set_sink(NULL, NULL);
	assert_int_equal(n_outcomes, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_is_told_or_nobody_knows),
		cmocka_unit_test(a_bad_certificate_is_never_a_good_one),
		cmocka_unit_test(a_message_does_not_pass),
		cmocka_unit_test(an_event_is_told_of_or_not),
	};

	event_set_mem_functions(event_malloc, event_realloc, event_release);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
