/* SPDX-License-Identifier: ISC */
/*
 * Policies that the administrator sets, on a fake network and a fake clock: who
 * wins, until when, what is asked and what is not, and that what is set at run
 * time is there after a restart.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/delivery.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/override.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/verdict.h"
#include "tests/unit/allocation.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"
#include "tests/unit/world.h"

#define HOUR_S 3600
#define DAY_MS INT64_C(86400000)

static struct world *w;
static struct override configured;

static int
setup(void **state)
{
	(void)state;
	log_init("test", false, LOG_LEVEL_ERROR);
	w = world_new();
	w->config.addresses.allow_internal = true;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	override_cleanup(&configured);
	return 0;
}

static struct override
make(const char *domain, const char *mode, const char *mx, int64_t until_s)
{
	struct override o = { .until_s = until_s };

	snprintf(o.domain, sizeof(o.domain), "%s", domain);
	snprintf(o.reason, sizeof(o.reason), "ticket 4711");
	assert_true(override_add(&o, "mode", mode));
	if (mx != NULL)
		assert_true(override_add(&o, "mx", mx));
	assert_null(override_finish(&o));
	return o;
}

/* In the configuration: a section of line 7. */
static void
configure(const char *domain, const char *mode, const char *mx)
{
	configured = make(domain, mode, mx, WORLD_NOW + HOUR_S);
	configured.line = 7;
	w->config.policies = &configured;
	w->config.n_policies = 1;
}

static void
tell(const struct verdict *verdict, void *arg)
{
	struct verdict **told = arg;

	*told = verdict_copy(verdict); /* NULL when memory fails right here */
}

/* As a front end asks; to be freed. */
static struct verdict *
ask(enum gate gate, const char *domain)
{
	const struct verdict *kept = engine_cached(w->engine, gate, domain);
	struct verdict *told = NULL;

	if (kept != NULL) {
		told = verdict_copy(kept);
	} else {
		assert_non_null(
		    engine_ask(w->engine, gate, domain, tell, &told));
		clock_advance(w->clock, 1000);
	}
	assert_non_null(told);
	return told;
}

static void
expect(enum gate gate, const char *domain, enum verdict_source source,
    enum verdict_action action, const char *reason)
{
	struct verdict *told = ask(gate, domain);

	assert_int_equal(told->source, source);
	assert_int_equal(told->action, action);
	assert_string_equal(told->reason, reason);
	verdict_free(told);
}

#define ADMISSION(source, action, reason)                                      \
	expect(GATE_ADMISSION, "example.com", source, action, reason)

static void
a_broken_partner_is_let_through_and_nothing_is_asked(void **state)
{
	(void)state;
	world_enforce(w, "example.com", false);
	configure("example.com", "none", NULL);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    0);
	assert_int_equal(fake_net_fetches(w->net), 0);
	assert_int_equal(fake_net_sessions(w->net, "mx.example.com"), 0);
}

static void
a_domain_that_publishes_nothing_is_pinned_and_its_hosts_are_tried(void **state)
{
	(void)state;
	world_enforce(w, "example.com", false);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	configure("example.com", "enforce", "*.example.com");
	ADMISSION(VERDICT_OVERRIDE, ACTION_DEFER,
	    "451 4.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	assert_int_equal(fake_net_sessions(w->net, "mx.example.com"), 1);
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    0);
	world_enforce(w, "example.com", true);
	clock_advance(w->clock, 61000); /* a bad trial holds a minute */
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "mx.example.com has shown what the policy asks for");
}

static void
hosts_that_it_does_not_list_are_not_tried(void **state)
{
	(void)state;
	world_enforce(w, "example.com", true);
	configure("example.com", "enforce", "mx9.example.com");
	ADMISSION(VERDICT_OVERRIDE, ACTION_DEFER,
	    "451 4.7.5 policy set here for example.com does not list its MX "
	    "mx.example.com");
	assert_int_equal(fake_net_sessions(w->net, "mx.example.com"), 0);
}

