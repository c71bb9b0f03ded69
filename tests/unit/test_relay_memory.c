/* SPDX-License-Identifier: ISC */
/*
 * The relay without memory: whatever is missing, the mail stays with the mail
 * server, and a final dot is not said. Calls that can fail for want of memory
 * are wrapped by the linker, and told to.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/limits.h"
#include "common/smtp_wire.h"
#include "common/upstream.h"
#include "filter/relay_mail.h"
#include "filter/relay_session.h"
#include "tests/unit/relay_fixture.h"

/* What fails the next time, once. */
static bool no_mail, no_delivery, no_upstream, no_session, no_write, no_strdup;
static int64_t no_timer_ms = -1; /* of this length */
static bool no_calloc;		 /* within one of the above */

static bool
is_due(bool *what)
{
	bool due = *what;

	*what = false;
	return due;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *string);
char *__wrap_strdup(const char *string);
struct clock_timer *__real_clock_timer_start(struct clock *clock,
    int64_t delay_ms, clock_fn *fn, void *arg);
struct clock_timer *__wrap_clock_timer_start(struct clock *clock,
    int64_t delay_ms, clock_fn *fn, void *arg);
bool __real_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len);
bool __wrap_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len);
struct relay_mail *__real_relay_mail_new(struct relay *relay,
    const struct smtp_command *mail, const struct relay_sender *sender,
    relay_told_fn *told, void *arg);
struct relay_mail *__wrap_relay_mail_new(struct relay *relay,
    const struct smtp_command *mail, const struct relay_sender *sender,
    relay_told_fn *told, void *arg);
struct delivery *__real_delivery_start(const struct delivery_opts *opts,
    delivery_done_fn *done, void *arg);
struct delivery *__wrap_delivery_start(const struct delivery_opts *opts,
    delivery_done_fn *done, void *arg);
struct upstream *__real_upstream_new(const struct smtp_port *port,
    const struct mx_walk_found *found, const struct verdict *verdict);
struct upstream *__wrap_upstream_new(const struct smtp_port *port,
    const struct mx_walk_found *found, const struct verdict *verdict);
bool __real_relay_session_new(struct relay *relay, int fd,
    const struct address *peer);
bool __wrap_relay_session_new(struct relay *relay, int fd,
    const struct address *peer);

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_due(&no_calloc) ? NULL : __real_calloc(n, size);
}

char *
__wrap_strdup(const char *string)
{
	return is_due(&no_strdup) ? NULL : __real_strdup(string);
}

struct clock_timer *
__wrap_clock_timer_start(struct clock *clock, int64_t delay_ms, clock_fn *fn,
    void *arg)
{
	if (delay_ms == no_timer_ms)
		return NULL;
	return __real_clock_timer_start(clock, delay_ms, fn, arg);
}

bool
__wrap_smtp_wire_write(struct smtp_wire *wire, const char *p, size_t len)
{
	return !is_due(&no_write) && __real_smtp_wire_write(wire, p, len);
}

struct relay_mail *
__wrap_relay_mail_new(struct relay *relay, const struct smtp_command *mail,
    const struct relay_sender *sender, relay_told_fn *told, void *arg)
{
	no_calloc = is_due(&no_mail);
	return __real_relay_mail_new(relay, mail, sender, told, arg);
}

struct delivery *
__wrap_delivery_start(const struct delivery_opts *opts, delivery_done_fn *done,
    void *arg)
{
	no_calloc = is_due(&no_delivery);
	return __real_delivery_start(opts, done, arg);
}

struct upstream *
__wrap_upstream_new(const struct smtp_port *port,
    const struct mx_walk_found *found, const struct verdict *verdict)
{
	no_calloc = is_due(&no_upstream);
	return __real_upstream_new(port, found, verdict);
}

bool
__wrap_relay_session_new(struct relay *relay, int fd,
    const struct address *peer)
{
	no_calloc = is_due(&no_session);
	return __real_relay_session_new(relay, fd, peer);
}

