/* SPDX-License-Identifier: ISC */
/*
 * strictmx tlsa: the TLSA records that fit the certificates of one's own MX
 * host, and what senders that do DANE make of those that are published. The
 * engine's own answers: common/tlsa_lookup and common/tls_verify.
 */
#include <event2/event.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/event_loop.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/ports.h"
#include "common/resolver.h"
#include "common/tls_verify.h"
#include "common/tlsa_lookup.h"
#include "common/tlsa_set.h"
#include "filter/tool.h"
#include "filter/tool_chain.h"
#include "filter/tool_input.h"
#include "filter/tool_options.h"
#include "filter/tool_progress.h"
#include "filter/tool_report.h"

static const char usage[] =
    "usage: strictmx tlsa [--json] [--offline] [--port N] [--config FILE]\n"
    "                     --cert CHAIN.pem HOST\n"
    "  -c, --cert CHAIN.pem  what the host shows, its own certificate first\n"
    "  -f, --config FILE     names the resolver (" CONFIG_DEFAULT_PATH ")\n"
    "  -j, --json            one line of JSON\n"
    "  -o, --offline         only print the records that fit\n"
    "  -p, --port N          25\n"
    "Prints the TLSA records that fit the certificates, and says whether\n"
    "senders that do DANE accept them by the records that are published.\n"
    "exit status: 0 they do, 1 they do not, 2 wrong call or unreadable file,\n"
    "             3 could not be told\n";

#define CHAIN_MAX 10 /* certificates that are looked at */

struct tlsa {
	bool json, offline;
	const char *cert, *port_text, *config_file;
	char host[DOMAIN_SIZE];
	uint16_t port;
	char name[TLSA_NAME_SIZE];
	STACK_OF(X509) * chain;
	struct tls_verify *verify;

	/* What senders see. */
	struct event_base *base;
	bool told; /* in time */
	struct dane_fact fact;
	struct tls_judgement judgement;
};

/* The records that fit. */

