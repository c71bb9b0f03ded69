/* SPDX-License-Identifier: ISC */
/* Patterns of policies and the MX hosts that match them. */
#include "tests/unit/unit.h"

#include "proto/mx_match.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define L63 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct row {
	const char *pattern;
	const char *host;
	bool matches;
} rows[] = {
	/* of the field */
	{ "gmail-smtp-in.l.google.com", "gmail-smtp-in.l.google.com", true },
	{ "*.gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com",
	    true },
	{ "*.mail.protection.outlook.com",
	    "example-com.mail.protection.outlook.com", true },
	{ "*.olc.protection.outlook.com",
	    "outlook-com.olc.protection.outlook.com", true },
	{ "*.am0.yahoodns.net", "mta7.am0.yahoodns.net", true },
	/* equal, whatever the case */
	{ "mx1.example.com", "mx1.example.com", true },
	{ "MX1.Example.com", "mx1.example.com", true },
	{ "mx1.example.com", "MX1.EXAMPLE.COM", true },
	{ "mx1.example.com", "mx2.example.com", false },
	{ "mx1.example.com", "mx1.example.com.evil.example", false },
	{ "mx1.example.com", "mx1.example.co", false },
	{ "example.com", "mx1.example.com", false },
	{ "mx1.example.com", "", false },
	/* the wildcard is exactly one label */
	{ "*.example.com", "mx1.example.com", true },
	{ "*.EXAMPLE.com", "mx1.example.com", true },
	{ "*.example.com", "mx_1.example.com", true },
	{ "*.example.com", "example.com", false },
	{ "*.example.com", ".example.com", false },
	{ "*.example.com", "a.mx1.example.com", false },
	{ "*.example.com", "mx1.notexample.com", false },
	{ "*.example.com", "mx1example.com", false },
	{ "*.example.com", "mx1.example.com.evil.example", false },
	{ "*.example.com", "", false },
	{ "*.com", "example.com", true },
	{ "*.com", "com", false },
	/* a pattern that is not valid never matches, not even itself */
	{ "", "", false },
	{ "*", "mx1.example.com", false },
	{ "*", "com", false },
	{ "*.", "mx1.", false },
	{ "mx*.example.com", "mx1.example.com", false },
	{ "mx.*.example.com", "mx.a.example.com", false },
	{ "*.*.example.com", "a.b.example.com", false },
	{ ".example.com", "mx1.example.com", false },
	{ "mx1.example.com.", "mx1.example.com", false },
	{ "mx1.example.com.", "mx1.example.com.", false },
	{ "mx_1.example.com", "mx_1.example.com", false },
	{ "192.0.2.1", "192.0.2.1", false },
	{ "mx1.example.com:25", "mx1.example.com:25", false },
};

static void
a_host_matches_itself_or_one_label_in_place_of_the_wildcard(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (mx_match(rows[i].pattern, rows[i].host) != rows[i].matches)
			fail_msg("\"%s\" and \"%s\"", rows[i].pattern,
			    rows[i].host);
}

static const char *const valid[] = { "a", "mx1.example.com", "MX1.example.com",
	"*.example.com", "*.com", "xn--bcher-kva.example",
	"*.xn--bcher-kva.example", L63 ".example.com" };

static const char *const invalid[] = { "", "*", "*.", "*..", "**.example.com",
	"*example.com", "*.*.example.com", "mx.*.example.com",
	"mx*.example.com", "mx1.example.com.", "*.example.com.", ".example.com",
	"192.0.2.1", "*.192.0.2.1", "[192.0.2.1]", "2001:db8::1",
	"https://mx1.example.com", "mx1.example.com:25",
	"mx1.example.com mx2.example.com", "mx1.example.com, mx2.example.com",
	" mx1.example.com", "mx1.example.com\t", "mx1.example.com\r", "-",
	"a-.b",
	"b\xc3\xbc"
	"cher.example",
	"x servername=evil", "} {", L63 "x.example.com" };

static void
a_pattern_is_an_ldh_domain_with_or_without_a_wildcard(void **state)
{
	const struct span nul = { "a\0.example", 10 };

	(void)state;
	for (size_t i = 0; i < COUNT(valid); i++)
		if (!mx_pattern_is_valid(span_of(valid[i])))
			fail_msg("\"%s\" is refused", valid[i]);
	for (size_t i = 0; i < COUNT(invalid); i++)
		if (mx_pattern_is_valid(span_of(invalid[i])))
			fail_msg("\"%s\" is taken", invalid[i]);
	assert_false(mx_pattern_is_valid(nul));
	assert_false(mx_pattern_is_valid(span_of(NULL)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_host_matches_itself_or_one_label_in_place_of_the_wildcard),
		cmocka_unit_test(
		    a_pattern_is_an_ldh_domain_with_or_without_a_wildcard),
	};

	return cmocka_run_group_tests_name("mx_match", tests, NULL, NULL);
}
