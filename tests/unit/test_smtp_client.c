/* SPDX-License-Identifier: ISC */
/* Sessions through all stages, and how they end at each of them. */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "tests/unit/smtp_fixture.h"

static const struct smtp_limits short_limits = { .connect_ms = 300,
	.tls_ms = 300,
	.command_ms = 300,
	.quit_ms = 300 };

static void
a_good_session_shows_its_proofs_and_quits(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();
	const struct smtp_result *result = smtp_fixture_try(f, &script);

	assert_string_equal(result->why, "");
	assert_int_equal(result->stage, SMTP_STAGE_READY);
	assert_int_equal(result->proofs, PROOF_ENCRYPTED | PROOF_PKIX);
	assert_int_equal(result->result, RESULT_NONE);
	assert_false(result->certificate_bad);
	assert_string_equal(result->tls_version, "TLSv1.3");
	assert_int_equal(result->reply_code, 250);
	assert_null(f->session);
	/* With TLS ended in order, before the connection is. */
	smtp_fixture_run_until_log(f, "+ESTEQ.");
	assert_string_equal(smtp_sink_sni(f->sink), FIXTURE_MX);
	assert_string_equal(smtp_sink_ehlo(f->sink), FIXTURE_HELO);
	assert_int_equal(f->n_calls, 1);
}

static void
ipv6_is_spoken(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	if (!smtp_fixture_serve(f, "::1", &script))
		skip();
	smtp_fixture_start(f);
	smtp_fixture_run_until_log(f, "+ESTEQ.");
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
}

static void
a_session_that_is_kept_quits_later(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->then = FIXTURE_KEEPS;
	f->target.deadline_ms = 5000;
	smtp_fixture_try(f, &script);
	assert_non_null(f->session);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
	f->port.quit(f->port.self, &f->session);
	assert_null(f->session);
	smtp_fixture_run_until_log(f, "+ESTEQ.");
}

static void
replies_of_many_lines_that_come_octet_by_octet_are_read(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.greeting = "220-mx1.example.com\r\n220-hello\n220 ESMTP\r\n";
	script.drips = true;
	smtp_fixture_try(f, &script);
	assert_string_equal(f->result.why, "");
	smtp_fixture_run_until_log(f, "+ESTEQ.");
}

static void
without_proofs_asked_for_a_session_may_stay_in_clear(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->target.proofs = 0;
	script.ehlo = "250 mx1.example.com\r\n";
	smtp_fixture_try(f, &script);
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
	assert_int_equal(f->result.proofs, 0);
	assert_string_equal(f->result.tls_version, "");
	smtp_fixture_run_until_log(f, "+EQ.");

	script.ehlo = "250-mx1.example.com\r\n250 STARTTLS\r\n";
	script.starttls = "454 not now\r\n";
	smtp_fixture_try(f, &script);
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
	assert_int_equal(f->result.proofs, 0);
	smtp_fixture_run_until_log(f, "+ESQ.");
}

static void
an_offered_starttls_is_left_alone_on_wish(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	f->target.proofs = 0;
	f->target.in_clear = true;
	smtp_fixture_try(f, &script);
	assert_int_equal(f->result.stage, SMTP_STAGE_READY);
	assert_int_equal(f->result.proofs, 0);
	assert_string_equal(f->result.tls_version, "");
	smtp_fixture_run_until_log(f, "+EQ.");
}

