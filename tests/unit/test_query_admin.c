/* SPDX-License-Identifier: ISC */
/* What an administrator asks of the query server, and who may change what. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/failures.h"
#include "common/limits.h"
#include "common/override.h"
#include "common/policy_cache.h"
#include "common/relay_counts.h"
#include "common/stats.h"
#include "filter/query_server.h"
#include "proto/query_line.h"
#include "tests/unit/asker.h"

#define NOBODY 65534

static struct served *s;
static struct asker *a;

static int
setup(void **state)
{
	served_setup(state);
	s = *state;
	a = asker_new(s);
	world_enforce(s->world, "good.test", true);
	return 0;
}

static int
teardown(void **state)
{
	asker_free(a);
	return served_teardown(state);
}

static void
seconds_pass(int n)
{
	clock_advance(s->world->clock, n * 1000);
	served_turn(s);
}

/* The object that answers a request, to be given up. */
static json_t *
told(const char *request)
{
	char line[QUERY_LINE_SIZE];
	const char *answer, *json;
	json_t *facts;

	snprintf(line, sizeof(line), "1 %s\n", request);
	asker_say(a, line);
	seconds_pass(1);
	answer = asker_hear(a);
	assert_memory_equal(answer, "1 facts {", 9);
	json = strchr(answer, '{');
	facts = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(facts);
	return facts;
}

static void
assert_refused(const char *request, const char *why)
{
	char line[QUERY_LINE_SIZE], answer[128];

	snprintf(line, sizeof(line), "1 %s\n", request);
	asker_say(a, line);
	seconds_pass(1);
	snprintf(answer, sizeof(answer), "1 error %s", why);
	assert_string_equal(asker_hear(a), answer);
}

static json_int_t
number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *
text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	assert_non_null(value);
	return value;
}

/* The engine knows the policy of a domain afterwards. */
static void
learn(const char *domain)
{
	char line[QUERY_LINE_SIZE];

	world_enforce(s->world, domain, true);
	snprintf(line, sizeof(line), "1 rcpt u@%s\n", domain);
	asker_say(a, line);
	seconds_pass(1);
	assert_non_null(strstr(asker_hear(a), "1 proceed"));
}

static bool
knows(const char *domain)
{
	return policy_cache_peek(s->world->cache, domain) != NULL;
}

static void
a_cached_policy_is_shown(void **state)
{
	json_t *facts, *policy;

	(void)state;
	learn("good.test");
	seconds_pass(9);
	facts = told("cache-show GOOD.test.");
	policy = json_object_get(facts, "policy");
	assert_string_equal(text(facts, "domain"), "good.test");
	assert_string_equal(text(policy, "id"), "1");
	assert_string_equal(text(policy, "mode"), "enforce");
	assert_int_equal(number(policy, "max_age"), 604800);
	assert_int_equal(number(policy, "expires_at"),
	    number(policy, "fetched_at") + 604800);
	assert_false(json_is_true(json_object_get(policy, "expired")));
	assert_in_range(number(facts, "now") - number(policy, "fetched_at"), 9,
	    12);
	assert_string_equal(json_string_value(
				json_array_get(json_object_get(facts, "mx"),
				    0)),
	    "mx.good.test");
	json_decref(facts);
}

static void
an_expired_policy_is_shown_as_such(void **state)
{
	json_t *facts;

	(void)state;
	learn("good.test");
	clock_set_wall_s(s->world->clock, WORLD_NOW + 604800 * 2);
	facts = told("cache-show good.test");
	assert_true(json_is_true(
	    json_object_get(json_object_get(facts, "policy"), "expired")));
	json_decref(facts);
}

static void
what_is_not_cached_is_shown_as_null(void **state)
{
	json_t *facts = told("cache-show good.test");

	(void)state;
	assert_true(json_is_null(json_object_get(facts, "policy")));
	json_decref(facts);
}

static void
what_is_no_domain_is_refused(void **state)
{
	(void)state;
	assert_refused("cache-show a..b",
	    "not a domain that DNS could be asked for");
	assert_refused("cache-drop .",
	    "not a domain that DNS could be asked for");
	assert_refused("cache-list [192.0.2.1]",
	    "not a domain that DNS could be asked for");
	assert_refused("cache-show", "no domain");
	assert_refused("cache-clear all", "cache-clear takes no argument");
}

