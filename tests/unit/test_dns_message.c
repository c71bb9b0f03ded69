/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns_message.h"
#include "tests/unit/dns_builder.h"

#define NAME "_mta-sts.example.com"

static struct dns_built m;

/* Reads from a copy of exactly that size, so that ASan sees every overrun. */
static struct dns_answer *
read_as(const char *name, enum dns_type type)
{
	uint8_t *wire = malloc(m.len == 0 ? 1 : m.len);
	struct dns_answer *answer;

	assert_non_null(wire);
	memcpy(wire, m.wire, m.len);
	answer = dns_message_read(wire, m.len, name, type);
	free(wire);
	assert_non_null(answer);
	return answer;
}

static void
expect_tempfail(const char *name, enum dns_type type, const char *why)
{
	struct dns_answer *answer = read_as(name, type);

	if (answer->outcome != DNS_TEMPFAIL || answer->why == NULL ||
	    strcmp(answer->why, why) != 0)
		fail_msg("wanted \"%s\", got outcome %d \"%s\"", why,
		    answer->outcome, answer->why == NULL ? "" : answer->why);
	assert_int_equal(answer->n, 0);
	assert_int_equal(answer->ttl_s, 0);
	assert_false(answer->secure);
	dns_answer_free(answer);
}

static void
expect_nothing(const char *name, enum dns_type type, enum dns_outcome outcome,
    uint32_t ttl_s)
{
	struct dns_answer *answer = read_as(name, type);

	if (answer->outcome != outcome)
		fail_msg("outcome %d: %s", answer->outcome,
		    answer->why == NULL ? "" : answer->why);
	assert_null(answer->why);
	assert_int_equal(answer->n, 0);
	assert_int_equal(answer->ttl_s, ttl_s);
	dns_answer_free(answer);
}

static struct dns_answer *
expect_found(const char *name, enum dns_type type, size_t n)
{
	struct dns_answer *answer = read_as(name, type);

	if (answer->outcome != DNS_FOUND)
		fail_msg("outcome %d: %s", answer->outcome,
		    answer->why == NULL ? "" : answer->why);
	assert_null(answer->why);
	assert_int_equal(answer->n, n);
	assert_int_equal(answer->type, type);
	return answer;
}

/* A good answer, to be spoilt. */
static void
build_good(void)
{
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_txt(&m, NAME, 300, "v=STSv1; id=1;");
}

/* What is found */

static void
txt_strings_are_joined_with_nul_and_beyond_255(void **state)
{
	struct dns_answer *answer;
	char wanted[5 + 255 + 3], *p = wanted;

	(void)state;
	memcpy(p, "v=\0ST", 5);
	memset(p + 5, 'x', 255);
	memcpy(p + 260, "end", 3);
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	record_begin(&m, BUILT_ANSWER, NAME, DNS_TXT, 300);
	put8(&m, 5);
	put_bytes(&m, p, 5);
	put8(&m, 255);
	put_bytes(&m, p + 5, 255);
	put8(&m, 0);
	put8(&m, 3);
	put_bytes(&m, p + 260, 3);
	record_end(&m);
	add_txt(&m, NAME, 200, "");
	answer = expect_found(NAME, DNS_TXT, 2);
	assert_int_equal(answer->rr[0].txt.len, sizeof(wanted));
	assert_memory_equal(answer->rr[0].txt.p, wanted, sizeof(wanted));
	assert_int_equal(answer->rr[1].txt.len, 0);
	assert_int_equal(answer->ttl_s, 200);
	assert_false(answer->aliased);
	assert_false(answer->secure);
	assert_string_equal(answer->canonical, NAME);
	dns_answer_free(answer);
}

static void
mx_hosts_are_folded_and_stay_in_order(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	add_mx(&m, "example.com", 300, 20, "MX2.Example.COM");
	add_mx(&m, "EXAMPLE.com", 100, 10, "mx_1.example.net");
	answer = expect_found("example.com", DNS_MX, 2);
	assert_int_equal(answer->rr[0].mx.preference, 20);
	assert_string_equal(answer->rr[0].mx.host, "mx2.example.com");
	assert_int_equal(answer->rr[1].mx.preference, 10);
	assert_string_equal(answer->rr[1].mx.host, "mx_1.example.net");
	assert_int_equal(answer->ttl_s, 100);
	dns_answer_free(answer);
}

