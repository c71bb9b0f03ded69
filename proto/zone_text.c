/* SPDX-License-Identifier: ISC */
/*
 * Reads the presentation form of a TXT record: see zone_text.h. What an
 * operator pastes from his zone is turned into the octets that a resolver would
 * hand to proto/sts_record.
 */
#include "proto/zone_text.h"

#include "proto/ascii.h"

struct reader {
	struct span rest;
	char *out;
	size_t len;
};

static char
take(struct reader *r)
{
	r->rest.len--;
	return *r->rest.p++;
}

static const char *
take_escape(struct reader *r)
{
	struct span digits = { r->rest.p, 3 };
	unsigned long octet;

	if (r->rest.len == 0)
		return "nothing behind the last \\";
	if (!ascii_is_digit(r->rest.p[0])) {
		r->out[r->len++] = take(r);
		return NULL;
	}
	if (r->rest.len < 3 || !span_number(digits, 255, &octet))
		return "\\ and a digit, but not \\000 to \\255";
	r->rest.p += 3;
	r->rest.len -= 3;
	r->out[r->len++] = (char)(unsigned char)octet;
	return NULL;
}

/* One character of a string, which may be written as an escape. */
static const char *
take_character(struct reader *r)
{
	char c = take(r);

	if (c == '\\')
		return take_escape(r);
	r->out[r->len++] = c;
	return NULL;
}

/* Behind the opening quote, up to the closing one. */
static const char *
take_quoted(struct reader *r)
{
	const char *why = NULL;

	while (why == NULL && r->rest.len > 0) {
		if (r->rest.p[0] == '"') {
			take(r);
			return NULL;
		}
		why = take_character(r);
	}
	return why != NULL ? why : "quote that is not closed";
}

/* Parentheses only join lines (RFC 1035 5.1). */
static bool
is_between(char c)
{
	return ascii_is_blank(c) || c == '\r' || c == '\n' || c == '(' ||
	    c == ')';
}

static const char *
take_strings(struct reader *r)
{
	const char *why = NULL;

	while (why == NULL && r->rest.len > 0 && r->rest.p[0] != ';') {
		if (is_between(r->rest.p[0])) {
			take(r);
		} else if (r->rest.p[0] == '"') {
			take(r);
			why = take_quoted(r);
		} else {
			why = take_character(r);
		}
	}
	return why;
}

static bool
begins_with_quote(struct span text)
{
	size_t i = 0;

	while (i < text.len && is_between(text.p[i]))
		i++;
	return i < text.len && text.p[i] == '"';
}

const char *
zone_text_join(struct span text, char *out, size_t *len)
{
	struct reader r = { text, out, 0 };
	const char *why = NULL;

	if (begins_with_quote(text))
		why = take_strings(&r);
	else
		while (why == NULL && r.rest.len > 0)
			why = take_character(&r);
	*len = r.len;
	return why;
}
