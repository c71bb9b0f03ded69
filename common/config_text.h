/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration file, before libConfuse sees it. libConfuse
 * counts lines wrongly after comments, drops characters that it does not know,
 * expands "${...}" from the environment and lets the last of two equal keys
 * win. So comments are blanked out here, what it would silently change is
 * refused, and the keys are listed for the caller to look at.
 */
#ifndef STRICTMX_COMMON_CONFIG_TEXT_H
#define STRICTMX_COMMON_CONFIG_TEXT_H

#include <stdbool.h>

#include "proto/span.h"

/*
 * The whole file, ended with NUL, to be freed. NULL with *why set to a text
 * for a person (static, or that of strerror()) and errno to the reason: EFBIG
 * for more than LIMIT_CONFIG_FILE octets, EILSEQ for a NUL octet.
 */
char *config_text_read(const char *path, const char **why);

/* Where a walk through a text stands. */
struct config_text {
	char *at;
	unsigned line;
	const char *why; /* static text once something was refused */
};

/* Begins at the first line. */
struct config_text config_text_start(char *text);

/*
 * Blanks comments out: "#" and "//" to the end of the line, and what stands
 * between the usual C signs; but not in quotes. Lines keep their numbers.
 * Refused, with line and why set: a comment or a string without an end on its
 * line (comments in C's way may span lines), a backslash in a string, "${",
 * control characters, and "*", "+" or ";" outside quotes.
 */
bool config_text_clean(struct config_text *t);

/* In a clean text: the next word or string that is followed by "=". */
bool config_text_next_key(struct config_text *t, struct span *key);

#endif
