/* SPDX-License-Identifier: ISC */
/*
 * Deliveries on a fake network and a fake clock: which host gets the mail, on
 * what terms, what a refusal says, and what is told of each session.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/name_list.h"
#include "common/outcome.h"
#include "common/policy_cache.h"
#include "tests/unit/allocation.h"
#include "tests/unit/world.h"

#define POLICY(mode)                                                           \
	"version: STSv1\nmode: " mode "\nmx: mx1.example.com\n"                \
	"mx: mx2.example.com\nmax_age: 604800\n"

/* What came of a delivery, and the records of all sessions since. */
struct told {
	struct world *world;
	size_t times;
	char mx[DOMAIN_SIZE]; /* "": refused */
	bool encrypted, permanent;
	unsigned proofs;
	enum fresh_look look;
	char reason[VERDICT_REASON_SIZE];
	char sessions[512]; /* "mx1.example.com:port " in clear with a "!" */
	char outcomes[512]; /* "source mx result;" */
};

static struct told t;

static const struct fake_server good = { .offers_starttls = true };
static const struct fake_server expired = { .offers_starttls = true,
	.certificate = RESULT_CERTIFICATE_EXPIRED,
	.certificate_why = "has expired" };
static const struct fake_server in_clear = { .offers_starttls = false };
static const struct fake_server dead = { .unreachable =
					     "refused the connection" };
static const struct fake_server broken = { .offers_starttls = true,
	.handshake_fails = true };
static const struct fake_server refusing = { .offers_starttls = true,
	.refuses_starttls = true };
static const struct fake_server silent = { .silent = true };

static void
watch(const struct fake_event *event, void *arg)
{
	size_t len = strlen(t.sessions);

	(void)arg;
	if (event->kind == FAKE_SESSION)
		snprintf(t.sessions + len, sizeof(t.sessions) - len, "%s:%u%s ",
		    event->name, event->target->port,
		    event->target->in_clear ? "!" : "");
}

static void
note_outcome(const struct outcome *o, void *arg)
{
	size_t len = strlen(t.outcomes);

	(void)arg;
	if (o->kind == OUTCOME_FETCH && outcome_is_good(o))
		return; /* the policy was there: of no report */
	snprintf(t.outcomes + len, sizeof(t.outcomes) - len, "%s %s %s;",
	    verdict_source_name(o->source), o->mx == NULL ? "fetch" : o->mx,
	    result_type_name(o->result));
}

static void
says(const char *mx, const struct fake_server *server)
{
	fake_net_server(t.world->net, mx, server);
}

/* example.com, with two good MX hosts that its policy lists. */
static void
publish(const char *id, const char *policy)
{
	struct fake_net *net = t.world->net;
	char record[64];

	snprintf(record, sizeof(record), "v=STSv1; id=%s;", id);
	fake_net_dns(net, "_mta-sts.example.com", DNS_TXT, DNS_FOUND, record,
	    NULL);
	fake_net_dns(net, "mta-sts.example.com", DNS_A, DNS_FOUND, "192.0.2.80",
	    NULL);
	fake_net_policy(net, "example.com", policy, RESULT_NONE, NULL);
	fake_net_dns(net, "example.com", DNS_MX, DNS_FOUND,
	    "10 mx1.example.com", "20 mx2.example.com", NULL);
	for (int i = 1; i <= 4; i++) {
		char mx[32], address[32];

		snprintf(mx, sizeof(mx), "mx%d.example.com", i);
		snprintf(address, sizeof(address), "192.0.2.%d", i);
		fake_net_dns(net, mx, DNS_A, DNS_FOUND, address, NULL);
		says(mx, &good);
	}
}

static void
publish_nothing(void)
{
	publish("1", POLICY("none"));
	fake_net_dns(t.world->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
}

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	memset(&t, 0, sizeof(t));
	t.world = world_new();
	t.world->config.record_patience_s = 3600;
	t.world->config.addresses.allow_internal = true;
	fake_net_watch(t.world->net, watch, NULL);
	outcome_set_sink(note_outcome, NULL);
	publish("1", POLICY("enforce"));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	outcome_set_sink(NULL, NULL);
	world_free(t.world);
	return 0;
}

