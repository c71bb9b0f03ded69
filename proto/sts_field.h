/* SPDX-License-Identifier: ISC */
/*
 * What the TXT record and the policy have in common: the name of a field
 * (RFC 8461 3.1 sts-ext-name, 3.2 sts-policy-ext-name).
 */
#ifndef STRICTMX_PROTO_STS_FIELD_H
#define STRICTMX_PROTO_STS_FIELD_H

#include <stdbool.h>

#include "proto/span.h"

#define STS_FIELD_NAME_MAX 32

/*
 * A letter or digit, then letters, digits, "_", "-" and ".", 32 at most. The
 * names that the RFC gives a meaning are such names too.
 */
bool sts_field_name_is_valid(struct span name);

#endif
