/* SPDX-License-Identifier: ISC */
/*
 * The octets of a socketmap, Postfix's and Sendmail's protocol for tables that
 * another process keeps (Postfix: socketmap_table(5)):
 *
 *	question: netstring of  MAP SP KEY
 *	answer:   netstring of  STATUS SP TEXT
 */
#ifndef STRICTMX_PROTO_SOCKETMAP_H
#define STRICTMX_PROTO_SOCKETMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/netstring.h"
#include "proto/span.h"

#define SOCKETMAP_QUESTION_MAX 10000 /* octets, without the netstring */
#define SOCKETMAP_ANSWER_MAX 100000  /* the most that Postfix reads */

struct socketmap_question {
	struct span map;
	struct span key; /* any octets, none too */
};

/* Both point into octets. False when there is no blank behind a map's name. */
bool socketmap_question_parse(struct span octets,
    struct socketmap_question *out);

enum socketmap_status {
	SOCKETMAP_OK,	    /* text: what the key stands for */
	SOCKETMAP_NOTFOUND, /* no text */
	SOCKETMAP_TEMP,	    /* text: why it cannot be said for now */
	SOCKETMAP_PERM,	    /* text: what is wrong with the question */
};

/*
 * An answer in the making. It is large: where few are needed. What is added
 * must be printable ASCII; an octet that is not becomes '?', so that no answer
 * ever holds a line end.
 */
struct socketmap_answer {
	enum socketmap_status status;
	bool overflow; /* something did not fit, and was left out */
	size_t from;   /* where it begins in octets */
	size_t len;
	char octets[NETSTRING_AROUND + SOCKETMAP_ANSWER_MAX];
};

void socketmap_answer_begin(struct socketmap_answer *answer,
    enum socketmap_status status);

/* All of it or, when the answer would be too long, nothing. */
void socketmap_answer_add(struct socketmap_answer *answer, struct span text);

/* The whole netstring, which points into the answer. */
struct span socketmap_answer_end(struct socketmap_answer *answer);

#endif
