/* SPDX-License-Identifier: ISC */
/*
 * The filter's front, between a driver that plays smtpd on a socketpair and an
 * engine that the test answers for: engine_link_ask() is that of this file.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "filter/engine_link.h"
#include "filter/osmtpd_front.h"

#define TOKEN "9b2e77a01c55aa10"
#define AWAY                                                                   \
	"reject|451 4.3.0 strictmx: the TLS policy engine is not available, "  \
	"try again later"
#define REGISTRATION                                                           \
	"register|report|smtp-in|link-connect\n"                               \
	"register|report|smtp-in|link-disconnect\n"                            \
	"register|report|smtp-in|tx-mail\n"                                    \
	"register|filter|smtp-in|rcpt-to\n"                                    \
	"register|ready\n"

/* The engine that is played */

struct link_ask {
	char mailbox[300];
	link_done_fn *done;
	void *arg;
	bool cancelled, ended;
};

static struct link_ask asks[1000];
static size_t n_asks, n_cancelled;
static bool refuse_asks;

struct link_ask *
engine_link_ask(struct engine_link *link, enum query_verb verb,
    struct span argument, link_done_fn *done, void *arg)
{
	struct link_ask *ask = &asks[n_asks % 1000];

	(void)link;
	assert_int_equal(verb, QUERY_RCPT);
	if (refuse_asks)
		return NULL;
	memset(ask, 0, sizeof(*ask));
	span_copy(argument, ask->mailbox, sizeof(ask->mailbox));
	ask->done = done;
	ask->arg = arg;
	n_asks++;
	return ask;
}

void
engine_link_cancel(struct link_ask **ask)
{
	if (*ask != NULL) {
		assert_false((*ask)->ended);
		(*ask)->cancelled = true;
		n_cancelled++;
	}
	*ask = NULL;
}

static void
engine_end(size_t i, bool away, enum query_word word, const char *text)
{
	struct link_answer answer = { away, word, span_of(text) };

	assert_true(i < n_asks);
	assert_false(asks[i].cancelled || asks[i].ended);
	asks[i].ended = true;
	asks[i].done(&answer, asks[i].arg);
}

static void
engine_says(size_t i, enum query_word word, const char *text)
{
	engine_end(i, false, word, text);
}

static void
engine_away(size_t i)
{
	engine_end(i, true, QUERY_ANSWER_BAD, "");
}

/* The driver: smtpd's side */

static struct event_base *base;
static struct osmtpd_front *front;
static int smtpd_end, in, out;
static int gone_calls;

static void
gone(void *arg)
{
	(void)arg;
	gone_calls++;
}

static int
begin(void **state)
{
	const struct osmtpd_rules rules = { false, CHOICE_DEFER };
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1)
		return -1;
	smtpd_end = fds[0];
	in = fds[1];
	out = dup(in);
	fcntl(smtpd_end, F_SETFL, O_NONBLOCK);
	n_asks = n_cancelled = 0;
	refuse_asks = false;
	gone_calls = 0;
	base = event_base_new();
	front = osmtpd_front_new(base, in, out, NULL, &rules, gone, NULL);
	return front == NULL;
}

static int
end(void **state)
{
	(void)state;
	osmtpd_front_free(front);
	event_base_free(base);
	if (smtpd_end >= 0)
		close(smtpd_end);
	close(in);
	close(out);
	return 0;
}

