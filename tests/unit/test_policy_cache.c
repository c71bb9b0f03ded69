/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/limits.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "tests/unit/allocation.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"

#define NOW 1700000000
#define DAY 86400

static char directory[512];

static int
make_directory(void **state)
{
	static unsigned n;
	char name[32];

	(void)state;
	snprintf(name, sizeof(name), "store%u", n++);
	snprintf(directory, sizeof(directory), "%s", scratch_path(name));
	return mkdir(directory, 0700);
}

static struct span
policy(const char *mode, unsigned long max_age)
{
	static char body[256];

	snprintf(body, sizeof(body),
	    "version: STSv1\nmode: %s\nmx: mx.example\nmax_age: %lu\n", mode,
	    max_age);
	return span_of(body);
}

static struct policy_cache *
new_cache(struct policy_store *store, size_t max)
{
	struct policy_cache *cache = policy_cache_new(store, max);

	assert_non_null(cache);
	return cache;
}

static struct policy_store *
open_store(void)
{
	struct policy_store *store = policy_store_open(directory, 0);

	assert_non_null(store);
	return store;
}

/* A store with this one row in it. */
static struct policy_store *
store_with(const char *domain, const char *id, int64_t fetched_at_s,
    int64_t record_seen_at_s, struct span body)
{
	struct policy_store *store = open_store();
	struct policy_row row = { .fetched_at_s = fetched_at_s,
		.record_seen_at_s = record_seen_at_s,
		.body = body };

	assert_true(span_copy(span_of(domain), row.domain, DOMAIN_SIZE));
	assert_true(span_copy(span_of(id), row.id, STS_ID_SIZE));
	assert_true(policy_store_put(store, &row));
	return store;
}

static void
a_policy_is_live_until_max_age_after_its_fetch(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 10);
	const struct cached_policy *cached;

	(void)state;
	assert_null(policy_cache_get(cache, "a.example", NOW));
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	cached = policy_cache_get(cache, "a.example", NOW + DAY - 1);
	assert_non_null(cached);
	assert_string_equal(cached->id, "id1");
	assert_int_equal(cached->fetched_at_s, NOW);
	assert_int_equal(cached->record_seen_at_s, NOW);
	assert_int_equal(cached->policy.mode, STS_MODE_ENFORCE);
	assert_null(policy_cache_get(cache, "a.example", NOW + DAY));
	/* The clock was wrong and is right again. */
	assert_non_null(policy_cache_get(cache, "a.example", NOW + 1));
	assert_null(policy_cache_get(cache, "b.example", NOW));
	policy_cache_free(cache);
	policy_cache_free(NULL);
}

static void
a_new_policy_replaces_the_old_one(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);
	const struct cached_policy *cached;

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	cached = policy_cache_get(cache, "a.example", NOW);
	assert_non_null(cached);
	/* The id may be the one that is given up. */
	assert_true(policy_cache_put(cache, "a.example", cached->id,
	    policy("testing", DAY), NOW + 5));
	assert_int_equal(policy_cache_count(cache), 1);
	cached = policy_cache_get(cache, "a.example", NOW + 5);
	assert_non_null(cached);
	assert_string_equal(cached->id, "id1");
	assert_int_equal(cached->policy.mode, STS_MODE_TESTING);
	assert_int_equal(cached->fetched_at_s, NOW + 5);
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
a_max_age_of_zero_keeps_nothing_and_ends_the_old_policy(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);
	struct policy_row row;

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	assert_true(policy_cache_put(cache, "a.example", "id2",
	    policy("enforce", 0), NOW));
	assert_null(policy_cache_get(cache, "a.example", NOW));
	assert_int_equal(policy_cache_count(cache), 0);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
the_least_recently_used_policy_goes_first(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 3);

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "1",
	    policy("enforce", DAY), NOW));
	assert_true(policy_cache_put(cache, "b.example", "1",
	    policy("enforce", DAY), NOW));
	assert_true(policy_cache_put(cache, "c.example", "1",
	    policy("enforce", DAY), NOW));
	assert_non_null(policy_cache_get(cache, "a.example", NOW));
	assert_true(policy_cache_put(cache, "d.example", "1",
	    policy("enforce", DAY), NOW));
	assert_int_equal(policy_cache_count(cache), 3);
	assert_null(policy_cache_get(cache, "b.example", NOW));
	assert_non_null(policy_cache_get(cache, "a.example", NOW));
	assert_non_null(policy_cache_get(cache, "c.example", NOW));
	assert_non_null(policy_cache_get(cache, "d.example", NOW));
	policy_cache_free(cache);
}