static void
the_null_mx_has_an_empty_host(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	add_mx(&m, "example.com", 300, 0, "");
	answer = expect_found("example.com", DNS_MX, 1);
	assert_string_equal(answer->rr[0].mx.host, "");
	dns_answer_free(answer);
}

static void
mx_hosts_that_are_no_names_are_dropped(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	add_mx(&m, "example.com", 300, 5, "two words.example.com");
	add_mx(&m, "example.com", 300, 10, "mx1.example.com");
	answer = expect_found("example.com", DNS_MX, 1);
	assert_string_equal(answer->rr[0].mx.host, "mx1.example.com");
	dns_answer_free(answer);

	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	add_mx(&m, "example.com", 300, 5, "two words.example.com");
	expect_tempfail("example.com", DNS_MX, "only unreadable names");
}

static void
a_dot_inside_a_label_does_not_make_another_name(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	record_begin(&m, BUILT_ANSWER, "example.com", DNS_MX, 300);
	put16(&m, 10);
	put_bytes(&m, "\013mx1.example\003com", 17);
	record_end(&m);
	expect_tempfail("example.com", DNS_MX, "only unreadable names");

	build_good();
	m.wire[12 + 9] = '.'; /* of the question: "_mta-sts.example" is one */
	m.wire[12] = 16;
	expect_tempfail(NAME, DNS_TXT, "answer to another question");
}

static void
three_hundred_mx_are_cut_to_the_bound(void **state)
{
	struct dns_answer *answer;
	char host[32];

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	for (unsigned i = 0; i < 300; i++) {
		snprintf(host, sizeof(host), "mx%u.example.com", i);
		add_mx(&m, "example.com", 300, i, host);
	}
	answer = expect_found("example.com", DNS_MX, DNS_RECORDS_MAX);
	assert_string_equal(answer->rr[0].mx.host, "mx0.example.com");
	assert_string_equal(answer->rr[255].mx.host, "mx255.example.com");
	dns_answer_free(answer);
}

static void
addresses_and_tlsa_are_copied_out(void **state)
{
	static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 25 };
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "mx.example.com", DNS_A);
	add_a(&m, "mx.example.com", 300, 0xc0000201);
	answer = expect_found("mx.example.com", DNS_A, 1);
	assert_memory_equal(answer->rr[0].a, "\300\0\2\1", 4);
	dns_answer_free(answer);

	built_begin(&m, DNS_ANSWER_FLAGS, "mx.example.com", DNS_AAAA);
	record_begin(&m, BUILT_ANSWER, "mx.example.com", DNS_AAAA, 300);
	put_bytes(&m, v6, 16);
	record_end(&m);
	answer = expect_found("mx.example.com", DNS_AAAA, 1);
	assert_memory_equal(answer->rr[0].aaaa, v6, 16);
	dns_answer_free(answer);

	built_begin(&m, DNS_ANSWER_FLAGS, "_25._tcp.mx.example.com", DNS_TLSA);
	record_begin(&m, BUILT_ANSWER, "_25._tcp.mx.example.com", DNS_TLSA, 9);
	put_bytes(&m, "\3\1\2association", 14);
	record_end(&m);
	record_begin(&m, BUILT_ANSWER, "_25._tcp.mx.example.com", DNS_TLSA, 9);
	put_bytes(&m, "\2\0\0", 3);
	record_end(&m);
	answer = expect_found("_25._tcp.mx.example.com", DNS_TLSA, 2);
	assert_int_equal(answer->rr[0].tlsa.usage, 3);
	assert_int_equal(answer->rr[0].tlsa.selector, 1);
	assert_int_equal(answer->rr[0].tlsa.matching_type, 2);
	assert_true(span_is(answer->rr[0].tlsa.association, "association"));
	assert_int_equal(answer->rr[1].tlsa.association.len, 0);
	dns_answer_free(answer);
}

