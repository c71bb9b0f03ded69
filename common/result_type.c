/* SPDX-License-Identifier: ISC */
/* Why TLS failed, in the words of RFC 8460 4.3: see result_type.h. */
#include "common/result_type.h"

#include <assert.h>
#include <stddef.h>

static const struct {
	const char *name;
	const char *status;
} types[] = {
	[RESULT_NONE] = { "none", "4.4.1" },
	[RESULT_STARTTLS_NOT_SUPPORTED] = { "starttls-not-supported", "4.7.4" },
	[RESULT_CERTIFICATE_HOST_MISMATCH] = { "certificate-host-mismatch",
	    "4.7.5" },
	[RESULT_CERTIFICATE_EXPIRED] = { "certificate-expired", "4.7.5" },
	[RESULT_CERTIFICATE_NOT_TRUSTED] = { "certificate-not-trusted",
	    "4.7.5" },
	[RESULT_VALIDATION_FAILURE] = { "validation-failure", "4.7.5" },
	[RESULT_TLSA_INVALID] = { "tlsa-invalid", "4.7.5" },
	[RESULT_DNSSEC_INVALID] = { "dnssec-invalid", "4.7.5" },
	[RESULT_DANE_REQUIRED] = { "dane-required", "4.7.5" },
	[RESULT_STS_POLICY_FETCH_ERROR] = { "sts-policy-fetch-error", "4.4.3" },
	[RESULT_STS_POLICY_INVALID] = { "sts-policy-invalid", "4.4.3" },
	[RESULT_STS_WEBPKI_INVALID] = { "sts-webpki-invalid", "4.4.3" },
};

const char *
result_type_name(enum result_type type)
{
	assert((size_t)type < sizeof(types) / sizeof(types[0]));
	return types[type].name;
}

const char *
result_type_status(enum result_type type)
{
	assert((size_t)type < sizeof(types) / sizeof(types[0]));
	return types[type].status;
}
