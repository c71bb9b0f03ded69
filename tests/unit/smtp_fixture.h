/* SPDX-License-Identifier: ISC */
/*
 * What tests of SMTP sessions share: a root that is trusted, a good
 * certificate for FIXTURE_MX, a loop, a dialer, a sink, and what came of the
 * last session. The tear-down sees to it that no descriptor is left open.
 */
#ifndef STRICTMX_TESTS_SMTP_FIXTURE_H
#define STRICTMX_TESTS_SMTP_FIXTURE_H

#include "common/ports.h"
#include "common/smtp_client.h"
#include "tests/unit/smtp_sink.h"
#include "tests/unit/test_certificates.h"

#define FIXTURE_MX "mx1.example.com"
#define FIXTURE_HELO "probe.example.net"

enum fixture_then {
	FIXTURE_QUITS, /* from within the callback */
	FIXTURE_CANCELS,
	FIXTURE_KEEPS,
};

struct smtp_fixture {
	struct event_base *base;
	struct smtp_dialer *dialer;
	struct smtp_port port;
	struct smtp_sink *sink;
	struct smtp_target target;
	size_t n_descriptors;

	enum fixture_then then; /* with a session that is ready */
	struct smtp_session *session;
	unsigned n_calls;
	struct smtp_result result; /* of the last call */
};

/* For a group of tests: the certificates. */
int smtp_fixture_group_set_up(void **state);
int smtp_fixture_group_tear_down(void **state);
const struct test_certificate *smtp_fixture_root(void);

/* For each test: *state is the fixture. */
int smtp_fixture_set_up(void **state);
int smtp_fixture_tear_down(void **state);

/* A server where all is well. ctx is borrowed from the group. */
struct smtp_sink_script smtp_fixture_good_script(void);

/* The same that falls silent at a stage; at READY, after QUIT. */
struct smtp_sink_script smtp_fixture_silent_at(enum smtp_stage stage);

/* Where a server can fall silent; what it has heard by then, and at the end. */
struct smtp_fixture_silence {
	enum smtp_stage stage;
	enum result_type result;
	const char *why; /* when time has passed */
	const char *log, *log_after;
};
#define SMTP_FIXTURE_SILENCES 5
extern const struct smtp_fixture_silence
    smtp_fixture_silences[SMTP_FIXTURE_SILENCES];

/* Puts a sink in place of the last one. False when address is not there. */
bool smtp_fixture_serve(struct smtp_fixture *f, const char *address,
    const struct smtp_sink_script *script);

void smtp_fixture_start(struct smtp_fixture *f);

/* Turn the loop until it is so; a test that waits in vain fails. */
void smtp_fixture_run_until_called(struct smtp_fixture *f);
void smtp_fixture_run_until_log(struct smtp_fixture *f, const char *log);

/* Serves, starts, runs until called. */
const struct smtp_result *smtp_fixture_try(struct smtp_fixture *f,
    const struct smtp_sink_script *script);

void smtp_fixture_assert_failed(const struct smtp_fixture *f,
    enum smtp_stage stage, enum result_type result, const char *why);

#endif