static void
a_cname_that_was_asked_for_is_not_followed(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_CNAME);
	add_name_record(&m, BUILT_ANSWER, "a.example", DNS_CNAME, 60,
	    "B.Example");
	answer = expect_found("a.example", DNS_CNAME, 1);
	assert_string_equal(answer->rr[0].target, "b.example");
	assert_false(answer->aliased);
	dns_answer_free(answer);
}

static void
the_ad_bit_becomes_secure_also_for_nothing(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS | DNS_FLAG_AD, NAME, DNS_TXT);
	add_txt(&m, NAME, 300, "x");
	answer = expect_found(NAME, DNS_TXT, 1);
	assert_true(answer->secure);
	dns_answer_free(answer);

	built_begin(&m, DNS_ANSWER_FLAGS | DNS_FLAG_AD | 3, NAME, DNS_TXT);
	add_soa(&m, "com", 300, 300);
	answer = read_as(NAME, DNS_TXT);
	assert_int_equal(answer->outcome, DNS_NO_NAME);
	assert_true(answer->secure);
	dns_answer_free(answer);
}

static void
other_types_and_classes_in_the_answer_are_ignored(void **state)
{
	(void)state;
	build_good();
	record_begin(&m, BUILT_ANSWER, NAME, 46, 1);
	put_bytes(&m, "RRSIG of no matter what", 23);
	record_end(&m);
	record_class_begin(&m, BUILT_ANSWER, NAME, DNS_TXT, 3, 1);
	put_bytes(&m, "\1c", 2);
	record_end(&m);
	add_name_record(&m, BUILT_ADDITIONAL, "other.example", 2, 1, "ns");
	dns_answer_free(expect_found(NAME, DNS_TXT, 1));
}

static void
compressed_names_are_expanded(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	set16(&m, BUILT_ANSWER, 1);
	put16(&m, 0xc00c); /* the question's name */
	put16(&m, DNS_MX);
	put16(&m, 1);
	put32(&m, 300);
	put16(&m, 8);
	put16(&m, 10);
	put_bytes(&m, "\3mx1\300\014", 6);
	answer = expect_found("example.com", DNS_MX, 1);
	assert_string_equal(answer->rr[0].mx.host, "mx1.example.com");
	dns_answer_free(answer);
}

static void
names_of_253_octets_are_read(void **state)
{
	char name[254];

	(void)state;
	memset(name, 'x', 253);
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	built_begin(&m, DNS_ANSWER_FLAGS, name, DNS_A);
	add_a(&m, name, 300, 0xc0000201);
	dns_answer_free(expect_found(name, DNS_A, 1));
}

static void
a_ttl_with_the_top_bit_is_zero(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_txt(&m, NAME, 0x80000000u, "x");
	answer = expect_found(NAME, DNS_TXT, 1);
	assert_int_equal(answer->ttl_s, 0);
	dns_answer_free(answer);
}

/* What is not there */

static void
nothing_lives_as_long_as_soa_and_minimum_say(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_soa(&m, "example.com", 300, 60);
	expect_nothing(NAME, DNS_TXT, DNS_NO_DATA, 60);
	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	add_soa(&m, "Example.COM", 50, 3600);
	add_opt(&m, 0);
	expect_nothing(NAME, DNS_TXT, DNS_NO_NAME, 50);
	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	add_soa(&m, "", 86400, 86400);
	expect_nothing(NAME, DNS_TXT, DNS_NO_NAME, 86400);
}

static void
nothing_without_a_soa_above_the_name_lives_no_time(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	expect_nothing(NAME, DNS_TXT, DNS_NO_DATA, 0);
	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	expect_nothing(NAME, DNS_TXT, DNS_NO_NAME, 0);
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_soa(&m, "ample.com", 300, 300);
	expect_nothing(NAME, DNS_TXT, DNS_NO_DATA, 0);
}

