/* SPDX-License-Identifier: ISC */
/* What keys of strictmx.conf(5) share with others: see config_key.c. */
#ifndef STRICTMX_COMMON_CONFIG_KEY_H
#define STRICTMX_COMMON_CONFIG_KEY_H

#include <stdbool.h>

struct resolver_upstream;

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". */
bool config_upstream_parse(const char *text, struct resolver_upstream *out);

#endif
