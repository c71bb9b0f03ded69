/* SPDX-License-Identifier: ISC */
/* The message behind DATA: see smtp_body.h. */
#include "proto/smtp_body.h"

#include <assert.h>
#include <string.h>

#include "proto/ascii.h"

#define LINE_MAX_OCTETS 1000 /* RFC 5321 4.5.3.1.6 */

static const char received_field[] = "received:";

void
smtp_body_init(struct smtp_body *body)
{
	*body = (struct smtp_body){ .state = SMTP_BODY_LINE_START,
		.line_is_empty = true };
}

static void
line_begins(struct smtp_body *body)
{
	body->state = SMTP_BODY_LINE_START;
	body->line_is_empty = true;
	body->matched = 0;
}

/* RFC 5322 2.2: the header ends at the first empty line. */
static void
line_ends(struct smtp_body *body)
{
	if (body->line_is_empty)
		body->past_header = true;
	line_begins(body);
}

/* Looks at octets of one line, which all go out. */
static void
look_at(struct smtp_body *body, const char *p, size_t len)
{
	unsigned char bits = 0;

	for (size_t i = 0; i < len; i++)
		bits |= (unsigned char)p[i];
	body->eight_bit |= bits > 0x7f;
	body->line_is_empty = body->line_is_empty && len == 0;
	if (body->past_header)
		return;
	for (size_t i = 0; i < len && received_field[body->matched] != '\0';
	     i++) {
		if (ascii_lower(p[i]) != received_field[body->matched]) {
			/* No match any more in this line. */
			body->matched = sizeof(received_field) - 1;
			return;
		}
		if (received_field[++body->matched] == '\0')
			body->received++;
	}
}

static size_t
give(struct smtp_body *body, char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	body->octets += len;
	return len;
}

/* A CR or LF that stands alone. */
static size_t
give_blank(struct smtp_body *body, char *out)
{
	body->repaired = true;
	body->state = SMTP_BODY_IN_LINE;
	look_at(body, " ", 1);
	return give(body, out, " ");
}

/* What was held back, now that the octet after it, no LF, is known. */
static size_t
give_held(struct smtp_body *body, char *out)
{
	size_t n = 0;

	if (body->state == SMTP_BODY_DOT || body->state == SMTP_BODY_DOT_CR) {
		look_at(body, ".", 1);
		n += give(body, out, ".");
	}
	if (body->state == SMTP_BODY_CR || body->state == SMTP_BODY_DOT_CR)
		n += give_blank(body, out + n);
	body->state = SMTP_BODY_IN_LINE;
	return n;
}

/*
 * How many octets of p are before a CR or LF. A line's length of them is
 * looked at, no more: a message of nothing but CRs would cost its square.
 */
static size_t
run_length(const char *p, size_t max)
{
	size_t n = max < LINE_MAX_OCTETS ? max : LINE_MAX_OCTETS;
	const char *end = memchr(p, '\n', n);

	if (end != NULL)
		n = (size_t)(end - p);
	end = memchr(p, '\r', n);
	return end == NULL ? n : (size_t)(end - p);
}

/* Octets of a line that mean nothing to anybody, up to a CR or LF. */
static size_t
give_run(struct smtp_body *body, struct span *input, char *out, size_t room)
{
	size_t n = run_length(input->p, input->len < room ? input->len : room);

	memcpy(out, input->p, n);
	look_at(body, input->p, n);
	body->octets += n;
	input->p += n;
	input->len -= n;
	return n;
}

static void
skip_octet(struct span *input)
{
	input->p++;
	input->len--;
}

/* A line, or what is left of it. */
static size_t
take_line(struct smtp_body *body, struct span *input, char *out, size_t room)
{
	char c = input->p[0];

	if (c == '.' && body->state == SMTP_BODY_LINE_START) {
		body->state = SMTP_BODY_DOT;
	} else if (c == '\r') {
		body->state = SMTP_BODY_CR;
	} else if (c == '\n') {
		skip_octet(input);
		return give_blank(body, out);
	} else {
		body->state = SMTP_BODY_IN_LINE;
		return give_run(body, input, out, room);
	}
	skip_octet(input);
	return 0;
}

/* The octet behind a CR, a dot or both, which say nothing without it. */
static size_t
take_next(struct smtp_body *body, struct span *input, char *out)
{
	char c = input->p[0];
	size_t n = 0;

	if (c == '\n' && body->state == SMTP_BODY_CR) {
		n = give(body, out, "\r\n");
		line_ends(body);
	} else if (c == '\n' && body->state == SMTP_BODY_DOT_CR) {
		body->state = SMTP_BODY_END;
	} else if (c == '\r' && body->state == SMTP_BODY_DOT) {
		body->state = SMTP_BODY_DOT_CR;
	} else {
		return give_held(body, out);
	}
	skip_octet(input);
	return n;
}

size_t
smtp_body_take(struct smtp_body *body, struct span *input, char *out,
    size_t size)
{
	size_t n = 0;

	assert(size > SMTP_BODY_HELD && body->state != SMTP_BODY_END);
	while (input->len > 0 && size - n > SMTP_BODY_HELD &&
	    body->state != SMTP_BODY_END)
		if (body->state == SMTP_BODY_LINE_START ||
		    body->state == SMTP_BODY_IN_LINE)
			n += take_line(body, input, out + n, size - n);
		else
			n += take_next(body, input, out + n);
	return n;
}
