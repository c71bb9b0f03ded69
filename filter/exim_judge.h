/* SPDX-License-Identifier: ISC */
/*
 * The certificates that a host has shown to Exim, judged by what an enforced
 * policy asks of it (RFC 8461 4.1, 4.2), but for what DANE asks, which they
 * cannot show here: Exim does that by itself.
 */
#ifndef STRICTMX_FILTER_EXIM_JUDGE_H
#define STRICTMX_FILTER_EXIM_JUDGE_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "common/tls_verify.h"
#include "proto/domain.h"

struct verdict;

struct exim_judgement {
	struct tls_judgement tls;
	const char *asker;    /* static: "MTA-STS policy of", "DANE of" */
	char mx[DOMAIN_SIZE]; /* the name that counted */
};

/*
 * host (folded) is as Exim names it: an MX host, or the name at the end of its
 * CNAMEs. chain: the host's own certificate first. False without memory.
 */
bool exim_judge(const struct tls_verify *verify, const struct verdict *verdict,
    const char *host, STACK_OF(X509) * chain, struct exim_judgement *out);

/*
 * What is wrong, in one line: "certificate-expired: MTA-STS policy of DOMAIN:
 * certificate of MX has expired". Returns out.
 */
#define EXIM_JUDGEMENT_SIZE (2 * DOMAIN_SIZE + 256) /* text with two names */
const char *exim_judgement_text(const struct exim_judgement *judgement,
    const char *domain, char out[EXIM_JUDGEMENT_SIZE]);

/*
 * The same for the log, in the words of the engine's lines; refused: else it
 * would be, but for a testing mode. session: any words that name it.
 */
void exim_judgement_log(const struct exim_judgement *judgement,
    const struct verdict *verdict, const char *session, bool refused);

#endif
