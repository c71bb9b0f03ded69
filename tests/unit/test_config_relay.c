/* SPDX-License-Identifier: ISC */
/* The section "relay" of the configuration. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/limits.h"
#include "tests/unit/scratch.h"

static char error[CONFIG_ERROR_SIZE];

static struct config *
load_good(const char *text)
{
	struct config *config =
	    config_load(scratch_write("strictmx.conf", text), true, error);

	if (config == NULL)
		fail_msg("%s", error);
	return config;
}

static void
assert_endpoint(const struct config *c, size_t i, const char *address,
    unsigned port)
{
	char text[ADDRESS_SIZE];

	assert_true(i < c->relay.n_endpoints);
	address_format(&c->relay.endpoints[i].address, text);
	assert_string_equal(text, address);
	assert_int_equal(c->relay.endpoints[i].port, port);
}

static void
without_the_section_there_is_no_relay(void **state)
{
	struct config *c = load_good("mode = testing\n");

	(void)state;
	assert_false(c->relay.on);
	assert_int_equal(c->relay.n_endpoints, 0);
	assert_int_equal(c->engine_away, CHOICE_DEFER);
	config_free(c);
}

static void
an_empty_section_is_the_relay_with_its_defaults(void **state)
{
	struct config *c = load_good("relay {\n}\n");

	(void)state;
	assert_true(c->relay.on && c->relay.default_endpoints);
	assert_int_equal(c->relay.n_endpoints, 65);
	assert_endpoint(c, 0, "127.8.0.1", 10050);
	assert_endpoint(c, 63, "127.8.0.64", 10050);
	assert_endpoint(c, 64, "::1", 10050);
	assert_int_equal(c->relay.sessions, LIMIT_RELAY_SESSIONS);
	assert_int_equal(c->relay.sessions_per_domain, LIMIT_RELAY_PER_DOMAIN);
	assert_int_equal(c->relay.idle_ms, 10000);
	assert_int_equal(c->relay.messages, 100);
	assert_int_equal(c->engine_away, CHOICE_PROCEED);
	config_free(c);
}

static void
all_is_set(void **state)
{
	struct config *c = load_good(
	    "engine-away = defer\n"
	    "relay {\n\tport = 2525\n\tsessions = 7\n"
	    "\tlisten = {\"127.0.0.1:10050-10052\", \"[::1]:26\", \"::1\", "
	    "\"127.9.0.254-255\", \"192.0.2.1\"}\n"
	    "\tallow = {\"192.0.2.0/25\", \"2001:db8::/33\", \"10.1.2.3\"}\n"
	    "\town-names = {\"Mail.Example.net\", \"203.0.113.9\", "
	    "\"2001:db8::9\"}\n"
	    "\tsessions-per-domain = 3\n\tidle = 0\n\tmessages = 1\n}\n");
	struct address a;

	(void)state;
	assert_int_equal(c->relay.n_endpoints, 8);
	assert_endpoint(c, 0, "127.0.0.1", 10050);
	assert_endpoint(c, 2, "127.0.0.1", 10052);
	assert_endpoint(c, 3, "::1", 26);
	assert_endpoint(c, 4, "::1", 2525);
	assert_endpoint(c, 6, "127.9.0.255", 2525);
	assert_endpoint(c, 7, "192.0.2.1", 2525);
	assert_true(name_list_has(&c->relay.own_names, "mail.example.net"));
	assert_int_equal(c->addresses.n_own, 2);
	address_parse("203.0.113.9", &a);
	assert_true(address_is_own(&a, &c->addresses));
	assert_int_equal(c->relay.sessions, 7);
	assert_int_equal(c->relay.sessions_per_domain, 3);
	assert_int_equal(c->relay.idle_ms, 0);
	assert_int_equal(c->relay.messages, 1);
	assert_int_equal(c->engine_away, CHOICE_DEFER);
	config_free(c);
}

static void
only_loopback_and_who_is_allowed_are_served(void **state)
{
	struct config *c = load_good("relay { allow = {\"192.0.2.0/25\", "
				     "\"2001:db8:8000::/33\", \"10.1.2.3\"} }");
	const struct {
		const char *peer;
		bool served;
	} peers[] = {
		{ "127.0.0.1", true },
		{ "127.255.0.9", true },
		{ "::1", true },
		{ "192.0.2.127", true },
		{ "192.0.2.128", false },
		{ "192.0.3.1", false },
		{ "10.1.2.3", true },
		{ "10.1.2.2", false },
		{ "2001:db8:8000::1", true },
		{ "2001:db8:7fff::1", false },
		{ "::ffff:192.0.2.1", true },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		assert_true(address_parse(peers[i].peer, &a));
		if (relay_settings_serve(&c->relay, &a) != peers[i].served)
			fail_msg("%s", peers[i].peer);
	}
	config_free(c);
}

static const struct {
	const char *text, *why;
} faults[] = {
	{ "listen = {\"mail.example.net\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.1:\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.1:0\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.1:70000\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.1:9-8\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.9-8\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.9-256\"}", "must be an address such as" },
	{ "listen = {\"::1-2\"}", "must be an address such as" },
	{ "listen = {\"[::1]x\"}", "must be an address such as" },
	{ "listen = {\"[::1\"}", "must be an address such as" },
	{ "listen = {\"127.0.0.1:1-2000\"}", "one address too many" },
	{ "listen = {\"192.0.2.1\"}", "only with 'allow'" },
	{ "listen = {\"0.0.0.0\"}", "only with 'allow'" },
	{ "allow = {\"192.0.2.0/33\"}", "must be an address or a network" },
	{ "allow = {\"example.net\"}", "must be an address or a network" },
	{ "own-names = {\"a b\"}", "is not a domain" },
	{ "sessions = 0", "must be a number from 1 to 1500" },
	{ "messages = many", "must be a number from 1 to 10000" },
	{ "port = 65536", "must be a number from 1 to 65535" },
	{ "idle = 301", "must be a number from 1 to 300" },
};

static void
faults_are_told_with_their_line(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		snprintf(text, sizeof(text), "\nrelay {\n%s\n}\n",
		    faults[i].text);
		assert_null(config_load(scratch_write("strictmx.conf", text),
		    true, error));
		if (strstr(error, faults[i].why) == NULL ||
		    strstr(error, "strictmx.conf:") == NULL)
			fail_msg("%s: %s", faults[i].text, error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_section_there_is_no_relay),
		cmocka_unit_test(
		    an_empty_section_is_the_relay_with_its_defaults),
		cmocka_unit_test(all_is_set),
		cmocka_unit_test(only_loopback_and_who_is_allowed_are_served),
		cmocka_unit_test(faults_are_told_with_their_line),
	};

	return cmocka_run_group_tests_name("config_relay", tests, scratch_make,
	    scratch_remove);
}
