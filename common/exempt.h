/* SPDX-License-Identifier: ISC */
/* Recipients that no policy can be about (RFC 8461 3.4). */
#ifndef STRICTMX_COMMON_EXEMPT_H
#define STRICTMX_COMMON_EXEMPT_H

#include "proto/domain.h"

struct config;

/*
 * Why there is no policy domain at all, as static text; NULL when there may be
 * one. kind and domain are what domain_of_mailbox() made of the recipient;
 * DOMAIN_NO_MEMORY is not exempt.
 */
const char *exempt_why(const struct config *config, enum domain_kind kind,
    const char *domain);

#endif
