/* SPDX-License-Identifier: ISC */
/* JSON that goes out as one line: see json_line.h. */
#include "common/json_line.h"

#include <stdlib.h>

#define TEXT_SIZE 1024

json_t *
json_text(const char *s)
{
	char out[TEXT_SIZE];
	size_t n = 0;

	if (s == NULL || *s == '\0')
		return json_null();
	for (; s[n] != '\0' && n < sizeof(out) - 1; n++)
		out[n] = s[n] >= 0x20 && s[n] <= 0x7e ? s[n] : '?';
	return json_stringn(out, n);
}

json_t *
json_list_add(json_t *list, json_t *item)
{
	if (json_array_append_new(list, item) == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* Not json_dumps(): without memory that may leave a piece out (jansson 2.14).
 */
char *
json_line(json_t *whole)
{
	size_t len =
	    whole == NULL ? 0 : json_dumpb(whole, NULL, 0, JSON_COMPACT);
	char *line = len == 0 ? NULL : malloc(len + 1);

	if (line != NULL && json_dumpb(whole, line, len, JSON_COMPACT) == len) {
		line[len] = '\0';
	} else {
		free(line);
		line = NULL;
	}
	json_decref(whole);
	return line;
}