static void
settle(void)
{
	for (int i = 0; i < 6; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
say_bytes(const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(smtpd_end, p, len, MSG_NOSIGNAL);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else {
			assert_int_equal(errno, EAGAIN);
		}
		settle();
	}
}

static void
say(const char *text)
{
	say_bytes(text, strlen(text));
	settle();
}

/* All that the filter has written since the last call. */
static const char *
hear(void)
{
	static char heard[262144];
	ssize_t n = read(smtpd_end, heard, sizeof(heard) - 1);

	heard[n < 0 ? 0 : n] = '\0';
	return heard;
}

static void
say_connect(const char *sid, const char *source)
{
	char line[512];

	snprintf(line, sizeof(line),
	    "report|0.7|1795430768.604126|smtp-in|link-connect|%s|localhost|"
	    "pass|%s|127.0.0.1:2525\n",
	    sid, source);
	say(line);
}

static void
say_mail(const char *sid, const char *sender)
{
	char line[512];

	snprintf(line, sizeof(line),
	    "report|0.6|1795430768.606000|smtp-in|tx-mail|%s|1a2b3c4d|ok|%s\n",
	    sid, sender);
	say(line);
}

static void
say_rcpt(const char *sid, const char *mailbox)
{
	char line[512];

	snprintf(line, sizeof(line),
	    "filter|0.6|1795430768.605130|smtp-in|rcpt-to|%s|" TOKEN "|%s\n",
	    sid, mailbox);
	say(line);
}

static void
say_disconnect(const char *sid)
{
	char line[512];

	snprintf(line, sizeof(line),
	    "report|0.6|1795430770.104126|smtp-in|link-disconnect|%s\n", sid);
	say(line);
}

static void
assert_answer(const char *sid, const char *decision)
{
	char line[1024];

	snprintf(line, sizeof(line), "filter-result|%s|" TOKEN "|%s\n", sid,
	    decision);
	assert_string_equal(hear(), line);
}

static void
it_registers_what_it_needs_when_smtpd_is_ready(void **state)
{
	(void)state;
	say("config|smtpd-version|6.8.0p2\nconfig|smtp-session-timeout|300\n"
	    "config|subsystem|smtp-in\nconfig|subsystem|smtp-out\n"
	    "config|admd|mta.lab.test\n");
	assert_string_equal(hear(), "");
	say("config|ready\n");
	assert_string_equal(hear(), REGISTRATION);
}

static void
it_registers_the_same_with_protocol_0_7_and_unknown_keys(void **state)
{
	(void)state;
	say("config|smtpd-version|7.8.0-portable\nconfig|protocol|0.7\n"
	    "config|novelty|1|2\nconfig|empty|\nconfig|\nconfig|ready\n");
	assert_string_equal(hear(), REGISTRATION);
}

static void
it_registers_once(void **state)
{
	(void)state;
	say("config|ready\nconfig|ready\n");
	assert_string_equal(hear(), REGISTRATION);
	say("config|ready\n");
	assert_string_equal(hear(), "");
}

static void
it_answers_as_the_engine_says(void **state)
{
	(void)state;
	say_connect("a1", "192.0.2.1:42218");
	say_mail("a1", "a@mta.lab.test");
	say_rcpt("a1", "b@good.test");
	assert_string_equal(hear(), "");
	assert_string_equal(asks[0].mailbox, "b@good.test");
	engine_says(0, QUERY_PROCEED, "no policy");
	settle();
	assert_answer("a1", "proceed");
	say_rcpt("a1", "b@defer.test");
	engine_says(1, QUERY_DEFER, "451 4.7.5 policy of defer.test");
	settle();
	assert_answer("a1", "reject|451 4.7.5 policy of defer.test");
	say_rcpt("a1", "b@reject.test");
	engine_says(2, QUERY_REJECT, "550 5.7.5 policy of reject.test");
	settle();
	assert_answer("a1", "reject|550 5.7.5 policy of reject.test");
	say_disconnect("a1");
	assert_string_equal(hear(), "");
	assert_int_equal(n_cancelled, 0);
}

static void
mailboxes_go_to_the_engine_as_they_came(void **state)
{
	(void)state;
	say_rcpt("a1", "a|b@good.test");
	say_rcpt("a2", "@relay.test:src@good.test");
	say_rcpt("a3", "UPPER@GOOD.Test");
	say_rcpt("a4", "postmaster");
	say_rcpt("a5", "x@[127.0.1.1]");
	assert_string_equal(asks[0].mailbox, "a|b@good.test");
	assert_string_equal(asks[1].mailbox, "@relay.test:src@good.test");
	assert_string_equal(asks[2].mailbox, "UPPER@GOOD.Test");
	assert_string_equal(asks[3].mailbox, "postmaster");
	assert_string_equal(asks[4].mailbox, "x@[127.0.1.1]");
}

static void
sessions_do_not_wait_for_one_another(void **state)
{
	(void)state;
	say_connect("a1", "192.0.2.1:1");
	say_connect("b2", "192.0.2.1:2");
	say_connect("c3", "[2001:db8::1]:3");
	say_rcpt("a1", "u@slow.test");
	say_rcpt("b2", "u@b.test");
	say_rcpt("c3", "u@c.test");
	engine_says(2, QUERY_PROCEED, "");
	settle();
	assert_answer("c3", "proceed");
	say_disconnect("c3");
	engine_says(1, QUERY_DEFER, "451 4.7.4 b");
	settle();
	assert_answer("b2", "reject|451 4.7.4 b");
	say_rcpt("b2", "u2@b.test");
	engine_says(0, QUERY_PROCEED, "");
	settle();
	assert_answer("a1", "proceed");
	engine_says(3, QUERY_PROCEED, "");
	settle();
	assert_answer("b2", "proceed");
}

static void
after_disconnect_there_is_no_answer(void **state)
{
	(void)state;
	say_connect("a1", "192.0.2.1:1");
	say_rcpt("a1", "u@a.test");
	say_disconnect("a1");
	assert_true(asks[0].cancelled);
	assert_string_equal(hear(), "");
	say_disconnect("a1");
	say_disconnect("f00");
	assert_string_equal(hear(), "");
}

static void
a_null_sender_proceeds_until_the_next_transaction(void **state)
{
	(void)state;
	say_connect("a1", "192.0.2.1:1");
	say_mail("a1", "");
	say_rcpt("a1", "u@defer.test");
	assert_answer("a1", "proceed");
	say_mail("a1", "<>");
	say_rcpt("a1", "u@defer.test");
	assert_answer("a1", "proceed");
	assert_int_equal(n_asks, 0);
	say_mail("a1", "|");
	say_rcpt("a1", "u@defer.test");
	assert_int_equal(n_asks, 1);
}

static void
the_sender_is_found_where_each_protocol_has_it(void **state)
{
	(void)state;
	say("report|0.5|1|smtp-in|tx-mail|a1|1a2b3c4d||ok\n");
	say_rcpt("a1", "u@defer.test");
	assert_answer("a1", "proceed");
	say("report|0.5|1|smtp-in|tx-mail|a1|1a2b3c4d|a|b@c.test|ok\n");
	say_rcpt("a1", "u@defer.test");
	say("report|0.7|1|smtp-in|tx-mail|a2|1a2b3c4d|ok|\n");
	say_rcpt("a2", "u@defer.test");
	assert_answer("a2", "proceed");
	say_rcpt("a2", "u@defer.test");
	assert_answer("a2", "proceed");
	say("report|0.7|1|smtp-in|tx-mail|a2|1a2b3c4d|ok|x@y.test\n");
	say_rcpt("a2", "u@defer.test");
	assert_int_equal(n_asks, 2);
}

static void
a_broken_tx_mail_is_no_null_sender(void **state)
{
	const char *const rests[] = { "", "|", "|1a2b3c4d", "|1a2b3c4d|ok",
		"|1a2b3c4d|ok|x|" };
	const char *const rests_05[] = { "", "|", "|ok", "||ok", "|1a2b3c4d",
		"|1a2b3c4d|ok" };
	char line[128];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
		snprintf(line, sizeof(line),
		    "report|0.7|1|smtp-in|tx-mail|a1%s\n", rests[i]);
		say(line);
		say_rcpt("a1", "u@defer.test");
		assert_int_equal(n_asks, ++n);
	}
	for (size_t i = 0; i < sizeof(rests_05) / sizeof(rests_05[0]); i++) {
		snprintf(line, sizeof(line),
		    "report|0.5|1|smtp-in|tx-mail|a1%s\n", rests_05[i]);
		say(line);
		say_rcpt("a1", "u@defer.test");
		assert_int_equal(n_asks, ++n);
	}
}