/* "3 1 1 ..." or "2 1 1 ..." of a certificate's key. */
static void
record_of(X509 *certificate, enum tlsa_usage kind, char text[TLSA_TEXT_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	unsigned n = 0;
	struct tlsa_record record = { .usage = (uint8_t)kind,
		.selector = TLSA_SPKI,
		.matching_type = TLSA_SHA2_256 };

	if (len <= 0 ||
	    EVP_Digest(der, (size_t)len, digest, &n, EVP_sha256(), NULL) != 1)
		fatal("the key of a certificate cannot be read");
	OPENSSL_free(der);
	record.association = (struct span){ (const char *)digest, n };
	tlsa_format(&record, text);
}

static int
chain_length(const struct tlsa *t)
{
	int n = sk_X509_num(t->chain);

	return n < CHAIN_MAX ? n : CHAIN_MAX;
}

static void
fitting_record(const struct tlsa *t, int i, char text[TLSA_TEXT_SIZE])
{
	record_of(sk_X509_value(t->chain, i),
	    i == 0 ? TLSA_DANE_EE : TLSA_DANE_TA, text);
}

/* Those that are published. */

/* A set with this record alone; to be dropped. */
static struct tlsa_set *
set_of_one(const struct tlsa_set *set, size_t i)
{
	const struct tlsa_record *r = &set->entries[i].record;
	struct dns_rr rr = { .tlsa = { r->usage, r->selector, r->matching_type,
				 r->association } };
	const struct dns_answer answer = { .outcome = DNS_FOUND,
		.type = DNS_TLSA,
		.n = 1,
		.rr = &rr };
	struct tlsa_set *one = tlsa_set_new(set->base, &answer);

	if (one == NULL)
		fatal("out of memory");
	return one;
}

static struct tls_judgement
judge(const struct tlsa *t, const struct tlsa_set *set)
{
	const struct tls_dane dane = { .mx = t->host, .tlsa = set };
	struct tls_judgement judgement;

	if (!tls_verify_dane_chain(t->verify, &dane, t->chain, NULL,
		&judgement))
		fatal("out of memory");
	return judgement;
}

/* What can follow the record. */
static const char *
record_word(const struct tlsa *t, size_t i)
{
	struct tlsa_set *one;
	struct tls_judgement judgement;

	if (t->fact.tlsa->entries[i].unusable != NULL)
		return t->fact.tlsa->entries[i].unusable;
	one = set_of_one(t->fact.tlsa, i);
	judgement = judge(t, one);
	tlsa_set_drop(&one);
	if (judgement.result == RESULT_NONE)
		return "matches";
	return judgement.result == RESULT_TLSA_INVALID ? "does not match"
						       : judgement.why;
}

static void
lookup_done(const struct dane_fact *fact, uint32_t ttl_s, void *arg)
{
	struct tlsa *t = arg;

	(void)ttl_s;
	t->fact = *fact;
	t->told = true;
	event_base_loopbreak(t->base);
}

static void
time_is_up(void *arg)
{
	struct tlsa *t = arg;

	event_base_loopbreak(t->base);
}

static struct config *
config_read(const struct tlsa *t)
{
	const char *path =
	    t->config_file == NULL ? CONFIG_DEFAULT_PATH : t->config_file;
	char error[CONFIG_ERROR_SIZE];
	struct config *config =
	    config_load(path, t->config_file != NULL, error);

	if (config == NULL)
		log_error("%s", error);
	return config;
}

static void
look_up(struct tlsa *t, const struct config *config)
{
	struct ports ports = { .clock = NULL };
	const struct tlsa_lookup_opts opts = { .ports = &ports,
		.mx = t->host,
		.port = t->port,
		.fresh = true };
	struct resolver *resolver = NULL;
	struct tool_progress *progress;
	struct tlsa_lookup *lookup;
	struct clock_timer *deadline;

	if ((t->base = event_base_new()) == NULL ||
	    (ports.clock = clock_new(t->base)) == NULL ||
	    (resolver = resolver_new(t->base, ports.clock,
		 &config->resolver)) == NULL)
		fatal("the resolver cannot be set up");
	ports.dns = resolver_port(resolver);
	progress = tool_progress_new(ports.clock);
	tool_progress_say(progress, "looking for %s", t->name);
	deadline =
	    clock_timer_start(ports.clock, LIMIT_LINT_MX_MS, time_is_up, t);
	lookup = tlsa_lookup_start(&opts, lookup_done, t);
	if (deadline == NULL || lookup == NULL)
		fatal("out of memory");
	event_base_dispatch(t->base);
	if (t->told)
		lookup = NULL; /* it is spent */
	tlsa_lookup_cancel(&lookup);
	clock_timer_cancel(&deadline);
	tool_progress_free(progress);
	resolver_free(resolver);
	clock_free(ports.clock);
	event_loop_free(t->base);
	libevent_global_shutdown();
}

/* What it comes to. */

/* One sentence; the exit status. */
static int
conclude(struct tlsa *t, char text[512])
{
	const struct dane_fact *fact = &t->fact;

	if (!t->told || fact->state == DANE_UNKNOWN) {
		snprintf(text, 512, "cannot be looked up: %s",
		    t->told ? fact->why : "no answer in time");
		return TOOL_UNKNOWN;
	}
	if (fact->state == DANE_NONE) {
		snprintf(text, 512, "%s",
		    fact->addresses == DNSSEC_SECURE
			? "nothing is published that DNSSEC proves"
			: fact->addresses == DNSSEC_INSECURE
			? "DNSSEC does not prove the addresses of the host: "
			  "senders look for no TLSA records"
			: "the host has no addresses");
		return TOOL_BAD;
	}
	if (fact->state == DANE_UNUSABLE) {
		snprintf(text, 512,
		    "no record can be used with SMTP: senders only encrypt");
		return TOOL_BAD;
	}
	t->judgement = judge(t, fact->tlsa);
	snprintf(text, 512, "%s%s",
	    t->judgement.result == RESULT_NONE ? "senders that do DANE accept "
						 "these certificates"
					       : "certificate ",
	    t->judgement.result == RESULT_NONE ? "" : t->judgement.why);
	return t->judgement.result == RESULT_NONE ? TOOL_FINE : TOOL_BAD;
}

/* Days until the host's own certificate expires, rounded down. */
static int
days_left(const struct tlsa *t)
{
	int days = 0, seconds = 0;

	if (ASN1_TIME_diff(&days, &seconds, NULL,
		X509_get0_notAfter(sk_X509_value(t->chain, 0))) != 1)
		return 0;
	return days;
}

/*
 * RFC 7671 8.1: the next key's record is to be there before the key. NULL when
 * nothing is to be feared.
 */
static const char *
trouble(const struct tlsa *t)
{
	if (t->fact.state == DANE_USABLE && t->fact.tlsa->n_usable == 1 &&
	    days_left(t) < LIMIT_TLSA_SOON_DAYS)
		return "one record only, and the certificate expires soon: "
		       "publish that of the next key before it is used";
	if (t->fact.tlsa != NULL && t->fact.tlsa->n > t->fact.tlsa->n_usable)
		return "a record cannot be used with SMTP: take it away";
	return NULL;
}

static json_t *
published_json(const struct tlsa *t)
{
	json_t *list = json_array();
	char text[TLSA_TEXT_SIZE];

	for (size_t i = 0; t->fact.tlsa != NULL && i < t->fact.tlsa->n; i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s}", "record",
			tlsa_format(&t->fact.tlsa->entries[i].record, text),
			"word", record_word(t, i)));
	return list;
}

