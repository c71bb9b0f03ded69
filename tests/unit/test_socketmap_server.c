/* SPDX-License-Identifier: ISC */
/*
 * Postfix's questions served: each form of a key, what a client can cost, its
 * sockets, and its end.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "filter/socketmap_server.h"
#include "filter/unix_connect.h"
#include "proto/socketmap.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/mapper.h"
#include "tests/unit/scratch.h"

#define SECURE "OK secure match=mx.good.test servername=hostname"
#define NOTFOUND "NOTFOUND "

static struct mapped *m;
static struct mapper *p;

static int
setup(void **state)
{
	if (scratch_make(state) == -1)
		return -1;
	m = mapped_new();
	p = mapper_new(m);
	world_enforce(m->world, "good.test", true);
	return 0;
}

static int
teardown(void **state)
{
	mapper_free(p);
	mapped_free(m);
	return scratch_remove(state);
}

static void
assert_answered(const char *question, const char *answer)
{
	mapper_ask(p, question);
	assert_string_equal(mapper_hear(p), answer);
}

static void
assert_answered_later(const char *question, const char *answer)
{
	mapper_ask(p, question);
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 31);
	assert_string_equal(mapper_hear(p), answer);
}

/* Answers. */

static void
a_domain_is_looked_up_and_then_known(void **state)
{
	(void)state;
	assert_answered_later("policy good.test", SECURE);
	assert_answered("policy good.test", SECURE);
	assert_answered("policy GOOD.test.", SECURE);
	assert_answered("policy good.test:587", SECURE);
}

static void
the_map_says_which_form_is_wanted(void **state)
{
	(void)state;
	assert_answered_later("policy good.test", SECURE);
	mapper_ask(p, "policy-tlsrpt good.test");
	assert_non_null(strstr(mapper_hear(p), " policy_type=sts "));
	mapper_ask(p, "QUERY good.test");
	assert_string_equal(mapper_hear(p),
	    "PERM strictmx: no such map: policy and policy-tlsrpt are there");
	assert_answered("policy", "PERM strictmx: no \"MAP KEY\"");
}

static void
what_cannot_have_a_policy_is_not_found_at_once(void **state)
{
	static const char *const keys[] = { "policy .good.test", "policy .test",
		"policy [192.0.2.1]", "policy [IPv6:2001:db8::1]:25",
		"policy 192.0.2.1", "policy 2001:db8::1", "policy /var/x",
		"policy ", "policy  ", "policy-tlsrpt .test", "policy a..test",
		"policy local.test" };
	char name[] = "local.test";
	char *locals[] = { name };

	(void)state;
	m->world->config.local_domains.names = locals;
	m->world->config.local_domains.n = 1;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_answered(keys[i], NOTFOUND);
	assert_int_equal(fake_net_pending(m->world->net), 0);
}

static void
a_lookup_that_fails_is_temporary(void **state)
{
	(void)state;
	fake_net_dns(m->world->net, "_mta-sts.a.test", DNS_TXT, DNS_TEMPFAIL,
	    NULL);
	assert_answered_later("policy a.test",
	    "TEMP MTA-STS record of a.test could not be looked up: SERVFAIL");
}

static void
an_engine_without_a_place_is_temporary_unless_all_is_a_test(void **state)
{
	char domain[32];

	(void)state;
	for (unsigned i = 0; i < LIMIT_LOOKUPS; i++) {
		snprintf(domain, sizeof(domain), "d%u.test", i);
		mapped_occupy(m, domain);
	}
	assert_answered("policy x.test",
	    "TEMP strictmx: out of resources, try again later");
	m->world->config.testing = true;
	assert_answered("policy x.test", NOTFOUND);
}

/* Postfix waits 100 s. The lookup goes on, for the next time. */
static void
an_answer_that_takes_too_long_is_temporary(void **state)
{
	(void)state;
	m->world->config.deadline_s = 240;
	fake_net_delay(m->world->net, 0, 100000, 0);
	mapper_ask(p, "policy good.test");
	mapped_seconds_pass(m, 89);
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 1);
	assert_string_equal(mapper_hear(p),
	    "TEMP strictmx: still looking it up, try again later");
	mapped_seconds_pass(m, 20);
	assert_answered("policy good.test", SECURE);
}

static void
a_new_engine_is_asked_from_now_on(void **state)
{
	struct world *other = world_new();

	(void)state;
	other->config.testing = true;
	assert_answered_later("policy good.test", SECURE);
	socketmap_server_use(m->server, other->engine, &other->config);
	mapper_ask(p, "policy good.test");
	mapped_turn(m);
	clock_advance(other->clock, 1000);
	assert_string_equal(mapper_hear(p), NOTFOUND);
	socketmap_server_use(m->server, m->world->engine, &m->world->config);
	world_free(other);
}

