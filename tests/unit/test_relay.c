/* SPDX-License-Identifier: ISC */
/* Mail through the relay, as long as all is well. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/relay_fixture.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_mail_goes_to_the_best_mx_host_over_verified_tls,
		    relay_fixture_set_up, relay_fixture_tear_down),
	};

	return cmocka_run_group_tests_name("relay", tests,
	    relay_fixture_group_set_up, relay_fixture_group_tear_down);
}
