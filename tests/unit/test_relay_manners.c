/* SPDX-License-Identifier: ISC */
/*
 * Hostile and odd servers behind the relay: what the mail server in front is
 * told, and that nothing is said to be taken which is not.
 */
#include "tests/unit/unit.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/log_capture.h"
#include "tests/unit/relay_fixture.h"

static char long_reply[4000];

/* The same server in both places. */
static void
serve_both(struct relay_fixture *f, const struct smtp_sink_script *script)
{
	relay_fixture_serve(f, 0, script);
	relay_fixture_serve(f, 1, script);
}

/* 1. Replies that cannot be, and sessions that end. */

static const struct fault {
	const char *command, *answer;
	const char *refusal; /* of what it is an answer to */
} faults[] = {
	/* RCPT */
	{ "RCPT", "what?\r\n", "451 4.4.2 mx1.example.com cannot be used" },
	{ "RCPT", "250-a\r\n251 b\r\n", "451 4.4.2 mx1.example.com cannot" },
	{ "RCPT", "199 x\r\n", "451 4.4.2 mx1.example.com cannot be used" },
	{ "RCPT", "354 go on\r\n",
	    "451 4.4.2 mx1.example.com gave a reply that cannot be: 354" },
	{ "RCPT", long_reply,
	    "451 4.4.2 mx1.example.com sent a reply that is too long" },
	{ "RCPT", sink_closes,
	    "451 4.4.2 mx1.example.com closed the connection" },
	{ "RCPT", sink_resets, "451 4.4.2 mx1.example.com " },
	{ "RCPT", "421 4.3.2 going down\r\n",
	    "451 4.3.2 mx1.example.com: going down\r\n" },
	{ "RCPT", "421 bye\r\n", "451 mx1.example.com: bye\r\n" },
	/* DATA */
	{ "DATA", "250 ok\r\n",
	    "451 4.4.2 mx1.example.com gave a reply that cannot be: 250" },
	{ "DATA", "355 go on\r\n",
	    "451 4.4.2 mx1.example.com gave a reply that cannot be: 355" },
	{ "DATA", long_reply,
	    "451 4.4.2 mx1.example.com sent a reply that is too long" },
	{ "DATA", sink_closes,
	    "451 4.4.2 mx1.example.com closed the connection" },
	{ "DATA", "421 4.3.2 going down\r\n",
	    "451 4.3.2 mx1.example.com: going down\r\n" },
	{ "DATA", "550 5.7.1 no\r\n", "550 5.7.1 mx1.example.com: no\r\n" },
	{ "DATA", "451 4.7.1 not now\r\n",
	    "451 4.7.1 mx1.example.com: not now\r\n" },
	/* The final dot */
	{ ".", "354 go on\r\n",
	    "451 4.4.2 mx1.example.com gave a reply that cannot be: 354 "
	    "after the end" },
	{ ".", long_reply, "451 4.4.2 mx1.example.com sent a reply that is" },
	{ ".", "what?\r\n", "451 4.4.2 mx1.example.com cannot be used" },
	{ ".", sink_closes,
	    "451 4.4.2 mx1.example.com closed the connection after the end" },
	{ ".", "421 4.3.2 going down\r\n",
	    "451 4.3.2 mx1.example.com: going down\r\n" },
	{ ".", "554 5.7.1 spam\r\n", "554 5.7.1 mx1.example.com: spam\r\n" },
	{ ".", "452 4.2.2 full\r\n", "452 4.2.2 mx1.example.com: full\r\n" },
	{ ".", "552 5.2.2 too large\r\n",
	    "552 5.2.2 mx1.example.com: too large\r\n" },
};

static void
tell(struct relay_fixture *f, const struct fault *fault)
{
	const char *mail = "MAIL FROM:<me@example.net>";

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, mail, "250 ");
	if (fault->command[0] == 'R') {
		relay_fixture_ask(f, "RCPT TO:<you@example.com>",
		    fault->refusal);
		/* Whoever else is to have it hears the same. */
		if (strncmp(f->reply, "451", 3) == 0)
			relay_fixture_ask(f, "RCPT TO:<two@example.com>",
			    fault->refusal);
		relay_fixture_ask(f, "DATA", "554 5.5.1");
		return;
	}
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "250 2.1.5");
	if (fault->command[0] == 'D') {
		relay_fixture_ask(f, "DATA", fault->refusal);
		return;
	}
	relay_fixture_finish(f, fault->refusal);
}