static void
a_list_comes_in_pages_in_the_order_of_the_domains(void **state)
{
	char domain[32], request[64] = "cache-list";
	unsigned n = 0;
	json_t *facts, *next;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(domain, sizeof(domain), "d%02u.test", i * 37 % 100);
		policy_cache_put(s->world->cache, domain, "1",
		    span_of("version: STSv1\nmode: none\nmax_age: 86400\n"),
		    WORLD_NOW);
	}
	facts = told(request);
	assert_int_equal(json_array_size(json_object_get(facts, "policies")),
	    100);
	assert_true(json_is_null(json_object_get(facts, "next")));
	for (; n < 100; n++) {
		snprintf(domain, sizeof(domain), "d%02u.test", n);
		assert_string_equal(text(json_array_get(json_object_get(facts,
							    "policies"),
					     n),
					"domain"),
		    domain);
	}
	json_decref(facts);
	facts = told("cache-list d97.test");
	next = json_object_get(facts, "policies");
	assert_int_equal(json_array_size(next), 2);
	assert_string_equal(text(json_array_get(next, 0), "domain"),
	    "d98.test");
	json_decref(facts);
}

static void
a_policy_is_dropped_with_what_was_built_on_it(void **state)
{
	json_t *facts;

	(void)state;
	learn("good.test");
	learn("other.test");
	facts = told("cache-drop good.test");
	assert_true(json_is_true(json_object_get(facts, "dropped")));
	assert_false(knows("good.test"));
	assert_null(
	    engine_cached(s->world->engine, GATE_ADMISSION, "good.test"));
	assert_true(knows("other.test"));
	json_decref(facts);
	facts = told("cache-drop good.test");
	assert_true(json_is_false(json_object_get(facts, "dropped")));
	json_decref(facts);
}

static void
all_policies_are_dropped_at_once(void **state)
{
	json_t *facts;

	(void)state;
	learn("good.test");
	learn("other.test");
	facts = told("cache-clear");
	assert_int_equal(number(facts, "dropped"), 2);
	assert_false(knows("good.test"));
	assert_false(knows("other.test"));
	assert_null(
	    engine_cached(s->world->engine, GATE_ADMISSION, "other.test"));
	json_decref(facts);
}

static void
a_refresh_fetches_although_the_id_is_the_same(void **state)
{
	json_t *facts;

	(void)state;
	learn("good.test");
	world_publish(s->world, "good.test",
	    "version: STSv1\nmode: testing\nmx: mx.good.test\nmax_age: 90\n",
	    true);
	facts = told("cache-refresh good.test");
	assert_true(json_is_true(json_object_get(facts, "refreshed")));
	assert_true(json_is_null(json_object_get(facts, "failure")));
	assert_int_equal(policy_cache_peek(s->world->cache, "good.test")
			     ->policy.mode,
	    STS_MODE_TESTING);
	json_decref(facts);
}

static void
a_refresh_says_why_it_failed_and_the_old_policy_stays(void **state)
{
	json_t *facts, *failure;

	(void)state;
	learn("good.test");
	fake_net_policy(s->world->net, "good.test", "",
	    RESULT_STS_WEBPKI_INVALID, "certificate has expired");
	for (int i = 0; i < 5; i++) { /* back-off is not for administrators */
		facts = told("cache-refresh good.test");
		failure = json_object_get(facts, "failure");
		assert_true(json_is_false(json_object_get(facts, "refreshed")));
		assert_string_equal(text(facts, "state"), "cached");
		assert_string_equal(text(failure, "result"),
		    "sts-webpki-invalid");
		assert_string_equal(text(failure, "why"),
		    "certificate has expired");
		json_decref(facts);
	}
	assert_true(knows("good.test"));
}

static void
a_refresh_without_a_record_fetches_nothing(void **state)
{
	json_t *facts;

	(void)state;
	fake_net_dns(s->world->net, "_mta-sts.plain.test", DNS_TXT, DNS_NO_NAME,
	    NULL);
	facts = told("cache-refresh plain.test");
	assert_true(json_is_false(json_object_get(facts, "refreshed")));
	assert_string_equal(text(facts, "state"), "none");
	assert_string_equal(text(json_object_get(facts, "record"), "state"),
	    "none");
	json_decref(facts);
}

