/* SPDX-License-Identifier: ISC */
/* A file with the certificates that a host shows, in PEM, its own first. */
#ifndef STRICTMX_FILTER_TOOL_CHAIN_H
#define STRICTMX_FILTER_TOOL_CHAIN_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "proto/span.h"

/*
 * Adds them to chain; other blocks of the file do not matter. False: there is
 * one that cannot be read.
 */
bool tool_chain_read(STACK_OF(X509) * chain, struct span pem);

#endif