static void
what_cannot_be_a_reply_is_a_451_and_ends_the_session(void **state)
{
	struct relay_fixture *f = *state;

	memset(long_reply, 'x', sizeof(long_reply) - 1);
	for (size_t i = 0; i < 20; i++) /* lines of 150 octets, 3 KiB */
		memcpy(long_reply + i * 150, i < 19 ? "\r\n250-" : "\r\n250 ",
		    6);
	memcpy(long_reply, "250-xx", 6);
	strcpy(long_reply + 20 * 150, "\r\n");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		bool ends = faults[i].answer[0] != '4' &&
		    faults[i].answer[0] != '5' && faults[i].answer[0] != '(';

		relay_fixture_restart(f);
		relay_fixture_say(faults[i].command, faults[i].answer);
		tell(f, &faults[i]);
		relay_fixture_ask(f, "RSET", "250 ");
		if (ends)
			assert_non_null(
			    strpbrk(relay_fixture_end_of(f, 0), ".!"));
	}
}

static void
a_break_behind_the_final_dot_is_told_of_in_the_log(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say(".", sink_closes);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "451 4.4.2 mx1.example.com closed");
	relay_fixture_until_log(f, "outcome=unsure");
	assert_non_null(strstr(f->log, " maybe-duplicate\n"));
}

