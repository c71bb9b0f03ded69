/* SPDX-License-Identifier: ISC */
/* What would have been refused, as the engine tells it, and its bounds. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/staging.h"
#include "tests/unit/allocation.h"
#include "tests/unit/world.h"

#define POLICY(mode)                                                           \
	"version: STSv1\nmode: " mode "\nmx: mx.a.example\nmax_age: 604800\n"
#define EXPIRED                                                                \
	"451 4.7.5 MTA-STS policy of a.example: mx.a.example has expired"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	w->config.addresses.allow_internal = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
ignore(const struct verdict *verdict, void *arg)
{
	(void)verdict;
	(void)arg;
}

/* As a front end asks, once. */
static void
ask(const char *domain)
{
	if (engine_cached(w->engine, GATE_ADMISSION, domain) != NULL)
		return;
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, domain, ignore, NULL));
	clock_advance(w->clock, 1000);
}

static const struct staged *
only(void)
{
	const struct staged *s = staging_next(w->staging, NULL);

	assert_non_null(s);
	assert_null(staging_next(w->staging, s));
	return s;
}

static void
what_our_mode_let_through_is_counted(void **state)
{
	const struct staged *s;

	(void)state;
	w->config.testing = true;
	world_enforce(w, "a.example", false);
	ask("a.example");
	for (int i = 0; i < 4; i++)
		ask("a.example"); /* from the kept verdict */
	s = only();
	assert_string_equal(s->domain, "a.example");
	assert_int_equal(s->cause, STAGING_OURS);
	assert_int_equal(s->source, VERDICT_STS);
	assert_int_equal(s->result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(s->reason, EXPIRED);
	assert_int_equal(s->times, 5);
	assert_int_equal(s->since_s, WORLD_NOW);
	assert_int_equal(s->good_at_s, 0);
	clock_advance(w->clock, 600000);
	ask("a.example");
	s = only();
	assert_int_equal(s->times, 6);
	assert_int_equal(s->since_s, WORLD_NOW);
	assert_in_range(s->last_s, WORLD_NOW + 600, WORLD_NOW + 602);
}

static void
each_who_waits_for_one_lookup_counts(void **state)
{
	(void)state;
	w->config.testing = true;
	world_enforce(w, "a.example", false);
	for (int i = 0; i < 7; i++)
		assert_non_null(engine_ask(w->engine, GATE_ADMISSION,
		    "a.example", ignore, NULL));
	clock_advance(w->clock, 1000);
	assert_int_equal(only()->times, 7);
}

/* It would not be refused either when our mode were "enforce". */
static void
a_policy_in_mode_testing_is_a_cause_of_its_own(void **state)
{
	(void)state;
	world_publish(w, "a.example", POLICY("testing"), false);
	ask("a.example");
	assert_int_equal(only()->cause, STAGING_POLICY);
	w->config.testing = true;
	clock_advance(w->clock, 600000);
	ask("a.example");
	assert_int_equal(only()->cause, STAGING_POLICY);
	assert_int_equal(only()->times, 2);
}

static void
what_is_refused_or_good_is_not_staged(void **state)
{
	(void)state;
	world_enforce(w, "a.example", false);
	ask("a.example");
	w->config.testing = true;
	world_enforce(w, "b.example", true);
	ask("b.example");
	ask("c.example");
	assert_null(staging_next(w->staging, NULL));
}

static void
a_domain_that_was_mended_is_said_so(void **state)
{
	(void)state;
	w->config.testing = true;
	world_enforce(w, "a.example", false);
	ask("a.example");
	world_enforce(w, "a.example", true);
	clock_advance(w->clock, 600000);
	ask("a.example");
	assert_in_range(only()->good_at_s, WORLD_NOW + 600, WORLD_NOW + 603);
	assert_int_equal(only()->times, 1);
	world_enforce(w, "a.example", false);
	clock_advance(w->clock, 600000);
	ask("a.example");
	assert_int_equal(only()->good_at_s, 0);
	assert_int_equal(only()->times, 2);
}

static void
delivered(const struct delivery_result *result, void *arg)
{
	struct smtp_session *session;

	(void)arg;
	assert_non_null(result->found);
	session = result->found->session;
	w->ports.smtp.quit(w->ports.smtp.self, &session);
}

static void
deliver(const char *domain, bool is_report)
{
	struct delivery_opts opts = { .engine = w->engine,
		.ports = &w->ports,
		.config = &w->config,
		.domain = domain,
		.is_report = is_report };

	assert_non_null(delivery_start(&opts, delivered, NULL));
	clock_advance(w->clock, 300000);
}

/* At delivery no host is tried before: the session itself shows it. */
static void
a_delivery_that_a_testing_policy_minds_counts(void **state)
{
	static const struct fake_server expired = { .offers_starttls = true,
		.certificate = RESULT_CERTIFICATE_EXPIRED,
		.certificate_why = "has expired" };
	static const struct fake_server good = { .offers_starttls = true };

	(void)state;
	world_publish(w, "a.example", POLICY("testing"), true);
	fake_net_server(w->net, "mx.a.example", &expired);
	deliver("a.example", false);
	assert_int_equal(only()->times, 1);
	assert_int_equal(only()->cause, STAGING_POLICY);
	assert_int_equal(only()->result, RESULT_CERTIFICATE_EXPIRED);
	assert_string_equal(only()->reason,
	    "delivered to mx.a.example in spite of certificate-expired: has "
	    "expired");
	deliver("a.example", true); /* a report about that does not count */
	fake_net_server(w->net, "mx.a.example", &good);
	deliver("a.example", false);
	assert_int_equal(only()->times, 1);
}

/* That no host is listed is said once, not by the session as well. */
static void
a_delivery_to_a_host_that_is_not_listed_counts_once(void **state)
{
	static const struct fake_server good = { .offers_starttls = true };
	static const struct fake_server in_clear = { .offers_starttls = false };

	(void)state;
	world_publish(w, "a.example",
	    "version: STSv1\nmode: testing\nmx: b.example\nmax_age: 86400\n",
	    true);
	fake_net_server(w->net, "mx.a.example", &good);
	deliver("a.example", false);
	assert_int_equal(only()->times, 1);
	assert_string_equal(only()->reason,
	    "451 4.7.5 MTA-STS policy of a.example does not list its MX "
	    "mx.a.example");
	/* Without a policy nothing is minded. */
	world_enforce(w, "b.example", false);
	fake_net_server(w->net, "mx.b.example", &in_clear);
	fake_net_dns(w->net, "_mta-sts.b.example", DNS_TXT, DNS_NO_NAME, NULL);
	deliver("b.example", false);
	assert_int_equal(only()->times, 1);
}

static void
those_added_to_longest_ago_go_first(void **state)
{
	struct staging *staging = staging_new(3, WORLD_NOW);
	struct verdict v = { .action = ACTION_WOULD_DEFER };
	const struct staged *s;

	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(v.facts.domain, sizeof(v.facts.domain), "d%d", i);
		staging_take(staging, &v, 1, WORLD_NOW + i);
		snprintf(v.facts.domain, sizeof(v.facts.domain), "d0");
		staging_take(staging, &v, 1, WORLD_NOW + i);
	}
	s = staging_next(staging, NULL);
	assert_string_equal(s->domain, "d0");
	assert_int_equal(s->times, 6);
	s = staging_next(staging, s);
	assert_string_equal(s->domain, "d4");
	s = staging_next(staging, s);
	assert_string_equal(s->domain, "d3");
	assert_null(staging_next(staging, s));
	staging_take(staging, &v, 0, WORLD_NOW); /* nobody was told */
	assert_int_equal(staging_next(staging, NULL)->times, 6);
	staging_free(staging);
	staging_free(NULL);
}

static void
without_memory_nothing_is_remembered(void **state)
{
	struct verdict v = { .action = ACTION_WOULD_DEFER,
		.facts = { .domain = "a.example" } };

	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		allocation_fail(n);
		staging_take(w->staging, &v, 1, WORLD_NOW);
		assert_true(allocation_has_failed());
		assert_null(staging_next(w->staging, NULL));
	}
	allocation_fail(0);
	staging_take(w->staging, &v, 1, WORLD_NOW);
	assert_int_equal(only()->times, 1);
	allocation_fail(1);
	assert_null(staging_new(3, WORLD_NOW));
	allocation_fail(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_our_mode_let_through_is_counted),
		TEST(each_who_waits_for_one_lookup_counts),
		TEST(a_policy_in_mode_testing_is_a_cause_of_its_own),
		TEST(what_is_refused_or_good_is_not_staged),
		TEST(a_domain_that_was_mended_is_said_so),
		TEST(a_delivery_that_a_testing_policy_minds_counts),
		TEST(a_delivery_to_a_host_that_is_not_listed_counts_once),
		TEST(those_added_to_longest_ago_go_first),
		TEST(without_memory_nothing_is_remembered),
	};

	return cmocka_run_group_tests_name("staging", tests, NULL, NULL);
}
