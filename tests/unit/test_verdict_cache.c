/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/verdict.h"
#include "common/verdict_cache.h"
#include "tests/unit/allocation.h"

#define MAX 3

static char pattern_1[] = "mx1.example.com", pattern_2[] = "*.example.net";
static char *patterns[] = { pattern_1, pattern_2 };
static struct mx_fact hosts[LIMIT_MX_HOSTS];
static struct verdict_cache *cache;

static int
setup(void **state)
{
	(void)state;
	cache = verdict_cache_new(MAX);
	return cache == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	verdict_cache_free(cache);
	return 0;
}

/* One in which no member is zero and no two texts are the same. */
static struct verdict
full(const char *domain)
{
	struct verdict v = { .source = VERDICT_STS,
		.action = ACTION_DEFER,
		.enforced = true,
		.result = RESULT_CERTIFICATE_EXPIRED,
		.mx = "mx0.example.com",
		.reason = "451 4.7.5 a reason",
		.decided_ms = 1147,
		.expires_ms = 4711 };
	struct facts *f = &v.facts;

	snprintf(f->domain, sizeof(f->domain), "%s", domain);
	f->sts = (struct policy_facts){ .record = RECORD_BROKEN,
		.record_id = "record1",
		.record_why = "a record",
		.record_ttl_s = 300,
		.state = POLICY_CACHED,
		.id = "policy1",
		.fetched_at_s = 1700000000,
		.policy = { .mode = STS_MODE_ENFORCE,
		    .max_age_s = 86400,
		    .max_age_capped = true,
		    .n_mx = 2,
		    .mx = patterns },
		.failure = RESULT_STS_WEBPKI_INVALID,
		.failure_why = "a failure",
		.override = { .until_s = 1800000000,
		    .line = 7,
		    .serial = 8,
		    .reason = "an override" } };
	f->mx_state = MX_FOUND;
	f->mx_dnssec = DNSSEC_SECURE;
	f->mx_why = "an answer";
	f->mx_ttl_s = 600;
	f->port = 2525;
	f->deadline_hit = true;
	f->n_mx = LIMIT_MX_HOSTS;
	f->mx = hosts;
	for (unsigned i = 0; i < LIMIT_MX_HOSTS; i++) {
		struct mx_fact *mx = &hosts[i];

		memset(mx, 0, sizeof(*mx));
		snprintf(mx->host, sizeof(mx->host), "mx%u.example.com", i);
		mx->preference = (uint16_t)(i + 1);
		mx->listed = true;
		mx->required = PROOF_PKIX;
		mx->probe.state = PROBE_TLS_FAILED;
		mx->probe.proofs = PROOF_ENCRYPTED;
		mx->probe.result = RESULT_CERTIFICATE_EXPIRED;
		mx->probe.certificate_bad = true;
		snprintf(mx->probe.why, sizeof(mx->probe.why), "why %u", i);
		assert_true(address_parse("192.0.2.1", &mx->probe.address));
		mx->probe_expires_ms = 1000 + i;
	}
	return v;
}

static void
assert_same_policy(const struct policy_facts *a, const struct policy_facts *b)
{
	assert_int_equal(a->record, b->record);
	assert_string_equal(a->record_id, b->record_id);
	assert_string_equal(a->record_why, b->record_why);
	assert_int_equal(a->record_ttl_s, b->record_ttl_s);
	assert_int_equal(a->state, b->state);
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->fetched_at_s, b->fetched_at_s);
	assert_int_equal(a->override.until_s, b->override.until_s);
	assert_int_equal(a->override.line, b->override.line);
	assert_int_equal(a->override.serial, b->override.serial);
	assert_string_equal(a->override.reason, b->override.reason);
	assert_int_equal(a->failure, b->failure);
	assert_string_equal(a->failure_why, b->failure_why);
	assert_int_equal(a->policy.mode, b->policy.mode);
	assert_int_equal(a->policy.max_age_s, b->policy.max_age_s);
	assert_int_equal(a->policy.max_age_capped, b->policy.max_age_capped);
	assert_int_equal(a->policy.n_mx, b->policy.n_mx);
	for (size_t i = 0; i < a->policy.n_mx; i++)
		assert_string_equal(a->policy.mx[i], b->policy.mx[i]);
}

static void
assert_same_mx(const struct mx_fact *a, const struct mx_fact *b)
{
	assert_string_equal(a->host, b->host);
	assert_int_equal(a->preference, b->preference);
	assert_int_equal(a->listed, b->listed);
	assert_int_equal(a->required, b->required);
	assert_int_equal(a->probe.state, b->probe.state);
	assert_int_equal(a->probe.proofs, b->probe.proofs);
	assert_int_equal(a->probe.result, b->probe.result);
	assert_int_equal(a->probe.certificate_bad, b->probe.certificate_bad);
	assert_string_equal(a->probe.why, b->probe.why);
	assert_true(address_equal(&a->probe.address, &b->probe.address));
	assert_int_equal(a->probe_expires_ms, b->probe_expires_ms);
}

