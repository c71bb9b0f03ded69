/* SPDX-License-Identifier: ISC */
/*
 * Mail through the relay: who gets it on what terms, sessions that are used
 * again, bounds, and a mail server in front that hurries or leaves.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/engine.h"
#include "common/limits.h"
#include "common/smtp_wire.h"
#include "common/staging.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/relay_fixture.h"

/* The most that was ever waiting to be sent to a server behind. */
static size_t most_unsent;

bool __real_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len);
bool __wrap_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len);

bool
__wrap_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len)
{
	bool good = __real_smtp_wire_write(wire, p, len);
	size_t unsent = evbuffer_get_length(bufferevent_get_output(wire->bev));

	if (unsent > most_unsent)
		most_unsent = unsent;
	return good;
}

static void
refuse(struct relay_fixture *f, const char *to, const char *refusal)
{
	char line[600];

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
	snprintf(line, sizeof(line), "RCPT TO:<%s>", to);
	relay_fixture_ask(f, line, refusal);
	relay_fixture_ask(f, "RSET", "250 ");
}

static void
deliver(struct relay_fixture *f, const char *to)
{
	relay_fixture_begin(f, to);
	relay_fixture_finish(f, "250 2.0.0 mx");
}

static void
a_mail_goes_to_the_best_mx_host_over_verified_tls(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_policy(f, "enforce");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 2.0.0 mx1.example.com: queued\r\n");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd");
	assert_string_equal(smtp_sink_ehlo(f->sinks[0]), "mta.example.net");
	assert_string_equal(smtp_sink_mail(f->sinks[0]),
	    "MAIL FROM:<me@example.net>");
	assert_string_equal(smtp_sink_log(f->sinks[1]), "");
	relay_fixture_until_log(f,
	    "outcome=delivered mx=mx1.example.com "
	    "address=127.0.1.1 tls=TLSv1.3 "
	    "verified=pkix reused=no rcpts=1/1");
	assert_non_null(strstr(f->log, "source=sts mode=enforce"));
	relay_fixture_ask(f, "QUIT", "221 2.0.0");
	relay_fixture_until_closed(f);
}

/* Policy on the very session. */

static void
a_host_with_a_bad_certificate_is_passed_over_under_enforce(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_policy(f, "enforce");
	relay_fixture_bad_certificate(f, 0);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 2.0.0 mx2.example.com: queued");
	assert_null(strchr(smtp_sink_log(f->sinks[0]), 'M'));
	relay_fixture_restart(f);
	relay_fixture_policy(f, "enforce");
	relay_fixture_bad_certificate(f, 0);
	relay_fixture_bad_certificate(f, 1);
	refuse(f, "you@example.com",
	    "451 4.7.5 MTA-STS policy of example.com: certificate of "
	    "mx1.example.com ");
	assert_null(strchr(smtp_sink_log(f->sinks[1]), 'M'));
	relay_fixture_until_log(f, "outcome=held");
}

static void
without_a_policy_tls_is_taken_as_it_comes_and_clear_text_else(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script broken = smtp_fixture_good_script();

	relay_fixture_bad_certificate(f, 0);
	deliver(f, "you@example.com");
	relay_fixture_until_log(f, "tls=TLSv1.3 verified=no");
	relay_fixture_restart(f);
	broken.no_handshake = true;
	broken.instead = sink_closes;
	relay_fixture_serve(f, 0, &broken);
	deliver(f, "you@example.com");
	relay_fixture_until_log(f,
	    "mx=mx1.example.com address=127.0.1.1 "
	    "tls=no verified=no");
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ES+EMRDd");
}

static void
a_policy_in_mode_testing_holds_nothing_back(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_policy(f, "testing");
	relay_fixture_bad_certificate(f, 0);
	deliver(f, "you@example.com");
	relay_fixture_until_log(f,
	    "source=sts mode=testing "
	    "outcome=delivered");
}

/* Where mail cannot go. */