/* What a client can cost. */

static void
a_question_may_come_in_pieces(void **state)
{
	const char *s = "12:policy [::1],";

	(void)state;
	for (; *s != '\0'; s++) {
		assert_true(mapper_hears_nothing(p));
		mapper_say(p, s, 1);
	}
	assert_string_equal(mapper_hear(p), NOTFOUND);
}

static void
questions_in_a_row_are_answered_in_their_order(void **state)
{
	const char *s = "13:policy .first,16:policy good.test,9:policy .z,"
			"16:policy good.test,";

	(void)state;
	mapper_say(p, s, strlen(s));
	assert_string_equal(mapper_hear(p), NOTFOUND);
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 1);
	assert_string_equal(mapper_hear(p), SECURE);
	assert_string_equal(mapper_hear(p), NOTFOUND);
	assert_string_equal(mapper_hear(p), SECURE);
	assert_true(mapper_hears_nothing(p));
}

static void
the_longest_question_is_answered_and_a_longer_one_ends_it(void **state)
{
	char question[SOCKETMAP_QUESTION_MAX + 1];

	(void)state;
	memset(question, 'x', sizeof(question));
	memcpy(question, "policy ", 7);
	question[SOCKETMAP_QUESTION_MAX] = '\0';
	assert_answered(question, NOTFOUND);
	mapper_say(p, "10001:", 6); /* it need not come */
	assert_true(mapper_hears_end(p));
}

/* Nobody can tell where the next one begins. */
static void
what_is_no_netstring_ends_the_client_after_its_answers(void **state)
{
	const char *s = "9:policy .z,GET / HTTP/1.0\r\n\r\n";
	const char *text;

	(void)state;
	log_init("test", false, LOG_LEVEL_INFO);
	log_capture_start();
	mapper_say(p, s, strlen(s));
	text = log_capture_end();
	log_init("test", false, LOG_LEVEL_ERROR);
	assert_int_equal(log_capture_count(text, "no netstring"), 1);
	assert_string_equal(mapper_hear(p), NOTFOUND);
	assert_true(mapper_hears_end(p));
}

static void
a_client_that_does_not_read_is_not_read_from_and_then_closed(void **state)
{
	const char *s = "17:MAPS and no other,";
	char block[4200 + 1] = "";

	(void)state;
	for (size_t i = 0; i < 4200; i += strlen(s))
		memcpy(block + i, s, strlen(s));
	assert_true(mapper_stuff(p, block, 5000000) < 4000000);
	mapped_seconds_pass(m, 59);
	assert_false(mapper_is_closed(p));
	mapped_seconds_pass(m, 10);
	assert_true(mapper_is_closed(p));
}

static void
a_client_that_asks_nothing_is_closed_after_a_minute(void **state)
{
	(void)state;
	mapped_seconds_pass(m, 40);
	assert_answered("policy .z", NOTFOUND);
	mapped_seconds_pass(m, 40);
	mapper_say(p, "9:po", 4); /* not a question yet */
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 25);
	assert_true(mapper_hears_end(p));
}

static void
a_client_that_waits_for_its_answer_is_not_idle(void **state)
{
	(void)state;
	m->world->config.deadline_s = 240;
	fake_net_delay(m->world->net, 0, 80000, 0);
	mapper_ask(p, "policy good.test");
	mapped_seconds_pass(m, 79);
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 2);
	assert_string_equal(mapper_hear(p), SECURE);
}

static void
a_client_that_leaves_is_forgotten_and_its_lookup_is_not(void **state)
{
	(void)state;
	mapper_ask(p, "policy good.test");
	mapper_free(p);
	p = mapper_new(m);
	mapped_seconds_pass(m, 1);
	assert_answered("policy good.test", SECURE);
}

static void
a_client_that_says_no_more_gets_its_answers(void **state)
{
	const char *s = "16:policy good.test,9:policy .z,9:po";

	(void)state;
	mapper_say(p, s, strlen(s));
	mapper_says_no_more(p);
	assert_true(mapper_hears_nothing(p));
	mapped_seconds_pass(m, 1);
	assert_string_equal(mapper_hear(p), SECURE);
	assert_string_equal(mapper_hear(p), NOTFOUND);
	assert_true(mapper_hears_end(p));
}

/* Sockets. */

