/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "filter/outbox.h"

#define LARGE (8u << 20) /* more than a socket takes */

static struct event_base *base;
static struct bufferevent *bev;
static struct outbox *outbox;
static int peer;

static int
setup(void **state)
{
	int fds[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     fds),
	    0);
	peer = fds[1];
	bev = bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE);
	bufferevent_enable(bev, EV_WRITE);
	outbox = outbox_new(bev);
	return outbox == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	outbox_free(outbox);
	bufferevent_free(bev);
	event_base_free(base);
	if (peer != -1)
		close(peer);
	return 0;
}

static void
add(const char *text)
{
	evbuffer_add(outbox_open(outbox), text, strlen(text));
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
assert_comes(const char *expected)
{
	char buf[64];
	ssize_t n = read(peer, buf, sizeof(buf));

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(buf, expected, strlen(expected));
}

static void
what_is_added_in_a_turn_is_written_at_its_end(void **state)
{
	char buf[8];

	(void)state;
	add("one ");
	add("two");
	assert_int_equal(outbox_length(outbox), 7);
	assert_int_equal(read(peer, buf, sizeof(buf)), -1);
	turn();
	assert_int_equal(outbox_length(outbox), 0);
	assert_comes("one two");
	turn();
	add("three");
	turn();
	assert_comes("three");
}

static void
note_length(void *arg)
{
	size_t *length = arg;

	*length = outbox_length(outbox);
}

/* As the engine looks at a record behind an answer. */
static void
begin_and_add(evutil_socket_t fd, short what, void *arg)
{
	void **clock_and_length = arg;

	(void)fd;
	(void)what;
	assert_non_null(clock_timer_start(clock_and_length[0], 0, note_length,
	    clock_and_length[1]));
	add("answer");
}

static void
it_is_written_before_work_that_was_put_off_in_that_turn(void **state)
{
	struct clock *clock = clock_new(base);
	size_t length = 1;
	void *clock_and_length[2] = { clock, &length };

	(void)state;
	assert_int_equal(event_base_once(base, peer, EV_WRITE, begin_and_add,
			     clock_and_length, NULL),
	    0);
	while (length == 1)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(length, 0);
	assert_comes("answer");
	clock_free(clock);
}

/* Octets by the place in which they stand; returns how many came. */
static size_t
read_counted(size_t from)
{
	unsigned char buf[65536];
	ssize_t n;

	while ((n = read(peer, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(buf[i], from++ % 251);
	return from;
}

static void
add_counted(size_t from, size_t n)
{
	unsigned char *octets = malloc(n);

	assert_non_null(octets);
	for (size_t i = 0; i < n; i++)
		octets[i] = (unsigned char)((from + i) % 251);
	evbuffer_add(outbox_open(outbox), octets, n);
	free(octets);
}

static void
what_the_peer_does_not_take_follows_in_order(void **state)
{
	size_t came = 0;

	(void)state;
	add_counted(0, LARGE);
	turn();
	assert_in_range(outbox_length(outbox), 1, LARGE - 1);
	add_counted(LARGE, 1000);
	while (came < LARGE + 1000) {
		came = read_counted(came);
		turn();
	}
	assert_int_equal(came, LARGE + 1000);
	assert_int_equal(outbox_length(outbox), 0);
}

static void
note_error(struct bufferevent *b, short what, void *arg)
{
	bool *failed = arg;

	(void)b;
	*failed = (what & BEV_EVENT_ERROR) != 0;
}

static void
the_owner_of_the_bufferevent_hears_of_errors(void **state)
{
	bool failed = false;

	(void)state;
	bufferevent_setcb(bev, NULL, NULL, note_error, &failed);
	close(peer);
	peer = -1;
	add("nobody");
	turn();
	turn();
	assert_true(failed);
}

static void
count_written(struct bufferevent *b, void *arg)
{
	unsigned *n = arg;

	assert_int_equal(evbuffer_get_length(bufferevent_get_output(b)), 0);
	assert_int_equal(outbox_length(outbox), 0);
	++*n;
}

static void
the_owner_of_the_bufferevent_hears_when_all_is_written(void **state)
{
	unsigned written = 0;
	size_t came = 0;

	(void)state;
	turn(); /* a new bufferevent says so for nothing, once */
	bufferevent_setcb(bev, NULL, count_written, NULL, &written);
	add("one");
	turn();
	assert_int_equal(written, 1);
	assert_comes("one");
	add_counted(0, LARGE);
	turn();
	assert_int_equal(written, 1);
	while (came < LARGE) {
		came = read_counted(came);
		turn();
	}
	assert_int_equal(written, 2);
}

static void
free_outbox(struct bufferevent *b, void *arg)
{
	(void)b;
	(void)arg;
	outbox_free(outbox);
	outbox = NULL;
}

static void
it_may_be_freed_when_all_is_written(void **state)
{
	(void)state;
	turn();
	bufferevent_setcb(bev, NULL, free_outbox, NULL, NULL);
	add("one");
	turn();
	assert_null(outbox);
	assert_comes("one");
}

static void
freed_before_the_end_of_the_turn_it_writes_nothing(void **state)
{
	char buf[8];

	(void)state;
	add("one");
	outbox_free(outbox);
	outbox = NULL;
	turn();
	assert_int_equal(read(peer, buf, sizeof(buf)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    what_is_added_in_a_turn_is_written_at_its_end, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    it_is_written_before_work_that_was_put_off_in_that_turn,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_the_peer_does_not_take_follows_in_order, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    the_owner_of_the_bufferevent_hears_of_errors, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    the_owner_of_the_bufferevent_hears_when_all_is_written,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    it_may_be_freed_when_all_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    freed_before_the_end_of_the_turn_it_writes_nothing, setup,
		    teardown),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
