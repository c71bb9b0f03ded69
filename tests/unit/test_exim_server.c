/* SPDX-License-Identifier: ISC */
/*
 * The server for Exim: what it answers to the lines of strictmx-query(7), in
 * which time, and what a caller can cost. What becomes of certificates is in
 * test_exim_cert.c.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "filter/exim_server.h"
#include "filter/exim_slow.h"
#include "proto/exim_line.h"
#include "tests/unit/exim_caller.h"

static struct exim_served *s;

static int
setup(void **state)
{
	exim_served_setup(state);
	s = *state;
	world_enforce(s->world, "good.test", true);
	return 0;
}

static void
pass_ms(int64_t ms)
{
	clock_advance(s->world->clock, ms);
	exim_served_turn(s);
}

/* Asked when nothing is known yet. */
static void
assert_found(const char *line, const char *answer)
{
	struct exim_caller *c = exim_call(s, line);
	const char *heard;

	pass_ms(3000);
	heard = exim_hear(c);
	if (heard == NULL || strncmp(heard, answer, strlen(answer)) != 0)
		fail_msg("%s%s", line, heard == NULL ? "nothing" : heard);
	exim_hang_up(c);
}

/* Asked twice: the lookup is behind the first. */
static const char *
ask_known(const char *line)
{
	struct exim_caller *c = exim_call(s, line);

	pass_ms(100);
	exim_hang_up(c);
	return exim_ask(s, line);
}

static void
assert_known(const char *line, const char *answer)
{
	const char *heard = ask_known(line);

	if (strncmp(heard, answer, strlen(answer)) != 0)
		fail_msg("%s%s", line, heard);
}

/* POLICY and ROUTE. */

static void
an_enforced_policy_is_told_with_its_patterns(void **state)
{
	(void)state;
	assert_known("POLICY good.test\n",
	    "mode=enforce mx=^mx\\.good\\.test$ why=\"");
	assert_known("POLICY GOOD.test.\r\n",
	    "mode=enforce mx=^mx\\.good\\.test$ why=\"");
	assert_known("ROUTE good.test\n",
	    "mode=enforce mx=^mx\\.good\\.test$ hosts=mx.good.test why=\"");
}

static void
a_cold_one_is_told_as_soon_as_it_is_known(void **state)
{
	struct exim_caller *c = exim_call(s, "POLICY good.test\n");

	(void)state;
	assert_null(exim_hear(c));
	pass_ms(100);
	assert_memory_equal(exim_hear(c), "mode=enforce ", 13);
	assert_true(exim_hears_end(c));
	exim_hang_up(c);
}

static void
modes_that_do_not_bind_are_told(void **state)
{
	struct world *w = s->world;

	(void)state;
	world_publish(w, "trial.test",
	    "version: STSv1\nmode: testing\nmx: mx.x.test\nmax_age: 9\n", true);
	world_publish(w, "off.test", "version: STSv1\nmode: none\nmax_age: 9\n",
	    true);
	fake_net_dns(w->net, "plain.test", DNS_MX, DNS_FOUND, "1 a.test", NULL);
	assert_known("POLICY trial.test\n", "mode=testing why=\"");
	assert_known("POLICY off.test\n", "mode=none why=\"");
	assert_known("POLICY plain.test\n", "mode=none why=\"");
	assert_known("ROUTE plain.test\n", "mode=none why=\"");
	assert_known("POLICY nowhere.test\n", "mode=none why=\"");
}

static void
a_domain_that_takes_no_mail_is_told_only_under_a_policy(void **state)
{
	(void)state;
	fake_net_dns(s->world->net, "good.test", DNS_MX, DNS_FOUND, "0 ", NULL);
	assert_known("POLICY good.test\n", "mode=fail why=\"556 5.1.10 ");
}

