/* SPDX-License-Identifier: ISC */
/*
 * JSON that goes out as one line of strictmx-query(7). Without memory a part is
 * NULL, and so is every whole that it would have been a part of: things are
 * told all or not at all. json_pack() does that by itself.
 */
#ifndef STRICTMX_COMMON_JSON_LINE_H
#define STRICTMX_COMMON_JSON_LINE_H

#include <jansson.h>

/*
 * A string; NULL or nothing is null. JSON takes valid UTF-8 only and terminals
 * take more than is good for them: what is not printable ASCII becomes '?'. The
 * first 1,023 octets count.
 */
json_t *json_text(const char *s);

/* Gives item to list and returns it; NULL, with both gone, without memory. */
json_t *json_list_add(json_t *list, json_t *item);

/* The text of a whole, which is given up; to be freed. NULL without memory. */
char *json_line(json_t *whole);

#endif
