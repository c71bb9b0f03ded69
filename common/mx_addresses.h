/* SPDX-License-Identifier: ISC */
/*
 * Where one MX host is: its addresses, IPv6 and IPv4 by turns, IPv6 first, in
 * the order in which they are to be tried. Those that strictmx does not
 * connect to (common/address.h) are left out.
 */
#ifndef STRICTMX_COMMON_MX_ADDRESSES_H
#define STRICTMX_COMMON_MX_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/limits.h"

struct mx_addresses;
struct ports;

/* Borrowed for the time of the call. */
struct mx_addresses_found {
	size_t n;
	struct address list[LIMIT_PROBE_ADDRESSES];
	bool is_own; /* one of them, left out or not, is this host's */
	/* When n is 0: */
	bool unasked; /* a question was not begun: nothing is known */
	char why[ADDRESS_SIZE + 128]; /* what follows the host's name */
};

typedef void mx_addresses_done_fn(const struct mx_addresses_found *found,
    void *arg);

/*
 * mx is folded and not kept. done runs once, never before this call returned;
 * the handle is spent then. NULL when nothing could be asked.
 */
struct mx_addresses *mx_addresses_start(const struct ports *ports,
    const char *mx, const struct address_rules *rules,
    mx_addresses_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void mx_addresses_cancel(struct mx_addresses **addresses);

#endif
