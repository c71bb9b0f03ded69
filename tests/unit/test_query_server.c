/* SPDX-License-Identifier: ISC */
/*
 * The query server towards one client: what it answers, to good lines and to
 * bad ones, and what a client can cost. Its socket is in test_query_socket.c.
 */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/policy_cache.h"
#include "filter/query_server.h"
#include "proto/query_line.h"
#include "tests/unit/asker.h"

#define LITERAL "address literal: no policy applies"
#define BAD_ANSWER                                                             \
	"defer 451 4.7.5 MTA-STS policy of bad.test: mx.bad.test has expired"
#define GOOD_ANSWER "proceed mx.good.test has shown what the policy asks for"

static struct served *s;
static struct asker *a;

static int
setup(void **state)
{
	served_setup(state);
	s = *state;
	a = asker_new(s);
	world_enforce(s->world, "good.test", true);
	world_enforce(s->world, "bad.test", false);
	return 0;
}

static int
teardown(void **state)
{
	if (a != NULL)
		asker_free(a);
	a = NULL;
	return served_teardown(state);
}

static void
assert_hears(const char *line)
{
	assert_string_equal(asker_hear(a), line);
}

static void
assert_answered(const char *request, const char *answer)
{
	asker_say(a, request);
	assert_hears(answer);
}

static void
seconds_pass(int n)
{
	clock_advance(s->world->clock, n * 1000);
	served_turn(s);
}

/* Answers. */

static void
rcpt_is_told_to_proceed_or_to_defer(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt user@good.test\n");
	assert_true(asker_hears_nothing(a));
	seconds_pass(1);
	assert_hears("1 " GOOD_ANSWER);
	asker_say(a, "2 rcpt <user@bad.test>\n");
	seconds_pass(1);
	assert_hears("2 " BAD_ANSWER);
	assert_true(asker_hears_nothing(a));
}

static void
a_kept_verdict_is_given_at_once(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt user@bad.test\n");
	seconds_pass(1);
	assert_hears("1 " BAD_ANSWER);
	assert_answered("2 rcpt other@BAD.test.\n", "2 " BAD_ANSWER);
}

/* RFC 8461 5.1 */
static void
a_kept_verdict_is_given_before_the_look_at_its_record(void **state)
{
	const struct fake_net *net = s->world->net;

	(void)state;
	asker_say(a, "1 rcpt user@good.test\n");
	seconds_pass(LIMIT_RECORD_AGE_S + 2);
	assert_hears("1 " GOOD_ANSWER);
	assert_answered("2 rcpt user@good.test\n", "2 " GOOD_ANSWER);
	assert_int_equal(fake_net_dns_asked(net, "_mta-sts.good.test", DNS_TXT),
	    1);
	seconds_pass(1);
	assert_int_equal(fake_net_dns_asked(net, "_mta-sts.good.test", DNS_TXT),
	    2);
}

static void
would_defer_proceeds_and_says_what_it_would_do(void **state)
{
	(void)state;
	s->world->config.testing = true;
	asker_say(a, "1 rcpt user@bad.test\n");
	seconds_pass(1);
	assert_hears("1 proceed 451 4.7.5 MTA-STS policy of bad.test: "
		     "mx.bad.test has expired");
}

static void
with_a_smart_host_its_policy_counts_for_all_but_local_mail(void **state)
{
	struct config *config = &s->world->config;

	(void)state;
	snprintf(config->smarthost, sizeof(config->smarthost), "bad.test");
	config->smarthost_port = 587;
	world_enforce(s->world, "bad.test", false);
	fake_net_dns(s->world->net, "bad.test", DNS_A, DNS_FOUND, "192.0.2.7",
	    NULL);
	asker_say(a, "1 rcpt user@good.test\n");
	seconds_pass(1);
	assert_hears("1 defer 451 4.7.5 MTA-STS policy of bad.test does not "
		     "list its MX bad.test");
	assert_answered("2 rcpt user@[192.0.2.1]\n",
	    "2 defer 451 4.7.5 MTA-STS policy of bad.test does not list its "
	    "MX bad.test");
	assert_answered("3 rcpt root\n",
	    "3 defer 451 4.7.5 MTA-STS policy of bad.test does not list its "
	    "MX bad.test");
}

/* More lookups than may run; the clock stands still, so none goes on. */
static void
ask_for_too_many(void)
{
	char request[64];

	for (unsigned i = 0; i < LIMIT_LOOKUPS; i++) {
		snprintf(request, sizeof(request), "%u rcpt u@d%u.test\n", i,
		    i);
		asker_say(a, request);
	}
}