static void
assert_same(const struct verdict *a, const struct verdict *b)
{
	assert_string_equal(a->facts.domain, b->facts.domain);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->enforced, b->enforced);
	assert_int_equal(a->result, b->result);
	assert_string_equal(a->mx, b->mx);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->decided_ms, b->decided_ms);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_same_policy(&a->facts.sts, &b->facts.sts);
	assert_int_equal(a->facts.mx_state, b->facts.mx_state);
	assert_int_equal(a->facts.mx_dnssec, b->facts.mx_dnssec);
	assert_ptr_equal(a->facts.mx_why, b->facts.mx_why);
	assert_int_equal(a->facts.mx_ttl_s, b->facts.mx_ttl_s);
	assert_int_equal(a->facts.port, b->facts.port);
	assert_int_equal(a->facts.deadline_hit, b->facts.deadline_hit);
	assert_int_equal(a->facts.n_mx, b->facts.n_mx);
	for (size_t i = 0; i < a->facts.n_mx; i++)
		assert_same_mx(&a->facts.mx[i], &b->facts.mx[i]);
}

static void
put(const char *domain)
{
	struct verdict v = full(domain);

	verdict_cache_put(cache, &v);
}

static bool
has(const char *domain)
{
	return verdict_cache_get(cache, domain) != NULL;
}

static void
every_member_comes_back(void **state)
{
	struct verdict v = full("example.com"), empty = { 0 };
	const struct verdict *kept;

	(void)state;
	strcpy(empty.facts.domain, "empty.example");
	verdict_cache_put(cache, &v);
	verdict_cache_put(cache, &empty);
	kept = verdict_cache_get(cache, "example.com");
	assert_non_null(kept);
	assert_same(kept, &v);
	/* Nothing of the one before is left in it. */
	kept = verdict_cache_get(cache, "empty.example");
	assert_non_null(kept);
	assert_int_equal(kept->facts.n_mx, 0);
	assert_int_equal(kept->facts.sts.policy.n_mx, 0);
	assert_string_equal(kept->reason, "");
	assert_null(kept->facts.mx_why);
}

static void
a_newer_verdict_replaces_the_older_one(void **state)
{
	struct verdict v = full("example.com");

	(void)state;
	put("example.com");
	v.expires_ms = 5000;
	verdict_cache_put(cache, &v);
	assert_int_equal(verdict_cache_count(cache), 1);
	assert_int_equal(verdict_cache_get(cache, "example.com")->expires_ms,
	    5000);
}

static void
the_time_of_the_next_look_may_change(void **state)
{
	struct verdict v = full("example.com");

	(void)state;
	v.look_ms = 1000;
	verdict_cache_put(cache, &v);
	put("other.example");
	assert_int_equal(verdict_cache_get(cache, "example.com")->look_ms,
	    1000);
	verdict_cache_look_later(cache, "example.com", INT64_MAX);
	verdict_cache_look_later(cache, "nobody.example", 2000);
	assert_int_equal(verdict_cache_get(cache, "other.example")->look_ms, 0);
	assert_true(
	    verdict_cache_get(cache, "example.com")->look_ms == INT64_MAX);
	assert_same(verdict_cache_get(cache, "example.com"), &v);
}

static void
the_least_recently_used_goes_first(void **state)
{
	(void)state;
	put("a.example");
	put("b.example");
	put("c.example");
	assert_true(has("a.example"));
	put("d.example");
	assert_int_equal(verdict_cache_count(cache), MAX);
	assert_true(has("a.example"));
	assert_false(has("b.example"));
	assert_true(has("c.example"));
	assert_true(has("d.example"));
	/* One from between others, then as the last: a, d, c is the order. */
	assert_true(has("c.example"));
	assert_true(has("c.example"));
	put("e.example");
	assert_false(has("a.example"));
	put("f.example");
	assert_false(has("d.example"));
	assert_int_equal(verdict_cache_count(cache), MAX);
	assert_true(has("c.example"));
	verdict_cache_drop(cache, "c.example"); /* the last one */
	put("g.example");
	assert_true(has("e.example"));
	assert_true(has("f.example"));
	assert_true(has("g.example"));
}

static void
a_dropped_verdict_is_gone(void **state)
{
	(void)state;
	put("a.example");
	verdict_cache_drop(cache, "a.example");
	verdict_cache_drop(cache, "b.example");
	assert_false(has("a.example"));
}

/* Without memory the one before, which is out of date, is gone too. */
static void
without_memory_none_is_kept(void **state)
{
	struct verdict v = full("a.example");
	unsigned n;

	(void)state;
	for (n = 1; n < 10; n++) {
		put("a.example");
		allocation_fail(n);
		verdict_cache_put(cache, &v);
		if (!allocation_has_failed())
			break;
		assert_false(has("a.example"));
	}
	allocation_fail(0);
	assert_in_range(n, 2, 9);
	assert_true(has("a.example"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_member_comes_back, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_newer_verdict_replaces_the_older_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_time_of_the_next_look_may_change, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_least_recently_used_goes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_verdict_is_gone,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(without_memory_none_is_kept,
		    setup, teardown),
	};

	return cmocka_run_group_tests_name("verdict_cache", tests, NULL, NULL);
}
