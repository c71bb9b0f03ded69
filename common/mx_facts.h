/* SPDX-License-Identifier: ISC */
/*
 * The MX hosts of a domain, as facts: put in order, each once, null MX and
 * implicit MX told apart (RFC 5321 5.1, RFC 7505).
 */
#ifndef STRICTMX_COMMON_MX_FACTS_H
#define STRICTMX_COMMON_MX_FACTS_H

#include "common/facts.h"

struct dns_answer;

/*
 * Reads an answer for MX records. Hosts are in the order of preference, equal
 * ones as in the answer; at most LIMIT_MX_HOSTS. Without memory MX_UNKNOWN.
 */
void mx_facts_take(struct facts *facts, const struct dns_answer *answer);

/* As before any answer: hosts, and what was found of them. */
void mx_facts_forget(struct facts *facts);

/*
 * The domain is its own and only host: MX_IMPLICIT (RFC 5321 5.1),
 * MX_SMARTHOST, or MX_LITERAL.
 */
void mx_facts_take_domain(struct facts *facts, enum mx_state state);

#endif
