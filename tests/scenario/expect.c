/* SPDX-License-Identifier: ISC */
/* What a case expects against what it came to: see expect.h. */
#include "tests/scenario/expect.h"

#include <stdio.h>
#include <stdlib.h>

static bool fits(json_t *want, json_t *got);

static bool
object_fits(json_t *want, json_t *got)
{
	const char *key;
	json_t *value;

	json_object_foreach(want, key,
	    value) if (!fits(value, json_object_get(got, key))) return false;
	return json_is_object(got);
}

/* Lists are short: each one wanted takes the first that fits and is left. */
static bool
list_fits(json_t *want, json_t *got)
{
	json_t *left = json_copy(got);
	bool good =
	    json_is_array(got) && json_array_size(want) == json_array_size(got);
	json_t *value;
	size_t i, j;

	json_array_foreach(want, i, value)
	{
		for (j = 0; j < json_array_size(left); j++)
			if ((j == 0 || json_is_object(value)) &&
			    fits(value, json_array_get(left, j)))
				break;
		good = good && json_array_remove(left, j) == 0;
	}
	json_decref(left);
	return good;
}

static bool
fits(json_t *want, json_t *got)
{
	if (json_is_object(want))
		return object_fits(want, got);
	if (json_is_array(want))
		return list_fits(want, got);
	return got != NULL && json_equal(want, got);
}

static void
tell(const char *id, size_t step, const char *member, json_t *want, json_t *got)
{
	char *wanted = json_dumps(want, JSON_COMPACT | JSON_ENCODE_ANY);
	char *had = got == NULL
	    ? NULL
	    : json_dumps(got, JSON_COMPACT | JSON_ENCODE_ANY);

	fprintf(stderr, "%s: step %zu: %s: expected %s, got %s\n", id, step + 1,
	    member, wanted, had == NULL ? "nothing" : had);
	free(wanted);
	free(had);
}

bool
expect_met(json_t *scenario, json_t *results)
{
	const char *id = json_string_value(json_object_get(scenario, "id"));
	const char *key;
	json_t *step, *want;
	bool met = true;
	size_t i;

	json_array_foreach(json_object_get(scenario, "steps"), i, step)
	{
		json_t *result = json_array_get(results, i);

		json_object_foreach(json_object_get(step, "expect"), key, want)
		{
			json_t *got = json_object_get(result, key);

			if (fits(want, got))
				continue;
			tell(id, i, key, want, got);
			met = false;
		}
	}
	return met;
}
