/* SPDX-License-Identifier: ISC */
/*
 * What the two halves of the judgement share: verdict.c, of a destination as a
 * whole, and verdict_hosts.c, of its MX hosts. Not for others.
 */
#ifndef STRICTMX_COMMON_VERDICT_PRIVATE_H
#define STRICTMX_COMMON_VERDICT_PRIVATE_H

#include "common/verdict.h"

/* Made printable. */
void verdict_set_reason(struct verdict *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The host that decided, and with it where the demand comes from. */
void verdict_set_mx(struct verdict *v, const struct mx_fact *mx);

/*
 * A refusal: temporary, or, where the administrator wants that and the policy
 * is known to be the published one, permanent (RFC 8461 5.1); one that he has
 * set himself is what he wants. The relay never makes a policy's failure
 * permanent, and nobody that of DANE. status is "4.x.y".
 */
void verdict_refuse(struct verdict *v, const struct config *config,
    const char *status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A refusal for what nobody knows yet: temporary, always. */
void verdict_defer(struct verdict *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* That no host is allowed, what probes have shown, or how many may be tried. */
void verdict_decide_hosts(struct verdict *v, const struct config *config);

/* One good host is enough; what is wrong with the others else. */
void verdict_decide_probes(struct verdict *v, const struct config *config);

#endif
