/* SPDX-License-Identifier: ISC */
/*
 * The lines of smtpd-filters(7), protocol 0.5 to 0.7 and, as far as they look
 * alike, later ones: what smtpd writes to a filter, and what a filter may
 * answer. smtpd ends when a filter writes one wrong line, so every answer is
 * made here and nowhere else.
 */
#ifndef STRICTMX_PROTO_OSMTPD_LINE_H
#define STRICTMX_PROTO_OSMTPD_LINE_H

#include "proto/span.h"

#define OSMTPD_SESSION_MAX 32 /* 16 hex digits as of 0.7 */
#define OSMTPD_TOKEN_MAX 32
#define OSMTPD_ANSWER_MAX 1024 /* a whole answer line, LF and NUL included */
#define OSMTPD_TEXT_MAX 510    /* a text in it: RFC 5321 4.5.3.1.5, no CR LF */

enum osmtpd_kind {
	OSMTPD_IGNORE, /* not understood or not for us; never an error */
	OSMTPD_CONFIG, /* config|name|value */
	OSMTPD_READY,  /* config|ready */
	OSMTPD_REPORT, /* report|version|time|smtp-in|event|session|... */
	OSMTPD_FILTER, /* filter|version|time|smtp-in|phase|session|token|... */
};

struct osmtpd_line {
	enum osmtpd_kind kind;
	unsigned major, minor; /* protocol version of REPORT and FILTER */
	struct span name;      /* config name, report event, filter phase */
	struct span session;   /* at most OSMTPD_SESSION_MAX, [0-9a-zA-Z] */
	struct span token;     /* FILTER: at most OSMTPD_TOKEN_MAX */
	struct span rest;      /* all after that, '|' included */
};

/*
 * Reads one line, without LF. The spans point into line. A line that is broken,
 * of another subsystem than smtp-in, or of a major version other than 0 is
 * OSMTPD_IGNORE.
 */
struct osmtpd_line osmtpd_line_parse(struct span line);

enum osmtpd_decision {
	OSMTPD_PROCEED,
	OSMTPD_REJECT, /* with a text that begins with a 4xx or 5xx code */
};

/*
 * Writes "filter-result|session|token|decision\n" (token first before 0.5) and
 * returns its length. text is only read for OSMTPD_REJECT; it is cut to
 * OSMTPD_TEXT_MAX, octets that are not printable ASCII become '?', and a text
 * that does not begin with a 4xx or 5xx code and a blank, or that says 421, is
 * put behind "451 4.3.0 ": smtpd must never see anything else.
 */
size_t osmtpd_answer_format(char out[OSMTPD_ANSWER_MAX], unsigned major,
    unsigned minor, struct span session, struct span token,
    enum osmtpd_decision decision, const char *text);

#endif
