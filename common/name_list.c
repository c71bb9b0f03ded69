/* SPDX-License-Identifier: ISC */
/* A list of domains: see name_list.h. */
#include "common/name_list.h"

#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "proto/domain.h"

#define STEP 64

/* Takes a folded name. */
static bool
keep(struct name_list *list, const char *name, const char **why)
{
	char *copy;

	*why = "one domain too many";
	if (list->n == LIMIT_CONFIG_LIST)
		return false;
	*why = "out of memory";
	if (list->n % STEP == 0) {
		char **grown =
		    realloc(list->names, (list->n + STEP) * sizeof(*grown));

		if (grown == NULL)
			return false;
		list->names = grown;
	}
	copy = strdup(name);
	if (copy == NULL)
		return false;
	list->names[list->n++] = copy;
	return true;
}

bool
name_list_add(struct name_list *list, struct span name, const char **why)
{
	char folded[DOMAIN_SIZE];

	if (domain_fold(name, folded) == DOMAIN_OK)
		return keep(list, folded, why);
	*why = "is not a domain";
	return false;
}

static int
name_compare(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

void
name_list_finish(struct name_list *list)
{
	char **names = list->names;
	size_t n = 0;

	if (list->n == 0)
		return;
	qsort(names, list->n, sizeof(*names), name_compare);
	for (size_t i = 0; i < list->n; i++)
		if (n > 0 && strcmp(names[n - 1], names[i]) == 0)
			free(names[i]);
		else
			names[n++] = names[i];
	list->n = n;
}

bool
name_list_has(const struct name_list *list, const char *name)
{
	return list->n > 0 &&
	    bsearch(&name, list->names, list->n, sizeof(name), name_compare) !=
	    NULL;
}

void
name_list_cleanup(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	list->names = NULL;
	list->n = 0;
}
