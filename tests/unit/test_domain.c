/* SPDX-License-Identifier: ISC */
/* The domain of a mailbox and the folding of names: tables of both. */
#include "tests/unit/unit.h"

#include <idn2.h>
#include <locale.h>
#include <string.h>

#include "proto/domain.h"

#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"
/* Three labels of 63, and one that makes the name N octets long. */
#define NAME_192 L63 "." L63 "." L63 "."
#define NAME_253 NAME_192 L10 L10 L10 L10 L10 L10 "a"
#define NAME_254 NAME_192 L10 L10 L10 L10 L10 L10 "ab"

/* "b", u with diaeresis, "cher.example" in UTF-8. */
#define BUECHER                                                                \
	"b\xc3\xbc"                                                            \
	"cher.example"

struct row {
	const char *in;
	enum domain_kind kind;
	const char *out;
};

static const struct row folds[] = {
	/* names of the field */
	{ "gmail-smtp-in.l.google.com", DOMAIN_OK,
	    "gmail-smtp-in.l.google.com" },
	{ "Example-COM.mail.protection.outlook.com.", DOMAIN_OK,
	    "example-com.mail.protection.outlook.com" },
	{ "mx_1.mail.Example.ORG", DOMAIN_OK, "mx_1.mail.example.org" },
	{ "_mta-sts.example.com", DOMAIN_OK, "_mta-sts.example.com" },
	{ "ab--cd.example.com", DOMAIN_OK, "ab--cd.example.com" },
	{ "-odd-.example.com", DOMAIN_OK, "-odd-.example.com" },
	{ "localhost", DOMAIN_OK, "localhost" },
	/* the dot at the end */
	{ "", DOMAIN_ABSENT, "" },
	{ ".", DOMAIN_ABSENT, "" },
	{ "..", DOMAIN_INVALID, "" },
	{ "example.com..", DOMAIN_INVALID, "" },
	{ ".example.com", DOMAIN_INVALID, "" },
	{ "example..com", DOMAIN_INVALID, "" },
	/* sizes */
	{ L63 ".example", DOMAIN_OK, L63 ".example" },
	{ L63 "x.example", DOMAIN_INVALID, "" },
	{ NAME_253, DOMAIN_OK, NAME_253 },
	{ NAME_253 ".", DOMAIN_OK, NAME_253 },
	{ NAME_254, DOMAIN_INVALID, "" },
	/* octets */
	{ "exam ple.com", DOMAIN_INVALID, "" },
	{ " example.com", DOMAIN_INVALID, "" },
	{ "example.com\t", DOMAIN_INVALID, "" },
	{ "example.com\n", DOMAIN_INVALID, "" },
	{ "example.com\x7f", DOMAIN_INVALID, "" },
	{ "example.com:25", DOMAIN_INVALID, "" },
	{ "example.com/x", DOMAIN_INVALID, "" },
	{ "*.example.com", DOMAIN_INVALID, "" },
	{ "ex|ample.com", DOMAIN_INVALID, "" },
	{ "ex\\046ample.com", DOMAIN_INVALID, "" },
	{ "[192.0.2.1]", DOMAIN_INVALID, "" },
	/* internationalized names */
	{ BUECHER, DOMAIN_OK, "xn--bcher-kva.example" },
	{ BUECHER ".", DOMAIN_OK, "xn--bcher-kva.example" },
	{ "B\xc3\x9c"
	  "CHER.Example",
	    DOMAIN_OK, "xn--bcher-kva.example" },
	{ "bu\xcc\x88"
	  "cher.example",
	    DOMAIN_OK, "xn--bcher-kva.example" },
	{ "XN--Bcher-KVA.example", DOMAIN_OK, "xn--bcher-kva.example" },
	{ "mail_1." BUECHER, DOMAIN_OK, "mail_1.xn--bcher-kva.example" },
	/* non-transitional: sharp s stays itself */
	{ "fa\xc3\x9f.de", DOMAIN_OK, "xn--fa-hia.de" },
	/* dots of other scripts, full width letters */
	{ "b\xc3\xbc"
	  "cher\xe3\x80\x82"
	  "example",
	    DOMAIN_OK, "xn--bcher-kva.example" },
	{ "ex\xef\xbd\x81mple.com", DOMAIN_OK, "example.com" },
	/* an emoji: refused in U-labels, taken in A-labels as DNS has it */
	{ "i\xe2\x9d\xa4.example", DOMAIN_INVALID, "" },
	{ "xn--i-7iq.example", DOMAIN_OK, "xn--i-7iq.example" },
	/* U+2100 maps to "a/c": no way round the check */
	{ "\xe2\x84\x80.example.com", DOMAIN_INVALID, "" },
	/* a soft hyphen alone maps to nothing */
	{ "\xc2\xad", DOMAIN_INVALID, "" },
	{ BUECHER "..", DOMAIN_INVALID, "" },
	/* not UTF-8: Latin-1, a lone and an overlong octet */
	{ "b\xfc"
	  "cher.example",
	    DOMAIN_INVALID, "" },
	{ "\x80.example", DOMAIN_INVALID, "" },
	{ "\xc0\xae.example", DOMAIN_INVALID, "" },
};

