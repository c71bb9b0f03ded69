/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_key.h"
#include "common/override.h"
#include "tests/unit/allocation.h"
#include "tests/unit/scratch.h"

static char error[CONFIG_ERROR_SIZE];

static struct config *
load(const char *text)
{
	return config_load(scratch_write("strictmx.conf", text), true, error);
}

static struct config *
load_good(const char *text)
{
	struct config *config = load(text);

	if (config == NULL)
		fail_msg("%s", error);
	assert_string_equal(error, "");
	return config;
}

/* The error is that of the scratch file and goes on with rest. */
static void
expect_error(const char *text, const char *rest)
{
	char want[CONFIG_ERROR_SIZE * 2];

	assert_null(load(text));
	snprintf(want, sizeof(want), "%s:%s", scratch_path("strictmx.conf"),
	    rest);
	assert_string_equal(error, want);
}

static void
without_a_file_the_defaults_hold(void **state)
{
	struct config *c = config_load(scratch_path("none"), false, error);

	(void)state;
	assert_non_null(c);
	assert_false(c->testing);
	assert_int_equal(c->engine_away, CHOICE_DEFER);
	assert_int_equal(c->unreachable, CHOICE_DEFER);
	assert_false(c->judge_local_submission);
	assert_int_equal(c->local_domains.n, 0);
	assert_int_equal(c->deadline_s, 30);
	assert_int_equal(c->record_patience_s, 3600);
	assert_string_equal(c->smarthost, "");
	assert_true(c->dane);
	assert_int_equal(c->dane_required.n, 0);
	assert_string_equal(c->dnssec_test_good, "iana.org");
	assert_string_equal(c->dnssec_test_bad, "dnssec-failed.org");
	assert_string_equal(c->hostname, ""); /* that of the host */
	assert_int_equal(c->resolver.n_upstreams, 1);
	assert_int_not_equal(c->resolver.upstreams[0].port, 0);
	assert_false(c->addresses.allow_internal);
	assert_false(c->addresses.allow_private_policy_host);
	assert_null(c->ca_file);
	assert_string_equal(c->socket,
	    STRICTMX_RUNSTATEDIR "/strictmx/query.sock");
	assert_null(c->socket_group);
	assert_string_equal(c->state_dir,
	    STRICTMX_LOCALSTATEDIR "/lib/strictmx");
	assert_string_equal(c->user, "strictmx");
	assert_int_equal(c->log_level, LOG_LEVEL_INFO);
	assert_int_equal(c->max_policies, LIMIT_POLICIES);
	config_free(c);
}

static void
a_file_that_was_named_must_be_there(void **state)
{
	const char *path = scratch_path("none");
	char want[CONFIG_ERROR_SIZE * 2];

	(void)state;
	assert_null(config_load(path, true, error));
	snprintf(want, sizeof(want), "%s: No such file or directory", path);
	assert_string_equal(error, want);
}