static void
testing_modes_count_for_it_too(void **state)
{
	(void)state;
	world_enforce(w, "example.com", false);
	configure("example.com", "testing", "mx.example.com");
	ADMISSION(VERDICT_OVERRIDE, ACTION_WOULD_DEFER,
	    "451 4.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
}

/* RFC 8461 5.1 asks whether the policy is the published one: this is ours. */
static void
its_refusal_may_be_permanent_without_a_look_at_the_record(void **state)
{
	(void)state;
	w->config.reject_on_failure = true;
	world_enforce(w, "example.com", false);
	configure("example.com", "enforce", "mx.example.com");
	ADMISSION(VERDICT_OVERRIDE, ACTION_REJECT,
	    "550 5.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	clock_advance(w->clock, 61000);
	ADMISSION(VERDICT_OVERRIDE, ACTION_REJECT,
	    "550 5.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    0);
}

static void
what_is_unknown_is_never_refused_for_good(void **state)
{
	(void)state;
	w->config.reject_on_failure = true;
	world_enforce(w, "example.com", true);
	fake_net_dns(w->net, "example.com", DNS_MX, DNS_TEMPFAIL, NULL);
	configure("example.com", "enforce", "mx.example.com");
	expect(GATE_ADMISSION, "example.com", VERDICT_OVERRIDE, ACTION_DEFER,
	    "451 4.4.3 policy set here for example.com: its MX hosts could not "
	    "be looked up: SERVFAIL");
}

static void
at_its_end_the_published_policy_binds_again(void **state)
{
	(void)state;
	world_enforce(w, "example.com", false);
	configure("example.com", "none", NULL);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	/* Kept verdicts end with it: the last one is two minutes old. */
	clock_advance(w->clock, (HOUR_S - 120) * 1000);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	clock_advance(w->clock, 117000);
	assert_non_null(
	    engine_cached(w->engine, GATE_ADMISSION, "example.com"));
	clock_advance(w->clock, 2000);
	ADMISSION(VERDICT_STS, ACTION_DEFER,
	    "451 4.7.5 MTA-STS policy of example.com: "
	    "mx.example.com has expired");
}

static void
a_published_policy_is_kept_and_refreshed_meanwhile(void **state)
{
	(void)state;
	world_enforce(w, "example.com", true);
	verdict_free(ask(GATE_ADMISSION, "example.com"));
	assert_int_equal(fake_net_fetches(w->net), 1);
	configure("example.com", "none", NULL);
	configured.until_s = WORLD_NOW + 3 * DAY_MS / 1000;
	engine_override_changed(w->engine, "example.com");
	for (int i = 0; i < 5; i++) {
		ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
		    "policy set here for example.com has mode none");
		clock_advance(w->clock, 120000);
	}
	/* Nobody looks at the record behind these answers. */
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    1);
	clock_advance(w->clock, DAY_MS);
	assert_int_equal(fake_net_fetches(w->net), 2);
}

static void
subdomains_are_not_included(void **state)
{
	(void)state;
	world_enforce(w, "a.example.com", true);
	configure("example.com", "none", NULL);
	expect(GATE_ADMISSION, "a.example.com", VERDICT_STS, ACTION_PROCEED,
	    "mx.a.example.com has shown what the policy asks for");
}

/* RFC 8461 3.4: it is the smart host's policy that counts. */
static void
with_a_smart_host_only_the_policy_for_its_name_counts(void **state)
{
	(void)state;
	world_enforce(w, "example.com", true);
	snprintf(w->config.smarthost, sizeof(w->config.smarthost),
	    "mx.example.com");
	w->config.smarthost_port = 25;
	configure("example.com", "none", NULL);
	expect(GATE_ADMISSION, "example.com", VERDICT_NONE, ACTION_PROCEED,
	    "no MTA-STS policy");
	override_cleanup(&configured);
	configure("mx.example.com", "enforce", "mx.example.com");
	engine_override_changed(w->engine, "mx.example.com");
	expect(GATE_ADMISSION, "other.example", VERDICT_OVERRIDE,
	    ACTION_PROCEED,
	    "mx.example.com has shown what the policy asks for");
}

struct delivered {
	size_t times;
	char mx[DOMAIN_SIZE], reason[VERDICT_REASON_SIZE];
	bool permanent;
};

static void
delivered(const struct delivery_result *result, void *arg)
{
	struct delivered *d = arg;

	d->times++;
	d->permanent = result->permanent;
	if (result->found != NULL) {
		struct smtp_session *session = result->found->session;

		snprintf(d->mx, sizeof(d->mx), "%s", result->found->mx);
		w->ports.smtp.quit(w->ports.smtp.self, &session);
	}
	if (result->reason != NULL)
		snprintf(d->reason, sizeof(d->reason), "%s", result->reason);
}

static struct delivered
deliver(const char *domain)
{
	struct delivered d = { 0 };
	struct delivery_opts opts = { .engine = w->engine,
		.ports = &w->ports,
		.config = &w->config,
		.domain = domain };

	assert_non_null(delivery_start(&opts, delivered, &d));
	clock_advance(w->clock, 300000);
	assert_int_equal(d.times, 1);
	return d;
}

static void
deliveries_follow_it_without_a_look_at_the_record(void **state)
{
	static const struct fake_server expired = { .offers_starttls = true,
		.certificate = RESULT_CERTIFICATE_EXPIRED,
		.certificate_why = "has expired" };
	struct delivered d;

	(void)state;
	w->config.reject_on_failure = true;
	world_enforce(w, "example.com", false);
	fake_net_server(w->net, "mx.example.com", &expired);
	configure("example.com", "enforce", "mx.example.com");
	d = deliver("example.com");
	assert_string_equal(d.mx, "");
	assert_false(d.permanent);
	assert_string_equal(d.reason,
	    "451 4.7.5 policy set here for example.com: certificate of "
	    "mx.example.com has expired");
	override_cleanup(&configured);
	configure("example.com", "none", NULL);
	engine_override_changed(w->engine, "example.com");
	d = deliver("example.com");
	assert_string_equal(d.mx, "mx.example.com");
	assert_int_equal(fake_net_dns_asked(w->net, "_mta-sts.example.com",
			     DNS_TXT),
	    0);
}

/* Then the published policy, or none, does not bind in its place. */
static void
without_memory_for_it_mail_waits(void **state)
{
	size_t n_unread = 0;

	(void)state;
	world_enforce(w, "example.com", false);
	fake_net_dns(w->net, "_mta-sts.example.com", DNS_TXT, DNS_NO_NAME,
	    NULL);
	configure("example.com", "enforce", "mx.example.com");
	for (unsigned n = 1; n <= 30; n++) {
		struct verdict *told = NULL;

		clock_advance(w->clock, 61000);
		assert_non_null(engine_ask(w->engine, GATE_ADMISSION,
		    "example.com", tell, &told));
		allocation_fail(n);
		clock_advance(w->clock, 40000);
		allocation_fail(0);
		if (told != NULL && told->action != ACTION_DEFER)
			fail_msg("%u: %s", n, told->reason);
		n_unread +=
		    told != NULL && told->facts.sts.state == POLICY_UNREAD;
		verdict_free(told);
	}
	assert_in_range(n_unread, 1, 2);
}

/* Set at run time. */

static struct overrides *
open_overrides(struct policy_store *store)
{
	struct overrides *overrides = overrides_new(store, WORLD_NOW);

	assert_non_null(overrides);
	engine_use_overrides(w->engine, overrides);
	return overrides;
}

static void
set(struct overrides *overrides, const char *domain, const char *mode,
    const char *mx, int64_t until_s)
{
	struct override o = make(domain, mode, mx, until_s);

	assert_int_equal(overrides_set(overrides, &o, WORLD_NOW),
	    OVERRIDES_DONE);
	assert_null(o.body);
	engine_override_changed(w->engine, domain);
}

static void
one_set_at_run_time_binds_at_once_and_wins_over_the_file(void **state)
{
	struct overrides *overrides = open_overrides(NULL);

	(void)state;
	world_enforce(w, "example.com", false);
	configure("example.com", "enforce", "mx.example.com");
	ADMISSION(VERDICT_OVERRIDE, ACTION_DEFER,
	    "451 4.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	set(overrides, "example.com", "none", NULL, WORLD_NOW + 600);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	/* Another one in its place. */
	set(overrides, "example.com", "testing", "mx.example.com",
	    WORLD_NOW + 600);
	ADMISSION(VERDICT_OVERRIDE, ACTION_WOULD_DEFER,
	    "451 4.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	/* It ends: that of the file binds again. */
	clock_advance(w->clock, 600000);
	ADMISSION(VERDICT_OVERRIDE, ACTION_DEFER,
	    "451 4.7.5 policy set here for example.com: "
	    "mx.example.com has expired");
	overrides_free(overrides);
}

static void
a_dropped_one_binds_no_more(void **state)
{
	struct overrides *overrides = open_overrides(NULL);

	(void)state;
	world_enforce(w, "example.com", true);
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_NONE_SET);
	set(overrides, "example.com", "none", NULL, WORLD_NOW + HOUR_S);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_DONE);
	engine_override_changed(w->engine, "example.com");
	ADMISSION(VERDICT_STS, ACTION_PROCEED,
	    "mx.example.com has shown what the policy asks for");
	assert_null(overrides_next(overrides, NULL));
	overrides_free(overrides);
}

/* A lookup that began before must not leave its verdict behind. */
static void
one_set_while_a_lookup_runs_is_not_forgotten(void **state)
{
	struct overrides *overrides = open_overrides(NULL);
	struct verdict *told = NULL;

	(void)state;
	world_enforce(w, "example.com", false);
	fake_net_delay(w->net, 100, 100, 100);
	assert_non_null(
	    engine_ask(w->engine, GATE_ADMISSION, "example.com", tell, &told));
	clock_advance(w->clock, 300);
	set(overrides, "example.com", "none", NULL, WORLD_NOW + HOUR_S);
	clock_advance(w->clock, 10000);
	assert_non_null(told);
	assert_int_equal(told->source, VERDICT_STS);
	verdict_free(told);
	ADMISSION(VERDICT_OVERRIDE, ACTION_PROCEED,
	    "policy set here for example.com has mode none");
	overrides_free(overrides);
}

static void
what_could_not_be_read_at_the_start_is_read_later(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides = open_overrides(store);
	bool failed = true;

	(void)state;
	assert_non_null(store);
	set(overrides, "example.com", "enforce", "mx.example.com",
	    WORLD_NOW + HOUR_S);
	overrides_free(overrides);
	for (unsigned n = 1; failed; n++) {
		allocation_fail(n);
		overrides = overrides_new(store, WORLD_NOW);
		failed = allocation_has_failed();
		allocation_fail(0);
		if (overrides == NULL)
			continue;
		if (overrides_find(overrides, &w->config, "example.com",
			WORLD_NOW + LIMIT_OVERRIDE_READ_S) == NULL)
			fail_msg("not there after failure %u", n);
		overrides_free(overrides);
	}
	engine_use_overrides(w->engine, w->overrides);
	policy_store_close(store);
}

static void
what_is_set_is_there_after_a_restart(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides = open_overrides(store);
	const struct override *o;

	(void)state;
	assert_true(overrides_are_stored(overrides));
	set(overrides, "example.com", "enforce", "*.example.com",
	    WORLD_NOW + HOUR_S);
	set(overrides, "gone.example", "none", NULL, WORLD_NOW + HOUR_S);
	assert_int_equal(overrides_drop(overrides, "gone.example"),
	    OVERRIDES_DONE);
	set(overrides, "old.example", "none", NULL,
	    WORLD_NOW - LIMIT_OVERRIDE_ENDED_S - 1);
	overrides_free(overrides);
	policy_store_close(store);

	store = policy_store_open(scratch_path("."), 0);
	overrides = open_overrides(store);
	o = overrides_next(overrides, NULL);
	assert_non_null(o);
	assert_string_equal(o->domain, "example.com");
	assert_string_equal(o->reason, "ticket 4711");
	assert_int_equal(o->until_s, WORLD_NOW + HOUR_S);
	assert_int_equal(o->policy.mode, STS_MODE_ENFORCE);
	assert_string_equal(o->policy.mx[0], "*.example.com");
	assert_null(overrides_next(overrides, o));
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_DONE);
	overrides_free(overrides);
	policy_store_close(store);
}