static const struct row mailboxes[] = {
	{ "user@example.com", DOMAIN_OK, "example.com" },
	{ "User+tag@EXAMPLE.com", DOMAIN_OK, "example.com" },
	{ "<user@example.com>", DOMAIN_OK, "example.com" },
	{ "user@example.com.", DOMAIN_OK, "example.com" },
	{ "\"a@b\"@example.com", DOMAIN_OK, "example.com" },
	{ "<@one.example,@two.example:user@three.example>", DOMAIN_OK,
	    "three.example" },
	{ "info@" BUECHER, DOMAIN_OK, "xn--bcher-kva.example" },
	{ "", DOMAIN_ABSENT, "" },
	{ "<>", DOMAIN_ABSENT, "" },
	{ "<", DOMAIN_ABSENT, "" },
	{ "postmaster", DOMAIN_ABSENT, "" },
	{ "<postmaster>", DOMAIN_ABSENT, "" },
	{ "user@", DOMAIN_ABSENT, "" },
	{ "<user@>", DOMAIN_ABSENT, "" },
	{ "user@.", DOMAIN_ABSENT, "" },
	{ "user@[192.0.2.1]", DOMAIN_LITERAL, "" },
	{ "<user@[IPv6:2001:db8::1]>", DOMAIN_LITERAL, "" },
	{ "user@[]", DOMAIN_LITERAL, "" },
	{ "user@[192.0.2.1", DOMAIN_INVALID, "" },
	{ "user@192.0.2.1]", DOMAIN_INVALID, "" },
	{ "user@[", DOMAIN_INVALID, "" },
	{ "user@example.com>", DOMAIN_INVALID, "" },
	{ "<user@example.com> SIZE=1", DOMAIN_INVALID, "" },
	{ "user@exa mple.com", DOMAIN_INVALID, "" },
	{ "\"user@example.com\"", DOMAIN_INVALID, "" },
};

static const char *const ldh[] = { "a", "1a", "example.com", "EXAMPLE.com",
	"mx-1.example.com", "1.2.3.4a", "xn--bcher-kva.example", L63 ".com",
	NAME_253 };

static const char *const not_ldh[] = { "", ".", "example.com.", ".example.com",
	"example..com", "-a.example", "a-.example", "a_b.example", "*.example",
	"192.0.2.1", "1", "example.1", "2001:db8::1", "example.com:25",
	"https://example.com", "a b.example", "a.example ", BUECHER,
	L63 "x.com", NAME_254 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
check(enum domain_kind (*call)(struct span, char[DOMAIN_SIZE]),
    const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char out[DOMAIN_SIZE] = "not touched";
		enum domain_kind kind = call(span_of(rows[i].in), out);

		if (kind != rows[i].kind || strcmp(out, rows[i].out) != 0)
			fail_msg("\"%s\": kind %d, \"%s\"", rows[i].in,
			    (int)kind, out);
	}
}

static void
names_become_a_labels_in_lower_case(void **state)
{
	(void)state;
	check(domain_fold, folds, COUNT(folds));
}

static void
the_domain_of_a_mailbox_stands_after_the_last_at(void **state)
{
	(void)state;
	check(domain_of_mailbox, mailboxes, COUNT(mailboxes));
}

