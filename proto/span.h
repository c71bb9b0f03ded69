/* SPDX-License-Identifier: ISC */
/*
 * A piece of somebody else's bytes: a pointer and a length. Parsers take spans
 * and give spans back; nothing is copied and nothing is written to, and bytes
 * may hold any value, NUL included. The owner of the bytes must outlive the
 * span.
 */
#ifndef STRICTMX_PROTO_SPAN_H
#define STRICTMX_PROTO_SPAN_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	const char *p;
	size_t len;
};

/* The bytes of a string, without its NUL. NULL gives the empty span. */
struct span span_of(const char *string);

/* Equal to string, byte by byte; _nocase folds ASCII letters only. */
bool span_is(struct span s, const char *string);
bool span_is_nocase(struct span s, const char *string);

/* Begins with string. */
bool span_starts(struct span s, const char *string);

/*
 * Cuts the head of *rest off up to the first sep, which is dropped, or up to
 * the end. False, with *head untouched, when nothing is left; so "a;" gives
 * one piece and "a;;b" three, the middle one empty. A rest that was used up
 * has a NULL pointer.
 */
bool span_cut(struct span *rest, char sep, struct span *head);

/* Without the SP and TAB at both ends. */
struct span span_trim(struct span s);

/*
 * Copies into buf and ends it with NUL. False, with buf the empty string, when
 * it does not fit into size bytes or holds a NUL.
 */
bool span_copy(struct span s, char *buf, size_t size);

/* An unsigned number in ASCII digits only, at most max; false else. */
bool span_number(struct span s, unsigned long max, unsigned long *number);

#endif
