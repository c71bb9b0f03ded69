/* SPDX-License-Identifier: ISC */
/* The lines of strictmx-query(7), request and answer: see query_line.h. */
#include "proto/query_line.h"

#include <stdbool.h>
#include <string.h>

#include "proto/ascii.h"

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
		if (!ascii_is_alnum(s.p[i]))
			return false;
	return true;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_control(s.p[i]))
			return true;
	return false;
}

enum argument {
	ARGUMENT_NONE,
	ARGUMENT_MAY,
	ARGUMENT_MUST,
};

/* wrong: what is said of a verb without its argument, or with one too many. */
static const struct {
	enum query_verb verb;
	const char *name;
	enum argument argument;
	const char *wrong;
} verbs[] = {
	{ QUERY_RCPT, "rcpt", ARGUMENT_MUST, "no mailbox" },
	{ QUERY_EXPLAIN, "explain", ARGUMENT_MUST, "no mailbox" },
	{ QUERY_PING, "ping", ARGUMENT_NONE, "ping takes no argument" },
	{ QUERY_CACHE_CLEAR, "cache-clear", ARGUMENT_NONE,
	    "cache-clear takes no argument" },
	{ QUERY_CACHE_DROP, "cache-drop", ARGUMENT_MUST, "no domain" },
	{ QUERY_CACHE_LIST, "cache-list", ARGUMENT_MAY, NULL },
	{ QUERY_CACHE_REFRESH, "cache-refresh", ARGUMENT_MUST, "no domain" },
	{ QUERY_CACHE_SHOW, "cache-show", ARGUMENT_MUST, "no domain" },
	{ QUERY_OVERRIDE_DROP, "override-drop", ARGUMENT_MUST, "no domain" },
	{ QUERY_OVERRIDE_LIST, "override-list", ARGUMENT_MAY, NULL },
	{ QUERY_OVERRIDE_SET, "override-set", ARGUMENT_MUST, "no domain" },
	{ QUERY_STAGING, "staging", ARGUMENT_MAY, NULL },
	{ QUERY_STATS, "stats", ARGUMENT_NONE, "stats takes no argument" },
	{ QUERY_WHY, "why", ARGUMENT_MUST, "no domain" },
};
#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const char *
verb_name(enum query_verb verb)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (verbs[i].verb == verb)
			return verbs[i].name;
	return "bad";
}

bool
query_verb_is_admin(enum query_verb verb)
{
	return verb > QUERY_PING;
}

/* Its row; N_VERBS when there is none. */
static size_t
verb_find(struct span name)
{
	size_t i = 0;

	while (i < N_VERBS && !span_is(name, verbs[i].name))
		i++;
	return i;
}

/* Fills in verb and argument; returns what is wrong, or NULL. */
static const char *
parse_verb(struct span rest, struct query_request *out)
{
	struct span verb;
	size_t row;

	if (!span_cut(&rest, ' ', &verb))
		return "no verb";
	out->argument = rest;
	if ((row = verb_find(verb)) == N_VERBS)
		return "unknown verb";
	out->verb = verbs[row].verb;
	if (has_control(rest))
		return "control character in the argument";
	if (rest.len > 0)
		return verbs[row].argument == ARGUMENT_NONE ? verbs[row].wrong
							    : NULL;
	return verbs[row].argument == ARGUMENT_MUST ? verbs[row].wrong : NULL;
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

/* Decimal digits; returns how many. */
static size_t
put_number(char *out, uint64_t number)
{
	char digits[QUERY_ID_MAX];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = digits[n - 1 - i];
	return n;
}

size_t
query_request_format(char out[QUERY_LINE_SIZE], uint64_t id,
    enum query_verb verb, struct span argument)
{
	struct span name = span_of(verb_name(verb));
	struct span line = { out, put_number(out, id) };

	out[line.len++] = ' ';
	memcpy(out + line.len, name.p, name.len);
	line.len += name.len;
	if (argument.len > QUERY_REQUEST_MAX - line.len - 1)
		return 0;
	if (argument.len > 0) {
		out[line.len++] = ' ';
		memcpy(out + line.len, argument.p, argument.len);
		line.len += argument.len;
	}
	/* An argument with a LF or a CR at its end would be another line. */
	if (verb == QUERY_BAD || has_control(argument) ||
	    query_request_parse(line).verb != verb)
		return 0;
	out[line.len] = '\n';
	out[line.len + 1] = '\0';
	return line.len + 1;
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