static void
what_does_not_end_in_time_is_answered_and_goes_on(void **state)
{
	(void)state;
	fake_net_delay(s->world->net, 0, 100000, 0);
	asker_say(a, "1 cache-refresh good.test\n");
	seconds_pass((int)s->world->config.deadline_s);
	assert_true(asker_hears_nothing(a));
	seconds_pass(LIMIT_QUERY_JOB_SLACK_MS / 1000);
	assert_string_equal(asker_hear(a),
	    "1 error not ended in time; it goes on");
	seconds_pass(100);
	assert_true(knows("good.test"));
}

static void
a_client_may_leave_before_its_refresh_has_ended(void **state)
{
	struct asker *other = asker_new(s);

	(void)state;
	fake_net_delay(s->world->net, 0, 10000, 0);
	asker_say(other, "1 cache-refresh good.test\n2 cache-show a.test\n");
	seconds_pass(1);
	asker_free(other);
	asker_say(a, "1 cache-drop a.test\n");
	asker_free(a);
	a = asker_new(s);
	seconds_pass(60);
	assert_true(knows("good.test"));
}

/* Numbers. */

static json_int_t
count_of(const json_t *stats, const char *group, const char *name)
{
	return number(json_object_get(stats, group), name);
}

static void
stats_count_what_was_asked_and_found(void **state)
{
	json_t *stats;

	(void)state;
	stats_reset();
	learn("good.test");
	world_enforce(s->world, "bad.test", false);
	asker_say(a, "1 rcpt u@bad.test\n2 rcpt v@bad.test\n");
	seconds_pass(1);
	assert_non_null(strstr(asker_hear(a), "1 defer"));
	assert_non_null(strstr(asker_hear(a), "2 defer"));
	asker_say(a, "3 rcpt w@bad.test\n");
	assert_non_null(strstr(asker_hear(a), "3 defer"));
	stats = told("stats");
	assert_int_equal(number(stats, "asked"), 4);
	assert_int_equal(number(stats, "hits"), 1);
	assert_int_equal(number(stats, "lookups"), 2);
	assert_int_equal(count_of(stats, "verdicts", "proceed"), 1);
	assert_int_equal(count_of(stats, "verdicts", "defer"), 3);
	assert_int_equal(count_of(stats, "fetches", "good"), 2);
	assert_int_equal(count_of(stats, "probes", "good"), 1);
	assert_int_equal(number(json_object_get(json_object_get(stats,
						    "probes"),
				    "failed"),
			     "certificate-expired"),
	    1);
	assert_int_equal(count_of(stats, "sizes", "policies_in_memory"), 2);
	assert_true(
	    json_is_null(json_object_get(json_object_get(stats, "sizes"),
		"policies_stored")));
	assert_int_equal(count_of(stats, "sizes", "verdicts"), 2);
	assert_int_equal(count_of(stats, "sizes", "clients"), 1);
	assert_int_equal(number(stats, "uptime"), 2);
	json_decref(stats);
}

/* Why. */

static const json_t *
fact(const json_t *why, const char *name)
{
	const json_t *facts = json_object_get(why, "facts");

	for (size_t i = 0; i < json_array_size(facts); i++)
		if (strcmp(text(json_array_get(facts, i), "fact"), name) == 0)
			return json_array_get(facts, i);
	fail_msg("no fact %s", name);
	return NULL;
}

static void
assert_fact(const json_t *why, const char *name, const char *state,
    const char *source, json_int_t age, json_int_t refresh_in)
{
	const json_t *f = fact(why, name);

	assert_string_equal(text(f, "state"), state);
	assert_string_equal(text(f, "source"), source);
	assert_int_equal(number(f, "age"), age);
	assert_int_equal(number(f, "refresh_in"), refresh_in);
}

static void
why_tells_the_age_of_each_fact_of_a_kept_verdict(void **state)
{
	json_t *why;
	const json_t *policy;

	(void)state;
	learn("good.test");
	seconds_pass(40);
	why = told("why good.test");
	assert_true(json_is_true(json_object_get(why, "kept")));
	assert_string_equal(text(json_object_get(why, "verdict"), "action"),
	    "proceed");
	assert_in_range(number(why, "age"), 40, 41);
	assert_in_range(number(why, "expires_in"), 250, 260);
	assert_in_range(number(why, "policy_life"), 604700, 604800);
	assert_fact(why, "record", "found", "dns", 41, 19);
	assert_fact(why, "probe", "good", "smtp", 41, 259);
	policy = fact(why, "policy");
	assert_string_equal(text(policy, "state"), "cached");
	assert_string_equal(text(policy, "source"), "https");
	assert_in_range(number(policy, "refresh_in"), 86400 - 14400 - 42,
	    86400);
	assert_string_equal(text(fact(why, "mx_set"), "state"), "found");
	assert_int_equal(json_array_size(json_object_get(why, "failures")), 0);
	json_decref(why);
}

