/* SPDX-License-Identifier: ISC */
/*
 * One case, played: see player.h. What a step comes to is written down by
 * those who watch: the ports (what was asked), the outcomes (what is to be
 * reported) and the log (what the administrator is told).
 */
#include "tests/scenario/player.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/delivery.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/outcome.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/tlsa_set.h"
#include "tests/fake/fake_net.h"
#include "tests/scenario/scenario.h"

#define EPOCH 1000000000  /* the wall clock at t = 0 */
#define STEP_MS_MAX 20000 /* of work in one step */
#define DOMAINS_MAX 64

struct player {
	const char *dir;
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_store *store;
	struct policy_cache *cache;
	struct engine *engine;
	char domains[DOMAINS_MAX][DOMAIN_SIZE]; /* that may be cached */
	size_t n_domains;

	/* The step. */
	json_t *step;
	struct scenario_target target;
	char policy_domain[DOMAIN_SIZE]; /* "": there is none */
	bool watching;
	bool asked_txt, fetched, alerted;
	json_t *txt_names, *tlsa_names, *report;
	char sni[DOMAIN_SIZE]; /* of the last session */
	char *required;	       /* the one name of config.dane_required */

	/* The delivery. */
	struct verdict *verdict; /* NULL: there was none */
	bool ended, permanent;
	char via[DOMAIN_SIZE]; /* "": refused */
	bool encrypted;
};

/* Those who watch. */

/* Each name once: a second look asks again. */
static void
name_add(json_t *names, const char *name)
{
	json_t *other;
	size_t i;

	json_array_foreach(names, i,
	    other) if (strcmp(json_string_value(other), name) == 0) return;
	json_array_append_new(names, json_string(name));
}

static void
watch_net(const struct fake_event *event, void *arg)
{
	struct player *p = arg;
	char host[DOMAIN_SIZE + 16];

	if (!p->watching)
		return;
	snprintf(host, sizeof(host), "mta-sts.%s", p->policy_domain);
	if (event->kind == FAKE_DNS && event->type == DNS_TXT) {
		p->asked_txt = true;
		json_array_append_new(p->txt_names, json_string(event->name));
	}
	if (event->kind == FAKE_DNS && event->type == DNS_TLSA)
		name_add(p->tlsa_names, event->name);
	if (event->kind == FAKE_SESSION)
		snprintf(p->sni, sizeof(p->sni), "%s",
		    event->target->tlsa == NULL ? event->target->mx
						: event->target->tlsa->base);
	/* Whose host has no address is asked for in vain, but it is asked. */
	if (event->kind == FAKE_FETCH ||
	    (event->kind == FAKE_DNS && strcmp(event->name, host) == 0))
		p->fetched = true;
}

static const char *
policy_type(const struct outcome *o)
{
	switch (o->source) {
	case VERDICT_NONE:
		return "no-policy-found";
	case VERDICT_DANE:
		return "tlsa";
	case VERDICT_STS:
	case VERDICT_PRELOAD:
	case VERDICT_OVERRIDE:
		return "sts";
	}
	return NULL;
}

static void
watch_outcome(const struct outcome *o, void *arg)
{
	struct player *p = arg;

	if (!p->watching || o->kind == OUTCOME_PROBE ||
	    o->result == RESULT_NONE)
		return;
	json_array_append_new(p->report,
	    json_pack("{s:s, s:s, s:s, s:s?}", "policy_type", policy_type(o),
		"policy_domain", o->domain, "result_type",
		result_type_name(o->result), "mx", o->mx));
}

static void
watch_log(enum log_level level, const char *line, void *arg)
{
	struct player *p = arg;

	(void)line;
	if (p->watching && level == LOG_LEVEL_ERROR)
		p->alerted = true;
}

/* The engine's life. */

static void
engine_open(struct player *p)
{
	p->store = policy_store_open(p->dir, 0);
	assert(p->store != NULL);
	p->cache = policy_cache_new(p->store, 1000);
	assert(p->cache != NULL);
	p->engine = engine_new(&p->config, &p->ports, p->cache);
	assert(p->engine != NULL);
}

static void
engine_close(struct player *p)
{
	engine_free(p->engine);
	policy_cache_free(p->cache);
	policy_store_close(p->store);
}

static void
player_open(struct player *p, const char *dir)
{
	p->dir = dir;
	p->clock = clock_new_fake(EPOCH);
	assert(p->clock != NULL);
	p->net = fake_net_new(p->clock);
	fake_net_ttl(p->net, 0);
	fake_net_watch(p->net, watch_net, p);
	outcome_set_sink(watch_outcome, p);
	log_set_sink(watch_log, p);
	log_set_level(LOG_LEVEL_ERROR);
	p->ports = fake_net_ports(p->net);
	p->config.deadline_s = 60;
	p->config.record_patience_s = LIMIT_RECORD_PATIENCE_S;
	p->config.unreachable = CHOICE_DEFER;
	p->config.dane = true;
	p->config.resolver.n_upstreams = 1;
	p->config.resolver.upstreams[0].trusted_ad = true;
	p->config.addresses.allow_internal = true; /* none are connected to */
	snprintf(p->config.hostname, sizeof(p->config.hostname), "play.test");
	engine_open(p);
}

