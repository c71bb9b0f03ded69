/* SPDX-License-Identifier: ISC */
/*
 * The socketmap server's whole input: any bytes from a client, in any pieces,
 * and any bytes for a policy that a domain publishes, with the real engine
 * behind it on a network and a clock that exist in memory only. Every question
 * gets one answer, in order, within the time that Postfix waits; what is no
 * netstring ends the client; and whatever is published, an answer is made of
 * the attributes that are ours to give, each as often as it may be.
 *
 * The policy is what stands before the first NUL.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "filter/socketmap_server.h"
#include "proto/ascii.h"
#include "proto/socketmap.h"
#include "tests/fake/fake_net.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 4096
#define NOW_S 1700000000

struct world {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_cache *cache;
	struct engine *engine;
	struct socketmap_server *server;
	struct fuzz_peer client;
};

/* The network. */

static void
publish(struct fake_net *net, const char *domain, struct span body,
    const char *mx)
{
	char name[64], record[64];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	fake_net_dns(net, name, DNS_TXT, DNS_FOUND, "v=STSv1; id=1", NULL);
	fake_net_dns(net, name + 1, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	fake_net_body(net, domain, body, RESULT_NONE, NULL);
	snprintf(record, sizeof(record), "10 %s", mx);
	fake_net_dns(net, domain, DNS_MX, DNS_FOUND, record, NULL);
}

static void
net_fill(struct fake_net *net, struct fuzz_input *input, struct span policy)
{
	static const char *const hosts[] = { "mx.wild.test", "hostname",
		"a.b.wild.test", "_x.wild.test", "nexthop.", "x--.wild.test" };

	publish(net, "good.test",
	    span_of("version: STSv1\nmode: enforce\nmx: mx.good.test\n"
		    "max_age: 86400\n"),
	    "mx.good.test");
	publish(net, "wild.test", policy, hosts[fuzz_choose(input, 6)]);
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
	    fuzz_choose(input, 16) == 1, false);
}

static void
world_open(struct world *w, struct fuzz_input *input, struct span policy)
{
	static const unsigned deadlines[] = { 30, 5, 240 };

	*w = (struct world){ .config.record_patience_s = 3600 };
	w->clock = clock_new_fake(NOW_S);
	w->net = fake_net_new(w->clock);
	net_fill(w->net, input, policy);
	net_steer(w->net, input);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = deadlines[fuzz_choose(input, 3)];
	w->config.testing = fuzz_choose(input, 8) == 1;
	w->config.socketmap.report_testing = fuzz_choose(input, 2) == 1;
	w->cache = policy_cache_new(NULL, 100);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	w->server =
	    socketmap_server_new(fuzz_base(), w->clock, w->engine, &w->config);
	assert(socketmap_server_add(w->server, fuzz_peer_open(&w->client)));
}

/* The net and the clock assert that nothing was left behind. */
static void
world_close(struct world *w)
{
	socketmap_server_free(w->server);
	engine_free(w->engine);
	policy_cache_free(w->cache);
	fake_net_free(w->net);
	clock_free(w->clock);
	fuzz_peer_cleanup(&w->client);
}

/* What an answer may be made of. */

static bool
cut(struct span *rest, const char *text)
{
	size_t len = strlen(text);

	if (!span_starts(*rest, text))
		return false;
	rest->p += len;
	rest->len -= len;
	return true;
}

/* Names of hosts, and patterns: nothing that parts attributes. */
static bool
cut_name(struct span *rest, const char *further)
{
	size_t n = 0;

	while (n < rest->len &&
	    (ascii_is_alnum(rest->p[n]) || strchr("-_.", rest->p[n]) != NULL ||
		strchr(further, rest->p[n]) != NULL))
		n++;
	rest->p += n;
	rest->len -= n;
	return n > 0;
}

static void
check_tlsrpt(struct span *rest)
{
	unsigned strings = 0, patterns = 0;

	assert(cut(rest, " policy_type=sts policy_domain="));
	assert(cut_name(rest, ""));
	while (cut(rest, " { policy_string = ")) {
		assert(cut_name(rest, ""));
		assert(cut(rest, ": ") && cut_name(rest, "*"));
		assert(cut(rest, " }"));
		strings++;
	}
	while (cut(rest, " mx_host_pattern=")) {
		assert(cut_name(rest, "*"));
		patterns++;
	}
	assert(strings == patterns + 3 && patterns > 0);
	(void)cut(rest, " policy_failure=validation-failure");
}