static void
every_key_is_read(void **state)
{
	char text[4096];
	struct config *c;

	(void)state;
	snprintf(text, sizeof(text),
	    "mode = testing\n"
	    "socket = /run/other.sock\n"
	    "socket-group = \"mail\"\n"
	    "state-dir = '/var/other dir'\n"
	    "resolver = {127.0.0.1:5353, \"[::1]:53\"}\n"
	    "trusted-ad = 192.0.2.1\n"
	    "ca-file = \"%s\"\n"
	    "hostname = MX.Example.COM.\n"
	    "user = _strictmx\n"
	    "engine-away = proceed\n"
	    "unreachable = proceed\n"
	    "on-failure = reject\n"
	    "local-submission = judge\n"
	    "local-domains = {example.org, example.net,}\n"
	    "local-domains-file = \"%s\"\n"
	    "smarthost = \"Relay.Example.NET.:587\"\n"
	    "dane = no\n"
	    "dane-required = {B.example, a.example., b.example}\n"
	    "dnssec-test-good = Good.example.\n"
	    "dnssec-test-bad = ''\n"
	    "deadline = 2m\n"
	    "record-patience = 2h\n"
	    "log-level = debug\n"
	    "max-policies = 7\n"
	    "allow-internal = yes\n"
	    "allow-private-policy-host = yes\n",
	    scratch_write("ca.pem", ""), scratch_write("local", "a.example\n"));
	c = load_good(text);
	assert_true(c->testing);
	assert_string_equal(c->smarthost, "relay.example.net");
	assert_int_equal(c->smarthost_port, 587);
	assert_string_equal(c->socket, "/run/other.sock");
	assert_string_equal(c->socket_group, "mail");
	assert_string_equal(c->state_dir, "/var/other dir");
	assert_int_equal(c->resolver.n_upstreams, 2);
	assert_string_equal(c->ca_file, scratch_path("ca.pem"));
	assert_string_equal(c->hostname, "mx.example.com");
	assert_string_equal(c->user, "_strictmx");
	assert_int_equal(c->engine_away, CHOICE_PROCEED);
	assert_int_equal(c->unreachable, CHOICE_PROCEED);
	assert_true(c->reject_on_failure);
	assert_true(c->judge_local_submission);
	assert_int_equal(c->local_domains.n, 3);
	assert_false(c->dane);
	assert_int_equal(c->dane_required.n, 2);
	assert_true(name_list_has(&c->dane_required, "b.example"));
	assert_true(name_list_has(&c->dane_required, "a.example"));
	assert_false(name_list_has(&c->dane_required, "c.example"));
	assert_string_equal(c->dnssec_test_good, "good.example");
	assert_string_equal(c->dnssec_test_bad, "");
	assert_int_equal(c->deadline_s, 120);
	assert_int_equal(c->record_patience_s, 7200);
	assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c->max_policies, 7);
	assert_true(c->addresses.allow_internal);
	assert_true(c->addresses.allow_private_policy_host);
	config_free(c);
}

static void
an_error_below_twenty_comments_names_its_line(void **state)
{
	(void)state;
	expect_error("# 1\n// 2\n/* 3 */\n#### 5\n/* 5\n * 6 */ # 6\n"
		     "//// 7\n/*** 8 ***/ /* again */\n# it's \"9\n// ${10}\n"
		     "mode = testing # 11\n/* 12\n\n\n\n16 */ user = x // 16\n"
		     "#17\n#18\n#19\n#20\n  /**/ #21\n/*\n * 23\n */\n#25\n"
		     "deadline = 0\n",
	    "26: deadline = \"0\": must be a number from 1 to 240");
}

static void
an_unknown_key_is_named_with_its_line(void **state)
{
	(void)state;
	expect_error("\nsockt = /x\n", "2: unknown key 'sockt'");
	expect_error("mode = enforce\n\"MODE\" = x\n", "2: unknown key 'MODE'");
	expect_error("\nsection {\n}\n", "2: unknown section 'section'");
}

static void
a_key_given_twice_is_refused(void **state)
{
	(void)state;
	expect_error("mode = enforce\n\nmode = testing\n",
	    "3: key 'mode' is given twice");
	expect_error("mode = enforce 'mode' = enforce\n",
	    "1: key 'mode' is given twice");
	expect_error("resolver = {}\nresolver = {127.0.0.1}\n",
	    "2: key 'resolver' is given twice");
}

