/* SPDX-License-Identifier: ISC */
/* What the relay has done, in numbers. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/relay_counts.h"
#include "tests/unit/allocation.h"

static void
add(const char *domain, enum relay_outcome outcome)
{
	const struct relay_ended ended = { .domain = domain,
		.outcome = outcome,
		.mx = "mx1.example.com",
		.reply = "250 2.0.0 ok",
		.had_session = outcome == RELAY_DELIVERED,
		.octets = 100,
		.wall_s = 7 };

	relay_counts_add(&ended);
}

static bool
note(const struct relay_domain *domain, void *arg)
{
	char *text = arg;

	strcat(text, domain->domain);
	strcat(text, " ");
	return strcmp(domain->domain, "b.example") != 0;
}

static void
mails_are_counted_in_all_and_by_domain(void **state)
{
	const struct relay_domain *d;
	char text[100] = "";

	(void)state;
	relay_counts_reset();
	assert_null(relay_counts_domain("a.example"));
	add("a.example", RELAY_DELIVERED);
	add("b.example", RELAY_HELD);
	add("c.example", RELAY_HELD);
	add("a.example", RELAY_UNSURE);
	assert_int_equal(relay_counts_get()->mails[RELAY_HELD], 2);
	assert_int_equal(relay_counts_get()->mails[RELAY_DELIVERED], 1);
	assert_int_equal(relay_counts_get()->octets, 100);
	assert_int_equal(relay_counts_get()->sessions, 1);
	d = relay_counts_domain("a.example");
	assert_non_null(d);
	assert_int_equal(d->mails[RELAY_DELIVERED], 1);
	assert_int_equal(d->mails[RELAY_UNSURE], 1);
	assert_int_equal(d->outcome, RELAY_UNSURE);
	assert_int_equal(d->wall_s, 7);
	assert_string_equal(d->mx, "mx1.example.com");
	assert_string_equal(d->reply, "250 2.0.0 ok");
	relay_counts_each(note, text);
	assert_string_equal(text, "b.example ");
	add("b.example", RELAY_HELD);
	text[0] = '\0';
	relay_counts_each(note, text);
	assert_string_equal(text, "c.example a.example b.example ");
	relay_counts_reset();
	assert_null(relay_counts_domain("a.example"));
	assert_int_equal(relay_counts_get()->mails[RELAY_HELD], 0);
}

static void
the_domain_with_the_oldest_mail_is_forgotten_first(void **state)
{
	char name[32];

	(void)state;
	relay_counts_reset();
	add("first.example", RELAY_HELD);
	add("second.example", RELAY_HELD);
	for (int i = 0; i < LIMIT_RELAY_DOMAINS - 2; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		add(name, RELAY_HELD);
	}
	add("first.example", RELAY_HELD);
	add("last.example", RELAY_HELD);
	assert_non_null(relay_counts_domain("first.example"));
	assert_int_equal(relay_counts_domain("first.example")
			     ->mails[RELAY_HELD],
	    2);
	assert_null(relay_counts_domain("second.example"));
	assert_int_equal(relay_counts_domain("last.example")->mails[RELAY_HELD],
	    1);
	relay_counts_reset();
}

static void
without_memory_all_mails_are_counted_still(void **state)
{
	(void)state;
	relay_counts_reset();
	for (unsigned n = 1;; n++) {
		allocation_fail(n);
		add("a.example", RELAY_HELD);
		assert_int_equal(relay_counts_get()->mails[RELAY_HELD], 1);
		if (!allocation_has_failed())
			break;
		assert_null(relay_counts_domain("a.example"));
		relay_counts_reset();
	}
	allocation_fail(0);
	assert_non_null(relay_counts_domain("a.example"));
	relay_counts_reset();
}

static void
each_outcome_has_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < RELAY_OUTCOMES; i++)
		assert_non_null(relay_outcome_name((enum relay_outcome)i));
	assert_string_equal(relay_outcome_name(RELAY_UNSURE), "unsure");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails_are_counted_in_all_and_by_domain),
		cmocka_unit_test(
		    the_domain_with_the_oldest_mail_is_forgotten_first),
		cmocka_unit_test(without_memory_all_mails_are_counted_still),
		cmocka_unit_test(each_outcome_has_its_name),
	};

	return cmocka_run_group_tests_name("relay_counts", tests, NULL, NULL);
}
