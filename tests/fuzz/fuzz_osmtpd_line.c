/* SPDX-License-Identifier: ISC */
/*
 * Any line from smtpd is read without harm, and whatever the answer to it is
 * made of, it is one line with our words in it.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include "proto/ascii.h"
#include "proto/osmtpd_line.h"

static bool
is_within(struct span part, struct span whole)
{
	return part.len == 0 ||
	    (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void
check_id(struct span id, size_t max)
{
	assert(id.len >= 1 && id.len <= max);
	for (size_t i = 0; i < id.len; i++)
		assert(ascii_is_alnum(id.p[i]));
}

/* smtpd takes a reply of class 4 or 5, and hangs up after 421. */
static void
check_reply(struct span text)
{
	assert(text.len >= 4 && text.len <= OSMTPD_TEXT_MAX);
	assert(text.p[0] == '4' || text.p[0] == '5');
	assert(ascii_is_digit(text.p[1]) && ascii_is_digit(text.p[2]));
	assert(text.p[3] == ' ' && !span_starts(text, "421"));
	for (size_t i = 0; i < text.len; i++)
		assert(text.p[i] >= ' ' && text.p[i] <= '~');
}

static void
check_answer(const struct osmtpd_line *line)
{
	bool token_first = line->minor < 5;
	struct span first = token_first ? line->token : line->session,
		    second = token_first ? line->session : line->token;
	char text[600], out[OSMTPD_ANSWER_MAX], head[128];
	size_t len, head_len;

	snprintf(head, sizeof(head), "filter-result|%.*s|%.*s|", (int)first.len,
	    first.p, (int)second.len, second.p);
	head_len = strlen(head);
	len = osmtpd_answer_format(out, line->major, line->minor, line->session,
	    line->token, OSMTPD_PROCEED, NULL);
	assert(len == strlen(out) && memcmp(out, head, head_len) == 0);
	assert(strcmp(out + head_len, "proceed\n") == 0);
	if (!span_copy(line->rest, text, sizeof(text)))
		text[0] = '\0';
	len = osmtpd_answer_format(out, line->major, line->minor, line->session,
	    line->token, OSMTPD_REJECT, text);
	assert(len < OSMTPD_ANSWER_MAX && len == strlen(out));
	assert(out[len - 1] == '\n');
	assert(memcmp(out, head, head_len) == 0);
	assert(memcmp(out + head_len, "reject|", 7) == 0);
	check_reply((struct span){ out + head_len + 7, len - head_len - 8 });
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span input = fuzz_span(bytes, len);
	struct osmtpd_line line = osmtpd_line_parse(input);

	assert(is_within(line.name, input) && is_within(line.rest, input));
	assert(is_within(line.session, input) && is_within(line.token, input));
	switch (line.kind) {
	case OSMTPD_IGNORE:
		assert(line.rest.len == 0 && line.session.len == 0);
		break;
	case OSMTPD_CONFIG:
	case OSMTPD_READY:
		assert(span_starts(input, "config|"));
		assert(
		    (line.kind == OSMTPD_READY) == span_is(line.name, "ready"));
		break;
	case OSMTPD_REPORT:
		assert(span_starts(input, "report|0"));
		check_id(line.session, OSMTPD_SESSION_MAX);
		break;
	case OSMTPD_FILTER:
		assert(span_starts(input, "filter|0"));
		check_id(line.session, OSMTPD_SESSION_MAX);
		check_id(line.token, OSMTPD_TOKEN_MAX);
		check_answer(&line);
		break;
	}
	assert(line.major == 0);
	assert(line.kind == OSMTPD_FILTER || line.token.len == 0);
	return 0;
}