/* As a version of strictmx before this one has left it. */
static void
a_store_of_version_2_is_taken_over(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides;
	sqlite3 *other;

	(void)state;
	policy_store_close(store);
	assert_int_equal(sqlite3_open(scratch_path("policies.sqlite"), &other),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
			     "DROP TABLE override; DROP TABLE staged;"
			     "DROP TABLE staging; PRAGMA user_version = 2",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	store = policy_store_open(scratch_path("."), 0);
	overrides = open_overrides(store);
	assert_null(overrides_next(overrides, NULL));
	set(overrides, "example.com", "none", NULL, WORLD_NOW + HOUR_S);
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_DONE);
	overrides_free(overrides);
	policy_store_close(store);
}

static void
overwrite_pages(const char *path)
{
	char noise[4096];
	int fd = open(path, O_WRONLY);

	memset(noise, 0x5a, sizeof(noise));
	assert_int_not_equal(fd, -1);
	for (off_t page = 1; page < 100; page++)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), page * 4096),
		    sizeof(noise));
	close(fd);
}

/* Its pages are found to be damaged while it is in use. */
static void
what_was_set_goes_into_a_new_store_too(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides = open_overrides(store);
	struct policy_row row = { .id = "1" };
	enum policy_read read;

	(void)state;
	row.body = span_of("a body that fills more than SQLite's cache");
	set(overrides, "example.com", "none", NULL, WORLD_NOW + HOUR_S);
	for (int i = 0; i < 5000; i++) {
		snprintf(row.domain, sizeof(row.domain), "d%d.example", i);
		assert_true(policy_store_put(store, &row));
	}
	overrides_free(overrides);
	policy_store_close(store);
	store = policy_store_open(scratch_path("."), 0);
	overrides = open_overrides(store);
	overwrite_pages(scratch_path("policies.sqlite"));
	log_capture_start();
	read = policy_store_get(store, "d0.example", &row);
	assert_int_equal(log_capture_count(log_capture_end(), "moved aside"),
	    1);
	assert_int_equal(read, POLICY_ROW_UNREAD);
	assert_non_null(
	    overrides_find(overrides, &w->config, "example.com", WORLD_NOW));
	overrides_free(overrides);
	policy_store_close(store);
	store = policy_store_open(scratch_path("."), 0);
	overrides = open_overrides(store);
	assert_non_null(
	    overrides_find(overrides, &w->config, "example.com", WORLD_NOW));
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_DONE);
	overrides_free(overrides);
	policy_store_close(store);
}

