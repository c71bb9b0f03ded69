/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/dns_cache.h"
#include "common/limits.h"

static struct clock *clock_now;
static struct dns_cache *cache;

static int
setup(void **state)
{
	(void)state;
	clock_now = clock_new_fake(0);
	cache = dns_cache_new(clock_now);
	return cache == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	dns_cache_free(cache);
	clock_free(clock_now);
	return 0;
}

/* One TXT record of this many octets, in one piece as the reader makes it. */
static struct dns_answer *
txt_of(size_t octets, uint32_t ttl_s)
{
	struct dns_answer *answer = calloc(1, sizeof(*answer));

	assert_non_null(answer);
	answer->outcome = DNS_FOUND;
	answer->type = DNS_TXT;
	answer->ttl_s = ttl_s;
	answer->n = 1;
	answer->rr = calloc(1, sizeof(*answer->rr) + octets);
	assert_non_null(answer->rr);
	answer->rr[0].txt.p = (const char *)&answer->rr[1];
	answer->rr[0].txt.len = octets;
	return answer;
}

static struct dns_answer *
denial(enum dns_type type)
{
	struct dns_answer *answer = calloc(1, sizeof(*answer));

	assert_non_null(answer);
	answer->outcome = DNS_NO_DATA;
	answer->type = type;
	answer->ttl_s = 300;
	return answer;
}

static void
put(const char *name, struct dns_answer *answer)
{
	struct dns_held *held = dns_cache_put(cache, name, answer);

	assert_non_null(held);
	dns_held_drop(&held);
	assert_null(held);
}

static bool
has(const char *name, enum dns_type type)
{
	struct dns_held *held = dns_cache_get(cache, name, type);
	bool found = held != NULL;

	dns_held_drop(&held);
	return found;
}

static void
name_and_type_tell_answers_apart(void **state)
{
	struct dns_held *held;

	(void)state;
	put("a.example", txt_of(3, 300));
	put("a.example", denial(DNS_MX));
	assert_true(has("a.example", DNS_TXT));
	assert_true(has("a.example", DNS_MX));
	assert_false(has("a.example", DNS_A));
	assert_false(has("a.exampl", DNS_TXT));
	assert_false(has("a.example.com", DNS_TXT));
	held = dns_cache_get(cache, "a.example", DNS_TXT);
	assert_int_equal(dns_held_answer(held, clock_now).rr[0].txt.len, 3);
	dns_held_drop(&held);
}

static void
a_newer_answer_replaces_the_older_one(void **state)
{
	struct dns_held *held;

	(void)state;
	put("a.example", txt_of(3, 300));
	put("a.example", txt_of(4, 300));
	assert_int_equal(dns_cache_count(cache), 1);
	held = dns_cache_get(cache, "a.example", DNS_TXT);
	assert_int_equal(dns_held_answer(held, clock_now).rr[0].txt.len, 4);
	dns_held_drop(&held);
}

static void
what_is_held_outlives_its_place_in_the_cache(void **state)
{
	struct dns_held *old, *held;

	(void)state;
	old = dns_cache_put(cache, "a.example", txt_of(3, 300));
	put("a.example", txt_of(4, 300));
	held = dns_cache_get(cache, "a.example", DNS_TXT);
	dns_cache_free(cache);
	cache = NULL;
	assert_int_equal(dns_held_answer(old, clock_now).rr[0].txt.len, 3);
	assert_int_equal(dns_held_answer(held, clock_now).rr[0].txt.len, 4);
	dns_held_drop(&old);
	dns_held_drop(&held);
	dns_held_drop(&held);
	dns_cache_free(NULL);
}

static void
the_ttl_counts_down_to_zero(void **state)
{
	struct dns_held *held =
	    dns_cache_put(cache, "a.example", txt_of(3, 10));

	(void)state;
	assert_int_equal(dns_held_answer(held, clock_now).ttl_s, 10);
	clock_advance(clock_now, 9999);
	assert_int_equal(dns_held_answer(held, clock_now).ttl_s, 1);
	assert_true(has("a.example", DNS_TXT));
	clock_advance(clock_now, 1);
	assert_int_equal(dns_held_answer(held, clock_now).ttl_s, 0);
	assert_false(has("a.example", DNS_TXT));
	assert_int_equal(dns_cache_count(cache), 0);
	clock_advance(clock_now, 5000);
	assert_int_equal(dns_held_answer(held, clock_now).ttl_s, 0);
	dns_held_drop(&held);
}

static void
the_wall_clock_does_not_matter(void **state)
{
	(void)state;
	put("a.example", txt_of(3, 10));
	clock_set_wall_s(clock_now, 1000000);
	assert_true(has("a.example", DNS_TXT));
}

static void
entries_are_bounded_and_the_least_used_goes_first(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i < LIMIT_DNS_CACHE_ENTRIES; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(name, denial(DNS_MX));
	}
	assert_true(has("n0.example", DNS_MX)); /* used: n1 is the last now */
	put("more.example", denial(DNS_MX));
	assert_int_equal(dns_cache_count(cache), LIMIT_DNS_CACHE_ENTRIES);
	assert_true(has("n0.example", DNS_MX));
	assert_false(has("n1.example", DNS_MX));
	assert_true(has("n2.example", DNS_MX));
	assert_true(has("more.example", DNS_MX));
}

static void
octets_are_bounded_too(void **state)
{
	enum {
		OCTETS = 60000,
		FIT = LIMIT_DNS_CACHE_BYTES / OCTETS
	};
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 2 * FIT; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		put(name, txt_of(OCTETS, 300));
	}
	assert_in_range(dns_cache_count(cache), FIT - FIT / 10, FIT);
	assert_false(has("n0.example", DNS_TXT));
	assert_true(has(name, DNS_TXT));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    name_and_type_tell_answers_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_newer_answer_replaces_the_older_one, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_held_outlives_its_place_in_the_cache, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(the_ttl_counts_down_to_zero,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(the_wall_clock_does_not_matter,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    entries_are_bounded_and_the_least_used_goes_first, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(octets_are_bounded_too, setup,
		    teardown),
	};

	return cmocka_run_group_tests_name("dns_cache", tests, NULL, NULL);
}