static void
a_421_to_the_dot_is_a_refusal_and_nothing_comes_twice(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say(".", "421 4.3.2 later\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "451 4.3.2 mx1.example.com: later");
	relay_fixture_until_log(f, "outcome=deferred");
	assert_null(strstr(f->log, "maybe-duplicate"));
}

/* 2. A server that speaks out of turn. */

static void
what_is_said_out_of_turn_is_not_taken_for_a_reply(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("RCPT", "250 2.1.5 ok\r\n354 go on\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA",
	    "451 4.4.2 mx1.example.com cannot be used any more: it spoke out "
	    "of turn");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMR!");
}

static void
a_dot_is_not_said_to_who_has_answered_it_before(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("DATA", "354 go on\r\n250 2.0.0 queued\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "451 4.4.2 mx1.example.com broke the session");
	relay_fixture_until_log(f, "outcome=broken");
	assert_null(strstr(f->log, "maybe-duplicate"));
	assert_null(strchr(relay_fixture_end_of(f, 0), 'd'));
}

static void
a_server_that_speaks_while_it_is_kept_is_not_used_again(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	smtp_sink_say(f->sinks[0], "250 me again\r\n");
	relay_fixture_settle(f);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd!+ESTEMRDd");
}

static void
a_server_that_floods_while_it_is_kept_costs_no_time(void **state)
{
	struct relay_fixture *f = *state;
	static char flood[100001];

	memset(flood, 'x', sizeof(flood) - 1);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	smtp_sink_say(f->sinks[0], flood);
	relay_fixture_settle(f);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd!+ESTEMRDd");
}

static void
a_server_that_closes_while_it_is_kept_is_not_used_again(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	smtp_sink_cut(f->sinks[0]);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd+ESTEMRDd");
}

/* A close that comes between the look and MAIL costs nothing either. */
static void
a_kept_session_that_breaks_at_mail_is_replaced(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_say_once("MAIL", sink_closes);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRDdM+ESTEMRDd");
	relay_fixture_say_once("MAIL", "451 4.3.2 enough\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f, "id=3 ");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 3);
	assert_non_null(strchr(smtp_sink_log(f->sinks[0]), 'Q'));
}

/* Some count the messages of a session and refuse one too many for good. */
static void
a_kept_session_that_refuses_mail_for_good_is_replaced(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_say_once("MAIL", "550 5.7.1 enough\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f, "id=2 ");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 2);
}

/* 3. The next MX host. */

static const struct {
	const char *name;
	size_t text; /* of the script */
	const char *answer;
	bool under_policy; /* else TLS is not asked for */
	const char *refusal;
} next_hosts[] = {
	{ "greeting", offsetof(struct smtp_sink_script, greeting), "554 no\r\n",
	    false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: greeted "
	    "with 554 no" },
	{ "greeting", offsetof(struct smtp_sink_script, greeting),
	    "421 busy\r\n", false, "451 4.4.1 example.com: mx1.example.com" },
	{ "greeting", offsetof(struct smtp_sink_script, greeting), sink_closes,
	    false, "451 4.4.1 example.com: mx1.example.com" },
	{ "EHLO", offsetof(struct smtp_sink_script, ehlo), "550 no\r\n", false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: refused "
	    "EHLO: 550 no" },
	{ "EHLO", offsetof(struct smtp_sink_script, ehlo),
	    "250-mx1\r\n250 SIZE\r\n", true,
	    "451 4.7.4 MTA-STS policy of example.com: mx1.example.com does "
	    "not offer STARTTLS" },
	{ "STARTTLS", offsetof(struct smtp_sink_script, starttls), "454 no\r\n",
	    true,
	    "451 4.7.4 MTA-STS policy of example.com: mx1.example.com refused "
	    "STARTTLS: 454 no" },
	{ "EHLO", offsetof(struct smtp_sink_script, ehlo_tls), "421 no\r\n",
	    true, "451 4." },
	{ "MAIL", offsetof(struct smtp_sink_script, mail),
	    "450 4.7.1 greylisted\r\n", false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: refused "
	    "MAIL: 450 4.7.1 greylisted" },
	{ "MAIL", offsetof(struct smtp_sink_script, mail), "421 busy\r\n",
	    false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: "
	    "refused MAIL: 421 busy" },
	{ "MAIL", offsetof(struct smtp_sink_script, mail), sink_closes, false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: failed at "
	    "MAIL: closed the connection" },
	{ "MAIL", offsetof(struct smtp_sink_script, mail), "354 what\r\n",
	    false,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: "
	    "failed at MAIL: gave a reply that cannot be: 354" },
};

static struct smtp_sink_script
odd_script(size_t text, const char *answer)
{
	struct smtp_sink_script script = smtp_fixture_good_script();

	memcpy((char *)&script + text, &answer, sizeof(answer));
	return script;
}

static void
what_is_wrong_before_rcpt_leads_to_the_next_mx_host(void **state)
{
	for (size_t i = 0; i < sizeof(next_hosts) / sizeof(next_hosts[0]);
	     i++) {
		struct relay_fixture *f = *state;
		struct smtp_sink_script odd =
		    odd_script(next_hosts[i].text, next_hosts[i].answer);

		relay_fixture_policy(f,
		    next_hosts[i].under_policy ? "enforce" : "");
		relay_fixture_serve(f, 0, &odd);
		relay_fixture_begin(f, "you@example.com");
		relay_fixture_finish(f, "250 2.0.0 mx2.example.com: queued");
		relay_fixture_restart(f); /* with nothing that is kept */
		relay_fixture_policy(f,
		    next_hosts[i].under_policy ? "enforce" : "");
		serve_both(f, &odd);
		relay_fixture_ask(f, "EHLO mail.example.net", "250-");
		relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
		relay_fixture_ask(f, "RCPT TO:<you@example.com>",
		    next_hosts[i].refusal);
		relay_fixture_restart(f);
	}
}

static void
mail_refused_for_good_is_told_at_rcpt(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("MAIL", "553-5.1.8 who\r\n553 5.1.8 are you\r\n");
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 2.1.0");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>",
	    "553-5.1.8 mx1.example.com: who\r\n553 5.1.8 are you\r\n");
	relay_fixture_ask(f, "RCPT TO:<two@example.com>",
	    "553-5.1.8 mx1.example.com: who\r\n553 5.1.8 are you\r\n");
	relay_fixture_ask(f, "DATA", "554 5.5.1");
	assert_string_equal(smtp_sink_log(f->sinks[1]), "");
}

/* 4. Replies to RCPT. */

static void
replies_to_rcpt_are_passed_on_and_552_becomes_452(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_say("RCPT TO:<a", "550-5.1.1 no\r\n550 5.1.1 such\r\n");
	relay_fixture_say("RCPT TO:<b", "552 5.5.3 too many\r\n");
	relay_fixture_say("RCPT TO:<c", "450 4.2.1 wait\r\n");
	relay_fixture_say("RCPT TO:<d", "251 2.1.5 elsewhere\r\n");
	relay_fixture_say("RCPT TO:<e", "550\r\n");
	relay_fixture_ask(f, "RCPT TO:<a@example.com>",
	    "550-5.1.1 mx1.example.com: no\r\n550 5.1.1 such\r\n");
	relay_fixture_ask(f, "RCPT TO:<b@example.com>",
	    "452 4.5.3 mx1.example.com: too many\r\n");
	relay_fixture_ask(f, "RCPT TO:<c@example.com>",
	    "450 4.2.1 mx1.example.com: wait\r\n");
	relay_fixture_ask(f, "RCPT TO:<d@example.com>",
	    "251 2.1.5 mx1.example.com: elsewhere\r\n");
	relay_fixture_ask(f, "RCPT TO:<e@example.com>",
	    "550 mx1.example.com: \r\n");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f, "rcpts=2/6 ");
}

static void
all_recipients_refused_data_is_refused_and_rset_ends_it(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("RCPT", "550 5.1.1 no such user\r\n");
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
	relay_fixture_ask(f, "DATA", "503 5.5.1");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "550 5.1.1 mx1");
	relay_fixture_ask(f, "DATA", "554 5.5.1");
	relay_fixture_ask(f, "RSET", "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRZ");
	relay_fixture_until_log(f, "outcome=refused");
}

/* 5. Nothing is said before the server behind has said it. */

static void
no_250_comes_before_that_of_the_server_behind(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("RCPT", sink_silent);
	relay_fixture_say(".", sink_silent);
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
	relay_fixture_send(f, "RCPT TO:<you@example.com>\r\n");
	relay_fixture_until_sink(f, 0, "+ESTEMR");
	relay_fixture_assert_silent(f);
	smtp_sink_say(f->sinks[0], "250 2.1.5 ok\r\n");
	relay_fixture_reply(f);
	assert_string_equal(f->reply, "250 2.1.5 mx1.example.com: ok\r\n");
	relay_fixture_ask(f, "DATA", "354 ");
	relay_fixture_send(f, "Subject: x\r\n\r\nhello\r\n.\r\n");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd");
	relay_fixture_assert_silent(f);
	smtp_sink_say(f->sinks[0], "250 2.0.0 mine\r\n");
	relay_fixture_reply(f);
	assert_string_equal(f->reply, "250 2.0.0 mx1.example.com: mine\r\n");
}

/* 6. Time. */

static const struct {
	const char *command, *refusal;
} silences[] = {
	{ "RCPT", "451 4.4.2 mx1.example.com did not answer in time" },
	{ "DATA", "451 4.4.2 mx1.example.com did not answer in time" },
	{ ".", "451 4.4.2 mx1.example.com has not answered the end of" },
};

static void
silence_has_its_limit_at_each_step(void **state)
{
	struct relay_fixture *f = *state;

	f->times.command_ms = 800;
	f->times.setup_ms = 1600;
	f->times.dot_ms = 800;
	f->times.late_ms = 1600;
	relay_set_times(f->relay, &f->times);
	for (size_t i = 0; i < sizeof(silences) / sizeof(silences[0]); i++) {
		const struct fault fault = { silences[i].command, NULL,
			silences[i].refusal };

		relay_fixture_restart(f);
		relay_fixture_say(silences[i].command, sink_silent);
		tell(f, &fault);
		relay_fixture_ask(f, "RSET", "250 ");
	}
	/* Whether it was heard after all is for the log. */
	relay_fixture_until_log(f, "outcome=unsure");
	assert_non_null(strstr(f->log, "maybe-duplicate"));
	relay_fixture_until_log(f,
	    "answered the end of the message too late: "
	    "0 \"did not answer in time\"");
}

static void
a_late_answer_to_the_dot_is_in_the_log(void **state)
{
	struct relay_fixture *f = *state;

	f->times.dot_ms = 100;
	relay_set_times(f->relay, &f->times);
	relay_fixture_say(".", sink_silent);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "451 4.4.2 mx1.example.com has not answered");
	/* The connection goes on meanwhile. */
	relay_fixture_ask(f, "NOOP", "250 ");
	smtp_sink_say(f->sinks[0], "250 2.0.0 queued after all\r\n");
	relay_fixture_until_log(f,
	    "answered the end of the message too late: "
	    "250 \"2.0.0 queued after all\"");
}