static void
no_listed_mx_is_enforced_and_routes_nowhere(void **state)
{
	struct world *w = s->world;

	(void)state;
	fake_net_dns(w->net, "good.test", DNS_MX, DNS_FOUND, "1 x.test", NULL);
	assert_known("ROUTE good.test\n",
	    "mode=enforce mx=^mx\\.good\\.test$ why=\"451 4.7.5 ");
}

static void
recipients_without_a_policy_have_none_at_once(void **state)
{
	char name[] = "local.test";
	char *locals[] = { name };

	(void)state;
	s->world->config.local_domains =
	    (struct name_list){ .n = 1, .names = locals };
	assert_string_equal(exim_ask(s, "POLICY local.test\n"),
	    "mode=none why=\"local domain\"");
	assert_string_equal(exim_ask(s, "POLICY [192.0.2.1]\n"),
	    "mode=none why=\"address literal: no policy applies\"");
	assert_string_equal(exim_ask(s, "POLICY a..test\n"),
	    "mode=none why=\"not a domain that DNS could be asked for\"");
}

static void
in_testing_what_would_be_enforced_is_told_as_testing(void **state)
{
	(void)state;
	s->world->config.testing = true;
	s->world->config.record_patience_s = 3600;
	assert_known("POLICY good.test\n", "mode=testing why=\"");
	fake_net_dns(s->world->net, "_mta-sts.lost.test", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	fake_net_dns(s->world->net, "lost.test", DNS_MX, DNS_FOUND, "1 a.test",
	    NULL);
	assert_found("POLICY lost.test\n", "mode=testing why=\"451 4.4.3 ");
}

static void
an_unknown_record_is_a_temporary_failure(void **state)
{
	(void)state;
	s->world->config.record_patience_s = 3600;
	fake_net_dns(s->world->net, "_mta-sts.lost.test", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	fake_net_dns(s->world->net, "lost.test", DNS_MX, DNS_FOUND, "1 a.test",
	    NULL);
	assert_found("POLICY lost.test\n", "mode=tempfail why=\"451 4.4.3 ");
}

static void
many_patterns_give_way_to_the_hosts_themselves(void **state)
{
	static char policy[65536];
	size_t n = (size_t)sprintf(policy, "version: STSv1\nmode: enforce\n");

	(void)state;
	for (int i = 0; i < 1500; i++)
		n += (size_t)sprintf(policy + n, "mx: m%d.many.test\n", i);
	sprintf(policy + n, "mx: mx.many.test\nmax_age: 99\n");
	world_publish(s->world, "many.test", policy, true);
	assert_known("POLICY many.test\n",
	    "mode=enforce mx=^mx\\.many\\.test$ why=\"");
}

/* Time. */

static void
within_4_s_there_is_an_answer_and_the_lookup_goes_on(void **state)
{
	struct exim_caller *c;

	(void)state;
	fake_net_delay(s->world->net, 10, 9000, 10);
	c = exim_call(s, "POLICY good.test\n");
	pass_ms(3999);
	assert_null(exim_hear(c));
	pass_ms(1);
	assert_string_equal(exim_hear(c),
	    "mode=tempfail why=\"MTA-STS policy of good.test: still being "
	    "looked up\"");
	assert_true(exim_hears_end(c));
	exim_hang_up(c);
	pass_ms(6000);
	assert_memory_equal(exim_ask(s, "POLICY good.test\n"), "mode=enforce",
	    12);
	assert_int_equal(fake_net_fetches(s->world->net), 1);
}

/* A policy host that takes a minute to fail, each time it is asked. */
static void
publish_slow_failure(void)
{
	fake_net_policy(s->world->net, "good.test", NULL,
	    RESULT_STS_POLICY_FETCH_ERROR, "timed out");
	fake_net_delay(s->world->net, 10, 60000, 10);
}

static void
mail_is_not_put_off_for_ever_by_a_slow_policy_host(void **state)
{
	struct exim_caller *c;

	(void)state;
	publish_slow_failure();
	c = exim_call(s, "POLICY good.test\n");
	pass_ms(4000);
	assert_memory_equal(exim_hear(c), "mode=tempfail", 13);
	exim_hang_up(c);
	pass_ms(966000); /* Exim's next try: all is forgotten but this */
	c = exim_call(s, "POLICY good.test\n");
	assert_null(exim_hear(c));
	pass_ms(4000);
	assert_string_equal(exim_hear(c),
	    "mode=none why=\"slow to be looked up, none before\"");
	exim_hang_up(c);
	pass_ms(100000);
}

static void
a_policy_that_came_since_is_not_passed_over_for_slowness(void **state)
{
	struct exim_caller *c;

	(void)state;
	publish_slow_failure();
	exim_hang_up(exim_call(s, "POLICY good.test\n"));
	c = exim_call(s, "POLICY good.test\n");
	pass_ms(70000);
	exim_hang_up(c);
	pass_ms(900000);
	world_enforce(s->world, "good.test", true);
	fake_net_delay(s->world->net, 10, 5000, 10);
	c = exim_call(s, "POLICY good.test\n");
	pass_ms(6000);
	exim_hang_up(c);
	pass_ms(400000);
	fake_net_delay(s->world->net, 10000, 5000, 10);
	c = exim_call(s, "POLICY good.test\n");
	pass_ms(4000);
	assert_memory_equal(exim_hear(c), "mode=tempfail", 13);
	exim_hang_up(c);
	pass_ms(30000);
}

static void
slow_domains_are_forgotten_the_oldest_first_and_in_time(void **state)
{
	struct exim_slow *slow = exim_slow_new(2, 1000);

	(void)state;
	assert_non_null(slow);
	exim_slow_note(slow, "a.test", 0);
	exim_slow_note(slow, "b.test", 1);
	exim_slow_note(slow, "a.test", 2);
	exim_slow_note(slow, "c.test", 3);
	assert_false(exim_slow_knows(slow, "b.test", 4));
	assert_true(exim_slow_knows(slow, "a.test", 1001));
	assert_false(exim_slow_knows(slow, "a.test", 1002));
	assert_true(exim_slow_knows(slow, "c.test", 4));
	exim_slow_forget(slow, "c.test");
	exim_slow_forget(slow, "c.test");
	assert_false(exim_slow_knows(slow, "c.test", 4));
	exim_slow_free(slow);
}

static void
a_caller_has_10_s_for_its_line(void **state)
{
	struct exim_caller *c = exim_call(s, "POLICY go");

	(void)state;
	pass_ms(9999);
	assert_false(exim_hears_end(c));
	pass_ms(1);
	assert_true(exim_hears_end(c));
	assert_null(exim_hear(c));
	exim_hang_up(c);
}

/* Lines. */

static void
a_domain_is_said_again_when_it_is_one(void **state)
{
	(void)state;
	assert_string_equal(exim_ask(s,
				"DOMAIN B\xc3\xbc"
				"cher.test\n"),
	    "xn--bcher-kva.test");
	assert_string_equal(exim_ask(s, "DOMAIN a.test\n"), "a.test");
	assert_string_equal(exim_ask(s, "DOMAIN [192.0.2.1]\n"), "");
	assert_string_equal(exim_ask(s, "DOMAIN a..b\n"), "");
}

static void
a_bad_line_is_a_temporary_failure(void **state)
{
	static const char *const lines[] = { "\n", "x\n", "POLICY\n",
		"policy a.test\n", "POLICY a b\n", "CERT m d h 1 0 0\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_memory_equal(exim_ask(s, lines[i]),
		    "mode=tempfail why=", 18);
	s->world->config.testing = true;
	assert_memory_equal(exim_ask(s, "x\n"), "mode=testing why=", 17);
}

static void
a_line_that_is_too_long_is_answered_before_its_end(void **state)
{
	char *text = calloc(1, 2 * EXIM_REQUEST_MAX);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', 2 * EXIM_REQUEST_MAX - 1);
	assert_memory_equal(exim_ask(s, text), "mode=tempfail why=", 18);
	free(text);
}

static void
a_line_may_come_in_pieces_and_only_the_first_counts(void **state)
{
	struct exim_caller *c = exim_call(s, "DOM");

	(void)state;
	exim_say(c, "AIN a.te");
	assert_null(exim_hear(c));
	exim_say(c, "st\nDOMAIN b.test\n");
	assert_string_equal(exim_hear(c), "a.test");
	exim_hang_up(c);
}

static void
an_engine_without_a_place_is_a_temporary_failure(void **state)
{
	(void)state;
	s->world->config.record_patience_s = 3600;
	fake_net_refuse(s->world->net, true, true, true);
	assert_found("POLICY good.test\n", "mode=tempfail why=\"451 ");
}

static void
a_caller_may_leave_at_any_time(void **state)
{
	struct exim_caller *c = exim_call(s, "POLICY good.test\n");

	(void)state;
	exim_hang_up(c);
	pass_ms(100);
	assert_memory_equal(exim_ask(s, "POLICY good.test\n"), "mode=enforce",
	    12);
	exim_hang_up(exim_call(s, "POLICY go"));
	exim_hang_up(exim_call(s, ""));
}

static void
the_server_may_end_while_somebody_waits(void **state)
{
	struct exim_caller *c = exim_call(s, "POLICY good.test\n");

	(void)state;
	exim_server_free(s->server);
	s->server = NULL;
	assert_true(exim_hears_end(c));
	assert_null(exim_hear(c));
	exim_hang_up(c);
}

static void
another_engine_takes_over_while_somebody_waits(void **state)
{
	struct exim_caller *c = exim_call(s, "POLICY good.test\n");
	struct engine *old = s->world->engine;
	struct config changed = s->world->config;

	(void)state;
	changed.testing = true;
	s->world->engine =
	    engine_new(&changed, &s->world->ports, s->world->cache);
	exim_server_use(s->server, s->world->engine, &changed, s->verify);
	pass_ms(100);
	assert_memory_equal(exim_hear(c), "mode=testing", 12);
	exim_hang_up(c);
	assert_true(engine_is_idle(old));
	engine_free(old);
	exim_server_use(s->server, s->world->engine, &s->world->config,
	    s->verify);
	engine_free(s->world->engine);
	s->world->engine =
	    engine_new(&s->world->config, &s->world->ports, s->world->cache);
}

#define T(name)                                                                \
	cmocka_unit_test_setup_teardown(name, setup, exim_served_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_enforced_policy_is_told_with_its_patterns),
		T(a_cold_one_is_told_as_soon_as_it_is_known),
		T(modes_that_do_not_bind_are_told),
		T(a_domain_that_takes_no_mail_is_told_only_under_a_policy),
		T(no_listed_mx_is_enforced_and_routes_nowhere),
		T(recipients_without_a_policy_have_none_at_once),
		T(in_testing_what_would_be_enforced_is_told_as_testing),
		T(an_unknown_record_is_a_temporary_failure),
		T(many_patterns_give_way_to_the_hosts_themselves),
		T(within_4_s_there_is_an_answer_and_the_lookup_goes_on),
		T(mail_is_not_put_off_for_ever_by_a_slow_policy_host),
		T(a_policy_that_came_since_is_not_passed_over_for_slowness),
		T(slow_domains_are_forgotten_the_oldest_first_and_in_time),
		T(a_caller_has_10_s_for_its_line),
		T(a_domain_is_said_again_when_it_is_one),
		T(a_bad_line_is_a_temporary_failure),
		T(a_line_that_is_too_long_is_answered_before_its_end),
		T(a_line_may_come_in_pieces_and_only_the_first_counts),
		T(an_engine_without_a_place_is_a_temporary_failure),
		T(a_caller_may_leave_at_any_time),
		T(the_server_may_end_while_somebody_waits),
		T(another_engine_takes_over_while_somebody_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