static void
an_engine_without_a_place_defers_unless_all_is_a_test(void **state)
{
	(void)state;
	ask_for_too_many();
	assert_answered("x rcpt u@x.test\n",
	    "x defer 451 4.3.0 strictmx: out of resources, try again later");
	s->world->config.testing = true;
	assert_answered("y rcpt u@y.test\n",
	    "y proceed 451 4.3.0 strictmx: out of resources, try again later");
	assert_answered("z explain u@z.test\n",
	    "z error strictmx: out of resources, try again later");
}

static void
recipients_without_a_policy_domain_proceed_at_once(void **state)
{
	char name[] = "local.test";
	char *locals[] = { name };

	(void)state;
	s->world->config.local_domains.names = locals;
	s->world->config.local_domains.n = 1;
	assert_answered("1 rcpt u@[192.0.2.1]\n", "1 proceed " LITERAL);
	assert_answered("2 rcpt u@[IPv6:2001:db8::1]\n", "2 proceed " LITERAL);
	assert_answered("3 rcpt postmaster\n",
	    "3 proceed recipient without a domain");
	assert_answered("4 rcpt u@\n", "4 proceed recipient without a domain");
	assert_answered("5 rcpt u@a..test\n",
	    "5 proceed not a domain that DNS could be asked for");
	assert_answered("6 rcpt u@LOCAL.test\n", "6 proceed local domain");
	assert_answered("7 rcpt <>\n", "7 proceed recipient without a domain");
	assert_int_equal(fake_net_pending(s->world->net), 0);
}

static json_t *
facts_of(const char *line, const char *id)
{
	const char *json = strchr(line, '{');
	json_t *facts;

	assert_memory_equal(line, id, strlen(id));
	assert_non_null(json);
	facts = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	assert_true(json_is_object(facts));
	return facts;
}

static void
assert_member(const json_t *facts, const char *name, const char *value)
{
	const char *s1 = json_string_value(json_object_get(facts, name));

	assert_non_null(s1);
	assert_string_equal(s1, value);
}

static void
explain_gives_the_facts_as_json(void **state)
{
	json_t *facts;

	(void)state;
	asker_say(a, "x1 explain user@bad.test\n");
	seconds_pass(1);
	facts = facts_of(asker_hear(a), "x1 facts {");
	assert_member(facts, "domain", "bad.test");
	assert_member(facts, "action", "defer");
	assert_member(facts, "source", "sts");
	assert_member(facts, "mx", "mx.bad.test");
	assert_member(facts, "result", "certificate-expired");
	assert_int_equal(json_array_size(
			     json_object_get(json_object_get(facts, "mx_set"),
				 "hosts")),
	    1);
	json_decref(facts);
}

static void
explain_has_an_answer_without_facts_too(void **state)
{
	json_t *facts;

	(void)state;
	asker_say(a, "x2 explain user@[192.0.2.1]\n");
	facts = facts_of(asker_hear(a), "x2 facts {");
	assert_member(facts, "action", "proceed");
	assert_member(facts, "reason", LITERAL);
	assert_true(json_is_null(json_object_get(facts, "domain")));
	json_decref(facts);
}