static void
player_close(struct player *p)
{
	engine_close(p);
	log_set_sink(NULL, NULL);
	outcome_set_sink(NULL, NULL);
	fake_net_free(p->net);
	clock_free(p->clock);
}

static void
domain_note(struct player *p, const char *domain)
{
	for (size_t i = 0; i < p->n_domains; i++)
		if (strcmp(p->domains[i], domain) == 0)
			return;
	if (domain[0] != '\0' && p->n_domains < DOMAINS_MAX)
		snprintf(p->domains[p->n_domains++], DOMAIN_SIZE, "%s", domain);
}

static const struct cached_policy *
cached_now(struct player *p, const char *domain)
{
	return policy_cache_get(p->cache, domain, clock_wall_s(p->clock));
}

/* What is cached before the first step, as a policy that was served. */
static void
cache_fill(struct player *p, json_t *entry)
{
	char domain[DOMAIN_SIZE], *body = NULL;
	json_t *mx;
	FILE *text;
	size_t len, i;

	if (domain_fold(span_of(scenario_word(entry, "domain", "")), domain) !=
	    DOMAIN_OK)
		return;
	text = open_memstream(&body, &len);
	assert(text != NULL);
	fprintf(text, "version: STSv1\nmode: %s\nmax_age: %lld\n",
	    scenario_word(entry, "mode", "enforce"),
	    (long long)json_integer_value(scenario_get(entry, "max_age")));
	json_array_foreach(scenario_get(entry, "mx"), i, mx)
	    fprintf(text, "mx: %s\n", json_string_value(mx));
	fclose(text);
	policy_cache_put(p->cache, domain, scenario_word(entry, "id", "1"),
	    (struct span){ body, len },
	    EPOCH + json_integer_value(scenario_get(entry, "fetched_at")));
	free(body);
	domain_note(p, domain);
}

/* Time. */

/*
 * Between the steps the machine sleeps: nothing runs that a step did not
 * start, the daily refresh neither.
 */
static void
time_set(struct player *p, int64_t t)
{
	int64_t ms = (EPOCH + t - clock_wall_s(p->clock)) * 1000;

	if (ms > 0)
		clock_suspend(p->clock, ms);
	clock_set_wall_s(p->clock, EPOCH + t);
}

static void
run_until_idle(struct player *p, const bool *ended)
{
	for (int ms = 0; ms < STEP_MS_MAX; ms++) {
		clock_advance(p->clock, 1);
		if (*ended && engine_is_idle(p->engine))
			return;
	}
	abort(); /* the engine does not come to an end: a failure of the case */
}

/* Deliveries. */

static void
delivery_done(const struct delivery_result *result, void *arg)
{
	struct player *p = arg;
	struct smtp_session *session;

	p->ended = true;
	p->permanent = result->permanent;
	p->verdict =
	    result->verdict == NULL ? NULL : verdict_copy(result->verdict);
	if (result->found == NULL)
		return;
	snprintf(p->via, sizeof(p->via), "%s", result->found->mx);
	p->encrypted = result->found->result->tls_version[0] != '\0';
	session = result->found->session;
	p->ports.smtp.quit(p->ports.smtp.self, &session);
}

static void
deliver(struct player *p)
{
	struct delivery_opts opts = {
		.engine = p->engine,
		.ports = &p->ports,
		.config = &p->config,
		.domain = p->target.domain,
		.literal = p->target.literal,
		.is_report = scenario_word(p->step, "message", NULL) != NULL,
	};

	assert(delivery_start(&opts, delivery_done, p) != NULL);
	run_until_idle(p, &p->ended);
}

/* Is it a walk that ends with a session? */
struct lone_walk {
	struct player *player;
	bool ended, good;
};

static void
lone_walk_done(const struct mx_walk_found *found, void *arg)
{
	struct lone_walk *lone = arg;
	struct smtp_port *smtp = &lone->player->ports.smtp;
	struct smtp_session *session;

	lone->ended = true;
	lone->good = found != NULL;
	if (found == NULL)
		return;
	session = found->session;
	smtp->quit(smtp->self, &session);
}

