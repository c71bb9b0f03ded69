/* SPDX-License-Identifier: ISC */
/*
 * The order in which MX hosts are tried at delivery: by preference, equal ones
 * in random order (RFC 5321 5.1); those that the policy does not list, and this
 * host with all that are no nearer to the destination, are left out.
 */
#ifndef STRICTMX_COMMON_MX_ORDER_H
#define STRICTMX_COMMON_MX_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/limits.h"

struct config;
struct facts;
struct mx_fact;
struct ports;

struct mx_order {
	size_t n;
	size_t list[LIMIT_MX_HOSTS]; /* indices into the hosts of the facts */
};

/*
 * This host is known by its names here. True when it is the best of all: then
 * mail would come back.
 */
bool mx_order_make(struct mx_order *order, const struct facts *facts,
    const struct config *config, const struct ports *ports);

/* This host has that preference; as above. */
bool mx_order_cut(struct mx_order *order, const struct facts *facts,
    unsigned preference);

/* Behind the last host that has the preference of the one at turn. */
size_t mx_order_peers_end(const struct mx_order *order,
    const struct facts *facts, size_t turn);

/* DANE keeps it out: it has its turn all the same, to be told of. */
bool mx_order_is_kept_out(const struct mx_fact *mx);

#endif