static void
an_empty_recipient_proceeds(void **state)
{
	(void)state;
	say_rcpt("a1", "");
	assert_answer("a1", "proceed");
	assert_int_equal(n_asks, 0);
}

static void
local_sessions_proceed_unless_they_are_to_be_judged(void **state)
{
	const struct osmtpd_rules judge = { true, CHOICE_DEFER };

	(void)state;
	say_connect("a1", "unix:/var/run/smtpd.sock");
	say_mail("a1", "a@mta.lab.test");
	say_rcpt("a1", "u@defer.test");
	assert_answer("a1", "proceed");
	say_connect("a2", "local");
	say_rcpt("a2", "u@defer.test");
	assert_answer("a2", "proceed");
	assert_int_equal(n_asks, 0);
	osmtpd_front_set_rules(front, &judge);
	say_rcpt("a1", "u@defer.test");
	engine_says(0, QUERY_DEFER, "451 4.7.5 no");
	settle();
	assert_answer("a1", "reject|451 4.7.5 no");
}

static void
an_id_that_is_used_again_begins_anew(void **state)
{
	(void)state;
	say_connect("a1", "unix:/var/run/smtpd.sock");
	say_mail("a1", "");
	say_connect("a1", "192.0.2.1:1");
	say_rcpt("a1", "u@defer.test");
	assert_string_equal(hear(), "");
	assert_int_equal(n_asks, 1);
}

