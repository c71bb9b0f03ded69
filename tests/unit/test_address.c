/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "proto/dns_message.h"

static const struct address_rules strict = { .allow_internal = false };
static const struct address_rules private_too = { .allow_private_policy_host =
						      true };
static const struct address_rules laboratory = { .allow_internal = true };

static struct address
address_of(const char *text)
{
	struct address a;

	if (!address_parse(text, &a))
		fail_msg("%s is no address", text);
	return a;
}

static void
text_makes_the_way_there_and_back(void **state)
{
	static const char *const good[] = { "192.0.2.1", "0.0.0.0",
		"255.255.255.255", "::", "::1", "2001:db8::25",
		"::ffff:192.0.2.1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	char buf[ADDRESS_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct address a = address_of(good[i]);

		assert_string_equal(address_format(&a, buf), good[i]);
		assert_ptr_equal(address_format(&a, buf), buf);
	}
}

static void
what_is_no_address_is_refused_and_leaves_out_alone(void **state)
{
	static const char *const bad[] = { "", "192.0.2", "192.0.2.256",
		"192.0.2.1:25", "[::1]", "::1%lo", "fe80::1%1", " 192.0.2.1",
		"192.0.2.1 ", "mx.example.com", "0x7f.0.0.1", "2130706433" };
	struct address a = { .family = AF_INET };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (address_parse(bad[i], &a))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_int_equal(a.family, AF_INET);
	assert_int_equal(a.in.s_addr, 0);
}

static void
no_address_has_no_text(void **state)
{
	struct address none = { .family = 0 };
	char buf[ADDRESS_SIZE] = "x";

	(void)state;
	assert_string_equal(address_format(&none, buf), "");
}

static void
equality_compares_family_and_bytes(void **state)
{
	struct address a = address_of("192.0.2.1"), b = address_of("192.0.2.2");
	struct address c = address_of("2001:db8::1");
	struct address d = address_of("2001:db8::2");
	struct address mapped = address_of("::ffff:192.0.2.1");

	(void)state;
	assert_true(address_equal(&a, &a));
	assert_false(address_equal(&a, &b));
	assert_true(address_equal(&c, &c));
	assert_false(address_equal(&c, &d));
	assert_false(address_equal(&a, &c));
	assert_false(address_equal(&a, &mapped));
}

static void
loopback_is_127_slash_8_and_colon_colon_1(void **state)
{
	static const char *const yes[] = { "127.0.0.1", "127.255.255.254",
		"::1", "::ffff:127.0.0.53" };
	static const char *const no[] = { "126.255.255.255", "128.0.0.0",
		"0.0.0.0", "::", "::2", "::ffff:128.0.0.1",
		"64:ff9b::127.0.0.1", "2002:7f00:1::" };
	struct address a, none = { .family = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		a = address_of(yes[i]);
		assert_true(address_is_loopback(&a));
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		a = address_of(no[i]);
		assert_false(address_is_loopback(&a));
	}
	assert_false(address_is_loopback(&none));
}

static void
a_sockaddr_holds_family_address_and_port(void **state)
{
	struct address v4 = address_of("192.0.2.1");
	struct address v6 = address_of("2001:db8::1");
	struct sockaddr_storage ss;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;

	(void)state;
	assert_int_equal(address_to_sockaddr(&v4, 25, &ss), sizeof(sin));
	memcpy(&sin, &ss, sizeof(sin));
	assert_int_equal(sin.sin_family, AF_INET);
	assert_int_equal(ntohs(sin.sin_port), 25);
	assert_int_equal(sin.sin_addr.s_addr, v4.in.s_addr);

	assert_int_equal(address_to_sockaddr(&v6, 443, &ss), sizeof(sin6));
	memcpy(&sin6, &ss, sizeof(sin6));
	assert_int_equal(sin6.sin6_family, AF_INET6);
	assert_int_equal(ntohs(sin6.sin6_port), 443);
	assert_memory_equal(&sin6.sin6_addr, &v6.in6, sizeof(v6.in6));
	assert_int_equal(sin6.sin6_scope_id, 0);
}

static void
addresses_come_back_from_sockets(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" };
	struct address to, from;
	struct sockaddr_storage ss;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		to = address_of(texts[i]);
		address_to_sockaddr(&to, 25, &ss);
		assert_true(
		    address_from_sockaddr((struct sockaddr *)&ss, &from));
		assert_true(address_equal(&to, &from));
	}
	ss.ss_family = AF_UNIX;
	assert_false(address_from_sockaddr((struct sockaddr *)&ss, &from));
	assert_true(address_equal(&to, &from));
}

