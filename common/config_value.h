/* SPDX-License-Identifier: ISC */
/*
 * Kinds of values in strictmx.conf(5), for the setters of keys. Each looks at
 * run->value and says what was wrong when it returns false.
 */
#ifndef STRICTMX_COMMON_CONFIG_VALUE_H
#define STRICTMX_COMMON_CONFIG_VALUE_H

#include <stdarg.h>
#include <stdbool.h>

#include "common/config.h"
#include "proto/span.h"

struct config_run;

/* The error is "file:line: text"; line 0 is the whole file. Always false. */
bool config_run_fail(struct config_run *run, const char *path, unsigned line,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void config_run_fail_va(struct config_run *run, const char *path, unsigned line,
    const char *format, va_list ap) __attribute__((format(printf, 4, 0)));

/* Always false: "file:line: key = "value": why". */
bool config_value_refuse(struct config_run *run, const char *why);
bool config_no_memory(struct config_run *run);

/* One of two words; *out: it was the second. */
bool config_value_one_of(struct config_run *run, const char *no,
    const char *yes, bool *out);
bool config_value_choice(struct config_run *run, enum config_choice *out);

/* A copy of value in the place of *out, which is freed; NULL gives NULL. */
bool config_value_string(struct config_run *run, const char *value, char **out);

/* The same, of an absolute path. */
bool config_value_path(struct config_run *run, char **out);

/*
 * A path, or a loopback address with its port: "127.0.0.1:8462", "[::1]:8462".
 * out is empty before.
 */
bool config_value_listen(struct config_run *run, struct config_listen *out);

/* The same, and one that a Unix socket can have. */
bool config_value_socket(struct config_run *run, char **out);

/* digits are a number of units; *out is 1 to max of the base unit. */
bool config_value_number(struct config_run *run, struct span digits,
    unsigned long unit, unsigned long max, unsigned long *out);

#endif