static void
a_name_from_dns_cannot_make_a_session_local(void **state)
{
	(void)state;
	say("report|0.6|1|smtp-in|link-connect|a1|x|pass|unix:/a|unix:/a|pass|"
	    "192.0.2.1:1|127.0.0.1:25\n");
	say("report|0.6|1|smtp-in|link-connect|a2|local|pass|192.0.2.1:1|"
	    "127.0.0.1:25\n");
	say("report|0.6|1|smtp-in|link-connect|a3|unix:/a\n");
	say("report|0.6|1|smtp-in|link-connect|a4|\n");
	say_rcpt("a1", "u@a.test");
	say_rcpt("a2", "u@a.test");
	say_rcpt("a3", "u@a.test");
	say_rcpt("a4", "u@a.test");
	assert_int_equal(n_asks, 4);
}

static void
with_the_engine_away_the_rule_decides_but_local_mail_proceeds(void **state)
{
	const struct osmtpd_rules proceed = { true, CHOICE_PROCEED };
	const struct osmtpd_rules defer = { true, CHOICE_DEFER };

	(void)state;
	osmtpd_front_set_rules(front, &defer);
	say_connect("a1", "192.0.2.1:1");
	say_connect("b2", "unix:/var/run/smtpd.sock");
	say_rcpt("a1", "u@a.test");
	say_rcpt("b2", "u@a.test");
	engine_away(0);
	settle();
	assert_answer("a1", AWAY);
	engine_away(1);
	settle();
	assert_answer("b2", "proceed");
	osmtpd_front_set_rules(front, &proceed);
	say_rcpt("a1", "u@a.test");
	engine_away(2);
	settle();
	assert_answer("a1", "proceed");
}

static void
an_ask_that_cannot_begin_is_an_engine_away(void **state)
{
	(void)state;
	refuse_asks = true;
	say_connect("a1", "192.0.2.1:1");
	say_rcpt("a1", "u@a.test");
	assert_answer("a1", AWAY);
	say_rcpt("a1", "u@a.test");
	assert_answer("a1", AWAY);
}