/* 7. What ends a message, and what it is made of. */

static void
only_the_true_end_ends_a_message_and_nothing_bare_goes_on(void **state)
{
	struct relay_fixture *f = *state;
	const char *message;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA", "354 ");
	relay_fixture_ask(f,
	    "Subject: x\r\n\r\na\n.\nMAIL FROM:<evil@example.net>\n"
	    "b\n.\r\nc\r\n.\nd\r.\r\ne\r\n..f\r\n.\rg\r\n\xff\r\n.",
	    "250 ");
	message = strstr(smtp_sink_message(f->sinks[0]), "Subject: x");
	assert_string_equal(message,
	    "Subject: x\r\n\r\na . MAIL FROM:<evil@example.net> "
	    "b .\r\nc\r\n. d .\r\ne\r\n..f\r\n. g\r\n\xff\r\n");
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRDd");
}

static void
a_received_line_is_added(void **state)
{
	struct relay_fixture *f = *state;
	const char *message;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	message = smtp_sink_message(f->sinks[0]);
	assert_memory_equal(message,
	    "Received: from mail.example.net ([127.0.0.1])\r\n"
	    "\tby mta.example.net (strictmx) with ESMTP id 1;\r\n\t",
	    97);
	assert_non_null(strstr(message, " +0000\r\nSubject: x\r\n"));
}