static void
a_referral_is_not_no_data(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_name_record(&m, BUILT_AUTHORITY, "com", 2, 300, "ns.example");
	expect_tempfail(NAME, DNS_TXT, "a referral instead of an answer");
	add_soa(&m, "com", 300, 300);
	expect_nothing(NAME, DNS_TXT, DNS_NO_DATA, 300);
}

/* Aliases */

static void
alias(uint32_t ttl, const char *from, const char *to)
{
	add_name_record(&m, BUILT_ANSWER, from, DNS_CNAME, ttl, to);
}

static void
alias_chains_are_followed_in_any_order(void **state)
{
	static const unsigned orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
		{ 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct dns_answer *answer;

		built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
		for (size_t k = 0; k < 3; k++) {
			if (orders[i][k] == 0)
				alias(50, "_MTA-STS.example.com", "B.example");
			else if (orders[i][k] == 1)
				alias(40, "b.EXAMPLE", "c.example");
			else
				add_txt(&m, "c.example", 60, "x");
		}
		answer = expect_found(NAME, DNS_TXT, 1);
		assert_true(answer->aliased);
		assert_string_equal(answer->canonical, "c.example");
		assert_int_equal(answer->ttl_s, 40);
		dns_answer_free(answer);
	}
}

static void
an_alias_to_nothing_needs_the_soa_of_its_end(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	alias(50, NAME, "b.example");
	expect_tempfail(NAME, DNS_TXT, "an alias without its end");
	add_soa(&m, "example.com", 300, 300);
	expect_tempfail(NAME, DNS_TXT, "an alias without its end");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	alias(50, NAME, "b.example");
	add_soa(&m, "example", 300, 300);
	expect_nothing(NAME, DNS_TXT, DNS_NO_DATA, 50);
}

static void
no_such_name_at_the_end_of_a_chain_is_no_name(void **state)
{
	struct dns_answer *answer;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	alias(50, NAME, "b.example");
	add_soa(&m, "example", 40, 300);
	answer = read_as(NAME, DNS_TXT);
	assert_int_equal(answer->outcome, DNS_NO_NAME);
	assert_true(answer->aliased);
	assert_string_equal(answer->canonical, "b.example");
	assert_int_equal(answer->ttl_s, 40);
	dns_answer_free(answer);
}

static void
loops_and_very_long_chains_are_temporary(void **state)
{
	char from[16], to[16] = "a0.example";

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_TXT);
	alias(50, "a.example", "a.example");
	expect_tempfail("a.example", DNS_TXT, "a loop of aliases, or too many");

	built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_TXT);
	alias(50, "a.example", "b.example");
	alias(50, "b.example", "a.example");
	expect_tempfail("a.example", DNS_TXT, "a loop of aliases, or too many");

	built_begin(&m, DNS_ANSWER_FLAGS, "a0.example", DNS_TXT);
	for (unsigned i = 1; i <= 16; i++) {
		memcpy(from, to, sizeof(from));
		snprintf(to, sizeof(to), "a%u.example", i);
		alias(50, from, to);
	}
	add_txt(&m, to, 300, "x");
	dns_answer_free(expect_found("a0.example", DNS_TXT, 1));

	built_begin(&m, DNS_ANSWER_FLAGS, "a0.example", DNS_TXT);
	memcpy(to, "a0.example", 11);
	for (unsigned i = 1; i <= 17; i++) {
		memcpy(from, to, sizeof(from));
		snprintf(to, sizeof(to), "a%u.example", i);
		alias(50, from, to);
	}
	add_txt(&m, to, 300, "x");
	expect_tempfail("a0.example", DNS_TXT,
	    "a loop of aliases, or too many");
}