static void
tell(const struct delivery_result *result, void *arg)
{
	struct smtp_port *smtp = &t.world->ports.smtp;

	(void)arg;
	t.times++;
	t.permanent = result->permanent;
	t.look = result->verdict == NULL ? LOOK_NONE
					 : result->verdict->facts.fresh_look;
	t.mx[0] = '\0';
	t.reason[0] = '\0';
	if (result->found == NULL) {
		snprintf(t.reason, sizeof(t.reason), "%s", result->reason);
	} else {
		struct smtp_session *session = result->found->session;

		snprintf(t.mx, sizeof(t.mx), "%s", result->found->mx);
		t.proofs = result->found->result->proofs;
		t.encrypted = result->found->result->tls_version[0] != '\0';
		smtp->quit(smtp->self, &session);
	}
}

static struct delivery_opts
opts_for(const char *domain)
{
	return (struct delivery_opts){
		.engine = t.world->engine,
		.ports = &t.world->ports,
		.config = &t.world->config,
		.domain = domain,
	};
}

static void
deliver_with(const struct delivery_opts *opts)
{
	size_t times = t.times;

	t.sessions[0] = t.outcomes[0] = '\0';
	assert_non_null(delivery_start(opts, tell, NULL));
	assert_int_equal(t.times, times);
	clock_advance(t.world->clock, LIMIT_DELIVERY_MS);
	assert_int_equal(t.times, times + 1);
}

static void
deliver(void)
{
	struct delivery_opts opts = opts_for("example.com");

	deliver_with(&opts);
}

static void
under_enforce_the_first_listed_host_with_the_proofs_gets_the_mail(void **state)
{
	(void)state;
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_int_equal(t.proofs, PROOF_ENCRYPTED | PROOF_PKIX);
	assert_string_equal(t.sessions, "mx1.example.com:25 ");
	assert_string_equal(t.outcomes, "sts mx1.example.com none;");
	says("mx1.example.com", &expired);
	deliver();
	assert_string_equal(t.mx, "mx2.example.com");
	assert_string_equal(t.outcomes,
	    "sts mx1.example.com certificate-expired;"
	    "sts mx2.example.com none;");
}

static void
under_enforce_an_unlisted_host_is_never_connected_to(void **state)
{
	(void)state;
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", "20 mx2.example.com", NULL);
	deliver();
	assert_string_equal(t.mx, "mx2.example.com");
	assert_string_equal(t.sessions, "mx2.example.com:25 ");
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", NULL);
	clock_advance(t.world->clock, 400000);
	deliver();
	assert_string_equal(t.mx, "");
	assert_false(t.permanent);
	assert_string_equal(t.sessions, "");
	assert_memory_equal(t.reason, "451 4.7.5 ", 10);
	assert_string_equal(t.outcomes,
	    "sts mx3.example.com validation-failure;");
}

static void
without_a_good_host_the_refusal_is_temporary_and_says_why(void **state)
{
	(void)state;
	t.world->config.reject_on_failure = true;
	says("mx1.example.com", &dead);
	says("mx2.example.com", &expired);
	deliver();
	assert_string_equal(t.reason,
	    "451 4.7.5 MTA-STS policy of example.com: certificate of "
	    "mx2.example.com has expired");
	assert_false(t.permanent);
	assert_string_equal(t.sessions,
	    "mx1.example.com:25 mx2.example.com:25 ");
	says("mx2.example.com", &dead);
	deliver();
	assert_string_equal(t.reason,
	    "451 4.4.1 MTA-STS policy of example.com: mx1.example.com cannot "
	    "be tried: refused the connection");
	says("mx1.example.com", &in_clear);
	deliver();
	assert_memory_equal(t.reason, "451 4.7.4 ", 10);
	says("mx1.example.com", &refusing);
	deliver();
	assert_memory_equal(t.reason, "451 4.7.4 ", 10);
	says("mx1.example.com", &broken);
	deliver();
	assert_memory_equal(t.reason, "451 4.7.5 ", 10);
	assert_null(strstr(t.sessions, "!"));
}