static void
there_is_room_for_so_many_and_ended_ones_make_room(void **state)
{
	struct overrides *overrides = open_overrides(NULL);
	char domain[32];
	struct override o;

	(void)state;
	for (int i = 0; i < LIMIT_OVERRIDES; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		set(overrides, domain, "none", NULL,
		    WORLD_NOW + (i == 7 ? 1 : HOUR_S));
	}
	o = make("e.example", "none", NULL, WORLD_NOW + HOUR_S);
	assert_int_equal(overrides_set(overrides, &o, WORLD_NOW),
	    OVERRIDES_FULL);
	assert_null(o.body);
	/* One of the same domain needs no room. */
	set(overrides, "d3.example", "none", NULL, WORLD_NOW + HOUR_S);
	o = make("e.example", "none", NULL, WORLD_NOW + HOUR_S);
	assert_int_equal(overrides_set(overrides, &o, WORLD_NOW + 1),
	    OVERRIDES_DONE);
	assert_null(
	    overrides_find(overrides, &w->config, "d7.example", WORLD_NOW));
	overrides_free(overrides);
}

static void
what_cannot_be_stored_is_not_set(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides = open_overrides(store);
	struct override o =
	    make("example.com", "testing", "a.example", WORLD_NOW + HOUR_S);
	const struct override *found;
	sqlite3 *other;

	(void)state;
	set(overrides, "example.com", "none", NULL, WORLD_NOW + HOUR_S);
	/* Somebody holds the file for longer than is waited for him. */
	assert_int_equal(sqlite3_open(scratch_path("policies.sqlite"), &other),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	log_capture_start();
	assert_int_equal(overrides_set(overrides, &o, WORLD_NOW),
	    OVERRIDES_NOT_STORED);
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_NOT_STORED);
	assert_int_equal(log_capture_count(log_capture_end(), "writing fails"),
	    1);
	assert_null(o.body);
	found = overrides_find(overrides, &w->config, "example.com", WORLD_NOW);
	assert_non_null(found);
	assert_int_equal(found->policy.mode, STS_MODE_NONE);
	sqlite3_close(other);
	assert_int_equal(overrides_drop(overrides, "example.com"),
	    OVERRIDES_DONE);
	overrides_free(overrides);
	policy_store_close(store);
}

