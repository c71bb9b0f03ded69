/* SPDX-License-Identifier: ISC */
/* What a test made the log say: descriptor 2 leads into a file meanwhile. */
#ifndef STRICTMX_TESTS_UNIT_LOG_CAPTURE_H
#define STRICTMX_TESTS_UNIT_LOG_CAPTURE_H

#include <stddef.h>

void log_capture_start(void);

/* Gives descriptor 2 back. The text is valid until the next start. */
const char *log_capture_end(void);

/* How many lines a text has, and how often it holds a word. */
size_t log_capture_lines(const char *text);
size_t log_capture_count(const char *text, const char *word);

#endif