static void
without_a_policy_tls_is_taken_as_it_comes(void **state)
{
	(void)state;
	publish_nothing();
	says("mx1.example.com", &expired);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_true(t.encrypted);
	assert_string_equal(t.outcomes, "none mx1.example.com none;");
	says("mx1.example.com", &in_clear);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_false(t.encrypted);
	assert_string_equal(t.outcomes,
	    "none mx1.example.com starttls-not-supported;");
	says("mx1.example.com", &refusing);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_string_equal(t.sessions, "mx1.example.com:25 ");
}

static void
of_a_local_domain_no_policy_is_asked_for(void **state)
{
	const char *why;

	(void)state;
	assert_true(name_list_add(&t.world->config.local_domains,
	    span_of("example.com"), &why));
	name_list_finish(&t.world->config.local_domains);
	says("mx1.example.com", &in_clear);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_false(t.encrypted);
	assert_string_equal(t.outcomes,
	    "none mx1.example.com starttls-not-supported;");
	name_list_cleanup(&t.world->config.local_domains);
}

static void
a_refusal_names_what_is_not_known_first(void **state)
{
	(void)state;
	fake_net_dns(t.world->net, "_mta-sts.example.com", DNS_TXT,
	    DNS_TEMPFAIL, NULL);
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	deliver();
	assert_string_equal(t.reason,
	    "451 4.4.3 MTA-STS record of example.com could not be looked up: "
	    "SERVFAIL");
}

static void
without_a_policy_a_failed_handshake_goes_on_in_clear(void **state)
{
	(void)state;
	publish_nothing();
	says("mx1.example.com", &broken);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_false(t.encrypted);
	assert_string_equal(t.sessions,
	    "mx1.example.com:25 mx1.example.com:25! ");
	/* It counts once. */
	assert_string_equal(t.outcomes,
	    "none mx1.example.com validation-failure;");
}

static void
without_a_policy_unreachable_hosts_are_passed_over(void **state)
{
	(void)state;
	publish_nothing();
	says("mx1.example.com", &dead);
	deliver();
	assert_string_equal(t.mx, "mx2.example.com");
	says("mx2.example.com", &dead);
	deliver();
	assert_string_equal(t.reason,
	    "451 4.4.1 example.com: mx1.example.com cannot be used: refused "
	    "the connection");
	assert_false(t.permanent);
}

static void
mode_testing_delivers_as_without_a_policy_but_tells(void **state)
{
	(void)state;
	publish("2", POLICY("testing"));
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", "10 mx1.example.com", NULL);
	deliver();
	assert_string_equal(t.mx, "mx3.example.com");
	assert_string_equal(t.outcomes,
	    "sts mx3.example.com validation-failure;");
	says("mx3.example.com", &dead);
	says("mx1.example.com", &expired);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_string_equal(t.outcomes,
	    "sts mx3.example.com none;"
	    "sts mx1.example.com certificate-expired;");
}

static void
mode_none_delivers_as_without_a_policy_and_minds_nothing(void **state)
{
	(void)state;
	publish("2", POLICY("none"));
	says("mx1.example.com", &expired);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_string_equal(t.outcomes, "none mx1.example.com none;");
}

static void
our_own_testing_mode_refuses_nothing_that_a_policy_minds(void **state)
{
	(void)state;
	t.world->config.testing = true;
	says("mx1.example.com", &expired);
	deliver();
	assert_string_equal(t.mx, "mx1.example.com");
	assert_string_equal(t.outcomes,
	    "sts mx1.example.com certificate-expired;");
}

static void
a_report_goes_out_in_spite_of_the_policy_and_is_not_counted(void **state)
{
	struct delivery_opts opts = opts_for("example.com");

	(void)state;
	opts.is_report = true;
	says("mx1.example.com", &expired);
	deliver_with(&opts);
	assert_string_equal(t.mx, "mx1.example.com");
	assert_string_equal(t.outcomes, "");
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", NULL);
	clock_advance(t.world->clock, 400000);
	deliver_with(&opts);
	assert_string_equal(t.mx, "mx3.example.com");
}