static void
a_policy_section_sets_the_policy_of_a_domain(void **state)
{
	struct config *c =
	    load_good("policy \"Example.COM.\" { mode = enforce  "
		      "mx = {\"MX1.example.com\", '*.example.net'}  "
		      "until = 2026-12-01T00:00:00Z  reason = \"x\" }\n"
		      "mode = testing\n"
		      "policy a.example {\n\tmode = none\n"
		      "\tuntil = \"2026-12-01T01:00:00+01:00\"\n}\n");
	const struct override *o = config_policy(c, "example.com");

	(void)state;
	assert_int_equal(c->n_policies, 2);
	assert_true(c->testing);
	assert_non_null(o);
	assert_string_equal(o->domain, "example.com");
	assert_int_equal(o->policy.mode, STS_MODE_ENFORCE);
	assert_int_equal(o->policy.n_mx, 2);
	assert_string_equal(o->policy.mx[0], "mx1.example.com");
	assert_string_equal(o->policy.mx[1], "*.example.net");
	assert_int_equal(o->until_s, 1796083200);
	assert_string_equal(o->reason, "x");
	assert_int_equal(o->line, 1);
	o = config_policy(c, "a.example");
	assert_non_null(o);
	assert_int_equal(o->policy.mode, STS_MODE_NONE);
	assert_int_equal(o->until_s, 1796083200);
	assert_string_equal(o->reason, "");
	assert_int_equal(o->line, 3);
	assert_null(config_policy(c, "net"));
	config_free(c);
}

static void
a_socketmap_section_says_where_postfix_asks(void **state)
{
	struct config *c = load_good("socketmap {\n\tlisten = "
				     "{'127.0.0.1:8462', \"[::1]:25\",\n"
				     "\t\t/run/x}\n\tgroup = postfix\n"
				     "\treport-testing = yes\n}\n");
	struct config *none = load_good(""), *other;
	const struct config_socketmap *s = &c->socketmap;
	struct address address;

	(void)state;
	assert_int_equal(none->socketmap.n_listen, 0);
	assert_false(none->socketmap.report_testing);
	assert_int_equal(s->n_listen, 3);
	assert_true(address_parse("127.0.0.1", &address));
	assert_true(address_equal(&s->listen[0].address, &address));
	assert_int_equal(s->listen[0].port, 8462);
	assert_null(s->listen[0].path);
	assert_true(address_parse("::1", &address));
	assert_true(address_equal(&s->listen[1].address, &address));
	assert_int_equal(s->listen[1].port, 25);
	assert_string_equal(s->listen[2].path, "/run/x");
	assert_string_equal(s->group, "postfix");
	assert_true(s->report_testing);
	assert_true(config_same_socketmap(s, s));
	assert_false(config_same_socketmap(s, &none->socketmap));
	other = load_good("socketmap { listen = {127.0.0.1:8463, "
			  "\"[::1]:25\", /run/x} }");
	assert_false(config_same_socketmap(s, &other->socketmap));
	config_free(other);
	config_free(none);
	config_free(c);
}

#define LISTEN "socketmap { listen = "
#define NO_LISTEN                                                              \
	"must be a path, or a loopback address with a port (127.0.0.1:8462)"

static void
a_bad_socketmap_section_is_refused(void **state)
{
	static const char *const bad[] = { "127.0.0.1", "192.0.2.1:8462",
		"\"[::1]\"", "\"::1\"", "localhost:8462", "run/x", "\":1\"",
		"\"127.0.0.1:\"", "127.0.0.1:0", "127.0.0.1:65536",
		"\"127.0.0.1:1:1\"" };
	char text[256], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *value = bad[i];

		snprintf(text, sizeof(text), LISTEN "%s }", value);
		snprintf(want, sizeof(want),
		    value[0] == '"' ? "1: listen = %s: " NO_LISTEN
				    : "1: listen = \"%s\": " NO_LISTEN,
		    value);
		expect_error(text, want);
	}
	snprintf(text, sizeof(text), LISTEN "/%0200d }", 0);
	assert_null(load(text));
	assert_non_null(strstr(error, "too long for a socket"));
	expect_error(LISTEN "{/a, /b, /c, /d, /e} }",
	    "1: listen = \"/e\": one too many");
	expect_error("smarthost = a.example\n" LISTEN "/a }",
	    "2: socketmap and smarthost exclude each other: Postfix has its "
	    "relayhost");
}

#define UNTIL " until = 2026-12-01T00:00:00Z"

