/* SPDX-License-Identifier: ISC */
/*
 * One run that asks a domain for its policy: see policy_update.h. Three steps,
 * each with its two halves side by side in the order of time. The steps gather
 * facts; the last half of a step moves the run on with update_advance(), the
 * only way forward and the only way out.
 */
#include "common/policy_update_private.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/failures.h"
#include "common/fetch_backoff.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/outcome.h"
#include "common/policy_cache.h"
#include "common/record_patience.h"
#include "common/uthash_quiet.h"

#define RECORD_PREFIX "_mta-sts."
#define HOST_PREFIX "mta-sts."

enum step_result {
	NEXT,
	WAIT
};

static void update_advance(struct policy_update *u);

/* 1. The TXT record says whether there is a policy, and which. */

static void
record_read(struct policy_facts *facts, const struct dns_answer *answer)
{
	static const enum record_state states[] = {
		[STS_RECORD_OK] = RECORD_FOUND,
		[STS_RECORD_NONE] = RECORD_NONE,
		[STS_RECORD_SEVERAL] = RECORD_SEVERAL,
		[STS_RECORD_BROKEN] = RECORD_BROKEN,
	};
	struct span txts[DNS_RECORDS_MAX];
	struct sts_record record;
	enum sts_record_result result;

	for (size_t i = 0; i < answer->n; i++)
		txts[i] = answer->rr[i].txt;
	result =
	    sts_record_choose(txts, answer->n, &record, &facts->record_why);
	facts->record = states[result];
	if (result == STS_RECORD_OK)
		memcpy(facts->record_id, record.id, sizeof(record.id));
}

static void
record_done(const struct dns_answer *answer, void *arg)
{
	struct policy_update *u = arg;

	u->record_query = NULL;
	u->facts.record_ttl_s = answer->ttl_s;
	switch (answer->outcome) {
	case DNS_FOUND:
		record_read(&u->facts, answer);
		break;
	case DNS_NO_DATA:
	case DNS_NO_NAME:
		u->facts.record = RECORD_NONE;
		u->facts.record_why = "there is none";
		break;
	case DNS_TEMPFAIL:
		u->facts.record_why = answer->why;
		failures_add(u->domain,
		    &(struct failure){ .what = "record", .why = answer->why });
		break;
	}
	update_advance(u);
}

static enum step_result
step_record(struct policy_update *u)
{
	char name[sizeof(RECORD_PREFIX) + DOMAIN_SIZE];

	snprintf(name, sizeof(name), RECORD_PREFIX "%s", u->domain);
	if (strlen(name) > DOMAIN_MAX) {
		/* No such name can be, so the domain publishes none. */
		u->facts.record = RECORD_NONE;
		u->facts.record_why = "its name would be too long";
		u->facts.record_ttl_s = LIMIT_DNS_TTL_MAX_S;
		return NEXT;
	}
	u->record_query = u->all->ports->dns.start(u->all->ports->dns.self,
	    name, DNS_TXT, u->facts.record_fresh, record_done, u);
	if (u->record_query != NULL)
		return WAIT;
	u->facts.record_why = "too many questions are waiting";
	return NEXT;
}

/* What the record says about a policy that is cached, or was tried. */

static bool
cached_is_current(struct policy_update *u)
{
	struct clock *clock = u->all->ports->clock;
	int64_t now_s = clock_wall_s(clock);
	const struct cached_policy *cached =
	    policy_cache_get(u->all->cache, u->domain, now_s);

	if (cached == NULL || strcmp(cached->id, u->facts.record_id) != 0)
		return false;
	policy_cache_record_seen(u->all->cache, u->domain, now_s);
	return true;
}

