/* SPDX-License-Identifier: ISC */
/*
 * One log for the whole process: to syslog for the daemon, to stderr for the
 * foreground and the filter (smtpd logs a filter's stderr line by line). The
 * layer that handles an error logs it, once.
 *
 *	info     answers	notice   policy changes
 *	warning  the admin can act	error    something does not work
 *	debug    each step
 */
#ifndef STRICTMX_COMMON_LOG_H
#define STRICTMX_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Before anything is logged. ident is borrowed for good ("strictmxd"). */
void log_init(const char *ident, bool to_syslog, enum log_level level);
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/*
 * Lines go to sink and nowhere else from now on; NULL: as log_init() said.
 * line: without LF, borrowed for the time of the call.
 */
typedef void log_sink_fn(enum log_level level, const char *line, void *arg);
void log_set_sink(log_sink_fn *sink, void *arg);

/* "error" ... "debug"; false when name is none of them. */
bool log_level_parse(const char *name, enum log_level *level);
const char *log_level_name(enum log_level level);

/*
 * One line, without LF; what does not fit into 1,024 octets is cut. Control
 * characters never reach the log.
 */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Setup failed before serving: logs the line as an error and exits with 1. */
void fatal(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Text from the network for a log line: in double quotes, with '"', '\' and
 * all but printable ASCII escaped as \xHH, cut with "..." to fit. Returns buf.
 */
#define LOG_QUOTE_SIZE 320
const char *log_quote(char buf[LOG_QUOTE_SIZE], const char *p, size_t len);

#endif