/* About 4,000 patterns: a body of nearly 64 KiB. */
static struct span
long_policy(void)
{
	static char body[65536];
	size_t len = (size_t)snprintf(body, sizeof(body),
	    "version: STSv1\nmode: enforce\nmax_age: %d\n", DAY);

	for (unsigned i = 0; len < sizeof(body) - 32; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
		    "mx: m%u.example\n", i);
	return (struct span){ body, len };
}

static void
long_policies_take_the_room_of_many(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 10000);
	char domain[32];
	size_t fit;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		assert_true(
		    policy_cache_put(cache, domain, "1", long_policy(), NOW));
		assert_non_null(policy_cache_get(cache, domain, NOW));
	}
	fit = policy_cache_count(cache);
	assert_in_range(fit, 2, 10000 * LIMIT_POLICY_OCTETS / 65536);
	assert_null(policy_cache_get(cache, "d0.example", NOW));
	/* Short ones drive them out, and then as many fit as were wanted. */
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(domain, sizeof(domain), "e%u.example", i);
		assert_true(policy_cache_put(cache, domain, "1",
		    policy("enforce", DAY), NOW));
	}
	assert_int_equal(policy_cache_count(cache), 10000);
	policy_cache_free(cache);
}

static void
the_longest_policy_fits_however_few_are_wanted(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 1);

	(void)state;
	assert_true(
	    policy_cache_put(cache, "a.example", "1", long_policy(), NOW));
	assert_non_null(policy_cache_get(cache, "a.example", NOW));
	policy_cache_free(cache);
}

static void
what_left_memory_comes_back_from_the_store(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 1);
	const struct cached_policy *cached;

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	assert_true(policy_cache_put(cache, "b.example", "id2",
	    policy("testing", DAY), NOW));
	assert_int_equal(policy_cache_count(cache), 1);
	cached = policy_cache_get(cache, "a.example", NOW + 1);
	assert_non_null(cached);
	assert_string_equal(cached->id, "id1");
	assert_int_equal(policy_cache_count(cache), 1);
	policy_cache_free(cache);
	policy_store_close(store);
	store = open_store();
	cache = new_cache(store, 1);
	assert_non_null(policy_cache_get(cache, "b.example", NOW + 1));
	assert_null(policy_cache_get(cache, "b.example", NOW + DAY));
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
a_record_seen_is_remembered_in_both_places(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);
	const struct cached_policy *cached;
	struct policy_row row;

	(void)state;
	policy_cache_record_seen(cache, "a.example", NOW);
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	policy_cache_record_seen(cache, "a.example", NOW + 60);
	cached = policy_cache_get(cache, "a.example", NOW + 60);
	assert_non_null(cached);
	assert_int_equal(cached->record_seen_at_s, NOW + 60);
	assert_int_equal(cached->fetched_at_s, NOW);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_int_equal(row.record_seen_at_s, NOW + 60);
	assert_int_equal(row.fetched_at_s, NOW);
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
a_dropped_policy_is_gone_from_both_places(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);

	(void)state;
	policy_cache_drop(cache, "a.example");
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	policy_cache_drop(cache, "a.example");
	assert_int_equal(policy_cache_count(cache), 0);
	assert_null(policy_cache_get(cache, "a.example", NOW));
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
a_fetch_in_the_future_counts_as_now_once_and_is_written_so(void **state)
{
	struct policy_store *store = store_with("a.example", "id1", INT64_MAX,
	    NOW + 5000, policy("enforce", DAY));
	struct policy_cache *cache = new_cache(store, 10);
	const struct cached_policy *cached;
	struct policy_row row;

	(void)state;
	cached = policy_cache_get(cache, "a.example", NOW);
	assert_non_null(cached);
	assert_int_equal(cached->fetched_at_s, NOW);
	assert_int_equal(cached->record_seen_at_s, NOW);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_int_equal(row.fetched_at_s, NOW);
	assert_int_equal(row.record_seen_at_s, NOW);
	assert_non_null(policy_cache_get(cache, "a.example", NOW + DAY - 1));
	assert_null(policy_cache_get(cache, "a.example", NOW + DAY));
	policy_cache_free(cache);
	policy_store_close(store);
}

