/* SPDX-License-Identifier: ISC */
/* What tests of SMTP sessions share: see smtp_fixture.h. */
#include "tests/unit/unit.h"

#include "tests/unit/smtp_fixture.h"

#include <dirent.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/tls_verify.h"

#define PATIENCE_S 20 /* then a test has failed */

static struct test_certificate *root, *leaf;
static SSL_CTX *good_ctx;
static struct tls_verify *verify;

int
smtp_fixture_group_set_up(void **state)
{
	const struct test_certificate_opts ca = { .common_name = "Test Root",
		.is_ca = true };
	const struct test_certificate_opts mx = { .alt_names =
						      "DNS:" FIXTURE_MX };
	char ca_file[] = "/tmp/strictmx-test-smtp-XXXXXX";
	const char *why;
	int fd = mkstemp(ca_file);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_not_equal(fd, -1);
	close(fd);
	root = test_certificate_make(&ca, NULL);
	leaf = test_certificate_make(&mx, root);
	good_ctx = test_certificate_server(leaf, NULL);
	test_certificate_append_pem(root, ca_file);
	verify = tls_verify_new(ca_file, &why);
	unlink(ca_file);
	return verify == NULL ? -1 : 0;
}

int
smtp_fixture_group_tear_down(void **state)
{
	(void)state;
	tls_verify_free(verify);
	SSL_CTX_free(good_ctx);
	test_certificate_free(leaf);
	test_certificate_free(root);
	libevent_global_shutdown();
	return 0;
}

const struct test_certificate *
smtp_fixture_root(void)
{
	return root;
}

static size_t
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

int
smtp_fixture_set_up(void **state)
{
	struct smtp_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->n_descriptors = count_descriptors();
	f->base = event_base_new();
	assert_non_null(f->base);
	f->dialer = smtp_dialer_new(f->base, verify);
	assert_non_null(f->dialer);
	f->port = smtp_dialer_port(f->dialer);
	f->target = (struct smtp_target){ .mx = FIXTURE_MX,
		.helo = FIXTURE_HELO,
		.proofs = PROOF_ENCRYPTED | PROOF_PKIX };
	*state = f;
	return 0;
}

int
smtp_fixture_tear_down(void **state)
{
	struct smtp_fixture *f = *state;

	assert_int_equal(ERR_peek_error(), 0);
	smtp_dialer_free(f->dialer);
	smtp_sink_free(f->sink);
	event_base_loop(f->base, EVLOOP_NONBLOCK); /* what frees itself later */
	event_base_free(f->base);
	assert_int_equal(count_descriptors(), f->n_descriptors);
	free(f);
	return 0;
}

struct smtp_sink_script
smtp_fixture_good_script(void)
{
	return (struct smtp_sink_script){ .greeting =
					      "220 mx1.example.com ESMTP\r\n",
		.ehlo = "250-mx1.example.com\r\n250-SIZE 100000\r\n"
			"250 STARTTLS\r\n",
		.starttls = "220 go ahead\r\n",
		.ehlo_tls = "250-mx1.example.com\r\n250 SIZE 100000\r\n",
		.mail = "250 2.1.0 ok\r\n",
		.rcpt = "250 2.1.5 ok\r\n",
		.data = "354 go on\r\n",
		.dot = "250 2.0.0 queued\r\n",
		.rset = "250 2.0.0 reset\r\n",
		.quit = "221 bye\r\n",
		.ctx = good_ctx };
}

struct smtp_sink_script
smtp_fixture_silent_at(enum smtp_stage stage)
{
	struct smtp_sink_script script = smtp_fixture_good_script();

	script.quit = NULL;
	if (stage <= SMTP_STAGE_EHLO_TLS)
		script.ehlo_tls = NULL;
	if (stage <= SMTP_STAGE_TLS)
		script.no_handshake = true;
	if (stage <= SMTP_STAGE_STARTTLS)
		script.starttls = NULL;
	if (stage <= SMTP_STAGE_EHLO)
		script.ehlo = NULL;
	if (stage <= SMTP_STAGE_GREETING)
		script.greeting = NULL;
	return script;
}

