/* SPDX-License-Identifier: ISC */
/* The text of a configuration file before libConfuse: see config_text.h. */
#include "common/config_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

char *
config_text_read(const char *path, const char **why)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len;
	int error = 0;

	if (file == NULL) {
		*why = strerror(errno);
		return NULL;
	}
	text = malloc(LIMIT_CONFIG_FILE + 2);
	if (text == NULL) {
		error = ENOMEM;
		goto out;
	}
	len = fread(text, 1, LIMIT_CONFIG_FILE + 1, file);
	text[len] = '\0';
	if (ferror(file))
		error = errno;
	else if (len > LIMIT_CONFIG_FILE)
		error = EFBIG;
	else if (strlen(text) != len)
		error = EILSEQ;
out:
	fclose(file);
	if (error == 0)
		return text;
	free(text);
	*why = error == EILSEQ ? "a NUL octet in the file" : strerror(error);
	errno = error;
	return NULL;
}

struct config_text
config_text_start(char *text)
{
	struct config_text t = { .at = text, .line = 1 };

	return t;
}

static bool
refuse(struct config_text *t, const char *why)
{
	t->why = why;
	return false;
}

static void
blank_line(struct config_text *t)
{
	while (*t->at != '\0' && *t->at != '\n')
		*t->at++ = ' ';
}

static bool
blank_comment(struct config_text *t)
{
	const char *end = strstr(t->at + 2, "*/");

	if (end == NULL)
		return refuse(t, "a comment without an end");
	for (end += 2; t->at < end; t->at++)
		if (*t->at == '\n')
			t->line++;
		else
			*t->at = ' ';
	return true;
}

/* Control characters of a line other than TAB, and a CR that ends none. */
static bool
is_control(const char *p)
{
	unsigned char c = (unsigned char)*p;

	return c == 0x7f || (c < 0x20 && c != '\t' && c != '\n');
}

static bool
skip_string(struct config_text *t)
{
	char quote = *t->at++;

	for (; *t->at != quote; t->at++) {
		if (*t->at == '\0' || *t->at == '\n')
			return refuse(t, "a string without an end");
		if (*t->at == '\\')
			return refuse(t, "a backslash in a string");
		if (is_control(t->at))
			return refuse(t, "a control character");
		if (strncmp(t->at, "${", 2) == 0)
			return refuse(t, "'${' is not expanded here");
	}
	t->at++;
	return true;
}

/* One character outside comments and strings. */
static bool
take_plain(struct config_text *t)
{
	if (strncmp(t->at, "\r\n", 2) == 0)
		*t->at = ' ';
	if (is_control(t->at))
		return refuse(t, "a control character");
	if (strncmp(t->at, "${", 2) == 0)
		return refuse(t, "'${' is not expanded here");
	if (strchr("*+;", *t->at) != NULL)
		return refuse(t, "'*', '+' or ';' outside of quotes");
	if (*t->at == '\n')
		t->line++;
	t->at++;
	return true;
}

static bool
is_word(char c)
{
	return c != '\0' && strchr(" \t\n\"'#{}()=,", c) == NULL;
}

bool
config_text_clean(struct config_text *t)
{
	bool in_word = false; /* "a//b" is a word, as libConfuse has it */
	bool good = true;

	while (good && *t->at != '\0') {
		if (*t->at == '#' || (!in_word && strncmp(t->at, "//", 2) == 0))
			blank_line(t);
		else if (strncmp(t->at, "/*", 2) == 0)
			good = blank_comment(t);
		else if (*t->at == '"' || *t->at == '\'')
			good = skip_string(t);
		else {
			in_word = is_word(*t->at);
			good = take_plain(t);
			continue;
		}
		in_word = false;
	}
	return good;
}

static struct span
next_word(struct config_text *t)
{
	struct span word = { t->at, 0 };

	if (*t->at == '"' || *t->at == '\'') {
		word.p = t->at + 1;
		t->at = strchr(word.p, *t->at);
		word.len = (size_t)(t->at++ - word.p);
		return word;
	}
	while (is_word(*t->at))
		t->at++;
	word.len = (size_t)(t->at - word.p);
	return word;
}

/* A word is a value, or one of the last two that may come to mean something. */
static void
take_word(struct config_text *t, struct span *name, struct span *title)
{
	struct span word = next_word(t);

	if (t->in_list)
		return;
	if (t->is_value) {
		t->is_value = false;
		return;
	}
	if (title->p != NULL)
		*name = *title;
	if (name->p == NULL)
		*name = word;
	else
		*title = word;
}

enum config_token
config_text_next(struct config_text *t, struct span *name, struct span *title)
{
	*name = *title = (struct span){ NULL, 0 };
	while (*t->at != '\0') {
		if (is_word(*t->at) || *t->at == '"' || *t->at == '\'') {
			take_word(t, name, title);
			continue;
		}
		switch (*t->at++) {
		case '\n':
			t->line++;
			break;
		case '=':
			t->is_value = true;
			if (title->p != NULL)
				*name = *title;
			if (name->p != NULL)
				return CONFIG_TOKEN_KEY;
			break;
		case '{':
			t->in_list = t->is_value;
			if (!t->is_value)
				return CONFIG_TOKEN_OPEN;
			t->is_value = false;
			break;
		case '}':
			if (!t->in_list)
				return CONFIG_TOKEN_CLOSE;
			t->in_list = false;
			break;
		}
	}
	return CONFIG_TOKEN_END;
}
