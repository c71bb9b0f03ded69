/* SPDX-License-Identifier: ISC */
/* Probes against ports that are played by the test. */
#include "tests/unit/unit.h"

#include "common/limits.h"
#include "tests/unit/probe_play.h"

static void
assert_done(const struct probe_play *play, enum probe_state state,
    enum result_type result, const char *why, const char *address)
{
	char text[ADDRESS_SIZE];

	assert_int_equal(play->n_done, 1);
	assert_string_equal(play->result.why, why);
	assert_string_equal(probe_state_name(play->result.state),
	    probe_state_name(state));
	assert_int_equal(play->result.result, result);
	if (address == NULL)
		assert_int_equal(play->result.address.family, 0);
	else
		assert_string_equal(address_format(&play->result.address, text),
		    address);
}

static void
a_good_session_makes_the_host_good_and_is_quit(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, NULL, "192.0.2.1 192.0.2.2");
	assert_int_equal(play->target.proofs, PLAY_PROOFS);
	probe_play_session_is_good(play);
	assert_done(play, PROBE_GOOD, RESULT_NONE, "", "192.0.2.1");
	assert_int_equal(play->result.proofs, PLAY_PROOFS);
	assert_int_equal(play->n_quits, 1);
	assert_string_equal(play->tried, "192.0.2.1 ");
}

static void
both_kinds_of_addresses_are_awaited(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_FOUND, "192.0.2.1");
	assert_null(play->session);
	probe_play_answer(play, DNS_AAAA, DNS_FOUND, "2001:db8::1");
	assert_string_equal(play->tried, "2001:db8::1 ");
	probe_play_session_is_good(play);
}

static void
addresses_are_tried_by_turns_ipv6_first(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1",
	    "192.0.2.1 192.0.2.2 192.0.2.3");
	while (play->n_done == 0)
		probe_play_session_fails(play, RESULT_NONE,
		    "failed at the greeting");
	assert_string_equal(play->tried,
	    "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3 ");
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "failed at the greeting", "192.0.2.3");
}

static void
only_so_many_addresses_are_tried(void **state)
{
	struct probe_play *play = *state;
	unsigned n = 0;

	probe_play_start_with(play,
	    "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 "
	    "2001:db8::6 2001:db8::7 2001:db8::8 2001:db8::9",
	    "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5");
	for (; play->n_done == 0; n++)
		probe_play_session_fails(play, RESULT_NONE, "no");
	assert_int_equal(n, LIMIT_PROBE_ADDRESSES);
	assert_string_equal(play->tried,
	    "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 "
	    "2001:db8::3 192.0.2.3 2001:db8::4 192.0.2.4 ");
}

static void
a_good_address_after_bad_ones_makes_the_host_good(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1 2001:db8::2", "192.0.2.1");
	probe_play_session_fails(play, RESULT_NONE, "failed at the connection");
	probe_play_session_fails(play, RESULT_CERTIFICATE_EXPIRED,
	    "has expired");
	probe_play_session_is_good(play);
	assert_done(play, PROBE_GOOD, RESULT_NONE, "", "2001:db8::2");
	assert_false(play->result.certificate_bad);
}

static void
a_tls_failure_tells_more_than_an_unreachable_address(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_play_session_fails(play, RESULT_CERTIFICATE_EXPIRED,
	    "has expired");
	probe_play_session_fails(play, RESULT_NONE, "failed at the connection");
	assert_done(play, PROBE_TLS_FAILED, RESULT_CERTIFICATE_EXPIRED,
	    "has expired", "2001:db8::1");
	assert_true(play->result.certificate_bad);
	assert_int_equal(play->result.proofs, 0);
}

/* "unreachable = proceed" is not for hosts that were not tried. */
static void
a_lack_on_our_side_does_not_make_the_host_unreachable(void **state)
{
	static const struct smtp_result starved = { .starved = true,
		.why = "failed at the connection: Too many open files" };
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_play_session_ends(play, &starved);
	probe_play_session_fails(play, RESULT_NONE, "failed at the connection");
	assert_done(play, PROBE_UNKNOWN, RESULT_NONE,
	    "failed at the connection: Too many open files", "2001:db8::1");
}

