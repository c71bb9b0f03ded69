/* SPDX-License-Identifier: ISC */
/*
 * The lines of strictmx-query(7), between the engine and those who ask it.
 *
 *	request:  ID VERB [ARGUMENT]\n
 *	answer:   ID WORD [TEXT]\n
 *
 * ID is 1 to 20 letters or digits that the asker chooses; answers carry it and
 * come in any order. Lines end in LF (a CR before it is dropped).
 */
#ifndef STRICTMX_PROTO_QUERY_LINE_H
#define STRICTMX_PROTO_QUERY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

#define QUERY_ID_MAX 20
#define QUERY_REQUEST_MAX 1024 /* octets of a request line */
#define QUERY_GREETING "strictmx-query 1"

enum query_verb {
	QUERY_BAD,     /* see why */
	QUERY_RCPT,    /* judge a recipient at the admission gate */
	QUERY_EXPLAIN, /* the same, answered with all facts in JSON */
	QUERY_PING,
	/* The administrator's, answered with JSON: from here on. */
	QUERY_CACHE_CLEAR,
	QUERY_CACHE_DROP,    /* a domain */
	QUERY_CACHE_REFRESH, /* a domain */
	QUERY_CACHE_LIST,    /* nothing, or the domain after which to begin */
	QUERY_CACHE_SHOW,    /* a domain */
	QUERY_OVERRIDE_DROP, /* a domain */
	QUERY_OVERRIDE_LIST, /* nothing, or the domain after which to begin */
	QUERY_OVERRIDE_SET,  /* domain, mode, end, mx or "-", reason */
	QUERY_STAGING,	     /* nothing, or the domain after which to begin */
	QUERY_STATS,
	QUERY_WHY, /* a domain */
};

bool query_verb_is_admin(enum query_verb verb);

struct query_request {
	enum query_verb verb;
	struct span id;	      /* "-" when it could not be read */
	struct span argument; /* the rest of the line */
	const char *why;      /* static text when QUERY_BAD */
};

/* Reads a request line, without LF. The spans point into line. */
struct query_request query_request_parse(struct span line);

#define QUERY_LINE_SIZE (QUERY_REQUEST_MAX + 2) /* with LF and NUL */

/*
 * Writes "ID VERB [ARGUMENT]\n" and returns its length; 0 for a request that
 * query_request_parse() would call bad.
 */
size_t query_request_format(char out[QUERY_LINE_SIZE], uint64_t id,
    enum query_verb verb, struct span argument);

enum query_word {
	QUERY_ANSWER_BAD, /* not an answer line */
	QUERY_PROCEED,	  /* text: why, for a log; may be empty */
	QUERY_DEFER,	  /* text: a 4xx reply to be given as it is */
	QUERY_REJECT,	  /* text: a 5xx reply */
	QUERY_FACTS,	  /* text: JSON */
	QUERY_PONG,
	QUERY_ERROR, /* text: what was wrong with the request */
};

struct query_answer {
	enum query_word word;
	struct span id;
	struct span text;
};

/* Reads an answer line, without LF. The spans point into line. */
struct query_answer query_answer_parse(struct span line);

/* "proceed", "defer", ... as they stand in an answer. */
const char *query_word_name(enum query_word word);

#endif