static void
an_answer_that_is_no_verdict_is_an_engine_away(void **state)
{
	static const struct {
		enum query_word word;
		const char *text;
	} rows[] = {
		{ QUERY_ERROR, "too many requests" },
		{ QUERY_FACTS, "{}" },
		{ QUERY_PONG, "" },
		{ QUERY_DEFER, "550 5.7.5 not a deferral" },
		{ QUERY_DEFER, "" },
		{ QUERY_REJECT, "451 4.7.5 not a refusal" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say_rcpt("a1", "u@a.test");
		engine_says(i, rows[i].word, rows[i].text);
		settle();
		assert_answer("a1", AWAY);
	}
}

static void
a_session_that_was_not_seen_to_begin_is_answered(void **state)
{
	(void)state;
	say_rcpt("f00d", "u@a.test");
	engine_says(0, QUERY_PROCEED, "");
	settle();
	assert_answer("f00d", "proceed");
}

static void
a_second_request_replaces_the_first_and_gets_the_one_answer(void **state)
{
	(void)state;
	say_connect("a1", "192.0.2.1:1");
	say_rcpt("a1", "first@a.test");
	say("filter|0.7|1|smtp-in|rcpt-to|a1|feed|second@b.test\n");
	assert_true(asks[0].cancelled);
	engine_says(1, QUERY_DEFER, "451 4.7.5 b.test");
	settle();
	assert_string_equal(hear(),
	    "filter-result|a1|feed|reject|451 4.7.5 b.test\n");
	say_rcpt("a1", "third@a.test");
	say_mail("a1", "");
	say_rcpt("a1", "fourth@a.test"); /* proceeds at once */
	assert_answer("a1", "proceed");
	assert_true(asks[2].cancelled);
}

static void
garbage_other_phases_and_other_events_are_ignored(void **state)
{
	(void)state;
	say("\n\n|\nnonsense\nfilter\nfilter|\nreport|0.6\nconfig\n"
	    "filter|0.6|1|smtp-in|data|a1|" TOKEN "|\n"
	    "filter|0.6|1|smtp-out|rcpt-to|a1|" TOKEN "|u@a.test\n"
	    "filter|1.0|1|smtp-in|rcpt-to|a1|" TOKEN "|u@a.test\n"
	    "report|0.6|1|smtp-in|tx-begin|a1|1a2b3c4d\n"
	    "report|0.6|1|smtp-in|protocol-client|a1|HELO x\n"
	    "\x00\xff\xfe\n");
	say_bytes("filter|0.6|\0|smtp-in|\0|a1|1|\n", 29);
	assert_string_equal(hear(), "");
	assert_int_equal(n_asks, 0);
	say_rcpt("a1", "u@a.test");
	assert_int_equal(n_asks, 1);
}

static void
a_later_minor_version_is_understood(void **state)
{
	(void)state;
	say("config|protocol|0.9\nconfig|ready\n");
	assert_string_equal(hear(), REGISTRATION);
	say("filter|0.9|1|smtp-in|rcpt-to|a1|" TOKEN "|u@a.test\n");
	engine_says(0, QUERY_PROCEED, "");
	settle();
	assert_answer("a1", "proceed");
}

static void
say_long(size_t len)
{
	char *line = malloc(len);

	assert_non_null(line);
	memset(line, 'x', len);
	memcpy(line, "filter|0.6|1|smtp-in|rcpt-to|a1|" TOKEN "|", 49);
	say_bytes(line, len);
	free(line);
}

static void
a_line_that_is_too_long_is_skipped_and_the_next_one_read(void **state)
{
	(void)state;
	say_long(LIMIT_FILTER_LINE);
	say("\n"); /* just fits */
	assert_int_equal(n_asks, 1);
	say_long(LIMIT_FILTER_LINE + 1);
	say("\n");
	assert_int_equal(n_asks, 1);
	say_long(5 * LIMIT_FILTER_LINE);
	say_long(100);
	say("\n");
	assert_int_equal(n_asks, 1);
	say_rcpt("b2", "u@b.test");
	assert_int_equal(n_asks, 2);
	assert_string_equal(asks[1].mailbox, "u@b.test");
}

/* Where the allocator of a sanitizer tells nothing this sees no growth. */
static void
a_line_without_end_costs_no_memory(void **state)
{
	size_t before;

	(void)state;
	say_long(2 * LIMIT_FILTER_LINE);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 100; i++)
		say_long(LIMIT_FILTER_LINE);
	assert_true(mallinfo2().uordblks < before + 2 * LIMIT_FILTER_LINE);
	say("\n");
	say_rcpt("b2", "u@b.test");
	assert_int_equal(n_asks, 1);
}

