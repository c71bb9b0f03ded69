/* SPDX-License-Identifier: ISC */
/*
 * What a cold DANE lookup costs: the engine's own CPU time and the round trips
 * of DNS, at the delivery gate, for a domain that is not signed and for signed
 * ones of 1 and 10 MX hosts. The network is in memory (tests/fake); half of the
 * CPU time is its.
 *
 *	usage: bench_dane [LOOKUPS]
 *
 * Exit status 1: a target was missed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/verdict.h"
#include "tests/bench/process.h"
#include "tests/bench/result.h"
#include "tests/fake/fake_net.h"

#define ROUND_TRIP_MS 10
#define TLSA_RECORD                                                            \
	"\x03\x01\x01"                                                         \
	"0123456789abcdef0123456789abcdef"

static struct clock *fake_clock;
static struct fake_net *net;
static struct engine *engine;
static bool told;

static void
done(const struct verdict *verdict, void *arg)
{
	enum verdict_source wanted = *(const enum verdict_source *)arg;

	if (verdict->source != wanted || verdict->action != ACTION_PROCEED)
		die("%s", verdict->reason);
	told = true;
}

static void
host_publish(const char *mx)
{
	const struct span record = { TLSA_RECORD, sizeof(TLSA_RECORD) - 1 };
	char name[TLSA_NAME_SIZE];

	fake_net_dns(net, mx, DNS_A, DNS_FOUND, "192.0.2.25", NULL);
	fake_net_dnssec(net, mx, DNS_A, true, NULL);
	fake_net_dns(net, mx, DNS_AAAA, DNS_NO_DATA, NULL);
	fake_net_dnssec(net, mx, DNS_AAAA, true, NULL);
	if (!tlsa_name(SMTP_PORT, mx, name))
		die("no name for TLSA records of %s", mx);
	fake_net_records(net, name, DNS_TLSA, &record, 1);
	fake_net_dnssec(net, name, DNS_TLSA, true, NULL);
}

static void
publish(const char *domain, unsigned n_mx, bool is_signed)
{
	struct span records[32];
	char texts[32][64], mx[64];

	for (unsigned i = 0; i < n_mx; i++) {
		snprintf(mx, sizeof(mx), "mx%u.%s", i, domain);
		snprintf(texts[i], sizeof(texts[i]), "%u mx%u.%s", i, i,
		    domain);
		records[i] = span_of(texts[i]);
		if (is_signed)
			host_publish(mx);
	}
	fake_net_records(net, domain, DNS_MX, records, n_mx);
	fake_net_dnssec(net, domain, DNS_MX, is_signed, NULL);
}

/* Each lookup is cold: nothing lives as long as a lookup takes. */
static bool
measure(unsigned n_mx, bool is_signed, unsigned lookups, double most)
{
	enum verdict_source wanted = is_signed ? VERDICT_DANE : VERDICT_NONE;
	uint64_t cpu = process_cpu_ns(getpid());
	int64_t ms = 0;
	char what[80];
	bool met;

	fake_net_forget(net);
	publish("bench.test", n_mx, is_signed);
	for (unsigned i = 0; i < lookups; i++) {
		told = false;
		if (engine_ask(engine, GATE_DELIVERY, "bench.test", done,
			&wanted) == NULL)
			die("cannot ask");
		for (; !told; ms++)
			clock_advance(fake_clock, 1);
		clock_advance(fake_clock, 2000);
	}
	snprintf(what, sizeof(what), "cold lookup, %s, %u MX: round trips",
	    is_signed ? "signed" : "not signed", n_mx);
	met = result_print(what, (double)(ms / lookups / ROUND_TRIP_MS), "",
	    AT_MOST, most);
	snprintf(what, sizeof(what), "cold lookup, %s, %u MX: CPU",
	    is_signed ? "signed" : "not signed", n_mx);
	(void)result_print(what,
	    (double)(process_cpu_ns(getpid()) - cpu) / 1e3 / lookups, "us",
	    NO_TARGET, 0);
	return met;
}

int
main(int argc, char **argv)
{
	unsigned lookups =
	    argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 20000;
	struct config config = { .deadline_s = 30, .dane = true };
	struct policy_cache *cache;
	struct ports ports;
	bool met;

	log_init("bench", false, LOG_LEVEL_WARNING);
	if (lookups == 0)
		die("usage: bench_dane [LOOKUPS]");
	fake_clock = clock_new_fake(1700000000);
	net = fake_net_new(fake_clock);
	fake_net_ttl(net, 1);
	fake_net_delay(net, ROUND_TRIP_MS, ROUND_TRIP_MS, ROUND_TRIP_MS);
	ports = fake_net_ports(net);
	config.resolver.n_upstreams = 1;
	config.resolver.upstreams[0].trusted_ad = true;
	cache = policy_cache_new(NULL, 100);
	engine = engine_new(&config, &ports, cache);
	if (cache == NULL || engine == NULL)
		die("out of memory");
	met = measure(10, false, lookups, 1);
	met &= measure(1, true, lookups, 3);
	met &= measure(10, true, lookups, 3);
	engine_free(engine);
	policy_cache_free(cache);
	fake_net_free(net);
	clock_free(fake_clock);
	return met ? 0 : 1;
}
