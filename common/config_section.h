/* SPDX-License-Identifier: ISC */
/*
 * Sections of strictmx.conf(5), each a table of keys with a setter for each:
 *
 *	key = value			the file itself, which has no name
 *	relay { key = value }		once
 *	policy "example.com" { ... }	once for each title
 *
 * A setter checks one value and puts it into the configuration. What one key
 * cannot know alone is done at the end of its section, or of the file, by
 * config.c. Included by the files of the sections and by config.c only.
 */
#ifndef STRICTMX_COMMON_CONFIG_SECTION_H
#define STRICTMX_COMMON_CONFIG_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/config.h"
#include "common/limits.h"
#include "proto/span.h"

struct config_key;

/* One run of config_load(). */
struct config_run {
	struct config *config;
	const char *path;
	char *error; /* CONFIG_ERROR_SIZE; the first error stays */
	/* The value being set. */
	const struct config_key *last;
	const char *key, *value;
	unsigned line;
	unsigned n_values; /* of the key so far */
	/* For the end. */
	size_t n_trusted_ad;
	struct address trusted_ad[LIMIT_CONFIG_TRUSTED_AD];
	bool engine_away_given;
	size_t policy; /* of config->policies: the section being read */
	unsigned socketmap_line, exim_line;
};

struct config_key {
	const char *name;
	bool list;
	/* Called for each value, in the order of the file; false: said so. */
	bool (*set)(struct config_run *run);
};

#define CONFIG_SECTION_KEYS 48 /* of one section, at most */

struct config_section {
	const char *name; /* "": the file itself */
	bool titled;
	const struct config_key *keys;
	size_t n_keys;
	/*
	 * These may be NULL; false: said so. "begin" runs for every section of
	 * the file before any value is set: run->value is the title, if any,
	 * run->line where the section begins. "end" runs when all values of a
	 * section were set, in the same order.
	 */
	bool (*begin)(struct config_run *run);
	bool (*end)(struct config_run *run);
};

/* The file itself, and then the others. */
#define CONFIG_SECTIONS 5
extern const struct config_section *const config_sections[CONFIG_SECTIONS];
extern const struct config_section config_main_section;
extern const struct config_section config_exim_section;
extern const struct config_section config_policy_section;
extern const struct config_section config_relay_section;
extern const struct config_section config_socketmap_section;

/* NULL when there is none of that name. */
const struct config_section *config_section_find(struct span name);
const struct config_key *config_key_find(const struct config_section *section,
    struct span name);

#endif