static void
the_locale_does_not_matter(void **state)
{
	static const char *const locales[] = { "C", "C.UTF-8" };

	(void)state;
	for (size_t i = 0; i < COUNT(locales); i++)
		if (setlocale(LC_ALL, locales[i]) != NULL)
			check(domain_fold, folds, COUNT(folds));
	setlocale(LC_ALL, "C");
}

static void
what_was_folded_folds_to_itself(void **state)
{
	char once[DOMAIN_SIZE], twice[DOMAIN_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(folds); i++) {
		if (domain_fold(span_of(folds[i].in), once) != DOMAIN_OK)
			continue;
		assert_int_equal(domain_fold(span_of(once), twice), DOMAIN_OK);
		assert_string_equal(twice, once);
	}
}

static void
nul_in_a_name_is_refused_and_the_length_is_heeded(void **state)
{
	const struct span nul = { "example.com\0.evil.example", 25 };
	const struct span nul_utf8 = { "\xc3\xbc\0.example", 11 };
	const struct span head = { "example.com.evil", 11 };
	char out[DOMAIN_SIZE];

	(void)state;
	assert_int_equal(domain_fold(nul, out), DOMAIN_INVALID);
	assert_int_equal(domain_fold(nul_utf8, out), DOMAIN_INVALID);
	assert_string_equal(out, "");
	assert_int_equal(domain_fold(head, out), DOMAIN_OK);
	assert_string_equal(out, "example.com");
	assert_int_equal(domain_fold(span_of(NULL), out), DOMAIN_ABSENT);
	assert_int_equal(domain_of_mailbox(span_of(NULL), out), DOMAIN_ABSENT);
}

static void
a_name_too_long_in_utf8_is_refused(void **state)
{
	char name[5000], out[DOMAIN_SIZE];
	struct span s = { name, sizeof(name) };

	(void)state;
	for (size_t i = 0; i < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xbc", 2);
	assert_int_equal(domain_fold(s, out), DOMAIN_INVALID);
	s.len = 2 * 250; /* short enough to be tried, too long for a label */
	assert_int_equal(domain_fold(s, out), DOMAIN_INVALID);
	assert_string_equal(out, "");
}

/* The linker puts these in libidn2's place (--wrap). */
static bool without_memory;
int __real_idn2_lookup_u8(const uint8_t *src, uint8_t **out, int flags);
int __wrap_idn2_lookup_u8(const uint8_t *src, uint8_t **out, int flags);

int
__wrap_idn2_lookup_u8(const uint8_t *src, uint8_t **out, int flags)
{
	if (without_memory)
		return IDN2_MALLOC;
	return __real_idn2_lookup_u8(src, out, flags);
}

static void
lack_of_memory_is_not_an_invalid_name(void **state)
{
	char out[DOMAIN_SIZE];

	(void)state;
	without_memory = true;
	assert_int_equal(domain_fold(span_of(BUECHER), out), DOMAIN_NO_MEMORY);
	assert_string_equal(out, "");
	assert_int_equal(domain_fold(span_of("example.com"), out), DOMAIN_OK);
	without_memory = false;
	assert_int_equal(domain_fold(span_of(BUECHER), out), DOMAIN_OK);
}

static void
ldh_is_letters_digits_hyphens_and_no_address(void **state)
{
	const struct span nul = { "a\0b", 3 };

	(void)state;
	for (size_t i = 0; i < COUNT(ldh); i++)
		if (!domain_is_ldh(span_of(ldh[i])))
			fail_msg("\"%s\" is refused", ldh[i]);
	for (size_t i = 0; i < COUNT(not_ldh); i++)
		if (domain_is_ldh(span_of(not_ldh[i])))
			fail_msg("\"%s\" is taken", not_ldh[i]);
	assert_false(domain_is_ldh(span_of(NULL)));
	assert_false(domain_is_ldh(nul));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_a_labels_in_lower_case),
		cmocka_unit_test(
		    the_domain_of_a_mailbox_stands_after_the_last_at),
		cmocka_unit_test(the_locale_does_not_matter),
		cmocka_unit_test(what_was_folded_folds_to_itself),
		cmocka_unit_test(
		    nul_in_a_name_is_refused_and_the_length_is_heeded),
		cmocka_unit_test(a_name_too_long_in_utf8_is_refused),
		cmocka_unit_test(lack_of_memory_is_not_an_invalid_name),
		cmocka_unit_test(ldh_is_letters_digits_hyphens_and_no_address),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