static size_t
txt_asked(void)
{
	return fake_net_dns_asked(t.world->net, "_mta-sts.example.com",
	    DNS_TXT);
}

static void
before_a_refusal_the_record_is_looked_at_once_a_minute(void **state)
{
	size_t asked;

	(void)state;
	deliver();
	says("mx1.example.com", &expired);
	says("mx2.example.com", &expired);
	asked = txt_asked();
	deliver();
	assert_int_equal(t.look, LOOK_SAME);
	assert_in_range(txt_asked(), asked + 1, asked + 2);
	fake_net_dns(t.world->net, "_mta-sts.example.com", DNS_TXT,
	    DNS_TEMPFAIL, NULL);
	clock_advance(t.world->clock, 120000);
	deliver();
	assert_memory_equal(t.reason, "451 4.7.5 ", 10);
	assert_int_equal(t.look, LOOK_FAILED);
}

static void
a_new_policy_before_a_refusal_has_the_walk_begin_anew(void **state)
{
	(void)state;
	deliver();
	publish("2",
	    "version: STSv1\nmode: enforce\nmx: mx3.example.com\n"
	    "mx: mx2.example.com\nmax_age: 86400\n");
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", "10 mx1.example.com", NULL);
	says("mx1.example.com", &expired);
	says("mx2.example.com", &expired); /* of the kept verdict */
	deliver();
	assert_string_equal(t.mx, "mx3.example.com");
	assert_non_null(strstr(t.sessions, "mx3.example.com:25 "));
	/* Withdrawn: mode testing binds at once. */
	publish("3", POLICY("testing"));
	says("mx1.example.com", &expired);
	says("mx3.example.com", &expired);
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx3.example.com", NULL);
	clock_advance(t.world->clock, 400000);
	deliver();
	assert_string_equal(t.mx, "mx3.example.com");
}

static void
null_mx_and_no_such_domain_are_permanent(void **state)
{
	struct delivery_opts opts = opts_for("nowhere.example");

	(void)state;
	deliver_with(&opts);
	assert_true(t.permanent);
	assert_string_equal(t.reason,
	    "550 5.1.2 no such domain: nowhere.example");
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND, "0 ",
	    NULL);
	deliver();
	assert_true(t.permanent);
	assert_memory_equal(t.reason, "556 5.1.10 ", 11);
	assert_string_equal(t.sessions, "");
}

static void
an_unknown_record_or_mx_set_refuses_for_now(void **state)
{
	(void)state;
	fake_net_dns(t.world->net, "_mta-sts.example.com", DNS_TXT,
	    DNS_TEMPFAIL, NULL);
	deliver();
	assert_memory_equal(t.reason, "451 4.4.3 ", 10);
	assert_false(t.permanent);
	publish("1", POLICY("enforce"));
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	deliver();
	assert_memory_equal(t.reason, "451 4.4.3 ", 10);
	assert_string_equal(t.sessions, "");
}

static uint32_t
always_the_first(uint32_t n)
{
	assert_int_not_equal(n, 0);
	return 0;
}

static void
hosts_of_one_preference_are_shuffled_and_no_others(void **state)
{
	(void)state;
	publish_nothing();
	fake_net_dns(t.world->net, "example.com", DNS_MX, DNS_FOUND,
	    "5 mx1.example.com", "10 mx2.example.com", "10 mx3.example.com",
	    "20 mx4.example.com", NULL);
	for (int i = 1; i <= 4; i++) {
		char mx[32];

		snprintf(mx, sizeof(mx), "mx%d.example.com", i);
		says(mx, &dead);
	}
	deliver();
	assert_string_equal(t.sessions,
	    "mx1.example.com:25 mx2.example.com:25 mx3.example.com:25 "
	    "mx4.example.com:25 ");
	t.world->ports.random_below = always_the_first;
	deliver();
	assert_string_equal(t.sessions,
	    "mx1.example.com:25 mx3.example.com:25 mx2.example.com:25 "
	    "mx4.example.com:25 ");
}