static const char conversation[] =
    "config|smtpd-version|6.8.0p2\n"
    "config|smtp-session-timeout|300\n"
    "config|subsystem|smtp-in\n"
    "config|admd|mta.lab.test\n"
    "config|ready\n"
    "report|0.6|1795430768.604126|smtp-in|link-connect|4c0f1d8aa1b2c3d4|"
    "localhost|pass|127.0.0.1:42218|127.0.0.1:2525\n"
    "report|0.6|1795430768.604900|smtp-in|tx-mail|4c0f1d8aa1b2c3d4|1a2b3c4d|"
    "ok|a@mta.lab.test\n"
    "filter|0.6|1795430768.605130|smtp-in|rcpt-to|4c0f1d8aa1b2c3d4|" TOKEN
    "|b@sts-fail.test\n"
    "report|0.6|1795430768.604126|smtp-in|link-connect|5555555555555555|"
    "mta.lab.test|pass|unix:/var/run/smtpd.sock|unix:/var/run/smtpd.sock\n"
    "filter|0.6|1795430768.605130|smtp-in|rcpt-to|5555555555555555|" TOKEN
    "|a|b@good.test\n"
    "report|0.6|1795430770.104126|smtp-in|link-disconnect|5555555555555555\n";

static void
the_stream_may_be_cut_at_every_byte(void **state)
{
	for (size_t i = 0; i < sizeof(conversation); i++) {
		say_bytes(conversation, i);
		settle();
		say_bytes(conversation + i, sizeof(conversation) - 1 - i);
		settle();
		assert_int_equal(n_asks, 1);
		assert_string_equal(asks[0].mailbox, "b@sts-fail.test");
		engine_says(0, QUERY_DEFER, "451 4.7.5 x");
		settle();
		assert_string_equal(hear(),
		    REGISTRATION "filter-result|5555555555555555|" TOKEN
				 "|proceed\n"
				 "filter-result|4c0f1d8aa1b2c3d4|" TOKEN
				 "|reject|451 4.7.5 x\n");
		end(state);
		assert_int_equal(begin(state), 0);
	}
}

static void
smtpd_may_end_at_every_byte(void **state)
{
	for (size_t i = 0; i < sizeof(conversation); i++) {
		say_bytes(conversation, i);
		settle();
		close(smtpd_end);
		smtpd_end = -1;
		settle();
		assert_int_equal(gone_calls, 1);
		end(state);
		assert_int_equal(begin(state), 0);
	}
}

static void
an_answer_to_an_smtpd_that_has_gone_does_no_harm(void **state)
{
	(void)state;
	say_rcpt("a1", "u@a.test");
	shutdown(smtpd_end, SHUT_WR);
	settle();
	assert_int_equal(gone_calls, 1);
	close(smtpd_end);
	smtpd_end = -1;
	engine_says(0, QUERY_PROCEED, "");
	settle();
	assert_int_equal(gone_calls, 1);
}

static void
a_full_table_of_sessions_is_an_engine_away(void **state)
{
	char sid[17];

	(void)state;
	for (unsigned i = 0; i < LIMIT_FILTER_SESSIONS; i++) {
		snprintf(sid, sizeof(sid), "%016x", i);
		say_connect(sid, "192.0.2.1:1");
	}
	say_rcpt("f00d", "u@a.test");
	assert_answer("f00d", AWAY);
	assert_int_equal(n_asks, 0);
	say_disconnect(sid);
	say_rcpt("f00d", "u@a.test");
	assert_int_equal(n_asks, 1);
}