static void
why_asks_when_nothing_is_kept(void **state)
{
	json_t *why = told("why good.test");

	(void)state;
	assert_true(json_is_false(json_object_get(why, "kept")));
	assert_int_equal(number(why, "age"), 0);
	assert_string_equal(text(fact(why, "policy"), "state"), "cached");
	json_decref(why);
}

static void
why_tells_the_last_failures(void **state)
{
	json_t *why, *failures;
	const json_t *policy;

	(void)state;
	failures_begin(s->world->clock);
	world_enforce(s->world, "bad.test", false);
	fake_net_policy(s->world->net, "bad.test", "",
	    RESULT_STS_POLICY_FETCH_ERROR, "HTTP status 404");
	json_decref(told("why bad.test"));
	seconds_pass(9);
	why = told("why bad.test");
	policy = fact(why, "policy");
	assert_string_equal(text(policy, "state"), "failed");
	assert_in_range(number(policy, "refresh_in"), 285, 291);
	failures = json_object_get(why, "failures");
	assert_int_equal(json_array_size(failures), 1);
	assert_string_equal(text(json_array_get(failures, 0), "what"), "fetch");
	assert_string_equal(text(json_array_get(failures, 0), "result"),
	    "sts-policy-fetch-error");
	assert_in_range(number(json_array_get(failures, 0), "age"), 9, 11);
	json_decref(why);
	failures_end();
}

static void
why_tells_refusals_and_the_hosts_behind_them(void **state)
{
	json_t *why, *failures;

	(void)state;
	failures_begin(s->world->clock);
	world_enforce(s->world, "bad.test", false);
	why = told("why bad.test");
	failures = json_object_get(why, "failures");
	assert_int_equal(json_array_size(failures), 2);
	assert_string_equal(text(json_array_get(failures, 0), "what"),
	    "verdict");
	assert_string_equal(text(json_array_get(failures, 0), "mx"),
	    "mx.bad.test");
	assert_string_equal(text(json_array_get(failures, 1), "what"), "probe");
	assert_string_equal(text(json_array_get(failures, 1), "address"),
	    "192.0.2.25");
	json_decref(why);
	failures_end();
}

static void
why_tells_of_a_policy_of_ones_own(void **state)
{
	const json_t *policy;
	json_t *why;

	(void)state;
	learn("good.test");
	json_decref(told("override-set good.test enforce "
			 "2033-05-18T03:33:20Z mx.good.test ticket 4711"));
	why = told("why good.test");
	policy = fact(why, "policy");
	assert_string_equal(text(policy, "state"), "override");
	assert_string_equal(text(policy, "source"), "override");
	assert_string_equal(text(policy, "about"), "ticket 4711");
	assert_true(json_is_null(json_object_get(policy, "refresh_in")));
	assert_int_equal(number(why, "policy_life"),
	    2000000000 - number(why, "now"));
	json_decref(why);
}

static void
why_tells_the_state_of_dane_of_each_host(void **state)
{
	json_t *why;

	(void)state;
	s->world->config.dane = true;
	engine_free(s->world->engine);
	s->world->config.resolver.n_upstreams = 1;
	s->world->config.resolver.upstreams[0].trusted_ad = true;
	s->world->engine =
	    engine_new(&s->world->config, &s->world->ports, s->world->cache);
	assert_non_null(s->world->engine);
	query_server_use(s->server, s->world->engine, &s->world->config);
	why = told("why good.test");
	assert_string_equal(text(fact(why, "tlsa"), "about"), "mx.good.test");
	assert_string_equal(text(fact(why, "tlsa"), "state"), "none");
	assert_string_equal(text(fact(why, "tlsa"), "source"), "dns");
	json_decref(why);
}