/* The loop does not come round to it again: that would be three calls more. */
static void
an_answer_is_written_in_the_turn_that_reads_its_question(void **state)
{
	(void)state;
	asker_write(a, "1 ping\n2 rcpt u@[192.0.2.1]\n");
	event_base_loop(s->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_true(asker_has_heard(a));
	assert_hears("1 pong");
	assert_true(asker_has_heard(a));
	assert_hears("2 proceed " LITERAL);
}

/* Lines. */

static void
ping_is_answered_with_pong(void **state)
{
	(void)state;
	assert_answered("p ping\n", "p pong");
	assert_answered("p ping\r\n", "p pong");
	asker_say(a, "p ping");
	assert_true(asker_hears_nothing(a));
}

static void
a_line_may_come_in_pieces(void **state)
{
	const char *line = "12345678901234567890 ping\n";

	(void)state;
	for (; line[1] != '\0'; line++) {
		asker_say_bytes(a, line, 1);
		assert_true(asker_hears_nothing(a));
	}
	assert_answered(line, "12345678901234567890 pong");
}

static void
a_bad_line_is_an_error_and_the_next_is_served(void **state)
{
	static const struct {
		const char *line, *answer;
	} rows[] = {
		{ "\n", "- error no id of 1 to 20 letters or digits" },
		{ " \n", "- error no id of 1 to 20 letters or digits" },
		{ "\r\n", "- error no id of 1 to 20 letters or digits" },
		{ " rcpt u@d\n", "- error no id of 1 to 20 letters or digits" },
		{ "- ping\n", "- error no id of 1 to 20 letters or digits" },
		{ "123456789012345678901 ping\n",
		    "- error no id of 1 to 20 letters or digits" },
		{ "\x1b[2J ping\n",
		    "- error no id of 1 to 20 letters or digits" },
		{ "1\n", "1 error no verb" },
		{ "1 fly\n", "1 error unknown verb" },
		{ "1 RCPT u@d.test\n", "1 error unknown verb" },
		{ "1  rcpt u@d.test\n", "1 error unknown verb" },
		{ "1 rcpt\n", "1 error no mailbox" },
		{ "1 explain\n", "1 error no mailbox" },
		{ "1 ping pong\n", "1 error ping takes no argument" },
		{ "1 rcpt u@d\r.test\n",
		    "1 error control character in the argument" },
		{ "1 rcpt u@d.test\r\r\n",
		    "1 error control character in the argument" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_answered(rows[i].line, rows[i].answer);
		assert_answered("ok ping\n", "ok pong");
	}
	assert_int_equal(fake_net_pending(s->world->net), 0);
}

static void
a_nul_is_a_bad_character_and_ends_nothing(void **state)
{
	static const char bytes[] = "1 rcpt u@d\0.test\n\0\n2 ping\n";

	(void)state;
	asker_say_bytes(a, bytes, sizeof(bytes) - 1);
	assert_hears("1 error control character in the argument");
	assert_hears("- error no id of 1 to 20 letters or digits");
	assert_hears("2 pong");
}

/* "1 rcpt u@AAA[.]" with a LF, so that the line has len octets before it. */
static void
say_line_of(size_t len)
{
	char *line = malloc(len + 1);

	assert_non_null(line);
	memset(line, 'a', len);
	memcpy(line, "1 rcpt ", 7);
	line[len] = '\n';
	asker_say_bytes(a, line, len + 1);
	free(line);
}

static void
a_line_of_1024_octets_is_read_and_one_more_is_too_long(void **state)
{
	(void)state;
	say_line_of(QUERY_REQUEST_MAX);
	assert_hears("1 proceed recipient without a domain");
	say_line_of(QUERY_REQUEST_MAX + 1);
	assert_hears("- error line too long");
	assert_answered("ok ping\n", "ok pong");
}

static void
a_megabyte_without_an_end_is_one_error_and_then_forgotten(void **state)
{
	(void)state;
	say_line_of(1048576);
	assert_hears("- error line too long");
	assert_answered("ok ping\n", "ok pong");
	say_line_of(1048576);
	assert_hears("- error line too long");
	assert_true(asker_hears_nothing(a));
}

/* Many. */

static void
answers_come_when_they_are_known_and_not_in_order(void **state)
{
	(void)state;
	asker_say(a, "slow rcpt u@good.test\n");
	clock_advance(s->world->clock, 1);
	fake_net_delay(s->world->net, 100, 100, 100);
	clock_advance(s->world->clock, 1);
	fake_net_delay(s->world->net, 1, 1, 1);
	asker_say(a, "fast rcpt u@bad.test\nfastest ping\n");
	assert_hears("fastest pong");
	seconds_pass(1);
	assert_hears("fast " BAD_ANSWER);
	assert_hears("slow " GOOD_ANSWER);
}

static void
two_requests_with_one_id_get_two_answers(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt u@good.test\n1 rcpt u@bad.test\n");
	seconds_pass(1);
	assert_hears("1 " GOOD_ANSWER);
	assert_hears("1 " BAD_ANSWER);
	assert_true(asker_hears_nothing(a));
}

#define MANY 100000

/* MANY requests for one mailbox, with the ids 0 to MANY - 1. */
static char *
many_requests(const char *mailbox, size_t *len)
{
	size_t size = MANY * (strlen(mailbox) + 16);
	char *text = malloc(size);

	assert_non_null(text);
	*len = 0;
	for (int i = 0; i < MANY; i++)
		*len += (size_t)snprintf(text + *len, size - *len,
		    "%d rcpt %s\n", i, mailbox);
	return text;
}

/* Reads on, and says the rest, until each id was answered once. */
static void
assert_each_answered_once(const char *text, size_t len)
{
	bool *answered = calloc(MANY, sizeof(*answered));

	assert_non_null(answered);
	for (int n = 0; n < MANY; n++) {
		size_t said = len == 0 ? 0 : asker_stuff(a, text, len);
		unsigned long id = strtoul(asker_hear(a), NULL, 10);

		assert_true(id < MANY);
		assert_false(answered[id]);
		answered[id] = true;
		text += said;
		len -= said;
	}
	assert_int_equal(len, 0);
	assert_true(asker_hears_nothing(a));
	free(answered);
}

static void
who_does_not_read_is_not_read_from(void **state)
{
	size_t len, said, lines = 0;
	char *text = many_requests("user@[192.0.2.1]", &len);

	(void)state;
	said = asker_stuff(a, text, len);
	assert_true(said < len);
	for (size_t i = 0; i < said; i++)
		lines += text[i] == '\n';
	/* What is answered fits the bound and what sockets hold. */
	assert_in_range(lines * strlen("1 proceed " LITERAL "\n"), 1,
	    LIMIT_QUERY_OUTPUT + 1048576);
	assert_each_answered_once(text + said, len - said);
	free(text);
}

static void
no_more_than_the_limit_is_in_flight_for_one_client(void **state)
{
	size_t len, said, lines = 0;
	char *text = many_requests("user@bad.test", &len);

	(void)state;
	said = asker_stuff(a, text, len);
	for (size_t i = 0; i < said; i++)
		lines += text[i] == '\n';
	assert_in_range(lines, LIMIT_QUERY_IN_FLIGHT,
	    LIMIT_QUERY_IN_FLIGHT + 524288 / strlen("1 rcpt user@bad.test\n"));
	seconds_pass(1);
	assert_each_answered_once(text + said, len - said);
	assert_int_equal(fake_net_sessions(s->world->net, "mx.bad.test"), 1);
	free(text);
}

/* Its answers are long: many at once would cost too much of memory. */
static void
few_explanations_of_one_client_are_in_flight(void **state)
{
	char text[64];
	size_t asked = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d explain u@d%d.test\n", i, i);
		asker_say(a, text);
	}
	clock_advance(s->world->clock, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "_mta-sts.d%d.test", i);
		asked += fake_net_dns_asked(s->world->net, text, DNS_TXT);
	}
	assert_in_range(asked, 1, LIMIT_QUERY_LONG);
	for (int i = 0; i < 100; i++) {
		seconds_pass(1);
		assert_non_null(strstr(asker_hear(a), " facts {"));
	}
	assert_true(asker_hears_nothing(a));
}