static void
what_has_no_server_is_refused_for_good(void **state)
{
	struct relay_fixture *f = *state;

	fake_net_dns(f->net, "null.example", DNS_MX, DNS_FOUND, "0 ", NULL);
	fake_net_dns(f->net, "loop.example", DNS_MX, DNS_FOUND,
	    "20 mx1.example.com", "10 mta.example.net", NULL);
	fake_net_dns(f->net, "named.example", DNS_MX, DNS_FOUND,
	    "10 old.example.net", NULL);
	fake_net_dns(f->net, "local.example", DNS_MX, DNS_FOUND, "10 localhost",
	    NULL);
	assert_null(relay_settings_own(&f->config.relay, "old.example.net"));
	name_list_finish(&f->config.relay.own_names);
	refuse(f, "you@null.example", "556 5.1.10 null.example accepts no");
	refuse(f, "you@none.example", "550 5.1.2 no such domain: none.example");
	refuse(f, "you@loop.example", "554 5.4.6 mail for loop.example loops");
	refuse(f, "you@named.example", "554 5.4.6 ");
	refuse(f, "you@local.example", "554 5.4.6 ");
	refuse(f, "you", "550 5.1.3 ");
	refuse(f, "you@exa mple.com", "501 5.1.3 ");
	refuse(f, "you@[192.0.2.300]", "553 5.1.3 ");
	relay_fixture_until_log(f, "outcome=undeliverable");
}

static void
hosts_nearer_than_this_one_may_have_the_mail(void **state)
{
	struct relay_fixture *f = *state;

	fake_net_dns(f->net, "backup.example", DNS_MX, DNS_FOUND,
	    "20 mta.example.net", "10 mx1.example.com", "30 mx2.example.com",
	    NULL);
	deliver(f, "you@backup.example");
	relay_fixture_restart(f);
	fake_net_dns(f->net, "backup.example", DNS_MX, DNS_FOUND,
	    "20 mta.example.net", "10 mx1.example.com", "30 mx2.example.com",
	    NULL);
	relay_fixture_say("MAIL", "450 4.7.1 later\r\n");
	refuse(f, "you@backup.example", "451 4.4.1 backup.example: mx1");
	assert_string_equal(smtp_sink_log(f->sinks[1]), "");
}

static void
hosts_of_the_same_preference_as_this_one_get_nothing(void **state)
{
	struct relay_fixture *f = *state;

	f->config.addresses.allow_internal = false;
	fake_net_dns(f->net, "mx1.example.com", DNS_A, DNS_FOUND, "192.0.2.1",
	    NULL);
	fake_net_dns(f->net, "own.example", DNS_A, DNS_FOUND, "127.0.0.1",
	    NULL);
	fake_net_dns(f->net, "peers.example", DNS_MX, DNS_FOUND,
	    "10 mx1.example.com", "10 own.example", NULL);
	refuse(f, "you@peers.example", "554 5.4.6 ");
	assert_int_equal(f->n_dialled, 0);
	/* Not for ever, where the policy alone keeps a better one out. */
	relay_fixture_policy(f, "enforce");
	fake_net_dns(f->net, "example.com", DNS_MX, DNS_FOUND,
	    "10 mx1.example.net", "20 own.example.com", NULL);
	fake_net_dns(f->net, "own.example.com", DNS_A, DNS_FOUND, "127.0.0.1",
	    NULL);
	refuse(f, "you@example.com",
	    "451 4.4.1 MTA-STS policy of example.com: "
	    "own.example.com cannot be tried: is this "
	    "host");
	f->config.addresses.allow_internal = true;
}

static void
an_mx_host_at_an_address_of_this_host_is_a_loop(void **state)
{
	static const char *const own[] = { "127.0.0.1", "0.0.0.0", "::1",
		"192.0.2.99", "::ffff:127.0.0.1" };
	struct relay_fixture *f = *state;

	f->config.addresses.allow_internal = false;
	assert_null(relay_settings_own(&f->config.relay, "192.0.2.99"));
	f->config.addresses.own = f->config.relay.own_addresses;
	f->config.addresses.n_own = 1;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		char mx[32], domain[32], record[48], to[48];

		snprintf(mx, sizeof(mx), "mx%zu.own.example", i);
		snprintf(domain, sizeof(domain), "d%zu.example", i);
		snprintf(record, sizeof(record), "10 %s", mx);
		snprintf(to, sizeof(to), "you@%s", domain);
		fake_net_dns(f->net, domain, DNS_MX, DNS_FOUND, record, NULL);
		fake_net_dns(f->net, mx,
		    strchr(own[i], ':') == NULL ? DNS_A : DNS_AAAA, DNS_FOUND,
		    own[i], NULL);
		refuse(f, to, "554 5.4.6 ");
	}
	refuse(f, "you@[127.0.0.1]", "554 5.4.6 ");
	refuse(f, "you@[192.0.2.99]", "554 5.4.6 ");
	refuse(f, "you@[IPv6:::1]", "554 5.4.6 ");
	f->config.addresses.own = NULL;
	f->config.addresses.n_own = 0;
	f->config.addresses.allow_internal = true;
}

