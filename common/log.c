/* SPDX-License-Identifier: ISC */
/* The log of the process, to syslog or stderr: see log.h. */
#include "common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_SIZE 1024

static const char *const names[] = { "error", "warning", "notice", "info",
	"debug" };
static const int priorities[] = { LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO,
	LOG_DEBUG };

static const char *log_ident = "strictmx";
static bool log_to_syslog;
static enum log_level log_threshold = LOG_LEVEL_INFO;
static log_sink_fn *log_sink;
static void *log_sink_arg;

void
log_init(const char *ident, bool to_syslog, enum log_level level)
{
	log_ident = ident;
	log_to_syslog = to_syslog;
	log_threshold = level;
	if (to_syslog)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_set_level(enum log_level level)
{
	log_threshold = level;
}

void
log_set_sink(log_sink_fn *sink, void *arg)
{
	log_sink = sink;
	log_sink_arg = arg;
}

enum log_level
log_get_level(void)
{
	return log_threshold;
}

bool
log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

/* One write for the whole line: lines of several processes must not mix. */
static void
write_stderr(enum log_level level, const char *line)
{
	char out[LINE_SIZE + 64];
	int len;
	ssize_t written;

	if (level <= LOG_LEVEL_WARNING)
		len = snprintf(out, sizeof(out), "%s: %s: %s\n", log_ident,
		    names[level], line);
	else
		len = snprintf(out, sizeof(out), "%s: %s\n", log_ident, line);
	if (len < 0)
		return;
	/* A log that cannot be written is no reason to stop serving. */
	written = write(STDERR_FILENO, out,
	    (size_t)len < sizeof(out) ? (size_t)len : sizeof(out) - 1);
	(void)written;
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *format, va_list ap)
{
	char line[LINE_SIZE];

	if (level > log_threshold)
		return;
	if (vsnprintf(line, sizeof(line), format, ap) < 0)
		return;
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (log_sink != NULL)
		log_sink(level, line, log_sink_arg);
	else if (log_to_syslog)
		syslog(priorities[level], "%s", line);
	else
		write_stderr(level, line);
}

#define LOG_FUNCTION(name, level)                                              \
	void name(const char *format, ...)                                     \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, format);                                          \
		log_line(level, format, ap);                                   \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void
fatal(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line(LOG_LEVEL_ERROR, format, ap);
	va_end(ap);
	exit(1);
}

const char *
log_quote(char buf[LOG_QUOTE_SIZE], const char *p, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const size_t limit = LOG_QUOTE_SIZE - sizeof("\\xHH...\"");
	size_t n = 0;

	buf[n++] = '"';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (n > limit) {
			memcpy(buf + n, "...", 3);
			n += 3;
			break;
		}
		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			buf[n++] = (char)c;
		} else {
			buf[n++] = '\\';
			buf[n++] = 'x';
			buf[n++] = hex[c >> 4];
			buf[n++] = hex[c & 15];
		}
	}
	buf[n++] = '"';
	buf[n] = '\0';
	return buf;
}