static void
ambiguous_or_foreign_records_are_temporary(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	alias(50, NAME, "b.example");
	alias(50, NAME, "c.example");
	add_txt(&m, "b.example", 300, "x");
	expect_tempfail(NAME, DNS_TXT, "two aliases of one name");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	alias(50, NAME, "b.example");
	add_txt(&m, "b.example", 300, "x");
	add_txt(&m, NAME, 300, "y");
	expect_tempfail(NAME, DNS_TXT, "an alias beside other records");

	build_good();
	add_txt(&m, "evil.example", 300, "x");
	expect_tempfail(NAME, DNS_TXT, "records of another name in the answer");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_txt(&m, "evil.example", 300, "x");
	expect_tempfail(NAME, DNS_TXT, "records of another name in the answer");

	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	alias(50, "x.example", "y.example");
	expect_tempfail(NAME, DNS_TXT, "records of another name in the answer");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	alias(50, NAME, "two words.example");
	expect_tempfail(NAME, DNS_TXT, "an alias of an unreadable name");

	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	add_txt(&m, NAME, 300, "x");
	expect_tempfail(NAME, DNS_TXT, "no such name, and yet records");

	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_MX);
	record_begin(&m, BUILT_ANSWER, NAME, DNS_A, 300);
	put_bytes(&m, "\177\0\0\1", 4);
	record_end(&m);
	expect_tempfail(NAME, DNS_MX, "no such name, and yet records");
}

/* RFC 4035 3.1, 6672 3.1: signatures, and where the aliases came from. */
static void
no_such_name_may_come_with_signatures_and_a_dname(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS | 3, NAME, DNS_TXT);
	record_begin(&m, BUILT_ANSWER, "example.com", 39, 300);
	put_name(&m, "example");
	record_end(&m);
	alias(50, NAME, "b.example");
	record_begin(&m, BUILT_ANSWER, NAME, 46, 50);
	put_bytes(&m, "RRSIG of no matter what", 23);
	record_end(&m);
	add_soa(&m, "example", 40, 300);
	expect_nothing(NAME, DNS_TXT, DNS_NO_NAME, 40);
}

/* What is no answer at all */

static void
responses_that_say_nothing_are_temporary(void **state)
{
	static const struct {
		unsigned flags;
		const char *why;
	} rows[] = {
		{ DNS_FLAG_RD | DNS_FLAG_AD,
		    "a question instead of an answer" },
		{ DNS_ANSWER_FLAGS | 0x2800, "answer with a wrong opcode" },
		{ DNS_ANSWER_FLAGS | DNS_FLAG_TC, "truncated answer" },
		{ DNS_ANSWER_FLAGS | 1, "the resolver answered an error" },
		{ DNS_ANSWER_FLAGS | 2, "the resolver answered SERVFAIL" },
		{ DNS_ANSWER_FLAGS | 4, "the resolver answered an error" },
		{ DNS_ANSWER_FLAGS | 5, "the resolver answered REFUSED" },
		{ DNS_ANSWER_FLAGS | 15, "the resolver answered an error" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		built_begin(&m, rows[i].flags, NAME, DNS_TXT);
		expect_tempfail(NAME, DNS_TXT, rows[i].why);
		add_txt(&m, NAME, 300, "x");
		expect_tempfail(NAME, DNS_TXT, rows[i].why);
	}
}

static void
only_exactly_the_asked_question_is_answered(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "evil.test", DNS_TXT);
	add_txt(&m, "evil.test", 300, "x");
	expect_tempfail(NAME, DNS_TXT, "answer to another question");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_MX);
	add_mx(&m, NAME, 300, 1, "mx");
	expect_tempfail(NAME, DNS_TXT, "answer to another question");

	build_good();
	m.wire[12 + sizeof(NAME) + 4] = 3; /* class CHAOS */
	expect_tempfail(NAME, DNS_TXT, "answer to another question");

	built_begin(&m, DNS_ANSWER_FLAGS, "_MTA-sts.EXAMPLE.com", DNS_TXT);
	add_txt(&m, NAME, 300, "x");
	dns_answer_free(expect_found(NAME, DNS_TXT, 1));

	build_good(); /* header only */
	set16(&m, 4, 0);
	set16(&m, 6, 0);
	m.len = 12;
	expect_tempfail(NAME, DNS_TXT,
	    "not exactly one question in the answer");

	build_good();
	set16(&m, 4, 2);
	expect_tempfail(NAME, DNS_TXT,
	    "not exactly one question in the answer");

	built_begin(&m, DNS_ANSWER_FLAGS, "", DNS_TXT);
	expect_tempfail(NAME, DNS_TXT, "answer to another question");
}

