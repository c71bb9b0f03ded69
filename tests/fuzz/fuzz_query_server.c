/* SPDX-License-Identifier: ISC */
/*
 * The query server's whole input: any bytes from a client, in any pieces, with
 * the real engine behind it on a network and a clock that exist in memory only.
 * Every line gets one answer, with its id, of a word that fits its verb, within
 * the deadline; what is no request gets an error; nothing else is ever said. A
 * client that says no more is answered to the end, and only then closed.
 */
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/staging.h"
#include "filter/query_server.h"
#include "proto/ascii.h"
#include "proto/query_line.h"
#include "tests/fake/fake_net.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 4096
#define NOW_S 1700000000
#define DEADLINE_S 30

struct world {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	char *local_domain;
	struct policy_cache *cache;
	struct overrides *overrides;
	struct staging *staging;
	struct engine *engine;
	struct query_server *server;
	struct fuzz_peer client;
	bool is_filter; /* whose end is the end: "gone" is called */
	unsigned gone_calls;
};

/* A line that was said and not answered yet. */
struct asked {
	char id[QUERY_ID_MAX + 1];
	enum query_verb verb;
	bool answered;
};

static struct asked asked[TEXT_MAX];
static size_t n_asked, n_open;

/* The network: one domain of each kind. */

static void
publish(struct fake_net *net, const char *domain, const char *mode,
    const char *mx)
{
	char name[64], body[256], record[64];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	fake_net_dns(net, name, DNS_TXT, DNS_FOUND, "v=STSv1; id=1", NULL);
	fake_net_dns(net, name + 1, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	snprintf(body, sizeof(body),
	    "version: STSv1\nmode: %s\nmx: mx.%s\nmax_age: 86400\n", mode,
	    domain);
	fake_net_policy(net, domain, body, RESULT_NONE, NULL);
	snprintf(record, sizeof(record), "10 %s", mx);
	fake_net_dns(net, domain, DNS_MX, DNS_FOUND, record, NULL);
	fake_net_dns(net, mx, DNS_A, DNS_FOUND, "192.0.2.1", NULL);
}

static void
net_fill(struct fake_net *net)
{
	publish(net, "good.test", "enforce", "mx.good.test");
	fake_net_mx(net, "mx.good.test", PROOF_ENCRYPTED | PROOF_PKIX,
	    SMTP_STAGE_READY, RESULT_NONE, "");
	publish(net, "bad.test", "enforce", "mx.bad.test");
	fake_net_mx(net, "mx.bad.test", PROOF_ENCRYPTED, SMTP_STAGE_TLS,
	    RESULT_CERTIFICATE_EXPIRED, "has \"expired\"\n\x80|");
	publish(net, "trial.test", "testing", "mx.other.test");
	fake_net_dns(net, "lost.test", DNS_MX, DNS_TEMPFAIL, NULL);
	fake_net_dns(net, "_mta-sts.lost.test", DNS_TXT, DNS_TEMPFAIL, NULL);
}

static void
net_steer(struct fake_net *net, struct fuzz_input *input)
{
	static const int delays[] = { 0, 1, 300, 9000, 40000, -1 };
	int ms[3];

	for (size_t i = 0; i < 3; i++)
		ms[i] = delays[fuzz_choose(input, 6)];
	fake_net_delay(net, ms[0], ms[1], ms[2]);
	fake_net_refuse(net, fuzz_choose(input, 16) == 1,
	    fuzz_choose(input, 16) == 1, fuzz_choose(input, 16) == 1);
}

static void
gone(void *arg)
{
	struct world *w = arg;

	w->gone_calls++;
}

static void
world_open(struct world *w, struct fuzz_input *input)
{
	static char local[] = "local.test";
	unsigned choice;

	*w = (struct world){ .local_domain = local };
	w->clock = clock_new_fake(NOW_S);
	w->net = fake_net_new(w->clock);
	net_fill(w->net);
	net_steer(w->net, input);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = DEADLINE_S;
	w->config.unreachable = CHOICE_DEFER;
	choice = fuzz_choose(input, 8);
	w->config.testing = choice % 4 == 1;
	w->is_filter = choice < 4;
	w->config.local_domains.n = 1;
	w->config.local_domains.names = &w->local_domain;
	snprintf(w->config.hostname, sizeof(w->config.hostname), "me.test");
	w->cache = policy_cache_new(NULL, 100);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	w->overrides = overrides_new(NULL, NOW_S);
	w->staging = staging_new(LIMIT_STAGED, NOW_S);
	engine_use_overrides(w->engine, w->overrides);
	engine_use_staging(w->engine, w->staging);
	w->server =
	    query_server_new(fuzz_base(), w->clock, w->engine, &w->config);
	assert(query_server_add(w->server, fuzz_peer_open(&w->client),
	    w->is_filter ? gone : NULL, w));
}

/* The net and the clock assert that nothing was left behind. */
static void
world_close(struct world *w)
{
	query_server_free(w->server);
	engine_free(w->engine);
	overrides_free(w->overrides);
	staging_free(w->staging);
	policy_cache_free(w->cache);
	fake_net_free(w->net);
	clock_free(w->clock);
	fuzz_peer_cleanup(&w->client);
}

/* What was said */

static void
line_note(struct span line)
{
	struct asked *a = &asked[n_asked++];
	struct query_request request = { .verb = QUERY_BAD,
		.id = span_of("-") };

	assert(n_asked <= TEXT_MAX);
	n_open++;
	if (line.len <= QUERY_REQUEST_MAX)
		request = query_request_parse(line);
	span_copy(request.id, a->id, sizeof(a->id));
	a->verb = request.verb;
	a->answered = false;
}

/* The lines of text from *at on; one that is too long counts before its end. */
static void
text_note(struct span text, size_t *at, bool *overlong)
{
	struct span rest = { text.p + *at, text.len - *at };
	const char *end;

	while (rest.len > 0 && (end = memchr(rest.p, '\n', rest.len)) != NULL) {
		size_t len = (size_t)(end - rest.p);

		if (!*overlong)
			line_note((struct span){ rest.p, len });
		*overlong = false;
		*at += len + 1;
		rest.p += len + 1;
		rest.len -= len + 1;
	}
	if (rest.len > QUERY_REQUEST_MAX && !*overlong) {
		*overlong = true;
		line_note(rest);
	}
}

/* What was answered */

static void
check_facts(struct span text)
{
	json_error_t error;
	json_t *json =
	    json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, &error);

	assert(json_is_object(json));
	json_decref(json);
}

