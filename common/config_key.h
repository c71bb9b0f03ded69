/* SPDX-License-Identifier: ISC */
/*
 * The keys of strictmx.conf(5): a table with a setter for each, that checks one
 * value and puts it into the configuration. What one key cannot know alone is
 * left to config.c, which includes this; nobody else does.
 */
#ifndef STRICTMX_COMMON_CONFIG_KEY_H
#define STRICTMX_COMMON_CONFIG_KEY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/limits.h"
#include "proto/span.h"

/* One run of config_load(). */
struct config_run {
	struct config *config;
	const char *path;
	char *error; /* CONFIG_ERROR_SIZE; the first error stays */
	/* The value being set. */
	const char *key, *value;
	unsigned line;
	unsigned n_values; /* of the key so far */
	/* For the end. */
	size_t n_trusted_ad;
	struct address trusted_ad[LIMIT_CONFIG_TRUSTED_AD];
};

struct config_key {
	const char *name;
	bool list;
	/* Called for each value, in the order of the file; false: said so. */
	bool (*set)(struct config_run *run);
};

#define CONFIG_KEYS 21
extern const struct config_key config_keys[CONFIG_KEYS];

/* Its place in config_keys, or CONFIG_KEYS when there is no such key. */
size_t config_key_find(struct span name);

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:5353". */
bool config_upstream_parse(const char *text, struct resolver_upstream *out);

/* The error is "file:line: text"; line 0 is the whole file. Always false. */
bool config_run_fail(struct config_run *run, const char *path, unsigned line,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void config_run_fail_va(struct config_run *run, const char *path, unsigned line,
    const char *format, va_list ap) __attribute__((format(printf, 4, 0)));

#endif
