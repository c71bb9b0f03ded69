/* SPDX-License-Identifier: ISC */
/* Members of what an engine has answered: see tool_json.h. */
#include "filter/tool_json.h"

#include <stdlib.h>
#include <string.h>

const char *
tool_json_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text == NULL ? "-" : text;
}

int64_t
tool_json_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* A terminal gets printable ASCII, whatever engine this is. */
static void
string_make_printable(json_t *string)
{
	char *copy = strdup(json_string_value(string));

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			*p = '?';
	json_string_set(string, copy == NULL ? "" : copy);
	free(copy);
}

void
tool_json_make_printable(json_t *value)
{
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_string(value))
		string_make_printable(value);
	json_object_foreach(value, key, part)
	{
		tool_json_make_printable(part);
	}
	json_array_foreach(value, i, part)
	{
		tool_json_make_printable(part);
	}
}
