/* SPDX-License-Identifier: ISC */
/*
 * Why TLS failed, in the words of RFC 8460 4.3, and the enhanced status code
 * that goes with each in a reply.
 */
#ifndef STRICTMX_COMMON_RESULT_TYPE_H
#define STRICTMX_COMMON_RESULT_TYPE_H

enum result_type {
	RESULT_NONE, /* no failure, or none that is about TLS */
	RESULT_STARTTLS_NOT_SUPPORTED,
	RESULT_CERTIFICATE_HOST_MISMATCH,
	RESULT_CERTIFICATE_EXPIRED,
	RESULT_CERTIFICATE_NOT_TRUSTED,
	RESULT_VALIDATION_FAILURE,
	RESULT_TLSA_INVALID,
	RESULT_DNSSEC_INVALID,
	RESULT_DANE_REQUIRED,
	RESULT_STS_POLICY_FETCH_ERROR,
	RESULT_STS_POLICY_INVALID,
	RESULT_STS_WEBPKI_INVALID,
};

/* "starttls-not-supported", ...; "none" for RESULT_NONE. */
const char *result_type_name(enum result_type type);

/* "4.7.4", "4.7.5" ...; "4.4.1" for RESULT_NONE: not reached. */
const char *result_type_status(enum result_type type);

#endif
