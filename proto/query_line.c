/* SPDX-License-Identifier: ISC */
/* The lines of strictmx-query(7), request and answer: see query_line.h. */
#include "proto/query_line.h"

static struct span
without_cr(struct span line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
is_id(struct span s)
{
	if (s.len == 0 || s.len > QUERY_ID_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'Z'))
			return false;
	return true;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

/* Fills in verb and argument; returns what is wrong, or NULL. */
static const char *
parse_verb(struct span rest, struct query_request *out)
{
	struct span verb;

	if (!span_cut(&rest, ' ', &verb))
		return "no verb";
	out->argument = rest;
	if (span_is(verb, "rcpt"))
		out->verb = QUERY_RCPT;
	else if (span_is(verb, "explain"))
		out->verb = QUERY_EXPLAIN;
	else if (span_is(verb, "ping"))
		out->verb = QUERY_PING;
	else
		return "unknown verb";
	if (has_control(rest))
		return "control character in the argument";
	if (out->verb == QUERY_PING)
		return rest.len == 0 ? NULL : "ping takes no argument";
	return rest.len > 0 ? NULL : "no mailbox";
}

struct query_request
query_request_parse(struct span line)
{
	struct query_request out = { .id = span_of("-") };
	struct span rest = without_cr(line), id;

	if (!span_cut(&rest, ' ', &id) || !is_id(id)) {
		out.why = "no id of 1 to 20 letters or digits";
		return out;
	}
	out.id = id;
	out.why = line.len > QUERY_REQUEST_MAX ? "line too long"
					       : parse_verb(rest, &out);
	if (out.why != NULL)
		out.verb = QUERY_BAD;
	return out;
}

static const struct {
	enum query_word word;
	const char *name;
} words[] = {
	{ QUERY_PROCEED, "proceed" },
	{ QUERY_DEFER, "defer" },
	{ QUERY_REJECT, "reject" },
	{ QUERY_FACTS, "facts" },
	{ QUERY_PONG, "pong" },
	{ QUERY_ERROR, "error" },
};

struct query_answer
query_answer_parse(struct span line)
{
	struct query_answer out = { .word = QUERY_ANSWER_BAD };
	struct span rest = without_cr(line), id, word;

	if (!span_cut(&rest, ' ', &id) || (!is_id(id) && !span_is(id, "-")) ||
	    !span_cut(&rest, ' ', &word))
		return out;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_is(word, words[i].name)) {
			out.word = words[i].word;
			out.id = id;
			out.text = rest;
		}
	return out;
}

const char *
query_word_name(enum query_word word)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].word == word)
			return words[i].name;
	return "bad";
}