/* A prefix of an answer is none, whatever its length. */
static void
a_message_cut_anywhere_is_temporary(void **state)
{
	size_t whole;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, "example.com", DNS_MX);
	alias(50, "example.com", "b.example");
	add_mx(&m, "b.example", 300, 10, "mx1.example.com");
	add_soa(&m, "example", 300, 300);
	add_opt(&m, 0);
	whole = m.len;
	dns_answer_free(expect_found("example.com", DNS_MX, 1));
	for (m.len = 0; m.len < whole; m.len++) {
		struct dns_answer *answer = read_as("example.com", DNS_MX);

		assert_int_equal(answer->outcome, DNS_TEMPFAIL);
		dns_answer_free(answer);
	}
	m.len = whole;
	put8(&m, 0);
	expect_tempfail("example.com", DNS_MX, "octets behind the answer");
}

static void
counts_that_lie_are_temporary(void **state)
{
	(void)state;
	build_good();
	set16(&m, BUILT_ANSWER, 0);
	expect_tempfail(NAME, DNS_TXT, "octets behind the answer");
	build_good();
	set16(&m, BUILT_ANSWER, 5);
	expect_tempfail(NAME, DNS_TXT, "malformed record");
	build_good();
	set16(&m, BUILT_AUTHORITY, 65535);
	expect_tempfail(NAME, DNS_TXT, "malformed record");
	build_good();
	set16(&m, BUILT_ADDITIONAL, 1);
	expect_tempfail(NAME, DNS_TXT, "malformed record");
}

static void
garbage_behind_the_question_is_temporary(void **state)
{
	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	set16(&m, BUILT_ANSWER, 5);
	for (unsigned i = 0; i < 200; i++)
		put8(&m, i * 37 + 130);
	expect_tempfail(NAME, DNS_TXT, "malformed record");
}

static void
lengths_of_record_data_that_lie_are_temporary(void **state)
{
	static const struct {
		unsigned type;
		const char *octets;
		size_t len;
	} rows[] = {
		{ DNS_A, "\300\0\2", 3 },
		{ DNS_A, "\300\0\2\1\1", 5 },
		{ DNS_AAAA, "123456789012345", 15 },
		{ DNS_AAAA, "12345678901234567", 17 },
		{ DNS_TXT, "", 0 },
		{ DNS_TXT, "\2x", 2 },
		{ DNS_TXT, "\1x\1", 3 },
		{ DNS_TLSA, "\3\1", 2 },
		{ DNS_MX, "", 0 },
		{ DNS_MX, "\0", 1 },
		{ DNS_MX, "\0\1", 2 },
		{ DNS_MX, "\0\1\1x", 4 },
		{ DNS_MX, "\0\1\0x", 4 },
		{ DNS_MX, "\0\1\300", 3 },
		{ DNS_CNAME, "", 0 },
		{ DNS_CNAME, "\1x", 2 },
		{ DNS_CNAME, "\0\0", 2 },
		{ DNS_CNAME, "\100x\0", 3 },
		{ 2, "\1x", 2 },
		{ 6, "\0\0too short", 11 },
		{ 6,
		    "\0\0"
		    "20 octets and one.....",
		    24 },
		{ 6, "\0", 1 },
	};
	static const enum dns_built_section sections[] = { BUILT_ANSWER,
		BUILT_AUTHORITY, BUILT_ADDITIONAL };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 3; k++) {
			build_good();
			record_begin(&m, sections[k], "other", rows[i].type, 1);
			put_bytes(&m, rows[i].octets, rows[i].len);
			record_end(&m);
			expect_tempfail(NAME, DNS_TXT, "malformed record data");
			put8(&m, 0); /* also when there is something behind */
			expect_tempfail(NAME, DNS_TXT, "malformed record data");
		}
}

static void
record_data_beyond_the_message_is_temporary(void **state)
{
	(void)state;
	build_good();
	set16(&m, m.rdata - 2, 16);
	expect_tempfail(NAME, DNS_TXT, "record cut short");
	set16(&m, m.rdata - 2, 65535);
	expect_tempfail(NAME, DNS_TXT, "record cut short");
}

