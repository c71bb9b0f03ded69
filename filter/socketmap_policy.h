/* SPDX-License-Identifier: ISC */
/*
 * A verdict in the words of Postfix's TLS policy table (smtp_tls_policy_maps):
 * what its own SMTP client must ask of a next hop. Pure.
 *
 *	NOTFOUND			nothing binds: main.cf decides
 *	secure match=A:B servername=hostname	an enforced policy of MTA-STS
 *	TEMP why			nobody knows: never "no policy"
 */
#ifndef STRICTMX_FILTER_SOCKETMAP_POLICY_H
#define STRICTMX_FILTER_SOCKETMAP_POLICY_H

#include <stdbool.h>

struct config;
struct nexthop;
struct socketmap_answer;
struct verdict;

/*
 * verdict is that of the delivery gate on hop->domain; hop is a DOMAIN or a
 * HOST. tlsrpt: with the attributes that Postfix 3.10 and later knows, which
 * earlier ones take for errors. Names of hosts come from the network: only
 * those go into an answer that cannot be read as anything else.
 */
void socketmap_policy_answer(const struct verdict *verdict,
    const struct nexthop *hop, bool tlsrpt, const struct config *config,
    struct socketmap_answer *out);

#endif
