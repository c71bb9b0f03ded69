/* SPDX-License-Identifier: ISC */
/*
 * The lines that Exim and the engine exchange (strictmx-query(7), EXIM): one
 * request, one answer, and the connection ends. Exim writes requests with
 * ${readsocket}, from macros of contrib/exim.
 *
 *	POLICY  domain
 *	ROUTE   domain
 *	DOMAIN  domain
 *	CERT    message domain host address depth tlsa-usage certificate
 *	EVENT   event message domain host address [key=value...] [data=text]
 *	VERDICT message domain host address [key=value...]
 *
 * One blank between words, none of which is empty; text is the rest.
 */
#ifndef STRICTMX_PROTO_EXIM_LINE_H
#define STRICTMX_PROTO_EXIM_LINE_H

#include <stdbool.h>

#include "proto/span.h"

#define EXIM_REQUEST_MAX 65536 /* a certificate in base64, and a bit */
#define EXIM_DEPTH_MAX 15      /* of a certificate, 0 being the host's own */
#define EXIM_WORD_MAX 320      /* of all but the certificate */

enum exim_verb {
	EXIM_BAD,     /* see why */
	EXIM_POLICY,  /* what to require of the hosts of a domain */
	EXIM_ROUTE,   /* the same, with the hosts themselves */
	EXIM_DOMAIN,  /* says the domain again when it is one */
	EXIM_CERT,    /* a certificate that a host has shown */
	EXIM_EVENT,   /* what became of a session */
	EXIM_VERDICT, /* may the message go into this session? */
};

/* The spans point into the line; those that a verb does not have are empty. */
struct exim_request {
	enum exim_verb verb;
	const char *why; /* static text when EXIM_BAD */
	struct span domain;
	struct span message, host, address; /* of a session */
	unsigned depth;			    /* CERT */
	unsigned tlsa_usage;	 /* CERT: bits; 0: DANE is not in force */
	struct span certificate; /* CERT: DER in base64, not looked at */
	struct span event;	 /* EVENT: "tcp:close", ... */
	bool verified;		 /* cv=1 */
	bool dane;		 /* dane=yes */
	struct span cipher;	 /* empty: no TLS */
	struct span text;	 /* data=, what Exim says of it */
};

/* Reads a request line, without LF. */
struct exim_request exim_request_parse(struct span line);

enum exim_mode {
	EXIM_TEMPFAIL, /* nobody knows yet, or no answer at all */
	EXIM_NONE,
	EXIM_TESTING,
	EXIM_ENFORCE,
	EXIM_FAIL, /* no mail can go there */
};

/* The answer to POLICY and ROUTE. */
struct exim_answer {
	enum exim_mode mode;
	struct span hosts; /* ROUTE: "mx1.example.com:mx2.example.com" */
	struct span text;  /* why="..." */
};

/*
 * mode=MODE [mx=REGEX,...] [hosts=HOST:...] [why="text"], in this order. What
 * is not understood is EXIM_TEMPFAIL.
 */
struct exim_answer exim_answer_parse(struct span line);

/* "tempfail", "none", "testing", "enforce", "fail". */
const char *exim_mode_name(enum exim_mode mode);

/*
 * A pattern of a policy as a regular expression for Exim's host lists, where
 * "*.x" would stand for any number of labels: "^[^.]+\.x$". Returns its length;
 * 0, with out untouched, when it is no LDH name or pattern or does not fit into
 * size octets, NUL included.
 */
size_t exim_pattern_format(char *out, size_t size, const char *pattern);

/*
 * Makes text one that can stand in why="..." and in a line of Exim's log:
 * printable ASCII without quotes and backslashes. Cut to fit; returns out.
 */
const char *exim_text_format(char *out, size_t size, const char *text);

#endif