static void
a_clock_set_back_makes_a_policy_in_memory_start_again(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 10);
	const struct cached_policy *cached;

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	cached = policy_cache_get(cache, "a.example", NOW - 1000);
	assert_non_null(cached);
	assert_int_equal(cached->fetched_at_s, NOW - 1000);
	assert_null(policy_cache_get(cache, "a.example", NOW - 1000 + DAY));
	policy_cache_free(cache);
}

static void
a_row_that_is_not_sane_is_not_believed_and_dropped(void **state)
{
	static const struct {
		const char *id;
		int64_t fetched_at_s, record_seen_at_s;
		const char *body;
	} table[] = {
		{ "", NOW, NOW, NULL },
		{ "a b", NOW, NOW, NULL },
		{ "id1", -1, NOW, NULL },
		{ "id1", NOW, INT64_MIN, NULL },
		{ "id1", NOW, NOW, "" },
		{ "id1", NOW, NOW, "version: STSv1\nmode: enf" },
		{ "id1", NOW, NOW, "version: STSv1\nmode: none\nmax_age: 0\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_store *store =
		    store_with("a.example", table[i].id, table[i].fetched_at_s,
			table[i].record_seen_at_s,
			table[i].body == NULL ? policy("enforce", DAY)
					      : span_of(table[i].body));
		struct policy_cache *cache = new_cache(store, 10);
		struct policy_row row;

		log_capture_start();
		assert_null(policy_cache_get(cache, "a.example", NOW));
		assert_null(policy_cache_get(cache, "a.example", NOW));
		assert_int_equal(log_capture_lines(log_capture_end()), 1);
		assert_int_equal(policy_store_get(store, "a.example", &row),
		    POLICY_ROW_NONE);
		policy_cache_free(cache);
		policy_store_close(store);
	}
}

static void
what_could_not_be_understood_is_not_kept(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);
	struct policy_row row;

	(void)state;
	assert_false(policy_cache_put(cache, "a.example", "id1",
	    span_of("nonsense"), NOW));
	assert_false(policy_cache_put(cache, "a.example",
	    "012345678901234567890123456789012", policy("enforce", DAY), NOW));
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	assert_int_equal(policy_cache_count(cache), 0);
	policy_cache_free(cache);
	policy_store_close(store);
}

/* Fails each allocation of a put in turn, until none was left to fail. */
static void
a_put_without_memory_says_so_and_leaves_no_stale_policy(void **state)
{
	bool kept = false;

	(void)state;
	for (unsigned i = 1; !kept; i++) {
		struct policy_cache *cache = new_cache(NULL, 10);

		assert_in_range(i, 1, 100);
		allocation_fail(i);
		kept = policy_cache_put(cache, "a.example", "id2",
		    policy("enforce", DAY), NOW);
		assert_int_equal(allocation_has_failed(), !kept);
		allocation_fail(0);
		assert_int_equal(policy_cache_count(cache), kept ? 1 : 0);
		assert_int_equal(policy_cache_get(cache, "a.example", NOW) !=
			NULL,
		    kept);
		policy_cache_free(cache);
	}
}

static void
without_memory_the_store_still_has_the_policy(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 10);
	const struct cached_policy *cached;

	(void)state;
	assert_true(policy_cache_put(cache, "a.example", "id1",
	    policy("enforce", DAY), NOW));
	allocation_fail(1);
	assert_false(policy_cache_put(cache, "a.example", "id2",
	    policy("testing", DAY), NOW));
	allocation_fail(1);
	assert_null(policy_cache_get(cache, "a.example", NOW));
	assert_true(policy_cache_unread(cache));
	allocation_fail(0);
	assert_null(policy_cache_get(cache, "b.example", NOW));
	assert_false(policy_cache_unread(cache));
	cached = policy_cache_get(cache, "a.example", NOW);
	assert_non_null(cached);
	assert_string_equal(cached->id, "id2");
	policy_cache_free(cache);
	allocation_fail(1);
	assert_null(policy_cache_new(store, 10));
	allocation_fail(0);
	policy_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup(name, make_directory)

/* Domains as they come, and what there is to check of them. */
static char listed[64][DOMAIN_SIZE];
static size_t n_listed;

static void
note_listed(const char *domain, const struct cached_policy *cached, void *arg)
{
	assert_ptr_equal(arg, listed);
	assert_int_equal(cached->policy.mode, STS_MODE_ENFORCE);
	memcpy(listed[n_listed++], domain, strlen(domain) + 1);
}