static void
of_two_tls_failures_the_last_one_counts(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_play_session_fails(play, RESULT_CERTIFICATE_EXPIRED,
	    "has expired");
	probe_play_session_fails(play, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer");
	assert_done(play, PROBE_TLS_FAILED, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer", "192.0.2.1");
	assert_false(play->result.certificate_bad);
}

static void
a_session_without_the_proofs_is_never_good(void **state)
{
	const struct smtp_result ready = { .stage = SMTP_STAGE_READY,
		.proofs = PROOF_ENCRYPTED };
	struct probe_play *play = *state;

	probe_play_start_with(play, NULL, "192.0.2.1");
	probe_play_session_ends(play, &ready);
	assert_int_equal(play->n_done, 1);
	assert_int_equal(play->result.state, PROBE_UNREACHABLE);
	assert_int_equal(play->n_quits, 1);
}

static void
a_host_without_addresses_is_unreachable(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_NO_DATA, NULL);
	probe_play_answer(play, DNS_AAAA, DNS_NO_NAME, NULL);
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE, "has no address",
	    NULL);
}

static void
a_failed_lookup_without_an_address_is_told(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_TEMPFAIL, NULL);
	probe_play_answer(play, DNS_AAAA, DNS_NO_DATA, NULL);
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "address lookup failed", NULL);
}

static void
a_failed_lookup_does_not_matter_when_the_other_found_one(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_AAAA, DNS_TEMPFAIL, NULL);
	probe_play_answer(play, DNS_A, DNS_FOUND, "192.0.2.1");
	probe_play_session_is_good(play);
	assert_done(play, PROBE_GOOD, RESULT_NONE, "", "192.0.2.1");
}

static void
inner_addresses_are_left_out(void **state)
{
	struct probe_play *play = *state;

	play->rules.allow_internal = false;
	probe_play_start_with(play, "::1", "127.0.0.1 198.51.100.77");
	assert_string_equal(play->tried, "198.51.100.77 ");
	probe_play_session_is_good(play);
}

static void
a_host_with_inner_addresses_only_is_unreachable(void **state)
{
	struct probe_play *play = *state;

	play->rules.allow_internal = false;
	probe_play_start_with(play, NULL, "127.0.0.1");
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "has no address to connect to: 127.0.0.1 is a loopback address",
	    NULL);
}

static void
lookups_that_cannot_begin_leave_nothing(void **state)
{
	struct probe_play *play = *state;

	play->dns_refuses_a = play->dns_refuses_aaaa = true;
	assert_null(probe_play_start(play));
	clock_advance(play->ports.clock, 2 * LIMIT_PROBE_MS);
	assert_int_equal(play->n_done, 0);
}

static void
one_lookup_that_cannot_begin_leaves_the_host_unknown(void **state)
{
	struct probe_play *play = *state;

	play->dns_refuses_aaaa = true;
	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_NO_DATA, NULL);
	assert_done(play, PROBE_UNKNOWN, RESULT_NONE,
	    "address lookup was not begun", NULL);
}

static void
one_lookup_is_enough_when_it_finds_an_address(void **state)
{
	struct probe_play *play = *state;

	play->dns_refuses_a = true;
	probe_play_start(play);
	probe_play_answer(play, DNS_AAAA, DNS_FOUND, "2001:db8::1");
	probe_play_session_is_good(play);
	assert_done(play, PROBE_GOOD, RESULT_NONE, "", "2001:db8::1");
}

static void
sessions_that_cannot_begin_leave_the_host_unknown(void **state)
{
	struct probe_play *play = *state;

	play->smtp_refuses = true;
	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	assert_done(play, PROBE_UNKNOWN, RESULT_NONE, "session was not begun",
	    "192.0.2.1");
}

