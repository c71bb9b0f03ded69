/* SPDX-License-Identifier: ISC */
/*
 * What is asked of each MX host, and by whom: DANE where it applies to that
 * host, else the MTA-STS policy, else nobody. A part of the judgement, and pure
 * as that is.
 */
#ifndef STRICTMX_COMMON_DEMAND_H
#define STRICTMX_COMMON_DEMAND_H

#include <stdbool.h>

struct config;
struct facts;
struct mx_fact;
struct verdict;

/*
 * Sets under_dane, required, allowed, enforced, eligible and refused of each
 * host of verdict->facts, for verdict->gate.
 */
void demand_mark(struct verdict *verdict, const struct config *config);

/*
 * May there yet come a policy with mode enforce, so that mail waits for it?
 * Only where none binds.
 */
bool demand_waits_for_policy(const struct verdict *verdict);

/*
 * Has the administrator let the domain through, by a policy of his in mode none
 * or testing? That lifts DANE, too: he knows that it is broken.
 */
bool demand_is_lifted(const struct facts *facts);

/* Is any host under DANE? */
bool demand_is_danes(const struct facts *facts);

#endif
