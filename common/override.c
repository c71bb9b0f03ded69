/* SPDX-License-Identifier: ISC */
/* A policy set by the administrator: see override.h. */
#include "common/override.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

const char override_no_memory[] = "out of memory";

bool
override_add(struct override *override, const char *key, const char *value)
{
	size_t len = override->body == NULL ? 0 : strlen(override->body);
	size_t more = strlen(key) + strlen(value) + sizeof(": \n");
	char *grown;

	if (len + more > LIMIT_FETCH_BODY ||
	    (grown = realloc(override->body, len + more)) == NULL)
		return false;
	snprintf(grown + len, more, "%s: %s\n", key, value);
	override->body = grown;
	return true;
}

static const char *
read_body(struct override *override)
{
	struct sts_policy_error error;

	switch (sts_policy_parse(span_of(override->body), &override->policy,
	    &error)) {
	case STS_POLICY_OK:
		return NULL;
	case STS_POLICY_INVALID:
		return error.reason;
	case STS_POLICY_NO_MEMORY:
		break;
	}
	return override_no_memory;
}

const char *
override_finish(struct override *override)
{
	char max_age[16];

	/* Its end is until_s: max_age only makes it a whole policy. */
	snprintf(max_age, sizeof(max_age), "%u", STS_MAX_AGE_MAX_S);
	if (!override_add(override, "version", "STSv1") ||
	    !override_add(override, "max_age", max_age))
		return "out of memory, or too long";
	return read_body(override);
}

const char *
override_read(struct override *override, struct span body)
{
	override->body = malloc(body.len + 1);
	if (override->body == NULL)
		return override_no_memory;
	if (!span_copy(body, override->body, body.len + 1))
		return "an octet of it is NUL";
	return read_body(override);
}

void
override_cleanup(struct override *override)
{
	free(override->body);
	sts_policy_cleanup(&override->policy);
	memset(override, 0, sizeof(*override));
}
