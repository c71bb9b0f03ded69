/* SPDX-License-Identifier: ISC */
/*
 * Sessions without memory: calls that can fail for want of it are wrapped by
 * the linker, and told to. The sink's own calls are told apart and let pass.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/smtp_fixture.h"

/* How many more calls go well; negative: all of them. */
static int start_calls = -1, waits = -1, commands = -1;
static bool no_socket, no_tls, no_handshake;

static bool
is_due(int *calls)
{
	if (*calls < 0 || (*calls)-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *string);
char *__wrap_strdup(const char *string);
struct event *__real_event_new(struct event_base *base, evutil_socket_t fd,
    short what, event_callback_fn fn, void *arg);
struct event *__wrap_event_new(struct event_base *base, evutil_socket_t fd,
    short what, event_callback_fn fn, void *arg);
int __real_event_add(struct event *event, const struct timeval *delay);
int __wrap_event_add(struct event *event, const struct timeval *delay);
struct bufferevent *__real_bufferevent_socket_new(struct event_base *base,
    evutil_socket_t fd, int options);
struct bufferevent *__wrap_bufferevent_socket_new(struct event_base *base,
    evutil_socket_t fd, int options);
struct bufferevent *__real_bufferevent_openssl_socket_new(struct event_base
							      *base,
    evutil_socket_t fd, SSL *ssl, enum bufferevent_ssl_state state,
    int options);
struct bufferevent *__wrap_bufferevent_openssl_socket_new(struct event_base
							      *base,
    evutil_socket_t fd, SSL *ssl, enum bufferevent_ssl_state state,
    int options);
SSL *__real_tls_verify_ssl(const struct tls_verify *verify, const char *mx);
SSL *__wrap_tls_verify_ssl(const struct tls_verify *verify, const char *mx);
int __wrap_evbuffer_add_printf(struct evbuffer *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void *
__wrap_calloc(size_t n, size_t size)
{
	return is_due(&start_calls) ? NULL : __real_calloc(n, size);
}

char *
__wrap_strdup(const char *string)
{
	return is_due(&start_calls) ? NULL : __real_strdup(string);
}

struct event *
__wrap_event_new(struct event_base *base, evutil_socket_t fd, short what,
    event_callback_fn fn, void *arg)
{
	return is_due(&start_calls) ? NULL
				    : __real_event_new(base, fd, what, fn, arg);
}

int
__wrap_event_add(struct event *event, const struct timeval *delay)
{
	if (is_due(&start_calls) || is_due(&waits))
		return -1;
	return __real_event_add(event, delay);
}

struct bufferevent *
__wrap_bufferevent_socket_new(struct event_base *base, evutil_socket_t fd,
    int options)
{
	if (no_socket && fd == -1) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_bufferevent_socket_new(base, fd, options);
}

struct bufferevent *
__wrap_bufferevent_openssl_socket_new(struct event_base *base,
    evutil_socket_t fd, SSL *ssl, enum bufferevent_ssl_state state, int options)
{
	if (no_handshake && state == BUFFEREVENT_SSL_CONNECTING) {
		SSL_free(ssl); /* as libevent does when it fails */
		return NULL;
	}
	return __real_bufferevent_openssl_socket_new(base, fd, ssl, state,
	    options);
}

SSL *
__wrap_tls_verify_ssl(const struct tls_verify *verify, const char *mx)
{
	return no_tls ? NULL : __real_tls_verify_ssl(verify, mx);
}

int
__wrap_evbuffer_add_printf(struct evbuffer *buf, const char *format, ...)
{
	va_list ap;
	int n;

	if (is_due(&commands))
		return -1;
	va_start(ap, format);
	n = evbuffer_add_vprintf(buf, format, ap);
	va_end(ap);
	return n;
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

/* calloc, strdup twice, three events, the timer of the deadline. */
#define CALLS_OF_START 7

static void
a_session_that_cannot_begin_is_null(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_session *session;

	f->target.deadline_ms = 1000;
	for (int n = 0; n < CALLS_OF_START; n++) {
		start_calls = n;
		assert_null(
		    f->port.start(f->port.self, &f->target, not_called, NULL));
	}
	start_calls = CALLS_OF_START;
	session = f->port.start(f->port.self, &f->target, not_called, NULL);
	start_calls = -1;
	assert_non_null(session);
	f->port.cancel(f->port.self, &session);
	event_base_loop(f->base, EVLOOP_NONBLOCK);
}

/* Lack of memory is never a failure of the host's TLS. */
static void
assert_failed_for_memory(struct smtp_fixture *f, enum smtp_stage stage)
{
	static const char *const why[] = {
		[SMTP_STAGE_CONNECT] =
		    "failed at the connection: Cannot allocate memory",
		[SMTP_STAGE_GREETING] = "failed at the greeting: no memory",
		[SMTP_STAGE_EHLO] = "failed at EHLO: no memory",
		[SMTP_STAGE_STARTTLS] = "failed at STARTTLS: no memory",
		[SMTP_STAGE_TLS] = "failed at the TLS handshake: no memory",
		[SMTP_STAGE_EHLO_TLS] =
		    "failed at EHLO after the TLS handshake: no memory",
	};

	smtp_fixture_assert_failed(f, stage, RESULT_NONE, why[stage]);
	assert_int_equal(f->result.proofs, 0);
	assert_true(f->result.starved);
}

static void
a_wait_that_cannot_begin_ends_the_session(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	for (int stage = 0; stage < SMTP_STAGE_READY; stage++) {
		waits = 1 + stage; /* the first is the fixture's own */
		smtp_fixture_try(f, &script);
		assert_failed_for_memory(f, (enum smtp_stage)stage);
	}
	waits = 1 + SMTP_STAGE_READY; /* QUIT */
	assert_int_equal(smtp_fixture_try(f, &script)->stage, SMTP_STAGE_READY);
	smtp_fixture_run_until_log(f, "+ESTE!");
}

static void
a_command_that_cannot_be_said_ends_the_session(void **state)
{
	static const enum smtp_stage stages[] = { SMTP_STAGE_EHLO,
		SMTP_STAGE_STARTTLS, SMTP_STAGE_EHLO_TLS };
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	for (int i = 0; i < 3; i++) {
		commands = i;
		smtp_fixture_try(f, &script);
		assert_failed_for_memory(f, stages[i]);
	}
}

static void
a_socket_or_handshake_that_cannot_be_had_ends_the_session(void **state)
{
	struct smtp_fixture *f = *state;
	struct smtp_sink_script script = smtp_fixture_good_script();

	no_socket = true;
	smtp_fixture_try(f, &script);
	assert_failed_for_memory(f, SMTP_STAGE_CONNECT);
	no_socket = false;

	no_tls = true;
	smtp_fixture_try(f, &script);
	assert_failed_for_memory(f, SMTP_STAGE_TLS);
	no_tls = false;

	no_handshake = true;
	smtp_fixture_try(f, &script);
	assert_failed_for_memory(f, SMTP_STAGE_TLS);
	no_handshake = false;
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, smtp_fixture_set_up,             \
	    smtp_fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_that_cannot_begin_is_null),
		TEST(a_wait_that_cannot_begin_ends_the_session),
		TEST(a_command_that_cannot_be_said_ends_the_session),
		TEST(a_socket_or_handshake_that_cannot_be_had_ends_the_session),
	};

	return cmocka_run_group_tests_name("smtp_memory", tests,
	    smtp_fixture_group_set_up, smtp_fixture_group_tear_down);
}
