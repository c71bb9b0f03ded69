/* SPDX-License-Identifier: ISC */
/* Which TLSA records SMTP can use, the names they stand at, their text. */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/tlsa.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define D32 "0123456789abcdef0123456789abcdef"
#define D64 D32 D32
#define SEQUENCE "\x30\x03\x02\x01\x05"

static const struct row {
	unsigned usage, selector, matching_type;
	const char *data;
	size_t len;
	const char *why; /* NULL: usable */
} rows[] = {
	{ 3, 1, 1, D32, 32, NULL },
	{ 3, 0, 1, D32, 32, NULL },
	{ 3, 1, 2, D64, 64, NULL },
	{ 2, 0, 1, D32, 32, NULL },
	{ 2, 1, 2, D64, 64, NULL },
	{ 2, 0, 0, SEQUENCE, 5, NULL },
	{ 3, 1, 0, SEQUENCE, 5, NULL },
	/* RFC 7672 3.1.3 */
	{ 0, 0, 1, D32, 32, "has usage 0, which is not for SMTP" },
	{ 1, 1, 1, D32, 32, "has usage 1, which is not for SMTP" },
	{ 4, 1, 1, D32, 32, "has an unknown usage" },
	{ 255, 1, 1, D32, 32, "has an unknown usage" },
	{ 3, 2, 1, D32, 32, "has an unknown selector" },
	{ 3, 255, 1, D32, 32, "has an unknown selector" },
	{ 3, 1, 3, D32, 32, "has an unknown matching type" },
	{ 3, 1, 255, D32, 32, "has an unknown matching type" },
	/* lengths */
	{ 3, 1, 1, D32, 31, "has a digest of the wrong length" },
	{ 3, 1, 1, D64, 33, "has a digest of the wrong length" },
	{ 3, 1, 1, "", 0, "has a digest of the wrong length" },
	{ 3, 1, 2, D32, 32, "has a digest of the wrong length" },
	{ 3, 1, 2, D64 "x", 65, "has a digest of the wrong length" },
	/* full data */
	{ 3, 1, 0, "", 0, "holds no certificate and no key" },
	{ 3, 1, 0, "\x30", 1, "holds no certificate and no key" },
	{ 3, 1, 0, D32, 32, "holds no certificate and no key" },
	{ 3, 1, 0, SEQUENCE, 4, "holds no certificate and no key" },
	{ 3, 1, 0, SEQUENCE "x", 6, "holds no certificate and no key" },
	{ 3, 1, 0, "\x30\x80\x05", 3, "holds no certificate and no key" },
	{ 3, 1, 0, "\x30\x81\x01\x05", 4, NULL },
	{ 3, 1, 0, "\x30\x82\x01", 3, "holds no certificate and no key" },
	{ 3, 1, 0, "\x30\x82\x00\x01\x05", 5, NULL },
	{ 3, 1, 0, "\x30\x85\x00\x00\x00\x00\x01\x05", 8,
	    "holds no certificate and no key" },
	{ 3, 1, 0, "\x30\x84\xff\xff\xff\xff\x05", 7,
	    "holds no certificate and no key" },
};

static struct tlsa_record
record_of(const struct row *row)
{
	return (struct tlsa_record){ .usage = (uint8_t)row->usage,
		.selector = (uint8_t)row->selector,
		.matching_type = (uint8_t)row->matching_type,
		.association = { row->data, row->len } };
}

static void
records_that_smtp_can_use_are_told_from_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct tlsa_record record = record_of(&rows[i]);
		const char *why = tlsa_unusable_why(&record);

		if (rows[i].why == NULL && why == NULL)
			continue;
		if (rows[i].why == NULL || why == NULL)
			fail_msg("row %zu: %s", i,
			    why == NULL ? "usable" : why);
		assert_string_equal(why, rows[i].why);
	}
}

static void
records_stand_at_the_port_and_the_host(void **state)
{
	char name[TLSA_NAME_SIZE], host[DOMAIN_SIZE];

	(void)state;
	assert_true(tlsa_name(25, "mx1.example.com", name));
	assert_string_equal(name, "_25._tcp.mx1.example.com");
	assert_true(tlsa_name(65535, "a", name));
	assert_string_equal(name, "_65535._tcp.a");
	assert_false(tlsa_name(25, "", name));
	assert_string_equal(name, "");
	memset(host, 'a', sizeof(host));
	host[244] = '\0';
	assert_true(tlsa_name(25, host, name));
	assert_int_equal(strlen(name), 253);
	strcpy(host + 244, "a");
	assert_false(tlsa_name(25, host, name));
	host[DOMAIN_MAX] = '\0';
	memset(host, 'a', DOMAIN_MAX);
	assert_false(tlsa_name(65535, host, name));
	assert_string_equal(name, "");
}

static void
records_are_written_as_in_a_zone_file(void **state)
{
	const struct tlsa_record record = { 3, 1, 1, { "\x00\x7f\xff", 3 } };
	char data[65], text[TLSA_TEXT_SIZE];
	struct tlsa_record full = { 255, 255, 255, { data, 65 } };

	(void)state;
	assert_string_equal(tlsa_format(&record, text), "3 1 1 007fff");
	memset(data, 0xab, sizeof(data));
	tlsa_format(&full, text);
	assert_int_equal(strlen(text), TLSA_TEXT_SIZE - 1);
	assert_string_equal(text + strlen(text) - 5, "ab...");
	full.association.len = 64;
	tlsa_format(&full, text);
	assert_string_equal(text + strlen(text) - 4, "abab");
	full.association.len = 0;
	assert_string_equal(tlsa_format(&full, text), "255 255 255 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    records_that_smtp_can_use_are_told_from_others),
		cmocka_unit_test(records_stand_at_the_port_and_the_host),
		cmocka_unit_test(records_are_written_as_in_a_zone_file),
	};

	return cmocka_run_group_tests_name("tlsa", tests, NULL, NULL);
}