static void
a_recipient_does_not_wait_for_explanations(void **state)
{
	char text[64];

	(void)state;
	asker_say(a, "1 rcpt user@bad.test\n");
	seconds_pass(1);
	assert_hears("1 " BAD_ANSWER);
	fake_net_delay(s->world->net, -1, -1, -1);
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d explain u@d%d.test\n", i, i);
		asker_say(a, text);
	}
	assert_answered("2 rcpt user@bad.test\n", "2 " BAD_ANSWER);
	assert_answered("3 ping\n", "3 pong");
	/* All of them are answered, some at a time. */
	for (int i = 0; i < 100; i += LIMIT_QUERY_LONG)
		seconds_pass(31);
	for (int i = 0; i < 100; i++)
		assert_non_null(strstr(asker_hear(a), " facts {"));
	assert_true(asker_hears_nothing(a));
}

static void
explanations_that_wait_are_bounded(void **state)
{
	size_t len, said = 0, refused = 0, n = 10000;
	char text[64];

	(void)state;
	fake_net_delay(s->world->net, -1, -1, -1);
	for (size_t i = 0; i < n; i++) {
		len = (size_t)snprintf(text, sizeof(text),
		    "%zu explain u@d%zu.test\n", i, i);
		asker_write(a, text);
		said += len;
		if (i % 100 == 99)
			served_turn(s);
	}
	while (!asker_hears_nothing(a)) {
		assert_non_null(strstr(asker_hear(a), "out of resources"));
		refused++;
	}
	assert_in_range(n - refused, LIMIT_QUERY_LONG + 1,
	    LIMIT_QUERY_LONG + n * LIMIT_QUERY_WAITING / said + n / 10);
	assert_answered("x ping\n", "x pong");
}

/* Ends. */