static void
compression_loops_are_temporary(void **state)
{
	static const unsigned pointers[] = { 0, 12, 17, 20, 21, 39, 500,
		16383 };

	(void)state;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct dns_answer *answer;

		built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_A);
		assert_int_equal(m.len, 27);
		set16(&m, BUILT_ANSWER, 1);
		put_bytes(&m, "\1y", 2);
		put16(&m, 0xc000u | pointers[i]);
		put16(&m, DNS_A);
		put16(&m, 1);
		put32(&m, 300);
		put16(&m, 4);
		put32(&m, 0xc0000201);
		answer = read_as("a.example", DNS_A);
		assert_int_equal(answer->outcome, DNS_TEMPFAIL);
		dns_answer_free(answer);
	}
	built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_A);
	set16(&m, BUILT_ANSWER, 1);
	put16(&m, 0xc000u | 27); /* itself */
	for (unsigned i = 0; i < 20; i++)
		put8(&m, 0);
	expect_tempfail("a.example", DNS_A, "malformed record");
	m.wire[27] = 0x80; /* label type 10 is not in use */
	expect_tempfail("a.example", DNS_A, "malformed record");
}

/* Two pointers to a name of its own give a name of more than 255 octets. */
static void
names_that_grow_too_long_are_temporary(void **state)
{
	char name[254];

	(void)state;
	memset(name, 'x', 253);
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	built_begin(&m, DNS_ANSWER_FLAGS, name, DNS_A);
	set16(&m, BUILT_ANSWER, 1);
	put_bytes(&m, "\1y\300\014", 4);
	put16(&m, DNS_A);
	put16(&m, 1);
	put32(&m, 300);
	put16(&m, 4);
	put32(&m, 0xc0000201);
	expect_tempfail(name, DNS_A, "malformed record");
}

static void
edns_is_one_opt_at_the_root_without_an_error(void **state)
{
	(void)state;
	build_good();
	add_opt(&m, 0);
	dns_answer_free(expect_found(NAME, DNS_TXT, 1));
	add_opt(&m, 0);
	expect_tempfail(NAME, DNS_TXT, "misplaced OPT record");

	build_good();
	add_opt(&m, 1); /* BADVERS */
	expect_tempfail(NAME, DNS_TXT, "extended response code");

	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	add_opt(&m, 1);
	expect_tempfail(NAME, DNS_TXT, "extended response code");

	build_good();
	record_begin(&m, BUILT_AUTHORITY, "", 41, 0);
	record_end(&m);
	expect_tempfail(NAME, DNS_TXT, "misplaced OPT record");

	build_good();
	record_begin(&m, BUILT_ADDITIONAL, "x", 41, 0);
	record_end(&m);
	expect_tempfail(NAME, DNS_TXT, "misplaced OPT record");
}

/* 65,535 octets: as many empty strings as fit, then as many records. */
static void
the_longest_messages_are_read(void **state)
{
	struct dns_answer *answer;
	size_t n = 0;

	(void)state;
	built_begin(&m, DNS_ANSWER_FLAGS, NAME, DNS_TXT);
	record_begin(&m, BUILT_ANSWER, NAME, DNS_TXT, 300);
	memset(m.wire + m.len, 0, 65535 - m.len);
	m.len = 65535;
	record_end(&m);
	answer = expect_found(NAME, DNS_TXT, 1);
	assert_int_equal(answer->rr[0].txt.len, 0);
	dns_answer_free(answer);

	built_begin(&m, DNS_ANSWER_FLAGS, "a.example", DNS_A);
	while (m.len + 16 <= 65535) {
		put16(&m, 0xc00c);
		put16(&m, DNS_A);
		put16(&m, 1);
		put32(&m, 300);
		put16(&m, 4);
		put32(&m, (uint32_t)n++);
	}
	set16(&m, BUILT_ANSWER, (unsigned)n);
	dns_answer_free(expect_found("a.example", DNS_A, DNS_RECORDS_MAX));
}

