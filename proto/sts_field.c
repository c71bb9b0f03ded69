/* SPDX-License-Identifier: ISC */
/* The name of a field, of the record and of the policy: see sts_field.h. */
#include "proto/sts_field.h"

#include "proto/ascii.h"

bool
sts_field_name_is_valid(struct span name)
{
	if (name.len == 0 || name.len > STS_FIELD_NAME_MAX ||
	    !ascii_is_alnum(name.p[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '_' &&
		    name.p[i] != '-' && name.p[i] != '.')
			return false;
	return true;
}
