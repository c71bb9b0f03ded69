/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>

#include "common/event_loop.h"

static size_t in_use; /* blocks of libevent's */

static void *
counted_malloc(size_t size)
{
	void *p = malloc(size);

	in_use += p != NULL;
	return p;
}

static void *
counted_realloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	in_use += old == NULL && p != NULL;
	return p;
}

static void
counted_free(void *p)
{
	in_use -= p != NULL;
	free(p);
}

static void
never(struct bufferevent *bev, void *arg)
{
	(void)bev;
	(void)arg;
	fail_msg("a callback of what was freed");
}

/* As when SIGTERM and a reply come in one turn of the loop. */
static void
a_callback_that_is_due_leaves_nothing(void **state)
{
	struct event_base *base = event_base_new();
	struct bufferevent *bev =
	    bufferevent_socket_new(base, -1, BEV_OPT_DEFER_CALLBACKS);

	(void)state;
	bufferevent_setcb(bev, never, NULL, NULL, NULL);
	bufferevent_trigger(bev, EV_READ, 0);
	bufferevent_free(bev);
	event_loop_free(base);
	assert_int_equal(in_use, 0);
}

static void
no_loop_is_no_error(void **state)
{
	(void)state;
	event_loop_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_callback_that_is_due_leaves_nothing),
		cmocka_unit_test(no_loop_is_no_error),
	};

	event_set_mem_functions(counted_malloc, counted_realloc, counted_free);
	return cmocka_run_group_tests_name("event_loop", tests, NULL, NULL);
}
