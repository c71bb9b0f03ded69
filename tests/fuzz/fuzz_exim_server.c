/* SPDX-License-Identifier: ISC */
/*
 * The whole input of the server for Exim: any lines, each on a connection of
 * its own, in any pieces, with the real engine behind it on a network and a
 * clock that exist in memory only. Every line gets one answer within 4 s, of
 * a form that fits its verb, and then the end of the connection; a caller that
 * leaves harms nobody.
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
#include "common/tls_verify.h"
#include "filter/exim_server.h"
#include "proto/exim_line.h"
#include "tests/fake/fake_net.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 16384
#define NOW_S 1700000000

struct world {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_cache *cache;
	struct engine *engine;
	struct exim_server *server;
};

/* One for all runs: reading the system's authorities takes long. */
static struct tls_verify *verify;

static void
publish(struct fake_net *net, const char *domain, const char *mode)
{
	char name[64], body[256], record[64];

	snprintf(name, sizeof(name), "_mta-sts.%s", domain);
	fake_net_dns(net, name, DNS_TXT, DNS_FOUND, "v=STSv1; id=1", NULL);
	fake_net_dns(net, name + 1, DNS_A, DNS_FOUND, "192.0.2.80", NULL);
	snprintf(body, sizeof(body),
	    "version: STSv1\nmode: %s\nmx: mx.%s\nmx: *.x.test\n"
	    "max_age: 86400\n",
	    mode, domain);
	fake_net_policy(net, domain, body, RESULT_NONE, NULL);
	snprintf(record, sizeof(record), "10 mx.%s", domain);
	fake_net_dns(net, domain, DNS_MX, DNS_FOUND, record, NULL);
}

static void
world_open(struct world *w, struct fuzz_input *input)
{
	static const int delays[] = { 0, 1, 300, 3900, 40000, -1 };
	const char *why;

	*w = (struct world){ .clock = clock_new_fake(NOW_S) };
	w->net = fake_net_new(w->clock);
	publish(w->net, "a.test", "enforce");
	publish(w->net, "b.test", "testing");
	fake_net_dns(w->net, "c.test", DNS_MX, DNS_FOUND, "10 mx.c.test", NULL);
	fake_net_delay(w->net, delays[fuzz_choose(input, 6)],
	    delays[fuzz_choose(input, 6)], 0);
	w->ports = fake_net_ports(w->net);
	w->config.deadline_s = 30;
	w->config.testing = fuzz_choose(input, 4) == 1;
	w->config.record_patience_s = 3600;
	w->cache = policy_cache_new(NULL, 100);
	w->engine = engine_new(&w->config, &w->ports, w->cache);
	if (verify == NULL)
		verify = tls_verify_new(NULL, &why);
	w->server = exim_server_new(fuzz_base(), w->clock);
	assert(w->server != NULL && verify != NULL);
	exim_server_use(w->server, w->engine, &w->config, verify);
}

/* The net and the clock assert that nothing was left behind. */
static void
world_close(struct world *w)
{
	exim_server_free(w->server);
	engine_free(w->engine);
	policy_cache_free(w->cache);
	fake_net_free(w->net);
	clock_free(w->clock);
}

static void
check_answer(const struct exim_request *request, struct span answer)
{
	assert(answer.len < LIMIT_EXIM_ANSWER && fuzz_is_printable(answer));
	switch (request->verb) {
	case EXIM_BAD:
	case EXIM_POLICY:
	case EXIM_ROUTE:
		assert(span_starts(answer, "mode="));
		assert(exim_answer_parse(answer).text.p != NULL);
		break;
	case EXIM_CERT:
	case EXIM_VERDICT:
		assert(answer.len > 0);
		break;
	case EXIM_EVENT:
		assert(answer.len == 0);
		break;
	case EXIM_DOMAIN:
		assert(memchr(answer.p, ' ', answer.len) == NULL);
		break;
	}
}

/* One caller, with a line that ends with its LF. */
static void
call(struct world *w, struct fuzz_input *input, struct span line)
{
	struct exim_request request =
	    exim_request_parse((struct span){ line.p, line.len - 1 });
	struct fuzz_peer peer;
	struct span answer;
	size_t at = 0, cut = fuzz_choose(input, 4) == 1 ? line.len / 2 : 0;
	bool half_closes = fuzz_choose(input, 4) == 1;
	bool leaves = fuzz_choose(input, 8) == 1;

	assert(exim_server_add(w->server, fuzz_peer_open(&peer)));
	fuzz_peer_say(&peer, (struct span){ line.p, cut });
	fuzz_peer_say(&peer, (struct span){ line.p + cut, line.len - cut });
	if (half_closes)
		fuzz_peer_half_close(&peer);
	if (leaves) {
		fuzz_peer_hang_up(&peer);
		fuzz_peer_cleanup(&peer);
		return;
	}
	clock_advance(w->clock, LIMIT_EXIM_ANSWER_MS);
	fuzz_peer_settle(&peer);
	assert(fuzz_peer_line(&peer, &at, &answer));
	check_answer(&request, answer);
	assert(at == peer.heard_len && peer.ended);
	fuzz_peer_cleanup(&peer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const int64_t ms[] = { 0, 0, 0, 1, 2000, 61000 };
	struct fuzz_input input;
	struct span rest;
	struct world w;
	const char *end;

	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	log_init("fuzz", false, LOG_LEVEL_ERROR);
	world_open(&w, &input);
	rest = input.text;
	while (rest.len > 0 && (end = memchr(rest.p, '\n', rest.len)) != NULL) {
		size_t n = (size_t)(end - rest.p) + 1;

		call(&w, &input, (struct span){ rest.p, n });
		clock_advance(w.clock, ms[fuzz_choose(&input, 6)]);
		rest.p += n;
		rest.len -= n;
	}
	world_close(&w);
	return 0;
}
