/* SPDX-License-Identifier: ISC */
/* The name that strictmx gives itself where none is configured. */
#ifndef STRICTMX_COMMON_HOSTNAME_H
#define STRICTMX_COMMON_HOSTNAME_H

#include "proto/domain.h"

/*
 * The full name of this host, folded: its own name if that has a dot, else what
 * the system's resolver makes of it, else the short name, "localhost" at last.
 * May wait for DNS: not to be called while serving.
 */
void hostname_find(char out[DOMAIN_SIZE]);

#endif