static void
check_policy(const struct world *w, struct span rest, bool tlsrpt)
{
	bool secure = cut(&rest, "secure");

	assert(!w->config.testing);
	if (secure) {
		assert(cut(&rest, " match="));
		assert(!span_starts(rest, "."));
		assert(cut_name(&rest, ":"));
		assert(cut(&rest, " servername=hostname"));
	} else {
		assert(cut(&rest, "may") && tlsrpt);
		assert(w->config.socketmap.report_testing);
	}
	if (tlsrpt && rest.len > 0)
		check_tlsrpt(&rest);
	assert(rest.len == 0);
}

static void
check_answer(const struct world *w, struct span octets, struct span asked)
{
	struct socketmap_question q;
	bool good = socketmap_question_parse(asked, &q);
	bool known = good &&
	    (span_is(q.map, "policy") || span_is(q.map, "policy-tlsrpt"));

	assert(fuzz_is_printable(octets));
	assert(known != span_starts(octets, "PERM "));
	if (!known || span_is(octets, "NOTFOUND "))
		return;
	if (cut(&octets, "OK "))
		check_policy(w, octets, span_is(q.map, "policy-tlsrpt"));
	else
		assert(cut(&octets, "TEMP ") && octets.len > 0 &&
		    !w->config.testing);
}

/* One run: what was said so far, and how much of it was answered. */
struct talk {
	struct span said;
	size_t heard; /* octets of the client's that were looked at */
};

/* Answers come in the order of the questions. */
static void
check_answers(const struct world *w, struct talk *talk)
{
	struct span octets, asked;
	size_t used;

	for (;;) {
		struct span rest = { w->client.heard + talk->heard,
			w->client.heard_len - talk->heard };

		if (rest.len == 0 ||
		    netstring_parse(rest, SOCKETMAP_ANSWER_MAX, &octets,
			&used) != NETSTRING_WHOLE)
			break;
		talk->heard += used;
		assert(netstring_parse(talk->said, SOCKETMAP_QUESTION_MAX,
			   &asked, &used) == NETSTRING_WHOLE);
		talk->said.p += used;
		talk->said.len -= used;
		check_answer(w, octets, asked);
	}
	assert(talk->heard == w->client.heard_len);
}

static bool
has_question(const struct talk *talk)
{
	struct span asked;
	size_t used;

	return talk->said.len > 0 &&
	    netstring_parse(talk->said, SOCKETMAP_QUESTION_MAX, &asked,
		&used) == NETSTRING_WHOLE;
}

static void
time_passes(struct world *w, struct fuzz_input *input)
{
	static const int64_t ms[] = { 0, 0, 0, 0, 1, 300, 9000, 60000 };

	clock_advance(w->clock, ms[fuzz_choose(input, 8)]);
	fuzz_peer_settle(&w->client);
}

static void
converse(struct world *w, struct fuzz_input *input)
{
	struct talk talk = { .said = { input->text.p, 0 } };
	struct span chunk;

	while (!w->client.ended && fuzz_chunk(input, &chunk)) {
		talk.said.len += chunk.len;
		fuzz_peer_say(&w->client, chunk);
		check_answers(w, &talk);
		time_passes(w, input);
		check_answers(w, &talk);
	}
	if (fuzz_choose(input, 4) == 1) /* leaves before it has its answers */
		return;
	if (!w->client.ended)
		fuzz_peer_half_close(&w->client);
	/* One after the other: each has its time. A silence ends the client. */
	for (size_t i = 0; !w->client.ended && has_question(&talk); i++) {
		assert(i <= TEXT_MAX);
		clock_advance(w->clock, LIMIT_SOCKETMAP_ANSWER_MS);
		fuzz_peer_settle(&w->client);
		check_answers(w, &talk);
	}
	assert(w->client.ended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input;
	struct span policy;
	struct world w;
	const char *end;

	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	policy = input.text;
	end = input.text.len == 0 ? NULL
				  : memchr(input.text.p, '\0', input.text.len);
	if (end != NULL) {
		policy.len = (size_t)(end - policy.p);
		input.text.p = end + 1;
		input.text.len -= policy.len + 1;
	}
	log_init("fuzz", false, LOG_LEVEL_ERROR);
	world_open(&w, &input, policy);
	converse(&w, &input);
	fuzz_peer_hang_up(&w.client);
	world_close(&w);
	return 0;
}
