/* SPDX-License-Identifier: ISC */
/* A list of domains, folded, in which names are looked for. */
#ifndef STRICTMX_COMMON_NAME_LIST_H
#define STRICTMX_COMMON_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/span.h"

struct name_list {
	size_t n;
	char **names;
};

/*
 * Folds the name and adds it. False, with *why set to static text, when it is
 * no domain, there is no memory, or LIMIT_CONFIG_LIST names are there.
 */
bool name_list_add(struct name_list *list, struct span name, const char **why);

/* After the last name was added: sorts them, each stays once. */
void name_list_finish(struct name_list *list);

/* name is folded. Only after name_list_finish(). */
bool name_list_has(const struct name_list *list, const char *name);

/* Safe when all zero. */
void name_list_cleanup(struct name_list *list);

#endif