static void
fetch_failed(struct policy_update *u, enum result_type failure, const char *why)
{
	char quoted[LOG_QUOTE_SIZE];
	const struct outcome outcome = {
		.kind = OUTCOME_FETCH,
		.domain = u->domain,
		.source = VERDICT_STS,
		.result = failure,
		.why = why,
	};

	u->facts.failure = failure;
	snprintf(u->facts.failure_why, sizeof(u->facts.failure_why), "%s", why);
	if (!u->refresh) /* refresh_failed() tells that */
		log_notice("domain=%s policy not fetched: id=%s result=%s "
			   "why=%s",
		    u->domain, u->facts.record_id, result_type_name(failure),
		    log_quote(quoted, why, strlen(why)));
	fetch_backoff_failed(u->all->backoff, u->domain, u->facts.record_id,
	    clock_mono_ms(u->all->ports->clock), failure, why);
	outcome_report(&outcome);
}

static bool
holds(struct policy_update *u, struct fetch_backoff *backoff, const char *id)
{
	enum result_type failure;
	const char *why;

	if (!fetch_backoff_holds(backoff, u->domain, id,
		clock_mono_ms(u->all->ports->clock), &failure, &why))
		return false;
	u->facts.failure = failure;
	snprintf(u->facts.failure_why, sizeof(u->facts.failure_why), "%s", why);
	return true;
}

/*
 * A live policy is not fetched again and again for whoever can change a TXT
 * record, also when each fetch brings one. What is used once (max_age 0) or
 * was not there has to be fetched.
 */
static bool
is_fetched_too_often(struct policy_update *u)
{
	return policy_cache_get(u->all->cache, u->domain,
		   clock_wall_s(u->all->ports->clock)) != NULL &&
	    holds(u, u->all->attempts, "");
}

static bool
is_fetch_due(struct policy_update *u)
{
	if (u->refresh)
		return true;
	return u->facts.record == RECORD_FOUND && !cached_is_current(u) &&
	    !holds(u, u->all->backoff, u->facts.record_id) &&
	    !is_fetched_too_often(u);
}

/* Neither "-" nor "" is an id: what holds is the number of them. */
static void
fetch_begins(struct policy_update *u)
{
	fetch_backoff_failed(u->all->attempts, u->domain, "-",
	    clock_mono_ms(u->all->ports->clock), RESULT_NONE, "");
}

/* 2. Where the policy host is; both families are asked at once. */

static void
addresses_done(struct policy_update *u)
{
	if (u->address_queries[0] != NULL || u->address_queries[1] != NULL)
		return;
	/*
	 * A name server of the policy host that does not answer is a failed
	 * fetch like any other (RFC 8461 3.3), not an unknown: else a domain
	 * with a lame delegation could never be written to again. But what
	 * was not asked stays unknown.
	 */
	if (u->n_addresses == 0 && !u->address_unasked)
		fetch_failed(u, RESULT_STS_POLICY_FETCH_ERROR,
		    u->address_failures > 0 ? "the address of its policy host "
					      "could not be looked up"
					    : "its policy host has no address");
	update_advance(u);
}

static void
address_read(struct policy_update *u, const struct dns_answer *answer)
{
	u->n_addresses = address_add(u->addresses, u->n_addresses,
	    LIMIT_FETCH_ADDRESSES, answer);
	if (answer->outcome == DNS_TEMPFAIL)
		u->address_failures++;
	addresses_done(u);
}

static void
aaaa_done(const struct dns_answer *answer, void *arg)
{
	struct policy_update *u = arg;

	u->address_queries[0] = NULL;
	address_read(u, answer);
}

static void
a_done(const struct dns_answer *answer, void *arg)
{
	struct policy_update *u = arg;

	u->address_queries[1] = NULL;
	address_read(u, answer);
}

static enum step_result
step_addresses(struct policy_update *u)
{
	const struct dns_port *dns = &u->all->ports->dns;
	char host[sizeof(HOST_PREFIX) + DOMAIN_SIZE];

	if (!is_fetch_due(u))
		return NEXT;
	fetch_begins(u);
	snprintf(host, sizeof(host), HOST_PREFIX "%s", u->domain);
	u->address_queries[0] =
	    dns->start(dns->self, host, DNS_AAAA, false, aaaa_done, u);
	u->address_queries[1] =
	    dns->start(dns->self, host, DNS_A, false, a_done, u);
	u->address_unasked =
	    u->address_queries[0] == NULL || u->address_queries[1] == NULL;
	return u->address_queries[0] == NULL && u->address_queries[1] == NULL
	    ? NEXT
	    : WAIT;
}