static void
mail_is_refused_for_now(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	no_mail = true;
	relay_fixture_ask(f, "MAIL FROM:<>", "451 4.3.0");
	relay_fixture_ask(f, "MAIL FROM:<>", "250 ");
	no_delivery = true;
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "451 4.3.0");
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "250 ");
	relay_fixture_finish(f, "250 ");
}

static void
a_session_that_nobody_can_note_is_cut(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<>", "250 ");
	no_upstream = true;
	relay_fixture_ask(f, "RCPT TO:<you@example.com>", "451 4.3.0");
	relay_fixture_ask(f, "RCPT TO:<two@example.com>", "451 4.3.0");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEM!");
}

static void
a_refusal_that_cannot_be_kept_is_one_of_memory(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_say("MAIL", "550 5.7.1 no\r\n");
	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<>", "250 ");
	relay_fixture_send(f, "RCPT TO:<you@example.com>\r\n");
	relay_fixture_until_sink(f, 0, "+ESTEM");
	no_strdup = true;
	relay_fixture_reply(f);
	assert_memory_equal(f->reply, "451 4.3.0", 9);
	relay_fixture_ask(f, "RCPT TO:<two@example.com>", "451 4.3.0");
}

static void
no_dot_is_said_when_its_answer_could_not_be_waited_for(void **state)
{
	struct relay_fixture *f = *state;

	f->times.dot_ms = 4711;
	relay_set_times(f->relay, &f->times);
	relay_fixture_begin(f, "you@example.com");
	no_timer_ms = 4711;
	relay_fixture_finish(f,
	    "451 4.4.2 mx1.example.com got no memory for its answer");
	no_timer_ms = -1;
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRD!");
	relay_fixture_until_log(f, "outcome=broken");
}

static void
a_piece_that_is_lost_loses_the_message(void **state)
{
	struct relay_fixture *f = *state;

	relay_fixture_begin(f, "you@example.com");
	relay_fixture_ask(f, "DATA", "354 ");
	no_write = true;
	relay_fixture_ask(f, "Subject: x\r\n\r\nhello\r\n.",
	    "451 4.4.2 mx1.example.com got no memory for the message");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRD!");
	relay_fixture_ask(f, "NOOP", "250 ");
}

static void
a_session_that_cannot_be_kept_quits(void **state)
{
	struct relay_fixture *f = *state;

	f->config.relay.idle_ms = 4712;
	relay_fixture_reconfigure(f);
	no_timer_ms = 4712;
	relay_fixture_begin(f, "you@example.com");
	relay_fixture_finish(f, "250 ");
	assert_string_equal(relay_fixture_end_of(f, 0), "+ESTEMRDdQ.");
	no_timer_ms = -1;
}

static void
a_connection_that_cannot_be_served_is_closed(void **state)
{
	struct relay_fixture *f = *state;
	struct address loopback;
	int pair[2];
	char c;

	address_parse("127.0.0.1", &loopback);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	no_session = true;
	relay_serve(f->relay, pair[1], &loopback);
	assert_int_equal(read(pair[0], &c, 1), 0);
	close(pair[0]);
	assert_non_null(strstr(f->log, "no memory to serve 127.0.0.1"));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, relay_fixture_set_up,            \
	    relay_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mail_is_refused_for_now),
		TEST(a_session_that_nobody_can_note_is_cut),
		TEST(a_refusal_that_cannot_be_kept_is_one_of_memory),
		TEST(no_dot_is_said_when_its_answer_could_not_be_waited_for),
		TEST(a_piece_that_is_lost_loses_the_message),
		TEST(a_session_that_cannot_be_kept_quits),
		TEST(a_connection_that_cannot_be_served_is_closed),
	};

	return cmocka_run_group_tests_name("relay_memory", tests,
	    relay_fixture_group_set_up, relay_fixture_group_tear_down);
}