static void
an_address_literal_is_delivered_to_that_address(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@[127.0.1.2]");
	relay_fixture_finish(f, "250 2.0.0 127.0.1.2: queued");
	relay_fixture_until_log(f, "domain=127.0.1.2 source=none");
}

/* One destination domain. */

static void
a_second_domain_has_to_come_again(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_domain(f, "example.org");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "RCPT TO:<you@example.org>", "452 4.5.3 ");
	relay_fixture_ask(f, "RCPT TO:<two@EXAMPLE.com>", "250 ");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f, "rcpts=2/2 ");
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRRDd");
}

static void
a_domain_that_took_nobody_makes_room_for_another(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_domain(f, "example.org");
	relay_fixture_say_once("RCPT", "550 5.1.1 no\r\n");
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 ");
	relay_fixture_ask(f, "RCPT TO:<you@none.example>", "550 5.1.2 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "550 5.1.1 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.org>", "250 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "452 4.5.3 ");
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f,
	    "domain=example.org source=none mode=none "
	    "outcome=delivered");
	assert_non_null(strstr(f->log, "domain=none.example"));
	assert_non_null(strstr(f->log, "domain=example.com"));
}

/* Sessions that are used again. */

static void
the_next_mail_of_the_same_domain_goes_over_the_same_session(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_policy(f, "enforce");
	deliver(f, "you@example.com");
	deliver(f, "two@example.com");
	relay_fixture_connect(f); /* whoever brings it */
	deliver(f, "three@example.com");
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRDdMRDdMRDd");
	relay_fixture_until_log(f, "verified=pkix reused=yes");
}

/* A testing mode minds each mail of a session that it minds. */
static void
each_mail_of_a_session_is_staged(void **state)
{
	struct relay_fixture *f = *state;
	struct staging *staging = staging_new(10, 0);
	const struct staged *staged;

	assert_non_null(staging);
	relay_fixture_policy(f, "testing");
	relay_fixture_bad_certificate(f, 0);
	engine_use_staging(f->engine, staging);
	for (int i = 0; i < 3; i++)
		deliver(f, "you@example.com");
	engine_use_staging(f->engine, NULL);
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRDdMRDdMRDd");
	staged = staging_next(staging, NULL);
	assert_non_null(staged);
	assert_int_equal(staged->times, 3);
	assert_string_equal(staged->reason,
	    "delivered to mx1.example.com in spite of "
	    "certificate-not-trusted: is self-signed");
	staging_free(staging);
}

static void
a_session_is_never_used_for_another_domain(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_domain(f, "example.org");
	deliver(f, "you@example.com");
	deliver(f, "you@example.org");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 2);
}

static void
a_session_has_to_satisfy_the_policy_of_now(void **state)
{
	struct relay_fixture *f = *state;

	fake_net_ttl(f->net, 0); /* nothing is remembered */
	deliver(f, "you@example.com");
	relay_fixture_policy(f, "enforce");
	deliver(f, "you@example.com");
	relay_fixture_until_log(f, "verified=pkix reused=no");
	deliver(f, "you@example.com");
	relay_fixture_until_log(f, "verified=pkix reused=yes");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 2);
}

static void
a_session_is_good_for_so_many_messages_only(void **state)
{
	struct relay_fixture *f = *state;

	f->config.relay.messages = 2;
	relay_fixture_reconfigure(f);
	for (int i = 0; i < 4; i++)
		deliver(f, "you@example.com");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 2);
	relay_fixture_until_sink(f, 0, smtp_sink_log(f->sinks[0]));
}

static void
a_session_that_waits_for_too_long_quits(void **state)
{
	struct relay_fixture *f = *state;

	f->config.relay.idle_ms = 50;
	relay_fixture_reconfigure(f);
	deliver(f, "you@example.com");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRDdQ.");
	f->config.relay.idle_ms = 0;
	relay_fixture_restart(f);
	f->config.relay.idle_ms = 0;
	relay_fixture_reconfigure(f);
	deliver(f, "you@example.com");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRDdQ.");
}

static void
rset_frees_the_session_for_the_next_mail(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "RSET", "250 ");
	relay_fixture_until_sink(f, 0, "+ESTEMRZ");
	relay_fixture_settle(f);
	deliver(f, "you@example.com");
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRZMRDd");
}