static void
print_json(const struct tlsa *t, const char *text)
{
	json_t *records = json_array();
	char record[TLSA_TEXT_SIZE];

	for (int i = 0; i < chain_length(t); i++) {
		fitting_record(t, i, record);
		json_array_append_new(records, json_string(record));
	}
	tool_report_json(json_pack("{s:s, s:o, s:o, s:s?, s:s?, s:s?}", "name",
	    t->name, "records", records, "published", published_json(t),
	    "state", t->offline ? NULL : dane_state_name(t->fact.state),
	    "detail", text, "warning", t->offline ? NULL : trouble(t)));
}

static void
print_text(const struct tlsa *t, int status, const char *text)
{
	char record[TLSA_TEXT_SIZE];

	for (int i = 0; i < chain_length(t); i++) {
		fitting_record(t, i, record);
		printf("%s. IN TLSA %s\n", t->name, record);
	}
	if (t->offline)
		return;
	if (t->fact.tlsa != NULL)
		printf("published at %s:\n", t->fact.tlsa->base);
	for (size_t i = 0; t->fact.tlsa != NULL && i < t->fact.tlsa->n; i++)
		printf("  %s: %s\n",
		    tlsa_format(&t->fact.tlsa->entries[i].record, record),
		    record_word(t, i));
	if (trouble(t) != NULL)
		printf("warning: %s\n", trouble(t));
	tool_report_verdict(status == TOOL_FINE, "%s", text);
}

/* Arguments. */

/* NULL, or what is wrong with the call. */
static const char *
arguments_read(struct tlsa *t, int n, char *const *argv)
{
	unsigned long port = SMTP_PORT;

	if (t->cert == NULL)
		return "--cert is wanted";
	if (n != 1)
		return "one HOST is wanted";
	if (domain_fold(span_of(argv[0]), t->host) != DOMAIN_OK)
		return "HOST is no host name";
	if (t->port_text != NULL &&
	    (!span_number(span_of(t->port_text), UINT16_MAX, &port) ||
		port == 0))
		return "N is no port";
	t->port = (uint16_t)port;
	if (!tlsa_name(t->port, t->host, t->name))
		return "HOST is too long for a TLSA record";
	return NULL;
}

static bool
chain_read(struct tlsa *t)
{
	struct tool_input input;
	bool good;

	if (!tool_input_read(t->cert, &input))
		return false;
	good = !input.is_too_large && tool_chain_read(t->chain, input.bytes) &&
	    sk_X509_num(t->chain) > 0;
	if (!good)
		log_error("%s: no certificates that can be read", t->cert);
	tool_input_cleanup(&input);
	return good;
}

/* The records are printed in any case; the exit status. */
static int
run(struct tlsa *t)
{
	struct config *config = NULL;
	char text[512] = "";
	int status = TOOL_FINE;

	if (!chain_read(t))
		return TOOL_USAGE;
	if (!t->offline) {
		if ((config = config_read(t)) == NULL)
			return TOOL_USAGE;
		look_up(t, config);
		status = conclude(t, text);
	}
	if (t->json)
		print_json(t, t->offline ? NULL : text);
	else
		print_text(t, status, text);
	config_free(config);
	return status;
}

int
tool_tlsa(int argc, char **argv)
{
	struct tlsa t = { .json = false };
	const struct tool_option options[] = {
		{ .name = "cert", .letter = 'c', .value = &t.cert },
		{ .name = "config", .letter = 'f', .value = &t.config_file },
		{ .name = "json", .letter = 'j', .flag = &t.json },
		{ .name = "offline", .letter = 'o', .flag = &t.offline },
		{ .name = "port", .letter = 'p', .value = &t.port_text },
	};
	const char *why;
	int status = tool_options_read("tlsa", usage, options, 5, argc, argv);

	if (status != -1)
		return status;
	why = arguments_read(&t, argc - optind, argv + optind);
	if (why != NULL)
		return tool_options_wrong("tlsa", usage, why);
	t.chain = sk_X509_new_null();
	t.verify = tls_verify_new(NULL, &why);
	if (t.chain == NULL || t.verify == NULL)
		fatal("%s", why);
	status = run(&t);
	tlsa_set_drop(&t.fact.tlsa);
	tls_verify_free(t.verify);
	sk_X509_pop_free(t.chain, X509_free);
	return status;
}