/* May the message go by this host if no other were there? */
static bool
host_will_do(struct player *p, size_t i)
{
	struct mx_walk_opts opts = {
		.ports = &p->ports,
		.config = &p->config,
		.ends_ms = clock_mono_ms(p->clock) + STEP_MS_MAX,
		.uncounted = true,
	};
	struct lone_walk lone = { .player = p };
	struct verdict *v = verdict_copy(p->verdict);

	assert(v != NULL);
	for (size_t k = 0; k < v->facts.n_mx; k++)
		if (k != i)
			v->facts.mx[k].eligible = v->facts.mx[k].under_dane =
			    false;
	assert(mx_walk_start(&opts, v, lone_walk_done, &lone) != NULL);
	run_until_idle(p, &lone.ended);
	verdict_free(v);
	return lone.good;
}

static json_t *
eligible(struct player *p)
{
	json_t *hosts = json_array();

	if (p->via[0] == '\0')
		return hosts; /* what none will do, no single one will */
	p->watching = false;
	for (size_t i = 0; i < p->verdict->facts.n_mx; i++)
		if (p->verdict->facts.mx[i].eligible && host_will_do(p, i))
			json_array_append_new(hosts,
			    json_string(p->verdict->facts.mx[i].host));
	p->watching = true;
	return hosts;
}

/*
 * The MTA would give up now. It may, unless a policy that nobody could look at
 * may be what is in the way (RFC 8461 5.1).
 */
static bool
may_give_up(const struct verdict *v)
{
	const struct policy_facts *sts = &v->facts.sts;

	if (v->source == VERDICT_DANE)
		return true;
	if (v->enforced)
		return sts->state == POLICY_FETCHED ||
		    v->facts.fresh_look == LOOK_SAME;
	return facts_have_policy(&v->facts) || sts->state == POLICY_NONE ||
	    sts->state == POLICY_FAILED || sts->record_patience_over;
}

static const char *
decision(const struct player *p)
{
	if (p->via[0] != '\0')
		return "deliver";
	if (p->permanent ||
	    (json_is_true(scenario_get(p->step, "queue_expired")) &&
		p->verdict != NULL && may_give_up(p->verdict)))
		return "fail";
	return "defer";
}

/* The host that takes the message; NULL: none does. */
static const struct mx_fact *
mx_of(const struct player *p)
{
	const struct facts *f = p->verdict == NULL ? NULL : &p->verdict->facts;

	for (size_t i = 0; p->via[0] != '\0' && f != NULL && i < f->n_mx; i++)
		if (strcmp(f->mx[i].host, p->via) == 0)
			return &f->mx[i];
	return NULL;
}

static const char *
tls_of(const struct player *p)
{
	const struct mx_fact *mx = mx_of(p);
	unsigned asked;

	if (mx == NULL)
		return NULL;
	asked = mx->enforced ? mx->required : 0;
	if (asked & PROOF_DANE)
		return "authenticated-dane";
	if (asked & PROOF_PKIX)
		return "authenticated-pkix";
	return asked & PROOF_ENCRYPTED ? "required-unauthenticated"
				       : "opportunistic";
}

/* Is it DANE by which the message went, or did not go? */
static bool
is_danes(const struct player *p)
{
	const struct mx_fact *mx = mx_of(p);

	if (mx != NULL)
		return mx->under_dane && mx->enforced;
	return p->verdict != NULL && p->verdict->source == VERDICT_DANE;
}

static json_t *
policy_of(const struct player *p)
{
	const struct verdict *v = p->verdict;

	if (is_danes(p))
		return json_pack("{s:s, s:n, s:n}", "source", "dane", "mode",
		    "id");
	if (v == NULL || !facts_have_policy(&v->facts))
		return json_pack("{s:s, s:n, s:n}", "source", "none", "mode",
		    "id");
	return json_pack("{s:s, s:s, s:s}", "source",
	    policy_state_name(v->facts.sts.state), "mode",
	    sts_mode_name(v->facts.sts.policy.mode), "id", v->facts.sts.id);
}

