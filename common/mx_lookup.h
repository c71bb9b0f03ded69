/* SPDX-License-Identifier: ISC */
/*
 * The MX hosts of a domain and, where the MX answer lets DANE apply, what DANE
 * says of each of them (RFC 7672 2.2): the MX question, then all hosts at once.
 */
#ifndef STRICTMX_COMMON_MX_LOOKUP_H
#define STRICTMX_COMMON_MX_LOOKUP_H

#include <stdbool.h>

struct config;
struct facts;
struct mx_lookup;
struct ports;

struct mx_lookup_opts {
	const struct ports *ports;
	const struct config *config;
	bool dane;  /* ask for it */
	bool fresh; /* past the DNS cache */
};

typedef void mx_lookup_done_fn(void *arg);

/*
 * facts has the domain and the port, and is borrowed until the end; what has
 * been found stands in it at any time, so that whoever cancels has that. done
 * runs once, never before this call returned; the lookup is spent then. NULL
 * when it could not be begun: facts say why.
 */
struct mx_lookup *mx_lookup_start(const struct mx_lookup_opts *opts,
    struct facts *facts, mx_lookup_done_fn *done, void *arg);

/* Clears the pointer; done will not run. Safe on NULL. */
void mx_lookup_cancel(struct mx_lookup **lookup);

#endif