static void
all_addresses_of_a_host_are_tried_before_the_next(void **state)
{
	(void)state;
	publish_nothing();
	fake_net_dns(t.world->net, "mx1.example.com", DNS_A, DNS_FOUND,
	    "192.0.2.1", "192.0.2.9", NULL);
	fake_net_dns(t.world->net, "mx1.example.com", DNS_AAAA, DNS_FOUND,
	    "2001:db8::1", NULL);
	says("mx1.example.com", &dead);
	deliver();
	assert_string_equal(t.sessions,
	    "mx1.example.com:25 mx1.example.com:25 mx1.example.com:25 "
	    "mx2.example.com:25 ");
	fake_net_dns(t.world->net, "mx1.example.com", DNS_A, DNS_TEMPFAIL,
	    NULL);
	fake_net_dns(t.world->net, "mx1.example.com", DNS_AAAA, DNS_NO_DATA,
	    NULL);
	deliver();
	assert_string_equal(t.mx, "mx2.example.com");
}

static void
a_host_that_says_nothing_leaves_time_for_the_others(void **state)
{
	(void)state;
	says("mx1.example.com", &silent);
	deliver();
	assert_string_equal(t.mx, "mx2.example.com");
	says("mx2.example.com", &silent);
	deliver();
	assert_memory_equal(t.reason, "451 4.4.1 ", 10);
	fake_net_delay(t.world->net, 1, 1, -1);
	says("mx1.example.com", &good);
	deliver();
	assert_memory_equal(t.reason, "451 4.4.1 ", 10);
	assert_non_null(strstr(t.reason, "did not answer in time"));
}

static void
a_literal_gets_opportunistic_tls_at_its_address(void **state)
{
	struct delivery_opts opts = opts_for("");

	(void)state;
	assert_true(
	    address_of_mailbox(span_of("x@[192.0.2.44]"), &opts.literal));
	says("192.0.2.44", &expired);
	deliver_with(&opts);
	assert_string_equal(t.mx, "192.0.2.44");
	assert_true(t.encrypted);
	assert_int_equal(txt_asked(), 0);
	says("192.0.2.44", &dead);
	deliver_with(&opts);
	assert_memory_equal(t.reason, "451 4.4.1 192.0.2.44: ", 22);
	t.world->config.addresses.allow_internal = false;
	assert_true(
	    address_of_mailbox(span_of("x@[127.0.0.1]"), &opts.literal));
	deliver_with(&opts);
	assert_memory_equal(t.reason, "554 5.4.6 ", 10);
	assert_true(t.permanent);
	assert_string_equal(t.sessions, "");
}

static void
with_a_smart_host_its_policy_counts_and_no_mx_is_asked_for(void **state)
{
	struct config *config = &t.world->config;
	struct delivery_opts opts = opts_for("other.example");

	(void)state;
	snprintf(config->smarthost, sizeof(config->smarthost), "example.com");
	config->smarthost_port = 587;
	publish("1",
	    "version: STSv1\nmode: enforce\nmx: example.com\n"
	    "max_age: 86400\n");
	fake_net_dns(t.world->net, "example.com", DNS_A, DNS_FOUND, "192.0.2.5",
	    NULL);
	says("example.com", &good);
	deliver_with(&opts);
	assert_string_equal(t.mx, "example.com");
	assert_string_equal(t.sessions, "example.com:587 ");
	assert_int_equal(fake_net_dns_asked(t.world->net, "other.example",
			     DNS_MX),
	    0);
	assert_int_equal(fake_net_dns_asked(t.world->net, "example.com",
			     DNS_MX),
	    0);
	says("example.com", &expired);
	opts.domain = "";
	assert_true(
	    address_of_mailbox(span_of("x@[192.0.2.44]"), &opts.literal));
	deliver_with(&opts);
	assert_memory_equal(t.reason, "451 4.7.5 ", 10);
	assert_string_equal(t.sessions, "example.com:587 ");
}

