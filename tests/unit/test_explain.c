/* SPDX-License-Identifier: ISC */
/*
 * A verdict as JSON: the members that strictmx(1) documents, whatever texts
 * peers have sent, and all of it or nothing without memory.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/explain.h"
#include "common/facts.h"
#include "common/tlsa_set.h"
#include "common/verdict.h"
#include "proto/dns_message.h"
#include "tests/unit/allocation.h"

/* jansson allocates through these: the ones of the tree, that can fail. */
static void *
json_allocate(size_t size)
{
	return malloc(size);
}

static void
json_release(void *p)
{
	free(p);
}

static char good_pattern[] = "*.example.com", other_pattern[] = "mx.test";
static char *patterns[] = { good_pattern, other_pattern };

static struct tlsa_set *tlsa;

/* Every fact is there. */
static struct verdict
full_verdict(struct mx_fact mx[2])
{
	struct verdict v = {
		.source = VERDICT_STS,
		.action = ACTION_DEFER,
		.result = RESULT_CERTIFICATE_EXPIRED,
		.mx = "mx1.example.com",
		.reason = "451 4.7.5 MTA-STS policy of example.com",
		.facts = {
			.domain = "example.com",
			.sts = {
				.record = RECORD_FOUND,
				.record_id = "20261101",
				.state = POLICY_CACHED,
				.id = "20261031",
				.fetched_at_s = 1700000000,
				.policy = {
					.mode = STS_MODE_ENFORCE,
					.max_age_s = 604800,
					.mx = patterns,
					.n_mx = 2,
				},
				.failure = RESULT_STS_WEBPKI_INVALID,
				.failure_why = "certificate has expired",
			},
			.mx_state = MX_FOUND,
			.mx_dnssec = DNSSEC_SECURE,
			.dane = true,
			.n_mx = 2,
			.mx = mx,
			.deadline_hit = true,
		},
	};

	memset(mx, 0, 2 * sizeof(*mx));
	strcpy(mx[0].host, "mx1.example.com");
	mx[0].preference = 65535;
	mx[0].listed = true;
	mx[0].required = PROOF_ENCRYPTED | PROOF_PKIX;
	mx[0].probe.state = PROBE_TLS_FAILED;
	mx[0].probe.proofs = PROOF_ENCRYPTED | PROOF_DANE;
	mx[0].probe.result = RESULT_CERTIFICATE_EXPIRED;
	strcpy(mx[0].probe.why, "has expired");
	assert_true(address_parse("2001:db8::1", &mx[0].probe.address));
	strcpy(mx[1].host, "backup.example.net");
	mx[0].dane.why = "SERVFAIL";
	mx[1].under_dane = mx[1].eligible = true;
	mx[1].required = PROOF_ENCRYPTED | PROOF_DANE;
	mx[1].dane.state = DANE_USABLE;
	mx[1].dane.addresses = DNSSEC_SECURE;
	mx[1].dane.tlsa = tlsa;
	mx[1].probe.state = PROBE_GOOD;
	mx[1].probe.proofs = PROOF_ENCRYPTED | PROOF_DANE;
	mx[1].probe.tlsa_matched = 1;
	return v;
}

/* The JSON of a verdict, which must be one line. */
static json_t *
explained(char *line)
{
	json_error_t error;
	json_t *json;

	assert_non_null(line);
	assert_null(strchr(line, '\n'));
	json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	free(line);
	assert_true(json_is_object(json));
	return json;
}

static void
assert_packed(const json_t *json, json_t *expected)
{
	char *left = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
	char *right = json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1));

	assert_non_null(left);
	assert_non_null(right);
	assert_string_equal(left, right);
	free(left);
	free(right);
	json_decref(expected);
}

#define DIGEST                                                                 \
	"6161616161616161616161616161616161616161616161616161616161616161"
#define OTHER                                                                  \
	"{'record': '1 1 1 " DIGEST "', 'matched': false,"                     \
	"'unusable': 'has usage 1, which is not for SMTP'}"