static void
why_knows_local_domains(void **state)
{
	char name[] = "local.test";
	char *locals[] = { name };
	json_t *why;

	(void)state;
	s->world->config.local_domains.names = locals;
	s->world->config.local_domains.n = 1;
	why = told("why LOCAL.test");
	assert_string_equal(text(json_object_get(why, "verdict"), "reason"),
	    "local domain");
	json_decref(why);
	assert_int_equal(fake_net_pending(s->world->net), 0);
}

/* The other end of the socket belongs to somebody else. */
/* Policies of one's own. */

static const char *
state_of(const json_t *list, size_t i)
{
	return text(json_array_get(list, i), "state");
}

static void
a_policy_is_set_and_binds_at_once(void **state)
{
	json_t *facts, *o;

	(void)state;
	learn("good.test");
	facts = told("override-set GOOD.test. testing 2033-05-18T03:33:20Z "
		     "mx1.good.test,*.b.test until they have mended it");
	o = json_object_get(facts, "override");
	assert_string_equal(text(o, "domain"), "good.test");
	assert_string_equal(text(o, "mode"), "testing");
	assert_string_equal(text(o, "state"), "holds");
	assert_string_equal(text(o, "reason"), "until they have mended it");
	assert_int_equal(number(o, "until"), 2000000000);
	assert_int_equal(json_array_size(json_object_get(o, "mx")), 2);
	assert_true(json_is_null(json_object_get(o, "line")));
	assert_true(json_is_false(json_object_get(facts, "stored")));
	assert_true(json_is_null(json_object_get(facts, "warning")));
	json_decref(facts);
	assert_null(
	    engine_cached(s->world->engine, GATE_ADMISSION, "good.test"));
	facts = told("explain u@good.test");
	assert_string_equal(text(facts, "source"), "override");
	assert_string_equal(text(facts, "action"), "would-defer");
	json_decref(facts);
}

static void
a_policy_that_cannot_be_is_refused_with_what_is_wrong(void **state)
{
	static const char *const table[][2] = {
		{ "a..b none 2033-05-18T03:33:20Z -",
		    "not a domain that DNS could be asked for" },
		{ "a.test off 2033-05-18T03:33:20Z -",
		    "mode is not enforce, testing or none" },
		{ "a.test", "its end is not a time like 2026-12-01T00:00:00Z" },
		{ "a.test none tomorrow -",
		    "its end is not a time like 2026-12-01T00:00:00Z" },
		{ "a.test none 2023-11-14T22:13:20Z -",
		    "its end is not in the future" },
		{ "a.test enforce 2033-05-18T03:33:20Z -", "mx is missing" },
		{ "a.test enforce 2033-05-18T03:33:20Z", "mx is missing" },
		{ "a.test enforce 2033-05-18T03:33:20Z mx.a.test,*",
		    "mx is neither a host name nor \"*.\" and one" },
		{ "a.test enforce 2033-05-18T03:33:20Z mx.a.test,,b.test",
		    "mx is neither a host name nor \"*.\" and one" },
	};
	char request[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(request, sizeof(request), "override-set %s",
		    table[i][0]);
		assert_refused(request, table[i][1]);
	}
	snprintf(request, sizeof(request),
	    "override-set a.test none 2033-05-18T03:33:20Z - %0200d", 0);
	json_decref(told(request));
	assert_refused("override-set", "no domain");
}

static void
policies_set_here_are_listed_with_those_of_the_file(void **state)
{
	struct override configured = { .domain = "b.test",
		.until_s = 2000000000,
		.line = 12 };
	json_t *facts, *list;

	(void)state;
	assert_true(override_add(&configured, "mode", "none"));
	assert_null(override_finish(&configured));
	s->world->config.policies = &configured;
	s->world->config.n_policies = 1;
	json_decref(told("override-set c.test none 2023-11-14T22:13:40Z -"));
	facts = told("override-list");
	list = json_object_get(facts, "overrides");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(json_array_get(list, 0), "domain"), "b.test");
	assert_int_equal(number(json_array_get(list, 0), "line"), 12);
	assert_string_equal(state_of(list, 0), "holds");
	assert_string_equal(state_of(list, 1), "holds");
	json_decref(facts);
	json_decref(told("override-set b.test none 2033-05-18T03:33:20Z -"));
	seconds_pass(30);
	facts = told("override-list");
	list = json_object_get(facts, "overrides");
	assert_int_equal(json_array_size(list), 3);
	assert_string_equal(state_of(list, 0), "holds");
	assert_string_equal(state_of(list, 1), "hidden");
	assert_string_equal(state_of(list, 2), "ended");
	json_decref(facts);
	facts = told("override-list b.test");
	assert_int_equal(json_array_size(json_object_get(facts, "overrides")),
	    1);
	json_decref(facts);
	facts = told("override-drop b.test");
	assert_true(json_is_true(json_object_get(facts, "dropped")));
	assert_true(json_is_true(json_object_get(facts, "configured")));
	json_decref(facts);
	facts = told("override-drop b.test");
	assert_true(json_is_false(json_object_get(facts, "dropped")));
	json_decref(facts);
	s->world->config.n_policies = 0;
	override_cleanup(&configured);
}

