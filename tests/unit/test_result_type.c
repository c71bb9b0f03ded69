/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include "common/result_type.h"

static void
every_type_has_its_word_and_its_status(void **state)
{
	/* RFC 8460 4.3, and the status that a reply carries. */
	static const struct {
		enum result_type type;
		const char *name, *status;
	} table[] = {
		{ RESULT_NONE, "none", "4.4.1" },
		{ RESULT_STARTTLS_NOT_SUPPORTED, "starttls-not-supported",
		    "4.7.4" },
		{ RESULT_CERTIFICATE_HOST_MISMATCH, "certificate-host-mismatch",
		    "4.7.5" },
		{ RESULT_CERTIFICATE_EXPIRED, "certificate-expired", "4.7.5" },
		{ RESULT_CERTIFICATE_NOT_TRUSTED, "certificate-not-trusted",
		    "4.7.5" },
		{ RESULT_VALIDATION_FAILURE, "validation-failure", "4.7.5" },
		{ RESULT_TLSA_INVALID, "tlsa-invalid", "4.7.5" },
		{ RESULT_DNSSEC_INVALID, "dnssec-invalid", "4.7.5" },
		{ RESULT_DANE_REQUIRED, "dane-required", "4.7.5" },
		{ RESULT_STS_POLICY_FETCH_ERROR, "sts-policy-fetch-error",
		    "4.4.3" },
		{ RESULT_STS_POLICY_INVALID, "sts-policy-invalid", "4.4.3" },
		{ RESULT_STS_WEBPKI_INVALID, "sts-webpki-invalid", "4.4.3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(table[i].type, i);
		assert_string_equal(result_type_name(table[i].type),
		    table[i].name);
		assert_string_equal(result_type_status(table[i].type),
		    table[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_its_word_and_its_status),
	};

	return cmocka_run_group_tests_name("result_type", tests, NULL, NULL);
}