/* 3. The policy itself. */

/* Whose id the fetched policy has: a refresh may be without a record. */
static void
take_id(struct policy_update *u)
{
	const struct cached_policy *cached = policy_cache_get(u->all->cache,
	    u->domain, clock_wall_s(u->all->ports->clock));
	const char *id = u->facts.record == RECORD_FOUND || cached == NULL
	    ? u->facts.record_id
	    : cached->id;

	memcpy(u->facts.id, id, sizeof(u->facts.id));
}

static void
policy_accept(struct policy_update *u, struct span body)
{
	struct policy_facts *f = &u->facts;

	f->state = POLICY_FETCHED;
	take_id(u);
	f->fetched_at_s = clock_wall_s(u->all->ports->clock);
	fetch_backoff_forget(u->all->backoff, u->domain);
	policy_cache_put(u->all->cache, u->domain, f->id, body,
	    f->fetched_at_s);
	log_notice("domain=%s policy fetched: id=%s mode=%s max_age=%u mx=%zu",
	    u->domain, f->id, sts_mode_name(f->policy.mode),
	    f->policy.max_age_s, f->policy.n_mx);
	if (f->policy.max_age_capped)
		log_warning("domain=%s max_age is more than RFC 8461 3.2 "
			    "allows: taken as %u",
		    u->domain, f->policy.max_age_s);
	outcome_report(&(struct outcome){ .kind = OUTCOME_FETCH,
	    .domain = u->domain,
	    .source = VERDICT_STS,
	    .mode = f->policy.mode,
	    .result = RESULT_NONE,
	    .why = "" });
	u->all->changed(u->domain, u->all->changed_arg);
}

/* RFC 8461 3.3: whatever was cached stays in force when this fails. */
static void
policy_read(struct policy_update *u, struct span body)
{
	struct policy_facts *f = &u->facts;
	struct sts_policy_error error;
	char why[sizeof(f->failure_why)];

	switch (sts_policy_parse(body, &f->policy, &error)) {
	case STS_POLICY_OK:
		policy_accept(u, body);
		break;
	case STS_POLICY_INVALID:
		snprintf(why, sizeof(why), "line %u of the policy: %s",
		    error.line, error.reason);
		fetch_failed(u, RESULT_STS_POLICY_INVALID,
		    error.line == 0 ? error.reason : why);
		break;
	case STS_POLICY_NO_MEMORY:
		break; /* unknown, not invalid */
	}
}

static void
fetch_done(const struct fetch_result *result, void *arg)
{
	struct policy_update *u = arg;

	u->fetch = NULL;
	if (result->result == RESULT_NONE)
		policy_read(u, result->body);
	else
		fetch_failed(u, result->result, result->why);
	update_advance(u);
}

static enum step_result
step_fetch(struct policy_update *u)
{
	struct fetch_request request = {
		.domain = u->domain,
		.addresses = u->addresses,
		.n_addresses = u->n_addresses,
	};

	if (u->n_addresses == 0)
		return NEXT;
	u->fetch = u->all->ports->fetch.start(u->all->ports->fetch.self,
	    &request, fetch_done, u);
	return u->fetch == NULL ? NEXT : WAIT;
}

/* The end: what binds now? */

static void
take_cached(struct policy_facts *f, const struct cached_policy *cached)
{
	f->state = sts_policy_copy(&cached->policy, &f->policy) ? POLICY_CACHED
								: POLICY_UNREAD;
	memcpy(f->id, cached->id, sizeof(f->id));
	f->fetched_at_s = cached->fetched_at_s;
}