static const char full_json[] =
    "{'domain': 'example.com', 'action': 'defer', 'source': 'sts',"
    "'mx': 'mx1.example.com',"
    "'reason': '451 4.7.5 MTA-STS policy of example.com',"
    "'result': 'certificate-expired',"
    "'record': {'state': 'found', 'id': '20261101', 'why': null},"
    "'policy': {'state': 'cached', 'id': '20261031', 'mode': 'enforce',"
    " 'mx': ['*.example.com', 'mx.test'], 'max_age': 604800,"
    " 'fetched_at': 1700000000, 'failure': {'result': 'sts-webpki-invalid',"
    "  'why': 'certificate has expired'}, 'override': null},"
    "'mx_set': {'state': 'found', 'dnssec': 'secure', 'why': null, 'hosts': ["
    " {'host': 'mx1.example.com', 'preference': 65535, 'listed': true,"
    "  'under_dane': false, 'eligible': false,"
    "  'required': ['encrypted', 'pkix'], 'dane': {'state': 'unknown',"
    "   'why': 'SERVFAIL', 'addresses': 'unknown', 'base': null,"
    "   'records': 0, 'tlsa': []}, 'probe': {'state': 'tls-failed',"
    "  'address': '2001:db8::1', 'shown': ['encrypted', 'dane'],"
    "  'result': 'certificate-expired', 'why': 'has expired'}},"
    " {'host': 'backup.example.net', 'preference': 0, 'listed': false,"
    "  'under_dane': true, 'eligible': true,"
    "  'required': ['encrypted', 'dane'], 'dane': {'state': 'usable',"
    "   'why': null, 'addresses': 'secure', 'base': 'real.example.net',"
    "   'records': 12, 'tlsa': ["
    "    {'record': '3 1 1 " DIGEST "', 'unusable': null, 'matched': false},"
    "    {'record': '3 1 1 " DIGEST "', 'unusable': null, 'matched': true},"
    "" OTHER "," OTHER "," OTHER "," OTHER "," OTHER "," OTHER "]},"
    "  'probe': {'state': 'good', 'address': null,"
    "  'shown': ['encrypted', 'dane'], 'result': 'none', 'why': null}}]},"
    "'deadline_hit': true}";

static const char empty_json[] =
    "{'domain': null, 'action': 'proceed', 'source': 'none', 'mx': null,"
    "'reason': 'no MTA-STS policy', 'result': 'none',"
    "'record': {'state': 'unknown', 'id': null, 'why': null},"
    "'policy': {'state': 'unknown', 'id': null, 'mode': 'unknown', 'mx': [],"
    " 'max_age': 0, 'fetched_at': 0, 'failure': null, 'override': null},"
    "'mx_set': {'state': 'unknown', 'dnssec': 'unknown', 'why': null,"
    " 'hosts': []}, 'deadline_hit': false}";