static void
answers_add_their_addresses_up_to_the_bound(void **state)
{
	struct address list[3], want = address_of("192.0.2.1");
	struct address want6 = address_of("2001:db8::1");
	struct dns_rr rr4[2] = { { .a = { 192, 0, 2, 1 } },
		{ .a = { 192, 0, 2, 2 } } };
	struct dns_rr rr6[2];
	struct dns_answer a = { .outcome = DNS_FOUND,
		.type = DNS_A,
		.n = 2,
		.rr = rr4 };
	struct dns_answer aaaa = { .outcome = DNS_FOUND,
		.type = DNS_AAAA,
		.n = 2,
		.rr = rr6 };

	(void)state;
	memset(rr6, 0, sizeof(rr6));
	memcpy(rr6[0].aaaa, &want6.in6, 16);
	assert_int_equal(address_add(list, 0, 3, &a), 2);
	assert_int_equal(address_add(list, 2, 3, &aaaa), 3);
	assert_int_equal(address_add(list, 3, 3, &aaaa), 3);
	assert_true(address_equal(&list[0], &want));
	assert_true(address_equal(&list[2], &want6));
}

static void
answers_of_other_types_and_outcomes_add_none(void **state)
{
	struct address list[3];
	struct dns_rr rr[1] = { { .a = { 192, 0, 2, 1 } } };
	struct dns_answer answer = { .type = DNS_A, .n = 1, .rr = rr };

	(void)state;
	assert_int_equal(address_add(list, 0, 3, &answer), 0);
	answer.outcome = DNS_NO_DATA;
	assert_int_equal(address_add(list, 1, 3, &answer), 1);
	answer.outcome = DNS_FOUND;
	answer.type = DNS_TXT;
	assert_int_equal(address_add(list, 0, 3, &answer), 0);
}

static void
inner_addresses_are_refused_for_every_purpose(void **state)
{
	static const char *const inner[] = { "0.0.0.0", "0.255.255.255",
		"127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "169.254.255.255", "224.0.0.1",
		"239.255.255.255", "255.255.255.255", "::", "::1", "fe80::1",
		"febf::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0",
		"::ffff:169.254.1.1", "::ffff:224.0.0.1",
		"::ffff:255.255.255.255",
		/* NAT64 */
		"64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254",
		"64:ff9b::0.0.0.0", "64:ff9b:1::127.0.0.1",
		"64:ff9b:1:ffff:ffff:ffff:127.0.0.1",
		/* 6to4 of 127.0.0.1 and of 169.254.169.254 */
		"2002:7f00:1::", "2002:7f00:1::2", "2002:a9fe:a9fe::1",
		/* Teredo, the client's bits turned over: 127.0.0.1 */
		"2001:0:cb00:71fe:0:ffff:80ff:fffe", "2001::80ff:fffe" };

	(void)state;
	for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
		struct address a = address_of(inner[i]);

		if (address_refused(&a, ADDRESS_OF_MX, &strict) == NULL ||
		    address_refused(&a, ADDRESS_OF_POLICY_HOST, &private_too) ==
			NULL)
			fail_msg("%s is allowed", inner[i]);
		assert_null(address_refused(&a, ADDRESS_OF_MX, &laboratory));
	}
}

static void
outer_addresses_are_allowed_for_every_purpose(void **state)
{
	static const char *const outer[] = { "1.0.0.0", "126.255.255.255",
		"128.0.0.0", "169.253.255.255", "169.255.0.0", "203.0.113.77",
		"223.255.255.255", "9.255.255.255", "11.0.0.0",
		"172.15.255.255", "172.32.0.0", "192.167.255.255",
		"192.169.0.0", "2001:db8::1", "fec0::1", "fbff::1", "fe00::1",
		"::2", "::ffff:203.0.113.77", "64:ff9b::203.0.113.77",
		"64:ff9b:1::203.0.113.77", "64:ff9a::127.0.0.1",
		"64:ff9b:2::127.0.0.1", "64:ff9b::1:127.0.0.1",
		"2002:cb00:714d::1", "2003:7f00:1::1",
		"2001:0:cb00:71fe::34ff:8eb2", "2001:1::80ff:fffe" };

	(void)state;
	for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++) {
		struct address a = address_of(outer[i]);

		if (address_refused(&a, ADDRESS_OF_MX, &strict) != NULL ||
		    address_refused(&a, ADDRESS_OF_POLICY_HOST, &strict) !=
			NULL)
			fail_msg("%s is refused", outer[i]);
	}
}

/* None of these, nor of the outer ones, is likely to be an address of the host
 * that runs the test. */