static void
assert_pages(struct policy_cache *cache)
{
	char domain[DOMAIN_SIZE], last[DOMAIN_SIZE] = "";
	bool more = true;

	n_listed = 0;
	for (size_t page = 0; page < 6; page++) {
		assert_true(more);
		more = policy_cache_list(cache, last, 4, note_listed, listed,
		    last);
	}
	assert_false(more);
	assert_int_equal(n_listed, 20);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(domain, sizeof(domain), "d%02u.example", i);
		assert_string_equal(listed[i], domain);
	}
	policy_cache_clear(cache);
	assert_false(
	    policy_cache_list(cache, "", 4, note_listed, listed, last));
	assert_int_equal(policy_cache_count(cache), 0);
	assert_int_equal(policy_cache_count_stored(cache), 0);
}

/* Twenty of them, one of which has expired. */
static void
put_twenty(struct policy_cache *cache)
{
	char domain[DOMAIN_SIZE];

	for (unsigned i = 0; i < 20; i++) {
		snprintf(domain, sizeof(domain), "d%02u.example", i * 7 % 20);
		policy_cache_put(cache, domain, "id", policy("enforce", DAY),
		    i == 3 ? NOW - 2 * DAY : NOW);
	}
}

static void
a_list_has_all_in_order_page_by_page(void **state)
{
	struct policy_cache *cache = new_cache(NULL, 100);

	(void)state;
	assert_false(policy_cache_has_store(cache));
	put_twenty(cache);
	assert_pages(cache);
	policy_cache_free(cache);
}

static void
a_list_has_what_only_the_store_holds(void **state)
{
	struct policy_store *store = open_store();
	struct policy_cache *cache = new_cache(store, 3);

	(void)state;
	assert_true(policy_cache_has_store(cache));
	put_twenty(cache);
	assert_int_equal(policy_cache_count(cache), 3);
	assert_int_equal(policy_cache_count_stored(cache), 20);
	assert_non_null(policy_cache_peek(cache, "d01.example"));
	assert_pages(cache);
	assert_null(policy_cache_peek(cache, "d01.example"));
	policy_cache_free(cache);
	policy_store_close(store);
}

/* The page goes on behind it. */
static void
a_stored_row_of_no_use_is_passed_over_in_a_list(void **state)
{
	struct policy_store *store =
	    store_with("c.example", "id", NOW, NOW, span_of("nonsense"));
	struct policy_cache *cache = new_cache(store, 3);
	char last[DOMAIN_SIZE] = "";

	(void)state;
	policy_cache_put(cache, "b.example", "id", policy("enforce", DAY), NOW);
	policy_cache_put(cache, "d.example", "id", policy("enforce", DAY), NOW);
	n_listed = 0;
	assert_true(policy_cache_list(cache, "b.example", 1, note_listed,
	    listed, last));
	assert_string_equal(last, "c.example");
	assert_int_equal(n_listed, 0);
	assert_true(
	    policy_cache_list(cache, last, 1, note_listed, listed, last));
	assert_string_equal(listed[0], "d.example");
	policy_cache_free(cache);
	policy_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_policy_is_live_until_max_age_after_its_fetch),
		TEST(a_new_policy_replaces_the_old_one),
		TEST(a_max_age_of_zero_keeps_nothing_and_ends_the_old_policy),
		TEST(the_least_recently_used_policy_goes_first),
		TEST(long_policies_take_the_room_of_many),
		TEST(the_longest_policy_fits_however_few_are_wanted),
		TEST(what_left_memory_comes_back_from_the_store),
		TEST(a_record_seen_is_remembered_in_both_places),
		TEST(a_dropped_policy_is_gone_from_both_places),
		TEST(a_list_has_all_in_order_page_by_page),
		TEST(a_list_has_what_only_the_store_holds),
		TEST(a_stored_row_of_no_use_is_passed_over_in_a_list),
		TEST(
		    a_fetch_in_the_future_counts_as_now_once_and_is_written_so),
		TEST(a_clock_set_back_makes_a_policy_in_memory_start_again),
		TEST(a_row_that_is_not_sane_is_not_believed_and_dropped),
		TEST(what_could_not_be_understood_is_not_kept),
		TEST(a_put_without_memory_says_so_and_leaves_no_stale_policy),
		TEST(without_memory_the_store_still_has_the_policy),
	};

	return cmocka_run_group_tests_name("policy_cache", tests, scratch_make,
	    scratch_remove);
}