static void
a_server_that_does_not_reset_is_not_used_again(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("RSET", "500 what\r\n");
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "RSET", "250 ");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRZ!");
	deliver(f, "you@example.com");
}

static void
a_new_configuration_ends_what_is_kept(void **state)
{
	struct relay_fixture *f = *state;

	deliver(f, "you@example.com");
	relay_fixture_reconfigure(f);
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRDdQ.");
	/* What is on its way goes on, and is not kept. */
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_other_engine(f);
	relay_fixture_finish(f, "250 ");
	relay_fixture_until_log(f, "id=2 ");
	relay_fixture_end_of(f, 0);
}

/* Bounds. */

static void
over_its_bounds_the_relay_says_451_at_rcpt(void **state)
{
	struct relay_fixture *f = *state;
	struct bufferevent *first;

	relay_fixture_domain(f, "example.org");
	f->config.relay.sessions_per_domain = 1;
	relay_fixture_begin(f, "you@example.com");
	first = relay_fixture_another(f);
	refuse(f, "you@example.com", "451 4.3.2 too many mails");
	relay_fixture_until_log(f, "outcome=limited");
	refuse(f, "you@example.org", "250 ");
	f->config.relay.sessions = 1;
	refuse(f, "you@example.org", "451 4.3.2 too many mails");
	bufferevent_free(first);
	relay_fixture_settle(f);
	deliver(f, "you@example.com");
}

static void
a_mail_has_1000_recipients_at_most(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	for (int i = 1; i < LIMIT_RELAY_RCPTS; i++)
		relay_fixture_ask(f, "RCPT TO:<you@example.com>", "250 ");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "452 4.5.3 ");
	relay_fixture_finish(f, "250 ");
}

static void
a_line_that_is_too_long_is_refused_and_the_next_is_read(void **state)
{
	struct relay_fixture *f = *state;
	static char line[40000];

	memset(line, 'x', sizeof(line) - 1);
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, line, "500 5.5.2 ");
	line[3000] = '\0';
	relay_fixture_ask(f, line, "500 5.5.2 ");
	line[2048] = '\0';
	relay_fixture_ask(f, line, "500 5.5.2 ");
	relay_fixture_ask(f, "NOOP", "250 ");
	relay_fixture_assert_silent(f);
}

static void
a_message_waits_for_a_server_that_reads_slowly(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script slow = smtp_fixture_good_script();
	const size_t lines = 12000;
	char line[1003];

	slow.reads_slowly = true;
	relay_fixture_serve(f, 0, &slow);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA", "354 ");
	memset(line, 'x', 1000);
	strcpy(line + 1000, "\r\n");
	for (size_t i = 0; i < lines; i++) /* more than the system buffers */
		relay_fixture_send(f, line);
	relay_fixture_send(f, ".\r\n");
	most_unsent = 0;
	relay_fixture_assert_silent(f);
	/* Some of it is still with the mail server. */
	assert_true(
	    evbuffer_get_length(bufferevent_get_output(f->mta)) > lines * 100);
	smtp_sink_read(f->sinks[0]);
	relay_fixture_reply(f);
	assert_memory_equal(f->reply, "250 2.0.0", 9);
	assert_true(smtp_sink_octets(f->sinks[0]) > lines * 1000);
	assert_true(most_unsent <= LIMIT_SMTP_UNSENT_HIGH + LIMIT_RELAY_PIECE);
	assert_true(
	    LIMIT_SMTP_UNSENT_HIGH + LIMIT_RELAY_PIECE + LIMIT_RELAY_INPUT <=
	    65536);
}

static void
a_server_that_reads_no_more_is_given_up(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script slow = smtp_fixture_good_script();
	static char piece[1 << 20];

	slow.reads_slowly = true;
	f->times.room_ms = 100;
	relay_set_times(f->relay, &f->times);
	relay_fixture_serve(f, 0, &slow);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA", "354 ");
	memset(piece, 'x', sizeof(piece) - 1);
	for (size_t i = 0; i < 12; i++)
		relay_fixture_send(f, piece);
	relay_fixture_ask(f, "\r\n.",
	    "451 4.4.2 mx1.example.com did not answer in time");
	relay_fixture_until_log(f, "outcome=broken");
}

/* The mail server in front. */