static void
the_log_of_a_start_names_what_is_over_or_without_effect(void **state)
{
	struct overrides *overrides = open_overrides(NULL);
	char name[] = "local.example", *local[] = { name };
	const char *log;

	(void)state;
	configure("example.com", "none", NULL);
	set(overrides, "over.example", "none", NULL, WORLD_NOW);
	set(overrides, "local.example", "none", NULL, WORLD_NOW + HOUR_S);
	w->config.local_domains.names = local;
	w->config.local_domains.n = 1;
	assert_null(
	    overrides_find(overrides, &w->config, "local.example", WORLD_NOW));
	log_init("test", false, LOG_LEVEL_WARNING);
	log_capture_start();
	overrides_log(overrides, &w->config, "/etc/strictmx.conf", WORLD_NOW);
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 2);
	assert_non_null(strstr(log,
	    "policy set at run time for over.example until "
	    "2023-11-14T22:13:20Z: its time is over: ignored\n"));
	assert_non_null(strstr(log,
	    "policy set at run time for local.example until "
	    "2023-11-14T23:13:20Z: without effect: local domains are "
	    "exempt\n"));
	snprintf(w->config.smarthost, sizeof(w->config.smarthost), "a.example");
	log_capture_start();
	overrides_log(NULL, &w->config, "/etc/strictmx.conf", WORLD_NOW);
	log = log_capture_end();
	assert_string_equal(strstr(log, "/etc"),
	    "/etc/strictmx.conf:7: policy \"example.com\" until "
	    "2023-11-14T23:13:20Z: without effect: all mail goes to the smart "
	    "host\n");
	log_capture_start();
	overrides_log(NULL, &w->config, "/etc/strictmx.conf",
	    WORLD_NOW + HOUR_S);
	log = log_capture_end();
	assert_string_equal(strstr(log, "/etc"),
	    "/etc/strictmx.conf:7: policy \"example.com\" until "
	    "2023-11-14T23:13:20Z: its time is over: ignored\n");
	w->config.local_domains.n = 0;
	overrides_free(overrides);
}