static void
private_addresses_are_for_mx_hosts_or_by_option(void **state)
{
	static const char *const private[] = { "10.255.254.253", "172.16.0.0",
		"172.31.255.255", "192.168.254.253", "::ffff:10.255.254.253",
		"fc00::fdfe", "fdff:ffff::fdfe", "64:ff9b::10.255.254.253",
		"64:ff9b:1::192.168.254.253", "2002:aff:fefd::1",
		"2001:0:cb00:71fe::f500:102" };

	(void)state;
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++) {
		struct address a = address_of(private[i]);

		assert_null(address_refused(&a, ADDRESS_OF_MX, &strict));
		assert_string_equal(address_refused(&a, ADDRESS_OF_POLICY_HOST,
					&strict),
		    "is a private address");
		assert_null(
		    address_refused(&a, ADDRESS_OF_POLICY_HOST, &private_too));
		assert_null(
		    address_refused(&a, ADDRESS_OF_POLICY_HOST, &laboratory));
	}
}

static void
no_address_is_refused_even_in_the_laboratory(void **state)
{
	struct address none = { .family = 0 };

	(void)state;
	assert_non_null(address_refused(&none, ADDRESS_OF_MX, &laboratory));
}

/* An own address that no other rule refuses, and its forms within IPv6. */
static void
addresses_of_own_interfaces_are_refused(void **state)
{
	struct ifaddrs *interfaces, *i;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(getifaddrs(&interfaces), 0);
	for (i = interfaces; i != NULL; i = i->ifa_next) {
		struct sockaddr_in sin;
		struct address a = { .family = AF_INET }, mapped, nat64;
		char text[ADDRESS_SIZE], buf[ADDRESS_SIZE + 16];

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&sin, i->ifa_addr, sizeof(sin));
		a.in = sin.sin_addr;
		if (address_is_loopback(&a))
			continue;
		seen++;
		snprintf(buf, sizeof(buf), "::ffff:%s",
		    address_format(&a, text));
		mapped = address_of(buf);
		snprintf(buf, sizeof(buf), "64:ff9b::%s", text);
		nat64 = address_of(buf);
		assert_non_null(address_refused(&a, ADDRESS_OF_MX, &strict));
		assert_non_null(
		    address_refused(&mapped, ADDRESS_OF_MX, &strict));
		assert_non_null(
		    address_refused(&nat64, ADDRESS_OF_MX, &strict));
		assert_null(address_refused(&a, ADDRESS_OF_MX, &laboratory));
	}
	freeifaddrs(interfaces);
	if (seen == 0)
		skip();
}

static void
literals_are_read_from_mailboxes(void **state)
{
	static const struct {
		const char *mailbox, *address;
	} table[] = {
		{ "user@[192.0.2.1]", "192.0.2.1" },
		{ "<user@[192.0.2.1]>", "192.0.2.1" },
		{ "\"a@b\"@[IPv6:2001:db8::1]", "2001:db8::1" },
		{ "user@[ipv6:::1]", "::1" },
		{ "[192.0.2.1]", "192.0.2.1" },
		{ "user@[2001:db8::1]", NULL },
		{ "user@[IPv6:192.0.2.1]", NULL },
		{ "user@[192.0.2.1", NULL },
		{ "user@192.0.2.1", NULL },
		{ "user@[]", NULL },
		{ "user@[IPv6:]", NULL },
		{ "user@[x400:a]", NULL },
		{ "user@", NULL },
		{ "<", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct address a;
		char text[ADDRESS_SIZE];
		bool found = address_of_mailbox(span_of(table[i].mailbox), &a);

		assert_int_equal(found, table[i].address != NULL);
		if (found)
			assert_string_equal(address_format(&a, text),
			    table[i].address);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_makes_the_way_there_and_back),
		cmocka_unit_test(
		    what_is_no_address_is_refused_and_leaves_out_alone),
		cmocka_unit_test(no_address_has_no_text),
		cmocka_unit_test(equality_compares_family_and_bytes),
		cmocka_unit_test(loopback_is_127_slash_8_and_colon_colon_1),
		cmocka_unit_test(a_sockaddr_holds_family_address_and_port),
		cmocka_unit_test(addresses_come_back_from_sockets),
		cmocka_unit_test(answers_add_their_addresses_up_to_the_bound),
		cmocka_unit_test(answers_of_other_types_and_outcomes_add_none),
		cmocka_unit_test(inner_addresses_are_refused_for_every_purpose),
		cmocka_unit_test(outer_addresses_are_allowed_for_every_purpose),
		cmocka_unit_test(
		    private_addresses_are_for_mx_hosts_or_by_option),
		cmocka_unit_test(no_address_is_refused_even_in_the_laboratory),
		cmocka_unit_test(addresses_of_own_interfaces_are_refused),
		cmocka_unit_test(literals_are_read_from_mailboxes),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
