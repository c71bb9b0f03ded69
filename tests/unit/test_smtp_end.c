/* SPDX-License-Identifier: ISC */
/* How sessions are ended by us: cancel, quit, the dialer that goes. */
#include "tests/unit/unit.h"

#include <event2/event.h>
#include <sys/resource.h>

#include "common/limits.h"
#include "tests/unit/smtp_fixture.h"

static void
a_session_can_be_cancelled_at_each_stage(void **state)
{
	struct smtp_fixture *f = *state;

	for (size_t i = 0; i < SMTP_FIXTURE_SILENCES; i++) {
		const struct smtp_fixture_silence *at =
		    &smtp_fixture_silences[i];
		struct smtp_sink_script script =
		    smtp_fixture_silent_at(at->stage);

		assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
		smtp_fixture_start(f);
		smtp_fixture_run_until_log(f, at->log);
		f->port.cancel(f->port.self, &f->session);
		assert_null(f->session);
		smtp_fixture_run_until_log(f, at->log_after);
		assert_int_equal(f->n_calls, 0);
	}
}

static void
quit_before_ready_cuts_without_a_callback(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script =
	    smtp_fixture_silent_at(SMTP_STAGE_EHLO);

	assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
	smtp_fixture_start(f);
	smtp_fixture_run_until_log(f, "+E");
	f->port.quit(f->port.self, &f->session);
	assert_null(f->session);
	smtp_fixture_run_until_log(f, "+E.");
	assert_int_equal(f->n_calls, 0);
}

static void
a_session_can_be_cancelled_before_the_loop_turns(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
	smtp_fixture_start(f);
	f->port.cancel(f->port.self, &f->session);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->n_calls, 0);
	assert_string_equal(smtp_sink_log(f->sink), "");
	f->port.cancel(f->port.self, &f->session);
	f->port.quit(f->port.self, &f->session);
}

static void
a_session_can_be_cancelled_within_its_callback(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->then = FIXTURE_CANCELS;
	smtp_fixture_try(f, &script);
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
	smtp_fixture_run_until_log(f, "+ESTE!");
}

static void
a_kept_session_that_the_server_leaves_can_still_quit(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->then = FIXTURE_KEEPS;
	smtp_fixture_try(f, &script);
	smtp_sink_free(f->sink);
	f->sink = NULL;
	event_base_loop(f->base, EVLOOP_ONCE);
	f->port.quit(f->port.self, &f->session);
	assert_int_equal(f->n_calls, 1);
	/* Gone at once: there is nobody to wait for. */
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(event_base_get_num_events(f->base,
			     EVENT_BASE_COUNT_ADDED),
	    0);
}

static void
stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void
the_deadline_is_over_when_a_session_is_ready(void **state)
{
	const struct timeval past_deadline = { 1, 200000 };
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->then = FIXTURE_KEEPS;
	f->target.deadline_ms = 1000;
	smtp_fixture_try(f, &script);
	event_base_once(f->base, -1, EV_TIMEOUT, stop, f->base, &past_deadline);
	event_base_dispatch(f->base);
	f->port.quit(f->port.self, &f->session);
	smtp_fixture_run_until_log(f, "+ESTEQ.");
	assert_int_equal(f->n_calls, 1);
}

static void
a_dialer_can_go_while_sessions_run(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script =
	    smtp_fixture_silent_at(SMTP_STAGE_READY);

	assert_int_equal(smtp_fixture_try(f, &script)->stage, SMTP_STAGE_READY);
	smtp_fixture_run_until_log(f, "+ESTEQ");
	f->n_calls = 0;
	smtp_fixture_start(f); /* a second one beside the one that quits */
	smtp_dialer_free(f->dialer);
	f->dialer = NULL;
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	assert_int_equal(f->n_calls, 0);
	smtp_dialer_free(NULL);
}

static void
not_called(const struct smtp_result *result, struct smtp_session *session,
    void *arg)
{
	(void)result;
	(void)session;
	(void)arg;
	fail();
}

static void
sessions_are_bounded(void **state)
{
	static struct smtp_session *sessions[LIMIT_SMTP_SESSIONS];
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();
	struct smtp_session *one_more;

	assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
	for (size_t i = 0; i < LIMIT_SMTP_SESSIONS; i++) {
		sessions[i] =
		    f->port.start(f->port.self, &f->target, not_called, NULL);
		assert_non_null(sessions[i]);
	}
	assert_null(f->port.start(f->port.self, &f->target, not_called, NULL));
	f->port.cancel(f->port.self, &sessions[0]);
	one_more = f->port.start(f->port.self, &f->target, not_called, NULL);
	assert_non_null(one_more);
	f->port.cancel(f->port.self, &one_more);
	for (size_t i = 0; i < LIMIT_SMTP_SESSIONS; i++)
		f->port.cancel(f->port.self, &sessions[i]);
}

static void
a_lack_of_descriptors_is_told_from_what_the_host_does(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();
	struct rlimit old, none;

	assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
	smtp_fixture_start(f);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	smtp_fixture_run_until_called(f);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	smtp_fixture_assert_failed(f, SMTP_STAGE_CONNECT, RESULT_NONE,
	    "failed at the connection: Too many open files");
	assert_true(f->result.starved);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, smtp_fixture_set_up,             \
	    smtp_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_can_be_cancelled_at_each_stage),
		TEST(quit_before_ready_cuts_without_a_callback),
		TEST(a_session_can_be_cancelled_before_the_loop_turns),
		TEST(a_session_can_be_cancelled_within_its_callback),
		TEST(a_kept_session_that_the_server_leaves_can_still_quit),
		TEST(the_deadline_is_over_when_a_session_is_ready),
		TEST(a_dialer_can_go_while_sessions_run),
		TEST(sessions_are_bounded),
		TEST(a_lack_of_descriptors_is_told_from_what_the_host_does),
	};

	return cmocka_run_group_tests_name("smtp_end", tests,
	    smtp_fixture_group_set_up, smtp_fixture_group_tear_down);
}
