/* SPDX-License-Identifier: ISC */
/* The log as a test sees it: see log_capture.h. */
#include "tests/unit/log_capture.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *file;
static int saved = -1;
static char text[16384];

void
log_capture_start(void)
{
	assert_int_equal(saved, -1);
	file = tmpfile();
	assert_non_null(file);
	saved = dup(STDERR_FILENO);
	assert_int_not_equal(saved, -1);
	assert_int_not_equal(dup2(fileno(file), STDERR_FILENO), -1);
}

const char *
log_capture_end(void)
{
	size_t len;

	assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	saved = -1;
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

size_t
log_capture_count(const char *p, const char *word)
{
	size_t n = 0;

	for (; (p = strstr(p, word)) != NULL; p += strlen(word))
		n++;
	return n;
}

size_t
log_capture_lines(const char *p)
{
	return log_capture_count(p, "\n");
}