static void
bad_sections_are_refused_with_their_line(void **state)
{
	static const struct {
		const char *text, *rest;
	} table[] = {
		{ "\npolicy {\n}", "2: section 'policy' needs a title" },
		{ "\nother 'x' {}", "2: unknown section 'other'" },
		{ "{ mode = testing }", "1: unknown section ''" },
		{ "mode = {\n}\n}", "1: unexpected token '{'" },
		{ "mode 'x' {}", "1: unknown section 'mode'" },
		{ "policy = x", "1: unknown key 'policy'" },
		{ "policy 'a' 'b' {}", "1: unknown section 'a'" },
		{ "policy a {\nsocket = /x\n}",
		    "2: unknown key 'socket' in section policy" },
		{ "until = 2026-12-01T00:00:00Z", "1: unknown key 'until'" },
		{ "policy a {\nmode = none\nmode = none\n}",
		    "3: key 'mode' is given twice" },
		{ "policy a {" UNTIL " mode = none }\n"
		  "policy b {" UNTIL " mode = none\n",
		    "2: section 'policy' has no end" },
		{ "policy a {\npolicy b {\n}\n}",
		    "2: a section within section 'policy' of line 1" },
		{ "policy 'a..b' {}", "1: policy \"a..b\": is not a domain" },
		{ "policy '' {}", "1: policy \"\": is not a domain" },
		{ "policy a {" UNTIL " mode = none }\npolicy 'A.' {}",
		    "2: policy \"A.\": is given twice" },
		{ "policy a {" UNTIL " }", "1: policy \"a\": mode is missing" },
		{ "\npolicy a {\n}", "2: policy \"a\": until is missing" },
		{ "\npolicy a {\nmode = none }",
		    "2: policy \"a\": until is missing" },
		{ "policy a {" UNTIL " mode = enforce }",
		    "1: policy \"a\": mx is missing" },
		{ "policy a {" UNTIL " mode = enforce mx = {} }",
		    "1: policy \"a\": mx is missing" },
		{ "policy a {\n mode = off }",
		    "2: mode = \"off\": must be enforce, testing or none" },
		{ "policy a {\n mx = {a.example,\n'*'} }",
		    "3: mx = \"*\": "
		    "must be a host name, or \"*.\" and one" },
		{ "policy a {\n until = tomorrow }",
		    "2: until = \"tomorrow\": "
		    "must be a time like 2026-12-01T00:00:00Z" },
		{ "policy a {\n until = 2026-02-29T00:00:00Z }",
		    "2: until = \"2026-02-29T00:00:00Z\": "
		    "must be a time like 2026-12-01T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_error(table[i].text, table[i].rest);
}

static void
a_title_and_a_reason_have_their_limits(void **state)
{
	char text[700], want[80];

	(void)state;
	snprintf(text, sizeof(text), "policy \"%0300d\" {}", 0);
	expect_error(text, "1: the title of section 'policy' is too long");
	snprintf(text, sizeof(text),
	    "policy a { mode = none" UNTIL " reason = '%0255d' }", 0);
	config_free(load_good(text));
	snprintf(text, sizeof(text), "policy a { reason = '%0256d' }", 0);
	assert_null(load(text));
	snprintf(want, sizeof(want), "is too long");
	assert_non_null(strstr(error, want));
}

static void
so_many_policies_may_be_set_and_no_more(void **state)
{
	size_t size = (LIMIT_CONFIG_POLICIES + 1) * 80, len = 0;
	char *text = malloc(size);
	struct config *c;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LIMIT_CONFIG_POLICIES; i++)
		len += (size_t)snprintf(text + len, size - len,
		    "policy d%u.example { mode = none" UNTIL " }\n", i);
	c = load_good(text);
	assert_int_equal(c->n_policies, LIMIT_CONFIG_POLICIES);
	assert_non_null(config_policy(c, "d999.example"));
	assert_non_null(config_policy(c, "d10.example"));
	config_free(c);
	snprintf(text + len, size - len, "policy e.example {}");
	expect_error(text, "1001: policy \"e.example\": one too many");
	free(text);
}

static void
the_environment_is_never_expanded(void **state)
{
	static const char why[] = "1: '${' is not expanded here";

	(void)state;
	expect_error("user = ${HOME}\n", why);
	expect_error("user = \"x${HOME}\"\n", why);
	expect_error("user = '${HOME}'\n", why);
	config_free(load_good("# ${HOME}\nuser = '$HOME{' // ${HOME}\n"));
}

static void
bad_values_are_refused_with_what_they_must_be(void **state)
{
	static const struct {
		const char *text, *rest;
	} table[] = {
		{ "mode = none",
		    "1: mode = \"none\": "
		    "must be enforce or testing" },
		{ "mode = ''", "1: mode = \"\": must be enforce or testing" },
		{ "engine-away = Defer",
		    "1: engine-away = \"Defer\": "
		    "must be proceed or defer" },
		{ "unreachable = reject",
		    "1: unreachable = \"reject\": "
		    "must be proceed or defer" },
		{ "local-submission = yes",
		    "1: local-submission = \"yes\": "
		    "must be proceed or judge" },
		{ "allow-internal = true",
		    "1: allow-internal = \"true\": "
		    "must be no or yes" },
		{ "allow-private-policy-host = 1",
		    "1: allow-private-policy-host = \"1\": "
		    "must be no or yes" },
		{ "deadline = 241",
		    "1: deadline = \"241\": "
		    "must be a number from 1 to 240" },
		{ "deadline = 5m",
		    "1: deadline = \"5m\": "
		    "must be a number from 1 to 240" },
		{ "deadline = -1",
		    "1: deadline = \"-1\": "
		    "must be a number from 1 to 240" },
		{ "deadline = s",
		    "1: deadline = \"s\": "
		    "must be a number from 1 to 240" },
		{ "deadline = 1h",
		    "1: deadline = \"1h\": "
		    "must be a number from 1 to 240" },
		{ "record-patience = 121h",
		    "1: record-patience = \"121h\": "
		    "must be a number from 1 to 432000" },
		{ "record-patience = 1d",
		    "1: record-patience = \"1d\": "
		    "must be a number from 1 to 432000" },
		{ "max-policies = 0",
		    "1: max-policies = \"0\": "
		    "must be a number from 1 to 1000000" },
		{ "log-level = loud",
		    "1: log-level = \"loud\": "
		    "must be error, warning, notice, info or debug" },
		{ "socket = query.sock",
		    "1: socket = \"query.sock\": "
		    "must be a path that begins with '/'" },
		{ "state-dir = ''",
		    "1: state-dir = \"\": "
		    "must be a path that begins with '/'" },
		{ "user = ''", "1: user = \"\": must be the name of a user" },
		{ "hostname = 'a b'",
		    "1: hostname = \"a b\": must be a host name" },
		{ "local-domains = {a.example,\n'b c'}",
		    "2: local-domains = \"b c\": is not a domain" },
		{ "local-domains = ''",
		    "1: local-domains = \"\": is not a domain" },
		{ "trusted-ad = 127.0.0.1:53",
		    "1: trusted-ad = \"127.0.0.1:53\": "
		    "must be an address without a port" },
		{ "smarthost = '192.0.2.1'",
		    "1: smarthost = \"192.0.2.1\": "
		    "must be a host name, or name:port" },
		{ "dane = maybe", "1: dane = \"maybe\": must be no or yes" },
		{ "dane-required = {a.example, 'b c'}",
		    "1: dane-required = \"b c\": is not a domain" },
		{ "dnssec-test-good = 'a b'",
		    "1: dnssec-test-good = \"a b\": must be a domain" },
		{ "dnssec-test-bad = 'a..b'",
		    "1: dnssec-test-bad = \"a..b\": must be a domain" },
		{ "smarthost = 'a.example:'",
		    "1: smarthost = \"a.example:\": "
		    "must be a host name, or name:port" },
		{ "smarthost = 'a.example:0'",
		    "1: smarthost = \"a.example:0\": "
		    "must be a host name, or name:port" },
		{ "smarthost = ':25'",
		    "1: smarthost = \":25\": "
		    "must be a host name, or name:port" },
		{ "mode testing", "1: missing equal sign after option 'mode'" },
		{ "mode = {testing}", "1: unexpected token '{'" },
		{ "mode =\n", "2: premature end of file" },
		{ "mode = testing\n}", "2: unexpected closing brace" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect_error(table[i].text, table[i].rest);
}

static void
a_socket_path_must_fit_into_an_address(void **state)
{
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "socket = /%0107d", 0);
	assert_null(load(text));
	assert_non_null(strstr(error, "too long for a socket"));
	snprintf(text, sizeof(text), "socket = /%0106d", 0);
	config_free(load_good(text));
}

static void
a_ca_file_that_cannot_be_read_is_said_so(void **state)
{
	(void)state;
	expect_error("ca-file = /nowhere/ca.pem\n",
	    "1: ca-file = \"/nowhere/ca.pem\": "
	    "cannot be read: No such file or directory");
}

static void
resolvers_have_addresses_and_ports_in_the_usual_forms(void **state)
{
	static const struct {
		const char *text, *address;
		unsigned port;
	} table[] = {
		{ "127.0.0.1", "127.0.0.1", 53 },
		{ "192.0.2.1:5353", "192.0.2.1", 5353 },
		{ "::1", "::1", 53 },
		{ "[2001:db8::1]", "2001:db8::1", 53 },
		{ "[2001:db8::1]:65535", "2001:db8::1", 65535 },
		{ "", NULL, 0 },
		{ "dns.example", NULL, 0 },
		{ "192.0.2.1:", NULL, 0 },
		{ "192.0.2.1:0", NULL, 0 },
		{ "192.0.2.1:65536", NULL, 0 },
		{ ":53", NULL, 0 },
		{ "[::1", NULL, 0 },
		{ "[::1]53", NULL, 0 },
		{ "[::1]:", NULL, 0 },
		{ "[]:53", NULL, 0 },
		{ "::1]:53", NULL, 0 },
		{ "fe80::1%eth0", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct resolver_upstream u;
		struct address want;

		if (table[i].address == NULL) {
			assert_false(config_upstream_parse(table[i].text, &u));
			continue;
		}
		assert_true(config_upstream_parse(table[i].text, &u));
		assert_true(address_parse(table[i].address, &want));
		assert_true(address_equal(&u.address, &want));
		assert_int_equal(u.port, table[i].port);
	}
}

static void
resolvers_are_bounded_in_number(void **state)
{
	struct config *c = load_good("resolver = {::1, ::2, ::3, ::4}");

	(void)state;
	assert_int_equal(c->resolver.n_upstreams, LIMIT_DNS_UPSTREAMS);
	config_free(c);
	expect_error("resolver = {::1, ::2, ::3, ::4, ::5}",
	    "1: resolver = \"::5\": one resolver too many");
	c = load_good("resolver = {::1, ::1}");
	assert_int_equal(c->resolver.n_upstreams, 2);
	config_free(c);
}

static void
the_ad_bit_counts_on_loopback_and_where_it_is_said_so(void **state)
{
	struct config *c =
	    load_good("trusted-ad = { 2001:db8::2 }\n"
		      "resolver = {127.0.0.53, 192.0.2.1, 2001:db8::2, ::1}\n");
	const struct resolver_upstream *u = c->resolver.upstreams;

	(void)state;
	assert_true(u[0].trusted_ad);
	assert_false(u[1].trusted_ad);
	assert_true(u[2].trusted_ad);
	assert_true(u[3].trusted_ad);
	config_free(c);
}

static void
local_domains_of_both_keys_are_found_whatever_their_case(void **state)
{
	char text[512];
	struct config *c;

	(void)state;
	snprintf(text, sizeof(text),
	    "local-domains = {Z.example, m.example, z.example}\n"
	    "local-domains-file = \"%s\"\n",
	    scratch_write("local",
		"# ours\n\nA.example.  # and why\r\n\tb.example\nm.example"));
	c = load_good(text);
	assert_int_equal(c->local_domains.n, 4);
	assert_true(config_is_local(c, "a.example"));
	assert_true(config_is_local(c, "b.example"));
	assert_true(config_is_local(c, "m.example"));
	assert_true(config_is_local(c, "z.example"));
	assert_false(config_is_local(c, "x.z.example"));
	assert_false(config_is_local(c, "example"));
	assert_false(config_is_local(c, ""));
	config_free(c);
	c = load_good("local-domains = {}\n");
	assert_false(config_is_local(c, "a.example"));
	config_free(c);
}

static void
an_error_in_the_file_of_local_domains_names_that_file(void **state)
{
	char text[512], want[1024];
	const char *path = scratch_write("local", "a.example\n#\nb c\n");

	(void)state;
	snprintf(text, sizeof(text), "local-domains-file = \"%s\"\n", path);
	assert_null(load(text));
	snprintf(want, sizeof(want), "%s:3: \"b c\": is not a domain", path);
	assert_string_equal(error, want);
	expect_error("\nlocal-domains-file = /nowhere/at/all\n",
	    "2: local-domains-file = \"/nowhere/at/all\": "
	    "No such file or directory");
}

static void
local_domains_are_bounded_in_number(void **state)
{
	size_t size = (LIMIT_CONFIG_LIST + 1) * 16;
	char *domains = malloc(size), text[512];
	size_t len = 0;

	(void)state;
	assert_non_null(domains);
	for (unsigned i = 0; i <= LIMIT_CONFIG_LIST; i++)
		len += (size_t)snprintf(domains + len, size - len,
		    "d%u.example\n", i);
	snprintf(text, sizeof(text), "local-domains-file = \"%s\"\n",
	    scratch_write("local", domains));
	assert_null(load(text));
	assert_non_null(strstr(error,
	    ":10001: \"d10000.example\": "
	    "one domain too many"));
	free(domains);
}

static void
a_section_exim_has_a_socket_by_default(void **state)
{
	struct config *c = load_good("exim {\n}\n");

	(void)state;
	assert_non_null(strstr(c->exim_socket, "/strictmx/exim.sock"));
	assert_null(c->exim_socket_group);
	config_free(c);
	c = load_good("exim {\nsocket = /x/e.sock\nsocket-group = mail\n}\n");
	assert_string_equal(c->exim_socket, "/x/e.sock");
	assert_string_equal(c->exim_socket_group, "mail");
	config_free(c);
	c = load_good("mode = enforce\n");
	assert_null(c->exim_socket);
	config_free(c);
	assert_null(load("exim {\nsocket = e.sock\n}\n"));
	assert_non_null(strstr(error, ":2: socket = \"e.sock\": must be a"));
	assert_null(load("exim {\n}\nexim {\n}\n"));
	assert_non_null(strstr(error, "section 'exim' is given twice"));
	expect_error("smarthost = a.example\nexim {\n}\n",
	    "2: exim and smarthost exclude each other: Exim has its routers");
}

static void
empty_values_stand_for_the_default_where_there_is_no_other(void **state)
{
	struct config *c = load_good("hostname = ''\nca-file = \"\"\n"
				     "socket-group = ''\nresolver = {}\n"
				     "local-domains-file = ''\n");

	(void)state;
	assert_string_equal(c->hostname, ""); /* that of the host */
	assert_null(c->ca_file);
	assert_null(c->socket_group);
	assert_int_equal(c->resolver.n_upstreams, 1);
	assert_int_equal(c->local_domains.n, 0);
	config_free(c);
}

static void
without_memory_there_is_an_error_and_nothing_is_left(void **state)
{
	struct config *c = NULL;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
	    "resolver = ::1\nsocket-group = mail\nlocal-domains = {a.example}\n"
	    "ca-file = '%s'\nlocal-domains-file = '%s'\n",
	    scratch_write("ca.pem", ""), scratch_write("local", "b.example\n"));
	scratch_write("strictmx.conf", text);
	for (unsigned i = 1; c == NULL; i++) {
		assert_in_range(i, 1, 100);
		allocation_fail(i);
		c = config_load(scratch_path("strictmx.conf"), true, error);
		assert_int_equal(allocation_has_failed(), c == NULL);
		assert_int_equal(error[0] != '\0', c == NULL);
	}
	allocation_fail(0);
	assert_int_equal(c->local_domains.n, 2);
	config_free(c);
}

/* That it has every key is for tests/lint/example.sh to see. */
static void
the_example_file_says_what_the_defaults_are(void **state)
{
	char path[4096];
	struct config *c, *d;

	(void)state;
	snprintf(path, sizeof(path), "%s/contrib/strictmx.conf.example",
	    getenv("srcdir") == NULL ? "." : getenv("srcdir"));
	c = config_load(path, true, error);
	if (c == NULL)
		fail_msg("%s", error);
	d = config_load(scratch_path("none"), false, error);
	assert_non_null(d);
	/* Where these are is the business of configure. */
	assert_string_equal(c->socket, "/run/strictmx/query.sock");
	assert_string_equal(c->state_dir, "/var/lib/strictmx");
	assert_string_equal(c->user, d->user);
	assert_string_equal(c->hostname, d->hostname);
	assert_null(c->ca_file);
	assert_null(c->socket_group);
	assert_int_equal(c->testing, d->testing);
	assert_int_equal(c->engine_away, d->engine_away);
	assert_int_equal(c->unreachable, d->unreachable);
	assert_int_equal(c->reject_on_failure, d->reject_on_failure);
	assert_int_equal(c->judge_local_submission, d->judge_local_submission);
	assert_int_equal(c->local_domains.n, 0);
	assert_int_equal(c->deadline_s, d->deadline_s);
	assert_int_equal(c->record_patience_s, d->record_patience_s);
	assert_memory_equal(&c->resolver, &d->resolver, sizeof(c->resolver));
	assert_memory_equal(&c->addresses, &d->addresses, sizeof(c->addresses));
	assert_int_equal(c->log_level, d->log_level);
	assert_int_equal(c->max_policies, d->max_policies);
	config_free(c);
	config_free(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_file_the_defaults_hold),
		cmocka_unit_test(a_file_that_was_named_must_be_there),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(an_error_below_twenty_comments_names_its_line),
		cmocka_unit_test(an_unknown_key_is_named_with_its_line),
		cmocka_unit_test(a_key_given_twice_is_refused),
		cmocka_unit_test(a_policy_section_sets_the_policy_of_a_domain),
		cmocka_unit_test(a_socketmap_section_says_where_postfix_asks),
		cmocka_unit_test(a_bad_socketmap_section_is_refused),
		cmocka_unit_test(bad_sections_are_refused_with_their_line),
		cmocka_unit_test(a_title_and_a_reason_have_their_limits),
		cmocka_unit_test(so_many_policies_may_be_set_and_no_more),
		cmocka_unit_test(the_environment_is_never_expanded),
		cmocka_unit_test(bad_values_are_refused_with_what_they_must_be),
		cmocka_unit_test(a_section_exim_has_a_socket_by_default),
		cmocka_unit_test(a_socket_path_must_fit_into_an_address),
		cmocka_unit_test(a_ca_file_that_cannot_be_read_is_said_so),
		cmocka_unit_test(
		    resolvers_have_addresses_and_ports_in_the_usual_forms),
		cmocka_unit_test(resolvers_are_bounded_in_number),
		cmocka_unit_test(
		    the_ad_bit_counts_on_loopback_and_where_it_is_said_so),
		cmocka_unit_test(
		    local_domains_of_both_keys_are_found_whatever_their_case),
		cmocka_unit_test(
		    an_error_in_the_file_of_local_domains_names_that_file),
		cmocka_unit_test(local_domains_are_bounded_in_number),
		cmocka_unit_test(
		    empty_values_stand_for_the_default_where_there_is_no_other),
		cmocka_unit_test(
		    without_memory_there_is_an_error_and_nothing_is_left),
		cmocka_unit_test(the_example_file_says_what_the_defaults_are),
	};

	return cmocka_run_group_tests_name("config", tests, scratch_make,
	    scratch_remove);
}