/* RFC 8461 3.3: the administrator is told of a refresh that failed. */
static void
refresh_failed(struct policy_update *u, const struct cached_policy *cached)
{
	struct policy_facts *f = &u->facts;
	int64_t now_s = clock_wall_s(u->all->ports->clock);
	char why[LOG_QUOTE_SIZE];

	if (cached->policy.mode != STS_MODE_NONE)
		log_error("domain=%s policy could not be refreshed: id=%s "
			  "mode=%s expires_in_s=%lld result=%s why=%s",
		    u->domain, cached->id, sts_mode_name(cached->policy.mode),
		    (long long)(cached->fetched_at_s +
			cached->policy.max_age_s - now_s),
		    result_type_name(f->failure),
		    log_quote(why, f->failure_why, strlen(f->failure_why)));
	policy_cache_refresh_later(u->all->cache, u->domain, now_s);
}

/* For how long has nobody known whether there is a record? */
static void
judge_patience(struct policy_update *u)
{
	int64_t limit_ms = (int64_t)u->all->config->record_patience_s * 1000;

	if (u->facts.record != RECORD_UNKNOWN) {
		record_patience_forget(u->all->patience, u->domain);
		return;
	}
	u->facts.record_patience_over =
	    record_patience_failed(u->all->patience, u->domain,
		clock_mono_ms(u->all->ports->clock)) >= limit_ms;
	if (u->facts.record_patience_over)
		log_warning("domain=%s record not to be had for over %u s: "
			    "as without MTA-STS",
		    u->domain, u->all->config->record_patience_s);
}

static void
update_conclude(struct policy_update *u)
{
	struct policy_facts *f = &u->facts;
	const struct cached_policy *cached;

	judge_patience(u);
	if (f->state == POLICY_FETCHED)
		return;
	cached = policy_cache_get(u->all->cache, u->domain,
	    clock_wall_s(u->all->ports->clock));
	if (cached != NULL && u->refresh) {
		refresh_failed(u, cached);
		/* After a jump of the clock it was live for this try only. */
		cached = policy_cache_get(u->all->cache, u->domain,
		    clock_wall_s(u->all->ports->clock));
	}
	if (cached != NULL)
		take_cached(f, cached);
	else if (policy_cache_unread(u->all->cache))
		f->state = POLICY_UNREAD;
	else if (f->failure != RESULT_NONE)
		f->state = POLICY_FAILED;
	else if (f->record != RECORD_UNKNOWN && f->record != RECORD_FOUND)
		f->state = POLICY_NONE;
}

void
policy_update_free(struct policy_update *u)
{
	const struct ports *ports = u->all->ports;
	struct policy_wait *wait;

	while ((wait = TAILQ_FIRST(&u->waits)) != NULL) {
		TAILQ_REMOVE(&u->waits, wait, entry);
		free(wait);
	}
	ports->dns.cancel(ports->dns.self, &u->record_query);
	ports->dns.cancel(ports->dns.self, &u->address_queries[0]);
	ports->dns.cancel(ports->dns.self, &u->address_queries[1]);
	ports->fetch.cancel(ports->fetch.self, &u->fetch);
	clock_timer_cancel(&u->begin);
	policy_facts_cleanup(&u->facts);
	free(u);
}

static void
update_finish(struct policy_update *u)
{
	struct policy_wait *wait;

	/* Whoever asks from now on, a waiter's callback too, begins anew. */
	HASH_DEL(u->all->table, u);
	update_conclude(u);
	while ((wait = TAILQ_FIRST(&u->waits)) != NULL) {
		policy_update_done_fn *done = wait->done;
		void *arg = wait->arg;

		TAILQ_REMOVE(&u->waits, wait, entry);
		free(wait);
		done(&u->facts, arg);
	}
	policy_update_free(u);
}

static enum step_result (*const steps[])(struct policy_update *) = {
	[UPDATE_RECORD] = step_record,
	[UPDATE_ADDRESSES] = step_addresses,
	[UPDATE_FETCH] = step_fetch,
};

static void
update_advance(struct policy_update *u)
{
	while (++u->step != UPDATE_DONE)
		if (steps[u->step](u) == WAIT)
			return;
	update_finish(u);
}

void
policy_update_begin(void *arg)
{
	struct policy_update *u = arg;

	u->begin = NULL;
	update_advance(u);
}
