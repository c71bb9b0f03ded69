/* SPDX-License-Identifier: ISC */
/*
 * Classes of ASCII octets, whatever the locale: <ctype.h> follows the locale
 * and has no answer for a negative char.
 */
#ifndef STRICTMX_PROTO_ASCII_H
#define STRICTMX_PROTO_ASCII_H

#include <stdbool.h>

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* WSP of RFC 5234: a blank or a TAB. */
static inline bool
ascii_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
ascii_is_control(char c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

#endif