static bool
is_reply(struct span text, char class)
{
	return text.len > 4 && text.p[0] == class &&
	    ascii_is_digit(text.p[1]) && ascii_is_digit(text.p[2]) &&
	    text.p[3] == ' ';
}

/* Is this an answer to that verb? And what it says is what it may say. */
static bool
answer_fits(const struct query_answer *answer, enum query_verb verb)
{
	switch (answer->word) {
	case QUERY_PROCEED:
		return verb == QUERY_RCPT && fuzz_is_printable(answer->text);
	case QUERY_DEFER:
		return verb == QUERY_RCPT && fuzz_is_printable(answer->text) &&
		    is_reply(answer->text, '4');
	case QUERY_REJECT:
		return verb == QUERY_RCPT && fuzz_is_printable(answer->text) &&
		    is_reply(answer->text, '5');
	case QUERY_FACTS:
		return verb == QUERY_EXPLAIN || query_verb_is_admin(verb);
	case QUERY_PONG:
		return verb == QUERY_PING && answer->text.len == 0;
	case QUERY_ERROR:
		return (verb == QUERY_BAD || query_verb_is_admin(verb)) &&
		    answer->text.len > 0;
	case QUERY_ANSWER_BAD:
		break;
	}
	return false;
}

static size_t
find_asked(const struct query_answer *answer, bool admin)
{
	size_t i = 0;

	while (i < n_asked &&
	    (asked[i].answered || !span_is(answer->id, asked[i].id) ||
		query_verb_is_admin(asked[i].verb) != admin ||
		!answer_fits(answer, asked[i].verb)))
		i++;
	return i;
}

/*
 * There is a request for it. Several may have one id: those that have two kinds
 * of answers, facts and errors, are left for what fits no other.
 */
static void
check_answer(struct span line)
{
	struct query_answer answer = query_answer_parse(line);
	size_t i = find_asked(&answer, false);

	if (i == n_asked)
		i = find_asked(&answer, true);
	assert(i < n_asked);
	asked[i].answered = true;
	n_open--;
	if (answer.word == QUERY_FACTS)
		check_facts(answer.text);
}

static void
check_answers(struct world *w, size_t *at)
{
	struct span line;

	if (*at == 0) {
		assert(fuzz_peer_line(&w->client, at, &line));
		assert(span_is(line, QUERY_GREETING));
	}
	while (fuzz_peer_line(&w->client, at, &line))
		check_answer(line);
	assert(*at == w->client.heard_len);
}

/* One run */

static void
time_passes(struct world *w, struct fuzz_input *input)
{
	static const int64_t ms[] = { 0, 0, 0, 0, 1, 300, 9000, 60000 };

	clock_advance(w->clock, ms[fuzz_choose(input, 8)]);
	fuzz_peer_settle(&w->client);
}

/*
 * Time for all that was asked. Those with long answers take turns: only so many
 * are under way.
 */
static void
deadlines_pass(struct world *w)
{
	size_t turns = 1;

	for (size_t i = 0; i < n_asked; i++)
		turns += !asked[i].answered &&
		    (asked[i].verb == QUERY_EXPLAIN ||
			query_verb_is_admin(asked[i].verb));
	turns = (turns + LIMIT_QUERY_LONG - 1) / LIMIT_QUERY_LONG;
	for (; turns > 0; turns--) {
		clock_advance(w->clock,
		    DEADLINE_S * 1000 + LIMIT_QUERY_JOB_SLACK_MS);
		fuzz_peer_settle(&w->client);
	}
}

static void
converse(struct world *w, struct fuzz_input *input)
{
	struct span text = { input->text.p, 0 }, chunk;
	size_t noted = 0, checked = 0;
	bool overlong = false;

	fuzz_peer_settle(&w->client);
	while (fuzz_chunk(input, &chunk)) {
		text.len += chunk.len;
		text_note(text, &noted, &overlong);
		fuzz_peer_say(&w->client, chunk);
		check_answers(w, &checked);
		time_passes(w, input);
		check_answers(w, &checked);
	}
	if (fuzz_choose(input, 4) == 1) /* leaves before it has its answers */
		return;
	if (!w->is_filter)
		fuzz_peer_half_close(&w->client);
	deadlines_pass(w);
	check_answers(w, &checked);
	assert(n_open == 0);
	assert(w->is_filter || w->client.ended);
}

/* Seen at once, or by an answer when the server was not reading. */
static void
hang_up(struct world *w)
{
	fuzz_peer_hang_up(&w->client);
	if (w->gone_calls == 0)
		deadlines_pass(w);
	assert(w->gone_calls == (unsigned)w->is_filter);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input;
	struct world w;

	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	log_init("fuzz", false, LOG_LEVEL_ERROR);
	n_asked = n_open = 0;
	world_open(&w, &input);
	converse(&w, &input);
	hang_up(&w);
	world_close(&w);
	return 0;
}
