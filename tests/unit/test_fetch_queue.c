/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/fetch_queue.h"

#define FULL LIMIT_FETCH_PER_ADDRESS

static struct address
address_number(uint8_t n)
{
	struct address address = { .family = AF_INET };

	memcpy(&address.in, (uint8_t[4]){ 192, 0, 2, n }, 4);
	return address;
}

/* Joins at the addresses whose bits are set. */
static bool
join(struct fetch_queue *queue, struct fetch_ticket *ticket, unsigned bits)
{
	struct address addresses[LIMIT_FETCH_ADDRESSES];
	size_t n = 0;

	memset(ticket, 0, sizeof(*ticket));
	for (uint8_t i = 0; bits >> i != 0; i++)
		if (bits >> i & 1)
			addresses[n++] = address_number(i);
	return fetch_queue_join(queue, ticket, addresses, n);
}

static void
leave_all(struct fetch_queue *queue, struct fetch_ticket *tickets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fetch_queue_leave(queue, &tickets[i]);
	fetch_queue_free(queue);
}

static void
first_come_first_served(void **state)
{
	struct fetch_queue *queue = fetch_queue_new();
	struct fetch_ticket t[3];

	(void)state;
	assert_null(fetch_queue_next(queue));
	for (size_t i = 0; i < 3; i++)
		assert_true(join(queue, &t[i], 1));
	assert_ptr_equal(fetch_queue_next(queue), &t[0]);
	assert_ptr_equal(fetch_queue_next(queue), &t[1]);
	fetch_queue_return(queue, &t[1]);
	assert_ptr_equal(fetch_queue_next(queue), &t[1]);
	assert_ptr_equal(fetch_queue_next(queue), &t[2]);
	assert_null(fetch_queue_next(queue));
	leave_all(queue, t, 3);
}

static void
who_makes_room_for_others_is_the_last_again(void **state)
{
	struct fetch_queue *queue = fetch_queue_new();
	struct fetch_ticket t[FULL + 1];

	(void)state;
	for (size_t i = 0; i < FULL + 1; i++)
		assert_true(join(queue, &t[i], 1));
	for (size_t i = 0; i < FULL; i++)
		assert_ptr_equal(fetch_queue_next(queue), &t[i]);
	fetch_queue_requeue(queue, &t[0]);
	assert_ptr_equal(fetch_queue_next(queue), &t[FULL]);
	assert_null(fetch_queue_next(queue));
	fetch_queue_leave(queue, &t[1]);
	assert_ptr_equal(fetch_queue_next(queue), &t[0]);
	leave_all(queue, t, FULL + 1);
}

static void
who_waits_for_a_full_address_is_passed_and_keeps_its_place(void **state)
{
	struct fetch_queue *queue = fetch_queue_new();
	struct fetch_ticket t[FULL + 4];

	(void)state;
	for (size_t i = 0; i < FULL + 2; i++)
		assert_true(join(queue, &t[i], 1));
	assert_true(join(queue, &t[FULL + 2], 2));
	assert_true(join(queue, &t[FULL + 3], 1));
	for (size_t i = 0; i < FULL; i++)
		assert_ptr_equal(fetch_queue_next(queue), &t[i]);
	assert_ptr_equal(fetch_queue_next(queue), &t[FULL + 2]);
	assert_null(fetch_queue_next(queue));
	for (size_t i = FULL; i < FULL + 4; i++) {
		if (i == FULL + 2)
			continue;
		fetch_queue_leave(queue, &t[i - FULL]);
		assert_ptr_equal(fetch_queue_next(queue), &t[i]);
		assert_null(fetch_queue_next(queue));
	}
	leave_all(queue, t, FULL + 4);
}

static void
a_settled_ticket_makes_room_at_its_other_addresses(void **state)
{
	struct fetch_queue *queue = fetch_queue_new();
	struct address used = address_number(0), strange = address_number(9);
	struct fetch_ticket t[FULL + 2];

	(void)state;
	for (size_t i = 0; i < FULL; i++) {
		assert_true(join(queue, &t[i], 1 | 2 | 4));
		assert_ptr_equal(fetch_queue_next(queue), &t[i]);
	}
	assert_true(join(queue, &t[FULL], 2));
	assert_true(join(queue, &t[FULL + 1], 1));
	fetch_queue_settle(queue, &t[0], &strange);
	assert_null(fetch_queue_next(queue));
	fetch_queue_settle(queue, &t[0], &used);
	assert_ptr_equal(fetch_queue_next(queue), &t[FULL]);
	assert_null(fetch_queue_next(queue));
	leave_all(queue, t, FULL + 2);
}