static void
a_name_that_cannot_be_asked_is_temporary(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	build_good();
	expect_tempfail(name, DNS_TXT, "the name asked for is too long");
}

static void
a_tempfail_says_why_and_null_may_be_freed(void **state)
{
	struct dns_answer *answer = dns_answer_tempfail("because");

	(void)state;
	assert_non_null(answer);
	assert_int_equal(answer->outcome, DNS_TEMPFAIL);
	assert_string_equal(answer->why, "because");
	assert_false(answer->secure);
	dns_answer_free(answer);
	dns_answer_free(NULL);
}

static void
types_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(dns_type_name(DNS_A), "A");
	assert_string_equal(dns_type_name(DNS_AAAA), "AAAA");
	assert_string_equal(dns_type_name(DNS_CNAME), "CNAME");
	assert_string_equal(dns_type_name(DNS_MX), "MX");
	assert_string_equal(dns_type_name(DNS_TXT), "TXT");
	assert_string_equal(dns_type_name(DNS_TLSA), "TLSA");
	assert_string_equal(dns_type_name((enum dns_type)99),
	    "of an unknown type");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    txt_strings_are_joined_with_nul_and_beyond_255),
		cmocka_unit_test(mx_hosts_are_folded_and_stay_in_order),
		cmocka_unit_test(the_null_mx_has_an_empty_host),
		cmocka_unit_test(mx_hosts_that_are_no_names_are_dropped),
		cmocka_unit_test(
		    a_dot_inside_a_label_does_not_make_another_name),
		cmocka_unit_test(three_hundred_mx_are_cut_to_the_bound),
		cmocka_unit_test(addresses_and_tlsa_are_copied_out),
		cmocka_unit_test(a_cname_that_was_asked_for_is_not_followed),
		cmocka_unit_test(the_ad_bit_becomes_secure_also_for_nothing),
		cmocka_unit_test(
		    other_types_and_classes_in_the_answer_are_ignored),
		cmocka_unit_test(compressed_names_are_expanded),
		cmocka_unit_test(names_of_253_octets_are_read),
		cmocka_unit_test(a_ttl_with_the_top_bit_is_zero),
		cmocka_unit_test(nothing_lives_as_long_as_soa_and_minimum_say),
		cmocka_unit_test(
		    nothing_without_a_soa_above_the_name_lives_no_time),
		cmocka_unit_test(a_referral_is_not_no_data),
		cmocka_unit_test(alias_chains_are_followed_in_any_order),
		cmocka_unit_test(an_alias_to_nothing_needs_the_soa_of_its_end),
		cmocka_unit_test(no_such_name_at_the_end_of_a_chain_is_no_name),
		cmocka_unit_test(
		    no_such_name_may_come_with_signatures_and_a_dname),
		cmocka_unit_test(loops_and_very_long_chains_are_temporary),
		cmocka_unit_test(ambiguous_or_foreign_records_are_temporary),
		cmocka_unit_test(responses_that_say_nothing_are_temporary),
		cmocka_unit_test(only_exactly_the_asked_question_is_answered),
		cmocka_unit_test(a_message_cut_anywhere_is_temporary),
		cmocka_unit_test(counts_that_lie_are_temporary),
		cmocka_unit_test(garbage_behind_the_question_is_temporary),
		cmocka_unit_test(lengths_of_record_data_that_lie_are_temporary),
		cmocka_unit_test(record_data_beyond_the_message_is_temporary),
		cmocka_unit_test(compression_loops_are_temporary),
		cmocka_unit_test(names_that_grow_too_long_are_temporary),
		cmocka_unit_test(edns_is_one_opt_at_the_root_without_an_error),
		cmocka_unit_test(the_longest_messages_are_read),
		cmocka_unit_test(a_name_that_cannot_be_asked_is_temporary),
		cmocka_unit_test(a_tempfail_says_why_and_null_may_be_freed),
		cmocka_unit_test(types_have_their_names),
	};

	return cmocka_run_group_tests_name("dns_message", tests, NULL, NULL);
}