static void
a_long_list_of_policies_comes_in_pages(void **state)
{
	char request[80], after[DOMAIN_SIZE] = "";
	size_t n = 0, pages = 0;
	bool more = true;

	(void)state;
	for (int i = 0; i < LIMIT_QUERY_PAGE * 2 + 1; i++) {
		snprintf(request, sizeof(request),
		    "override-set d%03d.test none 2033-05-18T03:33:20Z -", i);
		json_decref(told(request));
	}
	for (; more; pages++) {
		json_t *facts;

		snprintf(request, sizeof(request), "override-list %.40s",
		    after);
		facts = told(request);
		n += json_array_size(json_object_get(facts, "overrides"));
		more = json_is_string(json_object_get(facts, "next"));
		if (more)
			snprintf(after, sizeof(after), "%s",
			    text(facts, "next"));
		json_decref(facts);
	}
	assert_int_equal(pages, 3);
	assert_int_equal(n, LIMIT_QUERY_PAGE * 2 + 1);
}

static void
a_policy_without_effect_says_so(void **state)
{
	char name[] = "a.test", *names[] = { name };
	json_t *facts;

	(void)state;
	snprintf(s->world->config.smarthost, DOMAIN_SIZE, "relay.test");
	facts = told("override-set a.test none 2033-05-18T03:33:20Z -");
	assert_string_equal(text(facts, "warning"),
	    "without effect: all mail goes to the smart host");
	json_decref(facts);
	s->world->config.smarthost[0] = '\0';
	s->world->config.local_domains = (struct name_list){ 1, names };
	facts = told("override-set a.test none 2033-05-18T03:33:20Z -");
	assert_string_equal(text(facts, "warning"),
	    "without effect: local domains are exempt");
	assert_string_equal(text(json_object_get(facts, "override"), "state"),
	    "hidden");
	json_decref(facts);
	s->world->config.local_domains.n = 0;
}

static void
what_a_testing_mode_let_through_is_listed(void **state)
{
	json_t *facts, *list, *first;

	(void)state;
	s->world->config.testing = true;
	world_enforce(s->world, "bad.test", false);
	asker_say(a, "1 rcpt u@bad.test\n2 rcpt v@bad.test\n");
	seconds_pass(1);
	assert_non_null(strstr(asker_hear(a), "proceed"));
	assert_non_null(strstr(asker_hear(a), "proceed"));
	facts = told("staging");
	list = json_object_get(facts, "staged");
	assert_int_equal(json_array_size(list), 1);
	first = json_array_get(list, 0);
	assert_string_equal(text(first, "domain"), "bad.test");
	assert_string_equal(text(first, "cause"), "our-mode");
	assert_string_equal(text(first, "source"), "sts");
	assert_string_equal(text(first, "result"), "certificate-expired");
	assert_string_equal(text(first, "reason"),
	    "451 4.7.5 MTA-STS policy of bad.test: mx.bad.test has expired");
	assert_int_equal(number(first, "times"), 2);
	assert_in_range(number(first, "since"), WORLD_NOW, WORLD_NOW + 2);
	assert_true(json_is_null(json_object_get(first, "good_since")));
	assert_int_equal(number(facts, "since"), WORLD_NOW);
	json_decref(facts);
	facts = told("staging bad.test");
	assert_int_equal(json_array_size(json_object_get(facts, "staged")), 0);
	json_decref(facts);
	assert_refused("staging a..b",
	    "not a domain that DNS could be asked for");
}

