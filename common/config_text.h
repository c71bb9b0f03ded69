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
	bool is_value;	 /* behind "=" */
	bool in_list;	 /* between the braces of a value */
};

enum config_token {
	CONFIG_TOKEN_END,
	CONFIG_TOKEN_KEY,   /* a word or string that is followed by "=" */
	CONFIG_TOKEN_OPEN,  /* "name {" or "name title {" */
	CONFIG_TOKEN_CLOSE, /* the "}" of a section */
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

/*
 * In a clean text: what comes next that is no value. name is that of the key
 * or section; title.p is NULL when there is none, and both are when nothing
 * stands before a "{".
 */
enum config_token config_text_next(struct config_text *t, struct span *name,
    struct span *title);

#endif