static void
the_queue_is_bounded(void **state)
{
	struct fetch_queue *queue = fetch_queue_new();
	struct fetch_ticket *t = calloc(LIMIT_FETCH_QUEUED + 1, sizeof(*t));

	(void)state;
	for (size_t i = 0; i < LIMIT_FETCH_QUEUED; i++)
		assert_true(join(queue, &t[i], 1));
	assert_false(join(queue, &t[LIMIT_FETCH_QUEUED], 2));
	/* Those who stand aside count as well. */
	assert_ptr_equal(fetch_queue_next(queue), &t[0]);
	while (fetch_queue_next(queue) != NULL)
		continue;
	for (size_t i = 0; i < FULL; i++) {
		fetch_queue_leave(queue, &t[i]);
		assert_true(join(queue, &t[i], 2));
	}
	assert_false(join(queue, &t[LIMIT_FETCH_QUEUED], 2));
	leave_all(queue, t, LIMIT_FETCH_QUEUED + 1);
	free(t);
}

/* Random traffic, checked against the plain rule */

#define TICKETS 200
#define HOSTS 6

struct model {
	struct fetch_ticket ticket[TICKETS];
	unsigned bits[TICKETS];
	enum {
		AWAY,
		WAITING,
		COUNTED
	} is[TICKETS];
};

static unsigned
running_at(const struct model *m, unsigned host)
{
	unsigned n = 0;

	for (size_t i = 0; i < TICKETS; i++)
		n += m->is[i] == COUNTED && (m->bits[i] >> host & 1);
	return n;
}

static bool
may_run(const struct model *m, size_t i)
{
	for (unsigned host = 0; host < HOSTS; host++)
		if ((m->bits[i] >> host & 1) && running_at(m, host) >= FULL)
			return false;
	return true;
}

static void
serve_all(struct model *m, struct fetch_queue *queue)
{
	struct fetch_ticket *ticket;

	while ((ticket = fetch_queue_next(queue)) != NULL) {
		size_t i = (size_t)(ticket - m->ticket);

		assert_int_equal(m->is[i], WAITING);
		assert_true(may_run(m, i));
		m->is[i] = COUNTED;
	}
	for (size_t i = 0; i < TICKETS; i++)
		assert_false(m->is[i] == WAITING && may_run(m, i));
}

static void
change_one(struct model *m, struct fetch_queue *queue, unsigned random)
{
	size_t i = random % TICKETS;
	unsigned bits = random / TICKETS % ((1 << HOSTS) - 1) + 1;

	if (m->is[i] == AWAY) {
		m->bits[i] = bits;
		assert_true(join(queue, &m->ticket[i], bits));
		m->is[i] = WAITING;
	} else if (m->is[i] == COUNTED && random & 1) {
		if (random & 2)
			fetch_queue_requeue(queue, &m->ticket[i]);
		else
			fetch_queue_return(queue, &m->ticket[i]);
		m->is[i] = WAITING;
	} else {
		fetch_queue_leave(queue, &m->ticket[i]);
		m->is[i] = AWAY;
	}
}

static void
nobody_is_forgotten_and_no_address_is_ever_too_full(void **state)
{
	struct model *m = calloc(1, sizeof(*m));
	struct fetch_queue *queue = fetch_queue_new();
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		random = random * 1664525 + 1013904223;
		change_one(m, queue, random >> 8);
		if (round % 3 == 0)
			serve_all(m, queue);
	}
	leave_all(queue, m->ticket, TICKETS);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_served),
		cmocka_unit_test(who_makes_room_for_others_is_the_last_again),
		cmocka_unit_test(
		    who_waits_for_a_full_address_is_passed_and_keeps_its_place),
		cmocka_unit_test(
		    a_settled_ticket_makes_room_at_its_other_addresses),
		cmocka_unit_test(the_queue_is_bounded),
		cmocka_unit_test(
		    nobody_is_forgotten_and_no_address_is_ever_too_full),
	};

	return cmocka_run_group_tests_name("fetch_queue", tests, NULL, NULL);
}