/* JSON with ' for ", which C wants escaped. */
static json_t *
json_of(const char *quoted)
{
	char text[8192];
	json_t *json;

	snprintf(text, sizeof(text), "%s", quoted);
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

static void
every_documented_member_is_there(void **state)
{
	struct mx_fact mx[2];
	struct verdict v = full_verdict(mx);
	json_t *json = explained(explain_verdict(&v));

	(void)state;
	assert_packed(json, json_of(full_json));
	json_decref(json);
}

static void
a_policy_set_here_says_until_when_and_why(void **state)
{
	struct verdict v = { .source = VERDICT_OVERRIDE };
	struct override_facts *o = &v.facts.sts.override;
	json_t *json;

	(void)state;
	v.facts.sts.state = POLICY_OVERRIDE;
	*o = (struct override_facts){ .until_s = 1800000000,
		.reason = "ticket\n4711",
		.line = 7 };
	json = explained(explain_verdict(&v));
	assert_string_equal(json_string_value(json_object_get(json, "source")),
	    "override");
	assert_packed(json_object_get(json_object_get(json, "policy"),
			  "override"),
	    json_of("{'until': 1800000000, 'reason': 'ticket?4711',"
		    "'line': 7}"));
	json_decref(json);
	o->line = 0;
	o->reason[0] = '\0';
	json = explained(explain_verdict(&v));
	assert_packed(json_object_get(json_object_get(json, "policy"),
			  "override"),
	    json_of("{'until': 1800000000, 'reason': null, 'line': null}"));
	json_decref(json);
}

static void
what_is_not_known_is_null_or_unknown(void **state)
{
	struct verdict v = { .reason = "no MTA-STS policy" };
	json_t *json = explained(explain_verdict(&v));

	(void)state;
	assert_packed(json, json_of(empty_json));
	json_decref(json);
}

static void
an_exempt_recipient_ends_with_result(void **state)
{
	json_t *json = explained(explain_exempt("local.test", "local domain"));

	(void)state;
	assert_packed(json,
	    json_of("{'domain': 'local.test', 'action': 'proceed',"
		    "'source': 'none', 'mx': null, 'reason': 'local domain',"
		    "'result': 'none'}"));
	json_decref(json);
	json = explained(explain_exempt("", "recipient without a domain"));
	assert_true(json_is_null(json_object_get(json, "domain")));
	json_decref(json);
}

/* Not UTF-8, controls, quotes: whatever a peer manages to have said. */
static const char *const hostile[] = {
	"\"},{\"action\":\"proceed\"",
	"\\\\\\\"\\u0000",
	"\x1b[2J\x07\r\n",
	"\xff\xfe\xc0\x80\xed\xa0\x80",
	"\xe2\x82",
	"%s%n%d",
	"\x7f\xc2\x9b;31m",
};

static void
assert_printable(const json_t *json)
{
	const char *key, *s;
	const json_t *value;
	size_t i;

	if (json_is_string(json))
		for (s = json_string_value(json); *s != '\0'; s++)
			assert_in_range(*s, 0x20, 0x7e);
	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	    assert_printable(value);
	json_array_foreach(json, i, value) assert_printable(value);
}

static void
hostile_texts_are_valid_and_printable_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct mx_fact mx[2];
		struct verdict v = full_verdict(mx);
		char pattern[64];
		char *one[] = { pattern };
		json_t *json;

		strcpy(v.reason, hostile[i]);
		strcpy(v.mx, hostile[i]);
		strcpy(v.facts.domain, hostile[i]);
		strcpy(v.facts.sts.failure_why, hostile[i]);
		strcpy(v.facts.sts.record_id, hostile[i]);
		strcpy(pattern, hostile[i]);
		v.facts.sts.policy.mx = one;
		v.facts.sts.policy.n_mx = 1;
		v.facts.sts.record_why = v.facts.mx_why = hostile[i];
		strcpy(mx[0].host, hostile[i]);
		strcpy(mx[0].probe.why, hostile[i]);
		json = explained(explain_verdict(&v));
		assert_int_equal(json_object_size(json), 10);
		assert_string_equal(json_string_value(
					json_object_get(json, "action")),
		    "defer");
		assert_printable(json);
		json_decref(json);
		json = explained(explain_exempt(hostile[i], "local domain"));
		assert_printable(json);
		json_decref(json);
	}
}

/* All of the facts, or NULL: a missing host would be a wrong answer. */
static void
without_memory_there_is_no_half_answer(void **state)
{
	struct mx_fact mx[2];
	struct verdict v = full_verdict(mx);
	char *wholes[] = { explain_verdict(&v),
		explain_exempt("local.test", "local domain") };
	unsigned n_failed = 0;

	(void)state;
	for (int which = 0; which < 2; which++) {
		bool failed = true;

		for (unsigned i = 1; failed; i++) {
			char *line;

			allocation_fail(i);
			line = which == 0
			    ? explain_verdict(&v)
			    : explain_exempt("local.test", "local domain");
			failed = allocation_has_failed();
			allocation_fail(0);
			assert_true(failed || line != NULL);
			if (line == NULL)
				n_failed++;
			else
				assert_string_equal(line, wholes[which]);
			free(line);
		}
		free(wholes[which]);
	}
	assert_in_range(n_failed, 100, 1000);
}

/* Twelve records, two of which are usable. */
static int
set_up(void **state)
{
	static const char digest[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct dns_rr rr[12] = { 0 };
	const struct dns_answer answer = { .outcome = DNS_FOUND,
		.type = DNS_TLSA,
		.n = 12,
		.rr = rr };

	(void)state;
	for (int i = 0; i < 12; i++) {
		rr[i].tlsa.usage = i < 2 ? 3 : 1;
		rr[i].tlsa.selector = rr[i].tlsa.matching_type = 1;
		rr[i].tlsa.association = (struct span){ digest, 32 };
	}
	tlsa = tlsa_set_new("real.example.net", &answer);
	return tlsa == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tlsa_set_drop(&tlsa);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_documented_member_is_there),
		cmocka_unit_test(a_policy_set_here_says_until_when_and_why),
		cmocka_unit_test(what_is_not_known_is_null_or_unknown),
		cmocka_unit_test(an_exempt_recipient_ends_with_result),
		cmocka_unit_test(hostile_texts_are_valid_and_printable_json),
		cmocka_unit_test(without_memory_there_is_no_half_answer),
	};

	json_set_alloc_funcs(json_allocate, json_release);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