const struct smtp_fixture_silence
    smtp_fixture_silences[SMTP_FIXTURE_SILENCES] = {
	    { SMTP_STAGE_GREETING, RESULT_NONE, "timed out at the greeting",
		"+", "+." },
	    { SMTP_STAGE_EHLO, RESULT_NONE, "timed out at EHLO", "+E", "+E." },
	    { SMTP_STAGE_STARTTLS, RESULT_NONE, "timed out at STARTTLS", "+ES",
		"+ES." },
	    { SMTP_STAGE_TLS, RESULT_VALIDATION_FAILURE,
		"timed out at the TLS handshake", "+ESh", "+ESh." },
	    { SMTP_STAGE_EHLO_TLS, RESULT_VALIDATION_FAILURE,
		"timed out at EHLO after the TLS handshake", "+ESTE",
		"+ESTE!" },
    };
bool
smtp_fixture_serve(struct smtp_fixture *f, const char *address,
    const struct smtp_sink_script *script)
{
	smtp_sink_free(f->sink);
	f->sink = smtp_sink_new(f->base, address, script);
	if (f->sink == NULL)
		return false;
	assert_true(address_parse(address, &f->target.address));
	f->target.port = smtp_sink_port(f->sink);
	return true;
}

static void
ready(const struct smtp_result *result, struct smtp_session *session, void *arg)
{
	struct smtp_fixture *f = arg;

	assert_true((session != NULL) == (result->stage == SMTP_STAGE_READY));
	if (session != NULL)
		assert_ptr_equal(session, f->session);
	f->n_calls++;
	f->session = session;
	if (f->then == FIXTURE_QUITS)
		f->port.quit(f->port.self, &f->session);
	else if (f->then == FIXTURE_CANCELS)
		f->port.cancel(f->port.self, &f->session);
	f->result = *result; /* still there after that */
}

void
smtp_fixture_start(struct smtp_fixture *f)
{
	f->n_calls = 0;
	f->session = f->port.start(f->port.self, &f->target, ready, f);
	assert_non_null(f->session);
	assert_int_equal(f->n_calls, 0);
}

static void
lose_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
run_until(struct smtp_fixture *f, bool (*is_so)(struct smtp_fixture *, void *),
    void *arg)
{
	const struct timeval patience = { PATIENCE_S, 0 };
	bool late = false;
	struct event *timer = evtimer_new(f->base, lose_patience, &late);

	assert_non_null(timer);
	evtimer_add(timer, &patience);
	while (!is_so(f, arg) && !late)
		event_base_loop(f->base, EVLOOP_ONCE);
	event_free(timer);
	if (late)
		fail_msg("waited in vain; the server heard \"%s\"",
		    smtp_sink_log(f->sink));
}

static bool
is_called(struct smtp_fixture *f, void *arg)
{
	(void)arg;
	return f->n_calls > 0;
}

void
smtp_fixture_run_until_called(struct smtp_fixture *f)
{
	run_until(f, is_called, NULL);
}

static bool
has_log(struct smtp_fixture *f, void *arg)
{
	const char *const *log = arg;

	return strlen(smtp_sink_log(f->sink)) >= strlen(*log);
}

void
smtp_fixture_run_until_log(struct smtp_fixture *f, const char *log)
{
	run_until(f, has_log, &log);
	assert_string_equal(smtp_sink_log(f->sink), log);
}

const struct smtp_result *
smtp_fixture_try(struct smtp_fixture *f, const struct smtp_sink_script *script)
{
	assert_true(smtp_fixture_serve(f, "127.0.0.1", script));
	smtp_fixture_start(f);
	smtp_fixture_run_until_called(f);
	assert_int_equal(f->n_calls, 1);
	return &f->result;
}

void
smtp_fixture_assert_failed(const struct smtp_fixture *f, enum smtp_stage stage,
    enum result_type result, const char *why)
{
	assert_int_equal(f->n_calls, 1);
	assert_string_equal(f->result.why, why);
	assert_int_equal(f->result.stage, stage);
	assert_string_equal(result_type_name(f->result.result),
	    result_type_name(result));
}