static json_t *
cache_after(struct player *p)
{
	const struct cached_policy *cached = cached_now(p, p->policy_domain);
	json_t *mx = json_array();

	if (cached == NULL) {
		json_decref(mx);
		return json_null();
	}
	for (size_t i = 0; i < cached->policy.n_mx; i++)
		json_array_append_new(mx, json_string(cached->policy.mx[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:I}", "domain",
	    p->policy_domain, "id", cached->id, "mode",
	    sts_mode_name(cached->policy.mode), "mx", mx, "fetched_at",
	    (json_int_t)(cached->fetched_at_s - EPOCH), "max_age",
	    (json_int_t)cached->policy.max_age_s);
}

/* Steps. */

static json_t *
nothing_or(json_t *value, bool applies)
{
	if (applies)
		return value;
	json_decref(value);
	return json_null();
}

/* What the step came to: delivered says whether it was a delivery. */
static json_t *
step_result(struct player *p, bool delivered)
{
	char url[DOMAIN_SIZE + 64];
	json_t *hosts = delivered ? eligible(p) : json_null();

	snprintf(url, sizeof(url), "https://mta-sts.%s/.well-known/mta-sts.txt",
	    p->policy_domain);
	return json_pack("{s:s?, s:s?, s:o, s:s?, s:o, s:o, s:b, s:b, s:o, "
			 "s:o, s:s?, s:s?, s:o, s:b}",
	    "decision", delivered ? decision(p) : NULL, "via",
	    p->via[0] == '\0' ? NULL : p->via, "eligible", hosts, "tls",
	    tls_of(p), "policy", nothing_or(policy_of(p), delivered),
	    "cache_after", cache_after(p), "https_fetch", (int)p->fetched,
	    "txt_query", (int)p->asked_txt, "txt_names",
	    json_incref(p->txt_names), "tlsa_names", json_incref(p->tlsa_names),
	    "url", p->fetched ? url : NULL, "sni",
	    p->encrypted && p->target.literal.family == 0 ? p->sni : NULL,
	    "report", json_incref(p->report), "operator_alert",
	    (int)p->alerted);
}

/* The policy domain of a step that has no recipient: the cached one. */
static void
find_cached(struct player *p)
{
	for (size_t i = 0; i < p->n_domains; i++)
		if (cached_now(p, p->domains[i]) != NULL) {
			memcpy(p->policy_domain, p->domains[i], DOMAIN_SIZE);
			return;
		}
}

static json_t *
step_refresh(struct player *p)
{
	const bool ended = true;

	find_cached(p);
	scenario_net(p->net, p->step, p->policy_domain);
	for (size_t i = 0; i < p->n_domains; i++)
		if (cached_now(p, p->domains[i]) != NULL)
			engine_refresh(p->engine, p->domains[i]);
	run_until_idle(p, &ended);
	return step_result(p, false);
}

static json_t *
step_restart(struct player *p)
{
	engine_close(p);
	engine_open(p);
	find_cached(p);
	return step_result(p, false);
}

static void
require_dane(struct player *p)
{
	json_t *local = scenario_get(p->step, "local");

	p->required = p->policy_domain;
	p->config.dane_required.names = &p->required;
	p->config.dane_required.n =
	    json_is_true(scenario_get(local, "dane_required")) ? 1 : 0;
}

static json_t *
step_deliver(struct player *p)
{
	const char *smarthost = p->target.smarthost;

	if (!scenario_target(p->step, &p->target)) {
		p->permanent = true; /* no host could be asked */
		return step_result(p, true);
	}
	memcpy(p->config.smarthost, smarthost, DOMAIN_SIZE);
	p->config.smarthost_port = p->target.smarthost_port;
	memcpy(p->policy_domain,
	    smarthost[0] == '\0' ? p->target.domain : smarthost, DOMAIN_SIZE);
	if (smarthost[0] != '\0')
		p->target.literal.family = 0;
	require_dane(p);
	domain_note(p, p->policy_domain);
	scenario_net(p->net, p->step, p->policy_domain);
	deliver(p);
	return step_result(p, true);
}

static json_t *
step_play(struct player *p, json_t *step)
{
	const char *op = scenario_word(step, "op", "");
	json_t *result;

	p->step = step;
	memset(&p->target, 0, sizeof(p->target));
	p->policy_domain[0] = p->via[0] = '\0';
	p->asked_txt = p->fetched = p->alerted = false;
	p->ended = p->permanent = p->encrypted = false;
	p->txt_names = json_array();
	p->tlsa_names = json_array();
	p->sni[0] = '\0';
	p->report = json_array();
	time_set(p, json_integer_value(scenario_get(step, "t")));
	p->watching = true;
	if (strcmp(op, "refresh") == 0)
		result = step_refresh(p);
	else if (strcmp(op, "restart") == 0)
		result = step_restart(p);
	else
		result = step_deliver(p);
	p->watching = false;
	verdict_free(p->verdict);
	p->verdict = NULL;
	json_decref(p->txt_names);
	json_decref(p->tlsa_names);
	json_decref(p->report);
	return result;
}

json_t *
player_play(json_t *scenario, const char *dir)
{
	struct player *p = calloc(1, sizeof(*p));
	json_t *results = json_array();
	json_t *item;
	size_t i;

	assert(p != NULL);
	player_open(p, dir);
	json_array_foreach(scenario_get(scenario, "cache"), i, item)
	    cache_fill(p, item);
	json_array_foreach(scenario_get(scenario, "steps"), i, item)
	    json_array_append_new(results, step_play(p, item));
	player_close(p);
	free(p);
	return results;
}