static struct config_listen
at_path(const char *path)
{
	static char kept[512];

	snprintf(kept, sizeof(kept), "%s", path);
	return (struct config_listen){ .path = kept };
}

static bool
listens(const struct config_listen *where)
{
	return socketmap_server_listen(m->server, where, (uid_t)-1, (gid_t)-1);
}

static void
a_unix_socket_is_served_and_unlinked(void **state)
{
	struct config_listen where = at_path(scratch_path("s"));
	struct mapper *other;
	struct stat st;

	(void)state;
	assert_true(listens(&where));
	assert_int_equal(stat(where.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	other = mapper_of(m, unix_connect(where.path));
	mapper_ask(other, "policy .z");
	assert_string_equal(mapper_hear(other), NOTFOUND);
	mapper_free(other);
	socketmap_server_free(m->server);
	m->server = NULL;
	assert_int_equal(stat(where.path, &st), -1);
}

/* A port that is free; the system's choice. */
static uint16_t
free_port(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	close(fd);
	return ntohs(sin.sin_port);
}

static int
tcp_connect(const struct config_listen *where)
{
	struct sockaddr_storage ss;
	socklen_t len = address_to_sockaddr(&where->address, where->port, &ss);
	int fd = socket(where->address.family, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(evutil_make_socket_nonblocking(fd), 0);
	return fd;
}

static void
tcp_on_loopback_is_served(void **state)
{
	struct config_listen where = { .port = free_port() };
	struct mapper *other;

	(void)state;
	assert_true(address_parse("127.0.0.1", &where.address));
	assert_true(listens(&where));
	other = mapper_of(m, tcp_connect(&where));
	mapper_ask(other, "policy .z");
	assert_string_equal(mapper_hear(other), NOTFOUND);
	mapper_free(other);
}

static void
a_place_that_is_taken_is_an_error_that_names_it(void **state)
{
	struct config_listen where = { .port = free_port() };
	char named[64];
	const char *text;
	bool second;

	(void)state;
	assert_true(address_parse("127.0.0.1", &where.address));
	assert_true(listens(&where));
	log_capture_start();
	second = listens(&where);
	text = log_capture_end();
	snprintf(named, sizeof(named),
	    "socketmap 127.0.0.1:%u: Address already in use", where.port);
	assert_false(second);
	assert_int_equal(log_capture_count(text, named), 1);
}

static void
one_client_too_many_waits_until_another_leaves(void **state)
{
	struct config_listen where = at_path(scratch_path("s"));
	struct mapper *clients[LIMIT_SOCKETMAP_CLIENTS + 1];
	const size_t last = LIMIT_SOCKETMAP_CLIENTS;

	(void)state;
	assert_true(listens(&where));
	for (size_t i = 0; i <= last; i++) {
		clients[i] = mapper_of(m, unix_connect(where.path));
		mapped_turn(m);
	}
	mapper_ask(clients[last], "policy .z");
	assert_true(mapper_hears_nothing(clients[last]));
	mapper_ask(clients[last - 1], "policy .z");
	assert_string_equal(mapper_hear(clients[last - 1]), NOTFOUND);
	mapper_free(clients[0]);
	mapped_turn(m);
	assert_string_equal(mapper_hear(clients[last]), NOTFOUND);
	for (size_t i = 1; i <= last; i++)
		mapper_free(clients[i]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_domain_is_looked_up_and_then_known),
		T(the_map_says_which_form_is_wanted),
		T(what_cannot_have_a_policy_is_not_found_at_once),
		T(a_lookup_that_fails_is_temporary),
		T(an_engine_without_a_place_is_temporary_unless_all_is_a_test),
		T(an_answer_that_takes_too_long_is_temporary),
		T(a_new_engine_is_asked_from_now_on),
		T(a_question_may_come_in_pieces),
		T(questions_in_a_row_are_answered_in_their_order),
		T(the_longest_question_is_answered_and_a_longer_one_ends_it),
		T(what_is_no_netstring_ends_the_client_after_its_answers),
		T(a_client_that_does_not_read_is_not_read_from_and_then_closed),
		T(a_client_that_asks_nothing_is_closed_after_a_minute),
		T(a_client_that_waits_for_its_answer_is_not_idle),
		T(a_client_that_leaves_is_forgotten_and_its_lookup_is_not),
		T(a_client_that_says_no_more_gets_its_answers),
		T(a_unix_socket_is_served_and_unlinked),
		T(tcp_on_loopback_is_served),
		T(a_place_that_is_taken_is_an_error_that_names_it),
		T(one_client_too_many_waits_until_another_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