static void
commands_may_come_all_at_once(void **state)
{
	struct relay_fixture *f = *state;
	static const char *const replies[] = { "250-mta.example.net",
		"250 2.1.0", "250 2.1.5 mx1", "250 2.1.5 mx1", "354 ",
		"250 2.0.0 mx1", "250 2.1.0", "250 2.1.5 mx1", "354 ",
		"250 2.0.0 mx1", "221 2.0.0" };

	relay_fixture_send(f,
	    "EHLO mail.example.net\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
	    "one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n"
	    "two\r\n.\r\nQUIT\r\n");
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		relay_fixture_reply(f);
		assert_memory_equal(f->reply, replies[i], strlen(replies[i]));
	}
	relay_fixture_until_closed(f);
	assert_string_equal(smtp_sink_log(f->sinks[0]), "+ESTEMRRDdMRDd");
}

static void
who_reads_no_answers_is_not_listened_to_until_he_does(void **state)
{
	struct relay_fixture *f = *state;
	struct evbuffer *commands = bufferevent_get_output(f->mta);
	const size_t n = 200000;

	bufferevent_disable(f->mta, EV_READ);
	for (size_t i = 0; i < n; i++)
		relay_fixture_send(f, "NOOP\r\n");
	for (int i = 0; i < 2000; i++)
		event_base_loop(f->smtp->base, EVLOOP_NONBLOCK);
	/* What the sockets hold is less than half of that. */
	assert_true(evbuffer_get_length(commands) > 6 * n / 2);
	bufferevent_enable(f->mta, EV_READ);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(relay_fixture_reply(f),
		    "250 2.0.0 yes\r\n");
	relay_fixture_ask(f, "NOOP", "250 ");
}

static void
what_makes_no_sense_is_refused(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_ask(f, "MAIL FROM:<>", "503 5.5.1");
	relay_fixture_ask(f, "HELO mail.example.net", "250 mta.example.net");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "503 5.5.1");
	relay_fixture_ask(f, "DATA", "503 5.5.1");
	relay_fixture_ask(f, "MAIL FROM:<>", "250 ");
	relay_fixture_ask(f, "MAIL FROM:<>", "503 5.5.1");
	relay_fixture_ask(f, "DATA", "503 5.5.1");
	relay_fixture_ask(f, "STARTTLS", "502 5.5.1");
	relay_fixture_ask(f, "VRFY you", "252 ");
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	assert_null(strstr(f->reply, "DSN"));
	assert_null(strstr(f->reply, "STARTTLS"));
	assert_null(strstr(f->reply, "AUTH"));
	assert_null(strstr(f->reply, "CHUNKING"));
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "503 5.5.1");
}

static void
who_leaves_before_the_end_of_a_message_has_sent_none(void **state)
{
	static const char *const ways[] = { "DATA\r\nhalf\r\n",
		"DATA\r\nhalf\r\n.", "DATA\r\nhalf\r\n.\r", "DATA\r\n" };
	struct relay_fixture *f = *state;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		relay_fixture_restart(f);
		relay_fixture_begin(f, "you@example.com");
		relay_fixture_send(f, ways[i]);
		relay_fixture_until_sink(f, 0, "+ESTEMRD");
		relay_fixture_settle(f);
		relay_fixture_connect(f);
		assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRD!");
		relay_fixture_until_log(f, "outcome=abandoned");
		assert_null(strstr(f->log, "maybe-duplicate"));
	}
}

static void
who_leaves_before_data_costs_no_session(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_connect(f);
	relay_fixture_until_sink(f, 0, "+ESTEMRZ");
	relay_fixture_settle(f);
	deliver(f, "you@example.com");
	assert_int_equal(log_capture_count(smtp_sink_log(f->sinks[0]), "+"), 1);
}

static void
who_leaves_while_a_session_is_looked_for_stops_it(void **state)
{
	struct relay_fixture *f = *state;
	struct smtp_sink_script silent =
	    smtp_fixture_silent_at(SMTP_STAGE_EHLO);

	relay_fixture_serve(f, 0, &silent);
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<>", "250 ");
	relay_fixture_send(f, "RCPT TO:<you@example.com>\r\n");
	relay_fixture_until_sink(f, 0, "+E");
	relay_fixture_connect(f);
	relay_fixture_end_of(f, 0);
	relay_fixture_until_log(f, "outcome=abandoned");
}