static void
ports_that_cannot_begin_refuse_for_now(void **state)
{
	(void)state;
	deliver();
	fake_net_refuse(t.world->net, false, false, true);
	deliver();
	assert_memory_equal(t.reason, "451 4.4.1 ", 10);
	fake_net_refuse(t.world->net, true, true, true);
	deliver();
	assert_memory_equal(t.reason, "451 4.4", 7);
	clock_advance(t.world->clock, 400000);
	deliver();
	assert_memory_equal(t.reason, "451 4.4", 7);
}

/* Cut off after each millisecond; teardown sees that nothing is left. */
static void
a_delivery_may_be_cancelled_at_any_moment(void **state)
{
	(void)state;
	says("mx1.example.com", &broken);
	says("mx2.example.com", &expired);
	for (int ms = 0; ms < 20; ms++) {
		struct delivery_opts opts = opts_for("example.com");
		struct delivery *d = delivery_start(&opts, tell, NULL);

		assert_non_null(d);
		clock_advance(t.world->clock, ms);
		if (t.times > 0)
			break;
		delivery_cancel(&d);
		assert_null(d);
		delivery_cancel(&d);
		clock_advance(t.world->clock, 61000);
		assert_int_equal(t.times, 0);
	}
}

/*
 * Each allocation fails in turn, alone or with all after it: there is one
 * answer, or none was begun, and never a session that the policy forbids.
 */
static bool
deliver_without_memory(void (*fail_at)(unsigned), unsigned n)
{
	struct delivery_opts opts = opts_for("example.com");
	struct delivery *d;
	bool failed;

	clock_advance(t.world->clock, 400000);
	t.times = 0;
	t.mx[0] = '\0';
	fail_at(n);
	d = delivery_start(&opts, tell, NULL);
	clock_advance(t.world->clock, LIMIT_DELIVERY_MS);
	failed = allocation_has_failed();
	allocation_fail(0);
	assert_int_equal(t.times, d == NULL ? 0 : 1);
	assert_string_equal(t.mx, "");
	if (d != NULL)
		assert_memory_equal(t.reason, "451 4.", 6);
	return failed;
}

static void
without_memory_mail_waits_and_never_goes_in_clear(void **state)
{
	unsigned n = 1;

	(void)state;
	deliver();
	says("mx1.example.com", &broken);
	says("mx2.example.com", &in_clear);
	while (deliver_without_memory(allocation_fail, n))
		n++;
	assert_in_range(n, 20, 1000);
	for (n = 1; deliver_without_memory(allocation_fail_from, n);)
		n++;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(under_enforce_the_first_listed_host_with_the_proofs_gets_the_mail),
		T(under_enforce_an_unlisted_host_is_never_connected_to),
		T(without_a_good_host_the_refusal_is_temporary_and_says_why),
		T(without_a_policy_tls_is_taken_as_it_comes),
		T(of_a_local_domain_no_policy_is_asked_for),
		T(a_refusal_names_what_is_not_known_first),
		T(without_a_policy_a_failed_handshake_goes_on_in_clear),
		T(without_a_policy_unreachable_hosts_are_passed_over),
		T(mode_testing_delivers_as_without_a_policy_but_tells),
		T(mode_none_delivers_as_without_a_policy_and_minds_nothing),
		T(our_own_testing_mode_refuses_nothing_that_a_policy_minds),
		T(a_report_goes_out_in_spite_of_the_policy_and_is_not_counted),
		T(before_a_refusal_the_record_is_looked_at_once_a_minute),
		T(a_new_policy_before_a_refusal_has_the_walk_begin_anew),
		T(null_mx_and_no_such_domain_are_permanent),
		T(an_unknown_record_or_mx_set_refuses_for_now),
		T(hosts_of_one_preference_are_shuffled_and_no_others),
		T(all_addresses_of_a_host_are_tried_before_the_next),
		T(a_host_that_says_nothing_leaves_time_for_the_others),
		T(a_literal_gets_opportunistic_tls_at_its_address),
		T(with_a_smart_host_its_policy_counts_and_no_mx_is_asked_for),
		T(ports_that_cannot_begin_refuse_for_now),
		T(a_delivery_may_be_cancelled_at_any_moment),
		T(without_memory_mail_waits_and_never_goes_in_clear),
	};

	return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