static void
a_client_that_leaves_ends_its_requests_and_not_the_lookup(void **state)
{
	struct asker *other = asker_new(s);

	(void)state;
	for (int i = 0; i < 100; i++)
		asker_say(a, "1 rcpt u@good.test\n2 rcpt u@bad.test\n");
	asker_say(other, "3 rcpt u@good.test\n");
	clock_advance(s->world->clock, 0);
	asker_free(a);
	a = NULL;
	assert_int_not_equal(fake_net_pending(s->world->net), 0);
	seconds_pass(1);
	assert_string_equal(asker_hear(other), "3 " GOOD_ANSWER);
	assert_non_null(
	    engine_cached(s->world->engine, GATE_ADMISSION, "bad.test"));
	asker_free(other);
}

static void
the_end_of_a_client_is_told_once_and_at_once(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt u@good.test\n");
	assert_int_equal(asker_gone(a), 0);
	asker_says_no_more(a);
	assert_int_equal(asker_gone(a), 1);
	assert_true(asker_hears_end(a));
	seconds_pass(1);
	assert_int_equal(asker_gone(a), 1);
}

static void
an_end_within_a_line_is_an_end(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt u@good.test\n2 rc");
	asker_says_no_more(a);
	assert_int_equal(asker_gone(a), 1);
}

static void
the_server_may_end_with_requests_pending(void **state)
{
	(void)state;
	asker_say(a, "1 rcpt u@good.test\n2 explain u@bad.test\n");
	query_server_free(s->server);
	s->server = NULL;
	assert_true(asker_hears_end(a));
	assert_int_equal(asker_gone(a), 0);
}

static void
another_engine_takes_over_while_requests_are_pending(void **state)
{
	struct engine *old = s->world->engine;
	struct config changed = s->world->config;

	(void)state;
	asker_say(a, "old rcpt u@bad.test\n");
	changed.testing = true;
	s->world->engine =
	    engine_new(&changed, &s->world->ports, s->world->cache);
	query_server_use(s->server, s->world->engine, &changed);
	asker_say(a, "new rcpt u@bad.test\n");
	seconds_pass(1);
	assert_hears("old " BAD_ANSWER);
	assert_hears("new proceed 451 4.7.5 MTA-STS policy of bad.test: "
		     "mx.bad.test has expired");
	assert_true(engine_is_idle(old));
	engine_free(old);
	assert_answered("1 ping\n", "1 pong");
}

static void
a_client_may_leave_while_the_old_engine_works_for_it(void **state)
{
	struct engine *old = s->world->engine;

	(void)state;
	asker_say(a, "old rcpt u@bad.test\n");
	s->world->engine =
	    engine_new(&s->world->config, &s->world->ports, s->world->cache);
	query_server_use(s->server, s->world->engine, &s->world->config);
	asker_free(a);
	a = NULL;
	assert_false(engine_is_idle(old));
	seconds_pass(1);
	assert_true(engine_is_idle(old));
	engine_free(old);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(rcpt_is_told_to_proceed_or_to_defer),
		T(a_kept_verdict_is_given_at_once),
		T(a_kept_verdict_is_given_before_the_look_at_its_record),
		T(would_defer_proceeds_and_says_what_it_would_do),
		T(with_a_smart_host_its_policy_counts_for_all_but_local_mail),
		T(an_engine_without_a_place_defers_unless_all_is_a_test),
		T(recipients_without_a_policy_domain_proceed_at_once),
		T(explain_gives_the_facts_as_json),
		T(explain_has_an_answer_without_facts_too),
		T(an_answer_is_written_in_the_turn_that_reads_its_question),
		T(ping_is_answered_with_pong),
		T(a_line_may_come_in_pieces),
		T(a_bad_line_is_an_error_and_the_next_is_served),
		T(a_nul_is_a_bad_character_and_ends_nothing),
		T(a_line_of_1024_octets_is_read_and_one_more_is_too_long),
		T(a_megabyte_without_an_end_is_one_error_and_then_forgotten),
		T(answers_come_when_they_are_known_and_not_in_order),
		T(two_requests_with_one_id_get_two_answers),
		T(who_does_not_read_is_not_read_from),
		T(no_more_than_the_limit_is_in_flight_for_one_client),
		T(few_explanations_of_one_client_are_in_flight),
		T(a_recipient_does_not_wait_for_explanations),
		T(explanations_that_wait_are_bounded),
		T(a_client_that_leaves_ends_its_requests_and_not_the_lookup),
		T(the_end_of_a_client_is_told_once_and_at_once),
		T(an_end_within_a_line_is_an_end),
		T(the_server_may_end_with_requests_pending),
		T(another_engine_takes_over_while_requests_are_pending),
		T(a_client_may_leave_while_the_old_engine_works_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
