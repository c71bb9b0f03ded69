/* SPDX-License-Identifier: ISC */
/*
 * What the end of a transfer means: a policy's bytes, or a failure in the
 * words of RFC 8460 4.3 with one sentence for a person. Pure.
 */
#ifndef STRICTMX_COMMON_FETCH_OUTCOME_H
#define STRICTMX_COMMON_FETCH_OUTCOME_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ports.h"

enum fetch_excess {
	FETCH_EXCESS_NONE,
	FETCH_EXCESS_BODY,
	FETCH_EXCESS_HEADERS
};

/* What is known of a transfer that has ended. */
struct fetch_outcome {
	CURLcode code;
	long status;		     /* of HTTP; 0: no response */
	long verify;		     /* of OpenSSL; tells with code 60 only */
	int os_error;		     /* of connect(2), or 0 */
	bool connected;		     /* TCP */
	bool encrypted;		     /* TLS */
	enum fetch_excess excess;    /* why we stopped it */
	struct address address;	     /* that was refused */
	const char *address_refused; /* why we did not connect; or NULL */
	const char *content_type;    /* NULL: none */
	const char *curl_error;	     /* libcurl's own words; "" if none */
	int64_t elapsed_ms;
};

/* Fills in result and why. The body is the caller's. */
void fetch_outcome_judge(const struct fetch_outcome *outcome, const char *host,
    struct fetch_result *result);

/* Failures of a fetch that has no transfer. */
void fetch_outcome_refused(const struct address *address, const char *why,
    const char *host, struct fetch_result *result);
void fetch_outcome_crowded_out(const char *host, struct fetch_result *result);

#endif
