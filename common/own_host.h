/* SPDX-License-Identifier: ISC */
/*
 * Is this host itself among the MX hosts of a domain, by name (RFC 5321 5.1)?
 * Its addresses are for common/address.h.
 */
#ifndef STRICTMX_COMMON_OWN_HOST_H
#define STRICTMX_COMMON_OWN_HOST_H

#include <stdbool.h>

struct config;
struct facts;

#define OWN_HOST_NOT_THERE 65536u /* no preference */

/* The preference of the best MX host that is this host. */
unsigned own_host_preference(const struct facts *facts,
    const struct config *config);

/* Not where the administrator has said where mail goes. */
bool own_host_matters(const struct facts *facts);

#endif
