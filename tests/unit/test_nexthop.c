/* SPDX-License-Identifier: ISC */
/* Next hops as Postfix writes them. */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/nexthop.h"

static struct nexthop
parse(const char *key)
{
	struct nexthop hop;

	nexthop_parse(span_of(key), &hop);
	return hop;
}

static void
assert_hop(const char *key, enum nexthop_kind kind, const char *domain,
    bool other_port)
{
	struct nexthop hop = parse(key);

	assert_int_equal(hop.kind, kind);
	assert_string_equal(hop.domain, domain);
	assert_true(hop.other_port == other_port);
}

static void
assert_kind(const char *key, enum nexthop_kind kind)
{
	struct nexthop hop = parse(key);

	assert_int_equal(hop.kind, kind);
	assert_string_equal(hop.domain, "");
}

static void
a_domain_is_folded(void **state)
{
	(void)state;
	assert_hop("example.com", NEXTHOP_DOMAIN, "example.com", false);
	assert_hop("EXAMPLE.Com.", NEXTHOP_DOMAIN, "example.com", false);
	assert_hop("b\xc3\xbc"
		   "cher.test",
	    NEXTHOP_DOMAIN, "xn--bcher-kva.test", false);
	assert_hop("_x.test", NEXTHOP_DOMAIN, "_x.test", false);
}

static void
a_port_is_told_from_that_of_smtp(void **state)
{
	(void)state;
	assert_hop("a.test:25", NEXTHOP_DOMAIN, "a.test", false);
	assert_hop("a.test:smtp", NEXTHOP_DOMAIN, "a.test", false);
	assert_hop("a.test:587", NEXTHOP_DOMAIN, "a.test", true);
	assert_hop("a.test:submission", NEXTHOP_DOMAIN, "a.test", true);
	assert_hop("[mx.A.test]:587", NEXTHOP_HOST, "mx.a.test", true);
	assert_hop("[mx.a.test]:25", NEXTHOP_HOST, "mx.a.test", false);
}

static void
brackets_are_a_host_without_mx_records(void **state)
{
	(void)state;
	assert_hop("[mx.a.test]", NEXTHOP_HOST, "mx.a.test", false);
	assert_hop("[MX.a.test.]", NEXTHOP_HOST, "mx.a.test", false);
}

static void
an_address_is_a_literal_in_each_of_its_forms(void **state)
{
	static const char *const keys[] = { "192.0.2.1", "192.0.2.1:25",
		"[192.0.2.1]", "[192.0.2.1]:587", "192.0.2.1.", "2001:db8::1",
		"::1", "[2001:db8::1]", "[IPv6:2001:db8::1]", "[ipv6:::1]:25",
		"::ffff:192.0.2.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_kind(keys[i], NEXTHOP_LITERAL);
}

static void
a_leading_dot_is_a_parent(void **state)
{
	(void)state;
	assert_kind(".example.com", NEXTHOP_PARENT);
	assert_kind(".com", NEXTHOP_PARENT);
	assert_kind(".", NEXTHOP_PARENT);
}

static void
what_dns_could_not_be_asked_for_is_invalid(void **state)
{
	static const char *const keys[] = { "", "a..test", "a b.test",
		"/var/run/x", "unix:/x", "a.test:", "a.test:25:25",
		"a.test:a/b", "[a.test", "[]", "[a.test]x",
		"[a.test]:", "a.test]", "[[a]]", "a.test\n", "a.test match=b",
		"{a}", "[.a.test]", "a@b.test", "\xff.test", "[a.test]:12 34" };
	struct nexthop hop;

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_kind(keys[i], NEXTHOP_INVALID);
	nexthop_parse((struct span){ "a\0b.test", 8 }, &hop);
	assert_int_equal(hop.kind, NEXTHOP_INVALID);
}

#define T(f) cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_domain_is_folded),
		T(a_port_is_told_from_that_of_smtp),
		T(brackets_are_a_host_without_mx_records),
		T(an_address_is_a_literal_in_each_of_its_forms),
		T(a_leading_dot_is_a_parent),
		T(what_dns_could_not_be_asked_for_is_invalid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