static void
unread_answers_never_stop_the_reading_and_are_bounded(void **state)
{
	const size_t batch = 1000,
		     answer_len =
			 strlen("filter-result|a1|" TOKEN "|" AWAY "\n"),
		     needed = LIMIT_FILTER_OUTPUT / answer_len + 20000;
	const char *line = "filter|0.6|1|smtp-in|rcpt-to|a1|" TOKEN "|u@a.t\n";
	size_t len = strlen(line), heard = 0;
	char *lines = malloc(batch * len);
	static char sink[262144];
	ssize_t n;

	(void)state;
	assert_non_null(lines);
	refuse_asks = true;
	for (size_t i = 0; i < batch; i++)
		memcpy(lines + i * len, line, len);
	for (size_t i = 0; i < needed; i += batch)
		say_bytes(lines, batch * len); /* ends only if all is read */
	free(lines);
	do {
		n = read(smtpd_end, sink, sizeof(sink));
		heard += n > 0 ? (size_t)n : 0;
		settle();
	} while (n > 0);
	assert_true(heard >= LIMIT_FILTER_OUTPUT);
	assert_true(heard < LIMIT_FILTER_OUTPUT + 2 * sizeof(sink));
	say_rcpt("a1", "u@a.test");
	assert_answer("a1", AWAY);
}

static void
descriptors_that_cannot_be_waited_for_are_refused(void **state)
{
	const struct osmtpd_rules rules = { false, CHOICE_DEFER };
	int file = open("/dev/null", O_RDWR), file2 = dup(file);

	(void)state;
	assert_null(
	    osmtpd_front_new(base, file, file2, NULL, &rules, gone, NULL));
	close(file);
	close(file2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_registers_what_it_needs_when_smtpd_is_ready),
		TEST(it_registers_the_same_with_protocol_0_7_and_unknown_keys),
		TEST(it_registers_once),
		TEST(it_answers_as_the_engine_says),
		TEST(mailboxes_go_to_the_engine_as_they_came),
		TEST(sessions_do_not_wait_for_one_another),
		TEST(after_disconnect_there_is_no_answer),
		TEST(a_null_sender_proceeds_until_the_next_transaction),
		TEST(the_sender_is_found_where_each_protocol_has_it),
		TEST(a_broken_tx_mail_is_no_null_sender),
		TEST(an_empty_recipient_proceeds),
		TEST(local_sessions_proceed_unless_they_are_to_be_judged),
		TEST(an_id_that_is_used_again_begins_anew),
		TEST(a_name_from_dns_cannot_make_a_session_local),
		TEST(
		    with_the_engine_away_the_rule_decides_but_local_mail_proceeds),
		TEST(an_ask_that_cannot_begin_is_an_engine_away),
		TEST(an_answer_that_is_no_verdict_is_an_engine_away),
		TEST(a_session_that_was_not_seen_to_begin_is_answered),
		TEST(
		    a_second_request_replaces_the_first_and_gets_the_one_answer),
		TEST(garbage_other_phases_and_other_events_are_ignored),
		TEST(a_later_minor_version_is_understood),
		TEST(a_line_that_is_too_long_is_skipped_and_the_next_one_read),
		TEST(a_line_without_end_costs_no_memory),
		TEST(the_stream_may_be_cut_at_every_byte),
		TEST(smtpd_may_end_at_every_byte),
		TEST(an_answer_to_an_smtpd_that_has_gone_does_no_harm),
		TEST(a_full_table_of_sessions_is_an_engine_away),
		TEST(unread_answers_never_stop_the_reading_and_are_bounded),
		TEST(descriptors_that_cannot_be_waited_for_are_refused),
	};

	signal(SIGPIPE, SIG_IGN); /* as the filter does */
	return cmocka_run_group_tests_name("osmtpd_front", tests, NULL, NULL);
}