static void
a_stranger_may_look_and_change_nothing(void **state)
{
	static const char *const changes[] = { "cache-clear",
		"cache-drop good.test", "cache-refresh good.test",
		"override-drop good.test",
		"override-set good.test none 2033-05-18T03:33:20Z -" };

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can be somebody else */
	learn("good.test");
	asker_free(a);
	assert_int_equal(seteuid(NOBODY), 0);
	a = asker_new(s);
	assert_int_equal(seteuid(0), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_refused(changes[i],
		    "only root and the user that the engine runs as may do "
		    "this");
	assert_true(knows("good.test"));
	json_decref(told("cache-show good.test"));
	json_decref(told("cache-list"));
	json_decref(told("override-list"));
	json_decref(told("staging"));
	json_decref(told("stats"));
	json_decref(told("why good.test"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
what_the_relay_has_done_is_told_by_domain(void **state)
{
	struct relay_ended ended = { .domain = "good.test",
		.outcome = RELAY_DELIVERED,
		.mx = "mx.good.test",
		.reply = "250 2.0.0 mx.good.test: ok",
		.had_session = true,
		.was_reused = true,
		.octets = 7,
		.wall_s = WORLD_NOW };
	json_t *answer, *relay, *domain;
	char name[32];

	(void)state;
	learn("good.test");
	answer = told("why good.test");
	assert_true(json_is_null(json_object_get(answer, "relay")));
	json_decref(answer);
	relay_counts_add(&ended);
	ended.outcome = RELAY_HELD;
	ended.mx = "";
	relay_counts_add(&ended);
	answer = told("why good.test");
	relay = json_object_get(answer, "relay");
	assert_string_equal(text(relay, "outcome"), "held");
	assert_int_equal(count_of(relay, "mails", "delivered"), 1);
	assert_int_equal(count_of(relay, "mails", "held"), 1);
	assert_true(json_is_null(json_object_get(relay, "mx")));
	json_decref(answer);
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d%d.test", i);
		ended.domain = name;
		relay_counts_add(&ended);
	}
	answer = told("stats");
	relay = json_object_get(answer, "relay");
	assert_int_equal(count_of(relay, "mails", "held"), 31);
	assert_int_equal(number(relay, "sessions"), 32);
	assert_int_equal(number(relay, "octets"), 7);
	assert_int_equal(json_array_size(json_object_get(relay, "domains")),
	    LIMIT_QUERY_DOMAINS);
	domain = json_array_get(json_object_get(relay, "domains"),
	    LIMIT_QUERY_DOMAINS - 1);
	assert_string_equal(text(domain, "domain"), "d29.test");
	assert_string_equal(text(domain, "reply"),
	    "250 2.0.0 mx.good.test: ok");
	json_decref(answer);
	relay_counts_reset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_cached_policy_is_shown),
		T(an_expired_policy_is_shown_as_such),
		T(what_is_not_cached_is_shown_as_null),
		T(what_is_no_domain_is_refused),
		T(a_list_comes_in_pages_in_the_order_of_the_domains),
		T(a_policy_is_dropped_with_what_was_built_on_it),
		T(all_policies_are_dropped_at_once),
		T(a_refresh_fetches_although_the_id_is_the_same),
		T(a_refresh_says_why_it_failed_and_the_old_policy_stays),
		T(a_refresh_without_a_record_fetches_nothing),
		T(what_does_not_end_in_time_is_answered_and_goes_on),
		T(a_client_may_leave_before_its_refresh_has_ended),
		T(a_policy_is_set_and_binds_at_once),
		T(a_policy_that_cannot_be_is_refused_with_what_is_wrong),
		T(policies_set_here_are_listed_with_those_of_the_file),
		T(a_long_list_of_policies_comes_in_pages),
		T(a_policy_without_effect_says_so),
		T(what_a_testing_mode_let_through_is_listed),
		T(stats_count_what_was_asked_and_found),
		T(why_tells_the_age_of_each_fact_of_a_kept_verdict),
		T(why_asks_when_nothing_is_kept),
		T(why_tells_the_last_failures),
		T(why_tells_refusals_and_the_hosts_behind_them),
		T(why_tells_of_a_policy_of_ones_own),
		T(why_tells_the_state_of_dane_of_each_host),
		T(why_knows_local_domains),
		T(what_the_relay_has_done_is_told_by_domain),
		T(a_stranger_may_look_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