/* What a server says, and what is made of it. */
static const struct saying {
	const char *greeting, *ehlo, *starttls, *ehlo_tls; /* NULL: good */
	enum smtp_stage stage;
	enum result_type result;
	const char *why;
} sayings[] = {
	{ .greeting = "554 5.7.1 go away\r\n",
	    .stage = SMTP_STAGE_GREETING,
	    .why = "greeted with 554 5.7.1 go away" },
	{ .greeting = "421 busy\r\n",
	    .stage = SMTP_STAGE_GREETING,
	    .why = "greeted with 421 busy" },
	{ .greeting = "250 hello\r\n",
	    .stage = SMTP_STAGE_GREETING,
	    .why = "greeted with 250 hello" },
	{ .greeting = "HTTP/1.1 400 Bad Request\r\n",
	    .stage = SMTP_STAGE_GREETING,
	    .why = "failed at the greeting: reply without a code" },
	{ .greeting = sink_closes,
	    .stage = SMTP_STAGE_GREETING,
	    .why = "closed the connection at the greeting" },
	{ .greeting = sink_resets,
	    .stage = SMTP_STAGE_GREETING,
	    .why = "failed at the greeting: Connection reset by peer" },
	{ .greeting = "220 one\r\n220 two\r\n",
	    .stage = SMTP_STAGE_EHLO,
	    .why = "failed at EHLO: it spoke out of turn" },
	{ .ehlo = "502 what\r\n",
	    .stage = SMTP_STAGE_EHLO,
	    .why = "refused EHLO: 502 what" },
	{ .ehlo = "250-a\r\n251 b\r\n",
	    .stage = SMTP_STAGE_EHLO,
	    .why = "failed at EHLO: reply with more than one code" },
	{ .ehlo = sink_closes,
	    .stage = SMTP_STAGE_EHLO,
	    .why = "closed the connection at EHLO" },
	{ .ehlo = "250 mx1.example.com\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_STARTTLS_NOT_SUPPORTED,
	    .why = "does not offer STARTTLS" },
	{ .ehlo = "250-mx1\r\n250 STARTTLS\r\n220 go ahead\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "failed at STARTTLS: it spoke out of turn" },
	{ .starttls = "454 TLS not available\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_STARTTLS_NOT_SUPPORTED,
	    .why = "refused STARTTLS: 454 TLS not available" },
	{ .starttls = "502 no\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_STARTTLS_NOT_SUPPORTED,
	    .why = "refused STARTTLS: 502 no" },
	{ .starttls = "250 fine\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "answered STARTTLS with 250 fine" },
	{ .starttls = "what?\r\n",
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "failed at STARTTLS: reply without a code" },
	{ .starttls = sink_closes,
	    .stage = SMTP_STAGE_STARTTLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "closed the connection at STARTTLS" },
	{ .starttls = "220 go ahead\r\n250 injected\r\n",
	    .stage = SMTP_STAGE_TLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "sent more in clear after its answer to STARTTLS" },
	{ .starttls = "220 go ahead\r\nx",
	    .stage = SMTP_STAGE_TLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "sent more in clear after its answer to STARTTLS" },
	{ .ehlo_tls = "550 not you\r\n",
	    .stage = SMTP_STAGE_EHLO_TLS,
	    .why = "refused EHLO after the TLS handshake: 550 not you" },
	{ .ehlo_tls = sink_resets,
	    .stage = SMTP_STAGE_EHLO_TLS,
	    .result = RESULT_VALIDATION_FAILURE,
	    .why = "failed at EHLO after the TLS handshake: "
		   "Connection reset by peer" },
};

static void
each_wrong_answer_has_its_stage_type_and_sentence(void **state)
{
	struct smtp_fixture *f = *state;

	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		const struct saying *says = &sayings[i];
		struct smtp_sink_script script = smtp_fixture_good_script();

		if (says->greeting != NULL)
			script.greeting = says->greeting;
		if (says->ehlo != NULL)
			script.ehlo = says->ehlo;
		if (says->starttls != NULL)
			script.starttls = says->starttls;
		if (says->ehlo_tls != NULL)
			script.ehlo_tls = says->ehlo_tls;
		smtp_fixture_try(f, &script);
		smtp_fixture_assert_failed(f, says->stage, says->result,
		    says->why);
		assert_int_equal(f->result.proofs, 0);
		assert_false(f->result.certificate_bad);
	}
}

static void
the_code_of_the_last_reply_is_told(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.starttls = "454 later\r\n";
	assert_int_equal(smtp_fixture_try(f, &script)->reply_code, 454);
	script.greeting = sink_closes;
	assert_int_equal(smtp_fixture_try(f, &script)->reply_code, 0);
}

static char *
repeated(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *all = malloc(n * len + 1);

	assert_non_null(all);
	for (size_t i = 0; i < n; i++)
		memcpy(all + i * len, text, len);
	all[n * len] = '\0';
	return all;
}

static void
replies_without_end_are_cut_short(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();
	char *lines = repeated("250-SIZE 10\r\n", 100000);
	char *octets = repeated("2", 1000000);

	script.ehlo = lines;
	smtp_fixture_try(f, &script);
	smtp_fixture_assert_failed(f, SMTP_STAGE_EHLO, RESULT_NONE,
	    "failed at EHLO: reply too long");
	script = smtp_fixture_good_script();
	script.greeting = octets;
	smtp_fixture_try(f, &script);
	smtp_fixture_assert_failed(f, SMTP_STAGE_GREETING, RESULT_NONE,
	    "failed at the greeting: a line of the reply is too long");
	script = smtp_fixture_good_script();
	script.ehlo_tls = octets;
	smtp_fixture_try(f, &script);
	smtp_fixture_assert_failed(f, SMTP_STAGE_EHLO_TLS,
	    RESULT_VALIDATION_FAILURE,
	    "failed at EHLO after the TLS handshake: "
	    "a line of the reply is too long");
	free(lines);
	free(octets);
}

static void
silence_at_each_stage_ends_by_its_limit(void **state)
{
	struct smtp_fixture *f = *state;

	smtp_dialer_set_limits(f->dialer, &short_limits);
	for (size_t i = 0; i < SMTP_FIXTURE_SILENCES; i++) {
		const struct smtp_fixture_silence *at =
		    &smtp_fixture_silences[i];
		struct smtp_sink_script script =
		    smtp_fixture_silent_at(at->stage);

		smtp_fixture_try(f, &script);
		smtp_fixture_assert_failed(f, at->stage, at->result, at->why);
		smtp_fixture_run_until_log(f, at->log_after);
	}
}

static void
silence_at_each_stage_ends_by_the_deadline(void **state)
{
	struct smtp_fixture *f = *state;

	f->target.deadline_ms = 300;
	for (size_t i = 0; i < SMTP_FIXTURE_SILENCES; i++) {
		const struct smtp_fixture_silence *at =
		    &smtp_fixture_silences[i];
		struct smtp_sink_script script =
		    smtp_fixture_silent_at(at->stage);

		smtp_fixture_try(f, &script);
		smtp_fixture_assert_failed(f, at->stage, at->result, at->why);
		smtp_fixture_run_until_log(f, at->log_after);
	}
}

static void
octets_do_not_put_a_limit_off(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.drips = true;
	script.drip_ms = 50; /* less than the limit, unlike all of them */
	smtp_dialer_set_limits(f->dialer, &short_limits);
	smtp_fixture_try(f, &script);
	smtp_fixture_assert_failed(f, SMTP_STAGE_GREETING, RESULT_NONE,
	    "timed out at the greeting");
}

static void
silence_after_quit_ends_too(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.quit = NULL;
	smtp_dialer_set_limits(f->dialer, &short_limits);
	smtp_fixture_try(f, &script);
	smtp_fixture_run_until_log(f, "+ESTEQ!");
	assert_int_equal(f->n_calls, 1);
}

static void
a_port_where_nobody_listens_is_told(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	assert_true(smtp_fixture_serve(f, "127.0.0.1", &script));
	smtp_sink_free(f->sink);
	f->sink = NULL;
	smtp_fixture_start(f);
	smtp_fixture_run_until_called(f);
	smtp_fixture_assert_failed(f, SMTP_STAGE_CONNECT, RESULT_NONE,
	    "failed at the connection: Connection refused");
}

/* A listener whose queue is full lets connections hang (Linux). */
static void
a_connection_that_is_not_answered_times_out(void **state)
{
	struct smtp_fixture *f = *state;
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fillers[4];

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len),
	    0);
	for (size_t i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&sin, len);
	}
	assert_true(address_parse("127.0.0.1", &f->target.address));
	f->target.port = ntohs(sin.sin_port);
	smtp_dialer_set_limits(f->dialer, &short_limits);
	smtp_fixture_start(f);
	smtp_fixture_run_until_called(f);
	smtp_fixture_assert_failed(f, SMTP_STAGE_CONNECT, RESULT_NONE,
	    "timed out at the connection");
	for (size_t i = 0; i < 4; i++)
		close(fillers[i]);
	close(listener);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, smtp_fixture_set_up,             \
	    smtp_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_session_shows_its_proofs_and_quits),
		TEST(ipv6_is_spoken),
		TEST(a_session_that_is_kept_quits_later),
		TEST(replies_of_many_lines_that_come_octet_by_octet_are_read),
		TEST(without_proofs_asked_for_a_session_may_stay_in_clear),
		TEST(an_offered_starttls_is_left_alone_on_wish),
		TEST(each_wrong_answer_has_its_stage_type_and_sentence),
		TEST(the_code_of_the_last_reply_is_told),
		TEST(replies_without_end_are_cut_short),
		TEST(silence_at_each_stage_ends_by_its_limit),
		TEST(silence_at_each_stage_ends_by_the_deadline),
		TEST(octets_do_not_put_a_limit_off),
		TEST(silence_after_quit_ends_too),
		TEST(a_port_where_nobody_listens_is_told),
		TEST(a_connection_that_is_not_answered_times_out),
	};

	return cmocka_run_group_tests_name("smtp_client", tests,
	    smtp_fixture_group_set_up, smtp_fixture_group_tear_down);
}