static void
more_than_50_received_lines_are_a_loop(void **state)
{
	struct relay_fixture *f = *state;

	for (size_t n = 50; n <= 51; n++) {
		relay_fixture_begin(f, "you@example.com");
		relay_fixture_ask(f, "DATA", "354 ");
		for (size_t i = 0; i < n; i++)
			relay_fixture_send(f, "Received: from a by b\r\n");
		relay_fixture_ask(f, "\r\nhello\r\n.",
		    n == 50 ? "250 " : "554 5.4.6");
	}
	relay_fixture_ask(f, "NOOP", "250 ");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRDdMRD!");
}

static void
size_and_8bitmime_are_said_where_they_are_offered(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	assert_non_null(strstr(f->reply, "250-SIZE\r\n"));
	assert_non_null(strstr(f->reply, "250-8BITMIME\r\n"));
	relay_fixture_ask(f,
	    "MAIL FROM:<me@example.net> BODY=8BITMIME SIZE=123", "250 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "250 ");
	assert_string_equal(smtp_sink_mail(f->sinks[0]),
	    "MAIL FROM:<me@example.net> SIZE=123");
	relay_fixture_restart(f);
	script.ehlo_tls = "250-mx1.example.com\r\n250 8BITMIME\r\n";
	relay_fixture_serve(f, 0, &script);
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f,
	    "MAIL FROM:<me@example.net> BODY=8BITMIME SIZE=123", "250 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "250 ");
	assert_string_equal(smtp_sink_mail(f->sinks[0]),
	    "MAIL FROM:<me@example.net> BODY=8BITMIME");
}

static void
smtputf8_goes_to_servers_that_offer_it_only(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<m\xc3\xa4@example.net> SMTPUTF8",
	    "250 ");
	relay_fixture_ask(f, "RCPT TO:<y\xc3\xb6@example.com>",
	    "553 5.6.7 mx1.example.com: does not offer SMTPUTF8");
	relay_fixture_ask(f, "RSET", "250 ");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
	relay_fixture_ask(f, "RCPT TO:<y\xc3\xb6@example.com>", "553 5.6.7");
	relay_fixture_restart(f);
	script.ehlo_tls = "250-mx1.example.com\r\n250 SMTPUTF8\r\n";
	relay_fixture_serve(f, 0, &script);
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<m\xc3\xa4@example.net> SMTPUTF8",
	    "250 ");
	relay_fixture_ask(f, "RCPT TO:<y\xc3\xb6@example.com>", "250 ");
	assert_string_equal(smtp_sink_mail(f->sinks[0]),
	    "MAIL FROM:<m\xc3\xa4@example.net> SMTPUTF8");
	relay_fixture_finish(f, "250 ");
	assert_non_null(
	    strstr(smtp_sink_message(f->sinks[0]), " with UTF8SMTP id"));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, relay_fixture_set_up,            \
	    relay_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_a_reply_is_a_451_and_ends_the_session),
		TEST(a_break_behind_the_final_dot_is_told_of_in_the_log),
		TEST(a_421_to_the_dot_is_a_refusal_and_nothing_comes_twice),
		TEST(what_is_said_out_of_turn_is_not_taken_for_a_reply),
		TEST(a_dot_is_not_said_to_who_has_answered_it_before),
		TEST(a_server_that_speaks_while_it_is_kept_is_not_used_again),
		TEST(a_server_that_floods_while_it_is_kept_costs_no_time),
		TEST(a_server_that_closes_while_it_is_kept_is_not_used_again),
		TEST(a_kept_session_that_breaks_at_mail_is_replaced),
		TEST(a_kept_session_that_refuses_mail_for_good_is_replaced),
		TEST(what_is_wrong_before_rcpt_leads_to_the_next_mx_host),
		TEST(mail_refused_for_good_is_told_at_rcpt),
		TEST(replies_to_rcpt_are_passed_on_and_552_becomes_452),
		TEST(all_recipients_refused_data_is_refused_and_rset_ends_it),
		TEST(no_250_comes_before_that_of_the_server_behind),
		TEST(silence_has_its_limit_at_each_step),
		TEST(a_late_answer_to_the_dot_is_in_the_log),
		TEST(only_the_true_end_ends_a_message_and_nothing_bare_goes_on),
		TEST(a_received_line_is_added),
		TEST(more_than_50_received_lines_are_a_loop),
		TEST(size_and_8bitmime_are_said_where_they_are_offered),
		TEST(smtputf8_goes_to_servers_that_offer_it_only),
	};

	return cmocka_run_group_tests_name("relay_manners", tests,
	    relay_fixture_group_set_up, relay_fixture_group_tear_down);
}
