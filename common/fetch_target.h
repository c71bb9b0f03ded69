/* SPDX-License-Identifier: ISC */
/* Where a fetch goes: the policy host and those addresses that it may have. */
#ifndef STRICTMX_COMMON_FETCH_TARGET_H
#define STRICTMX_COMMON_FETCH_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/limits.h"
#include "common/ports.h"
#include "proto/domain.h"

struct fetch_target {
	char host[DOMAIN_SIZE]; /* "mta-sts.example.com" */
	size_t n_addresses;
	struct address addresses[LIMIT_FETCH_ADDRESSES];
};

/*
 * Reads a request: of its addresses the first LIMIT_FETCH_ADDRESSES that may
 * be connected to, each once. When none is left n_addresses is 0 and *refused
 * says why. False when the request makes no sense: no address at all, a domain
 * that is not folded, or a host name longer than names are.
 */
bool fetch_target_read(struct fetch_target *target,
    const struct fetch_request *request, const struct address_rules *rules,
    struct fetch_result *refused);

#endif
