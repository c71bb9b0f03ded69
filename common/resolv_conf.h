/* SPDX-License-Identifier: ISC */
/*
 * The nameserver that the host itself uses, from resolv.conf(5). Apart from
 * the resolver so that who only reads the configuration needs no DNS library.
 */
#ifndef STRICTMX_COMMON_RESOLV_CONF_H
#define STRICTMX_COMMON_RESOLV_CONF_H

#include <stdbool.h>

#include "common/resolver.h"

/*
 * The first nameserver on a loopback address, else the first of all; on port
 * 53, trusted_ad only for loopback. False, with out untouched, when the file
 * cannot be read or names none. "options" and "search" are not used, a
 * nameserver with a zone ("fe80::1%eth0") is passed over.
 */
bool resolv_conf_nameserver(const char *path, struct resolver_upstream *out);

#endif