static void
an_address_that_was_not_tried_is_not_unreachable(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	play->smtp_refuses = true;
	probe_play_session_fails(play, RESULT_NONE, "failed at the connection");
	assert_done(play, PROBE_UNKNOWN, RESULT_NONE, "session was not begun",
	    "192.0.2.1");
}

static void
a_tls_failure_stands_before_an_address_that_was_not_tried(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	play->smtp_refuses = true;
	probe_play_session_fails(play, RESULT_VALIDATION_FAILURE, "failed");
	assert_done(play, PROBE_TLS_FAILED, RESULT_VALIDATION_FAILURE, "failed",
	    "2001:db8::1");
}

static void
a_slow_address_gives_way_to_the_next_one(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	assert_int_equal(play->target.deadline_ms,
	    LIMIT_PROBE_ADDRESS_MS - LIMIT_PROBE_GRACE_MS);
	clock_advance(play->ports.clock, LIMIT_PROBE_ADDRESS_MS - 1);
	assert_string_equal(play->tried, "2001:db8::1 ");
	clock_advance(play->ports.clock, 1);
	assert_int_equal(play->n_cuts, 1);
	assert_string_equal(play->tried, "2001:db8::1 192.0.2.1 ");
	/* The last one has all that is left. */
	assert_int_equal(play->target.deadline_ms,
	    LIMIT_PROBE_MS - LIMIT_PROBE_ADDRESS_MS - LIMIT_PROBE_GRACE_MS);
	probe_play_session_is_good(play);
	assert_done(play, PROBE_GOOD, RESULT_NONE, "", "192.0.2.1");
}

static void
the_whole_probe_ends_by_its_deadline(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1 2001:db8::2 2001:db8::3",
	    NULL);
	clock_advance(play->ports.clock, LIMIT_PROBE_MS - 1);
	assert_int_equal(play->n_done, 0);
	clock_advance(play->ports.clock, 1);
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "did not answer in time", "2001:db8::3");
	assert_int_equal(play->n_cuts, 3);
}

static void
the_deadline_does_not_hide_a_tls_failure(void **state)
{
	struct probe_play *play = *state;

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_play_session_fails(play, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer");
	clock_advance(play->ports.clock, LIMIT_PROBE_MS);
	assert_done(play, PROBE_TLS_FAILED, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer", "2001:db8::1");
}

static void
lookups_without_an_answer_end_by_the_deadline(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_FOUND, "192.0.2.1");
	clock_advance(play->ports.clock, LIMIT_PROBE_MS);
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "address lookup timed out", NULL);
	assert_string_equal(play->tried, "");
}

static void
little_time_left_is_still_a_deadline(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_AAAA, DNS_NO_DATA, NULL);
	clock_advance(play->ports.clock, LIMIT_PROBE_MS - 100);
	probe_play_answer(play, DNS_A, DNS_FOUND, "192.0.2.1 192.0.2.2");
	assert_int_equal(play->target.deadline_ms, 1); /* 0 would be none */
	clock_advance(play->ports.clock, 100);
	assert_int_equal(play->n_done, 1);
}

static void
a_probe_can_be_cancelled_at_each_step(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_cancel(&play->probe);
	assert_null(play->probe);

	probe_play_start(play);
	probe_play_answer(play, DNS_A, DNS_FOUND, "192.0.2.1");
	probe_cancel(&play->probe);

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_cancel(&play->probe);
	assert_int_equal(play->n_cuts, 1);

	probe_play_start_with(play, "2001:db8::1", "192.0.2.1");
	probe_play_session_fails(play, RESULT_NONE, "no");
	probe_cancel(&play->probe);
	assert_int_equal(play->n_cuts, 2);

	clock_advance(play->ports.clock, 2 * LIMIT_PROBE_MS);
	assert_int_equal(play->n_done, 0);
	probe_cancel(&play->probe);
}