/* A row that somebody has touched is named and left out. */
static void
stored_rows_that_are_of_no_use_are_left_out(void **state)
{
	struct policy_store *store = policy_store_open(scratch_path("."), 0);
	struct overrides *overrides;
	const char *log;
	sqlite3 *other;

	(void)state;
	assert_int_equal(sqlite3_open(scratch_path("policies.sqlite"), &other),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
			     "INSERT INTO override VALUES"
			     " ('A.example', 2000000000, '', 'x'),"
			     " ('b.example', 2000000000, '', 'version: STSv1'),"
			     " ('c.example', 2000000000, printf('%300d', 0), "
			     "'x')",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(other);
	log_init("test", false, LOG_LEVEL_WARNING);
	log_capture_start();
	overrides = open_overrides(store);
	log = log_capture_end();
	assert_null(overrides_next(overrides, NULL));
	assert_int_equal(log_capture_lines(log), 3);
	assert_non_null(strstr(log, "\"A.example\": its name is not a domain"));
	assert_non_null(strstr(log, "\"b.example\": mode is missing"));
	assert_non_null(strstr(log, "\"c.example\": its reason is too long"));
	overrides_free(overrides);
	policy_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_broken_partner_is_let_through_and_nothing_is_asked),
		TEST(
		    a_domain_that_publishes_nothing_is_pinned_and_its_hosts_are_tried),
		TEST(hosts_that_it_does_not_list_are_not_tried),
		TEST(testing_modes_count_for_it_too),
		TEST(its_refusal_may_be_permanent_without_a_look_at_the_record),
		TEST(what_is_unknown_is_never_refused_for_good),
		TEST(at_its_end_the_published_policy_binds_again),
		TEST(a_published_policy_is_kept_and_refreshed_meanwhile),
		TEST(subdomains_are_not_included),
		TEST(with_a_smart_host_only_the_policy_for_its_name_counts),
		TEST(deliveries_follow_it_without_a_look_at_the_record),
		TEST(without_memory_for_it_mail_waits),
		TEST(one_set_at_run_time_binds_at_once_and_wins_over_the_file),
		TEST(a_dropped_one_binds_no_more),
		TEST(one_set_while_a_lookup_runs_is_not_forgotten),
		TEST(what_is_set_is_there_after_a_restart),
		TEST(what_could_not_be_read_at_the_start_is_read_later),
		TEST(a_store_of_version_2_is_taken_over),
		TEST(what_was_set_goes_into_a_new_store_too),
		TEST(there_is_room_for_so_many_and_ended_ones_make_room),
		TEST(what_cannot_be_stored_is_not_set),
		TEST(the_log_of_a_start_names_what_is_over_or_without_effect),
		TEST(stored_rows_that_are_of_no_use_are_left_out),
	};

	return cmocka_run_group_tests_name("override", tests, scratch_make,
	    scratch_remove);
}