static void
who_leaves_behind_the_dot_may_get_it_twice_and_the_log_says_so(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say(".", sink_silent);
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA", "354 ");
	relay_fixture_send(f, "x\r\n.\r\n");
	relay_fixture_until_sink(f, 0, "+ESTEMRDd");
	relay_fixture_connect(f);
	relay_fixture_until_log(f, " maybe-duplicate");
	smtp_sink_say(f->sinks[0], "250 2.0.0 mine\r\n");
	relay_fixture_until_log(f, "250 \"2.0.0 mine\"");
}

static void
a_silent_mail_server_is_let_go_without_a_word(void **state)
{
	struct relay_fixture *f = *state;

	f->times.mta_ms = 1000;
	relay_set_times(f->relay, &f->times);
	relay_fixture_connect(f);
	relay_fixture_until_closed(f);
	assert_string_equal(f->reply, "220 mta.example.net ESMTP strictmx\r\n");
	/* One that waits for us is not silent. */
	f->times.mta_ms = 1500;
	f->times.command_ms = 3200;
	relay_set_times(f->relay, &f->times);
	relay_fixture_connect(f);
	relay_fixture_say_once("RCPT", sink_silent);
	relay_fixture_send(f,
	    "EHLO mail.example.net\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<you@example.com>\r\n");
	relay_fixture_reply(f);
	relay_fixture_reply(f);
	relay_fixture_reply(f);
	assert_memory_equal(f->reply, "451 4.4.2 mx1", 13);
}

static void
who_is_not_allowed_is_not_served(void **state)
{
	struct relay_fixture *f = *state;
	struct address stranger;
	int pair[2];
	char c;

	address_parse("192.0.2.7", &stranger);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	relay_serve(f->relay, pair[1], &stranger);
	assert_int_equal(read(pair[0], &c, 1), 0);
	close(pair[0]);
	assert_non_null(strstr(f->log, "192.0.2.7 is not served"));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, relay_fixture_set_up,            \
	    relay_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_mail_goes_to_the_best_mx_host_over_verified_tls),
		TEST(
		    a_host_with_a_bad_certificate_is_passed_over_under_enforce),
		TEST(
		    without_a_policy_tls_is_taken_as_it_comes_and_clear_text_else),
		TEST(a_policy_in_mode_testing_holds_nothing_back),
		TEST(what_has_no_server_is_refused_for_good),
		TEST(hosts_nearer_than_this_one_may_have_the_mail),
		TEST(hosts_of_the_same_preference_as_this_one_get_nothing),
		TEST(an_mx_host_at_an_address_of_this_host_is_a_loop),
		TEST(an_address_literal_is_delivered_to_that_address),
		TEST(a_second_domain_has_to_come_again),
		TEST(a_domain_that_took_nobody_makes_room_for_another),
		TEST(
		    the_next_mail_of_the_same_domain_goes_over_the_same_session),
		TEST(each_mail_of_a_session_is_staged),
		TEST(a_session_is_never_used_for_another_domain),
		TEST(a_session_has_to_satisfy_the_policy_of_now),
		TEST(a_session_is_good_for_so_many_messages_only),
		TEST(a_session_that_waits_for_too_long_quits),
		TEST(rset_frees_the_session_for_the_next_mail),
		TEST(a_server_that_does_not_reset_is_not_used_again),
		TEST(a_new_configuration_ends_what_is_kept),
		TEST(over_its_bounds_the_relay_says_451_at_rcpt),
		TEST(a_mail_has_1000_recipients_at_most),
		TEST(a_line_that_is_too_long_is_refused_and_the_next_is_read),
		TEST(a_message_waits_for_a_server_that_reads_slowly),
		TEST(a_server_that_reads_no_more_is_given_up),
		TEST(commands_may_come_all_at_once),
		TEST(who_reads_no_answers_is_not_listened_to_until_he_does),
		TEST(what_makes_no_sense_is_refused),
		TEST(who_leaves_before_the_end_of_a_message_has_sent_none),
		TEST(who_leaves_before_data_costs_no_session),
		TEST(who_leaves_while_a_session_is_looked_for_stops_it),
		TEST(
		    who_leaves_behind_the_dot_may_get_it_twice_and_the_log_says_so),
		TEST(a_silent_mail_server_is_let_go_without_a_word),
		TEST(who_is_not_allowed_is_not_served),
	};

	return cmocka_run_group_tests_name("relay", tests,
	    relay_fixture_group_set_up, relay_fixture_group_tear_down);
}