/* The linker puts these in place of the C library's (--wrap). */
static int calls = -1; /* that go well; negative: all */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *string);
char *__wrap_strdup(const char *string);

void *
__wrap_calloc(size_t n, size_t size)
{
	return calls >= 0 && calls-- == 0 ? NULL : __real_calloc(n, size);
}

char *
__wrap_strdup(const char *string)
{
	return calls >= 0 && calls-- == 0 ? NULL : __real_strdup(string);
}

static void
a_probe_without_memory_does_not_begin(void **state)
{
	struct probe_play *play = *state;

	/* Itself, two names, the deadline, the addresses. */
	for (int n = 0; n < 5; n++) {
		calls = n;
		assert_null(probe_play_start(play));
		assert_int_equal(calls, -1);
	}
	clock_advance(play->ports.clock, 2 * LIMIT_PROBE_MS);
	assert_int_equal(play->n_done, 0);
}

static void
a_limit_without_memory_leaves_the_deadline(void **state)
{
	struct probe_play *play = *state;

	probe_play_start(play);
	probe_play_answer(play, DNS_AAAA, DNS_FOUND, "2001:db8::1 2001:db8::2");
	calls = 1; /* the session itself, but not the timer */
	probe_play_answer(play, DNS_A, DNS_NO_DATA, NULL);
	assert_int_equal(calls, -1);
	clock_advance(play->ports.clock, LIMIT_PROBE_MS);
	assert_done(play, PROBE_UNREACHABLE, RESULT_NONE,
	    "did not answer in time", "2001:db8::1");
}

static void
states_have_names(void **state)
{
	(void)state;
	assert_string_equal(probe_state_name(PROBE_UNKNOWN), "unknown");
	assert_string_equal(probe_state_name(PROBE_GOOD), "good");
	assert_string_equal(probe_state_name(PROBE_TLS_FAILED), "tls-failed");
	assert_string_equal(probe_state_name(PROBE_UNREACHABLE), "unreachable");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, probe_play_set_up,               \
	    probe_play_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_session_makes_the_host_good_and_is_quit),
		TEST(both_kinds_of_addresses_are_awaited),
		TEST(addresses_are_tried_by_turns_ipv6_first),
		TEST(only_so_many_addresses_are_tried),
		TEST(a_good_address_after_bad_ones_makes_the_host_good),
		TEST(a_tls_failure_tells_more_than_an_unreachable_address),
		TEST(a_lack_on_our_side_does_not_make_the_host_unreachable),
		TEST(of_two_tls_failures_the_last_one_counts),
		TEST(a_session_without_the_proofs_is_never_good),
		TEST(a_host_without_addresses_is_unreachable),
		TEST(a_failed_lookup_without_an_address_is_told),
		TEST(a_failed_lookup_does_not_matter_when_the_other_found_one),
		TEST(inner_addresses_are_left_out),
		TEST(a_host_with_inner_addresses_only_is_unreachable),
		TEST(lookups_that_cannot_begin_leave_nothing),
		TEST(one_lookup_that_cannot_begin_leaves_the_host_unknown),
		TEST(one_lookup_is_enough_when_it_finds_an_address),
		TEST(sessions_that_cannot_begin_leave_the_host_unknown),
		TEST(an_address_that_was_not_tried_is_not_unreachable),
		TEST(a_tls_failure_stands_before_an_address_that_was_not_tried),
		TEST(a_slow_address_gives_way_to_the_next_one),
		TEST(the_whole_probe_ends_by_its_deadline),
		TEST(the_deadline_does_not_hide_a_tls_failure),
		TEST(lookups_without_an_answer_end_by_the_deadline),
		TEST(little_time_left_is_still_a_deadline),
		TEST(a_probe_can_be_cancelled_at_each_step),
		TEST(a_probe_without_memory_does_not_begin),
		TEST(a_limit_without_memory_leaves_the_deadline),
		TEST(states_have_names),
	};

	return cmocka_run_group_tests_name("probe", tests, NULL, NULL);
}
