/* SPDX-License-Identifier: ISC */
/*
 * The lines between Exim and the engine: see exim_line.h. Names of hosts come
 * from DNS and texts from the peer, so nothing in a line is taken for granted:
 * a word that is missing, empty or too long makes the request a bad one.
 */
#include "proto/exim_line.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/domain.h"
#include "proto/mx_match.h"

#define TLSA_USAGE_MAX 255

static struct span
without_cr(struct span line)
{
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool
has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (ascii_is_control(s.p[i]))
			return true;
	return false;
}

static bool
next_word(struct span *rest, struct span *word)
{
	return span_cut(rest, ' ', word) && word->len > 0 &&
	    word->len <= EXIM_WORD_MAX;
}

static bool
next_number(struct span *rest, unsigned long max, unsigned *number)
{
	struct span word;
	unsigned long n;

	if (!next_word(rest, &word) || !span_number(word, max, &n))
		return false;
	*number = (unsigned)n;
	return true;
}

/* Each returns what is wrong, or NULL. */

static const char *
parse_domain(struct span rest, struct exim_request *out)
{
	if (!next_word(&rest, &out->domain))
		return "no domain";
	return rest.p == NULL ? NULL : "more than a domain";
}

static const char *
parse_session(struct span *rest, struct exim_request *out)
{
	if (!next_word(rest, &out->message))
		return "no message";
	if (!next_word(rest, &out->domain))
		return "no domain";
	if (!next_word(rest, &out->host))
		return "no host";
	return next_word(rest, &out->address) ? NULL : "no address";
}

static const char *
parse_cert(struct span rest, struct exim_request *out)
{
	const char *why = parse_session(&rest, out);

	if (why != NULL)
		return why;
	if (!next_number(&rest, EXIM_DEPTH_MAX, &out->depth))
		return "no depth of 0 to 15";
	if (!next_number(&rest, TLSA_USAGE_MAX, &out->tlsa_usage))
		return "no TLSA usage";
	out->certificate = rest;
	return rest.len > 0 ? NULL : "no certificate";
}

/* key=value words; an unknown key is passed over, data= ends them. */
static void
parse_values(struct span rest, struct exim_request *out)
{
	struct span key, value;

	while (rest.len > 0) {
		if (span_starts(rest, "data=")) {
			span_cut(&rest, '=', &key);
			out->text = rest;
			return;
		}
		if (!span_cut(&rest, ' ', &value) ||
		    !span_cut(&value, '=', &key))
			continue;
		if (span_is(key, "cv"))
			out->verified = span_is(value, "1");
		else if (span_is(key, "dane"))
			out->dane = span_is(value, "yes");
		else if (span_is(key, "cipher"))
			out->cipher = value;
	}
}

static const char *
parse_verdict(struct span rest, struct exim_request *out)
{
	const char *why = parse_session(&rest, out);

	parse_values(rest, out);
	return why;
}

static const char *
parse_event(struct span rest, struct exim_request *out)
{
	return next_word(&rest, &out->event) ? parse_verdict(rest, out)
					     : "no event";
}

static const struct {
	const char *name;
	enum exim_verb verb;
	const char *(*parse)(struct span rest, struct exim_request *out);
} verbs[] = {
	{ "POLICY", EXIM_POLICY, parse_domain },
	{ "ROUTE", EXIM_ROUTE, parse_domain },
	{ "DOMAIN", EXIM_DOMAIN, parse_domain },
	{ "CERT", EXIM_CERT, parse_cert },
	{ "EVENT", EXIM_EVENT, parse_event },
	{ "VERDICT", EXIM_VERDICT, parse_verdict },
};

struct exim_request
exim_request_parse(struct span line)
{
	struct exim_request out = { .verb = EXIM_BAD };
	struct span rest = without_cr(line), verb = { NULL, 0 };

	out.why = "unknown verb";
	if (line.len > EXIM_REQUEST_MAX)
		out.why = "line too long";
	else if (has_control(rest))
		out.why = "control character in the line";
	else if (span_cut(&rest, ' ', &verb))
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
			if (span_is(verb, verbs[i].name)) {
				out.verb = verbs[i].verb;
				out.why = verbs[i].parse(rest, &out);
			}
	if (out.why != NULL)
		out = (struct exim_request){ .verb = EXIM_BAD, .why = out.why };
	return out;
}

static const char *const modes[] = {
	[EXIM_TEMPFAIL] = "tempfail",
	[EXIM_NONE] = "none",
	[EXIM_TESTING] = "testing",
	[EXIM_ENFORCE] = "enforce",
	[EXIM_FAIL] = "fail",
};

const char *
exim_mode_name(enum exim_mode mode)
{
	return modes[mode];
}

/* The text between two quotes, which end the line. */
static bool
quoted(struct span rest, struct span *text)
{
	if (rest.len < 2 || rest.p[0] != '"' || rest.p[rest.len - 1] != '"')
		return false;
	text->p = rest.p + 1;
	text->len = rest.len - 2;
	return memchr(text->p, '"', text->len) == NULL;
}

/* What follows "mode=". */
static bool
parse_answer(struct span rest, struct exim_answer *out)
{
	struct span word, key;
	size_t i = 0;

	if (!span_cut(&rest, ' ', &word))
		return false;
	while (i < sizeof(modes) / sizeof(modes[0]) && !span_is(word, modes[i]))
		i++;
	if (i == sizeof(modes) / sizeof(modes[0]))
		return false;
	out->mode = (enum exim_mode)i;
	while (rest.len > 0) {
		if (span_starts(rest, "why="))
			return span_cut(&rest, '=', &key) &&
			    quoted(rest, &out->text);
		if (!span_cut(&rest, ' ', &word))
			return false;
		if (span_starts(word, "hosts=")) {
			span_cut(&word, '=', &key);
			out->hosts = word;
		}
	}
	return true;
}

struct exim_answer
exim_answer_parse(struct span line)
{
	struct exim_answer out = { 0 }, none = { .mode = EXIM_TEMPFAIL };
	struct span rest = without_cr(line);

	if (has_control(rest) || !span_starts(rest, "mode="))
		return none;
	rest.p += strlen("mode=");
	rest.len -= strlen("mode=");
	return parse_answer(rest, &out) ? out : none;
}

size_t
exim_pattern_format(char *out, size_t size, const char *pattern)
{
	static const char any_label[] = "[^.]+";
	char made[2 * DOMAIN_SIZE + sizeof(any_label)] = "^";
	size_t n = 1;

	if (!mx_pattern_is_valid(span_of(pattern)))
		return 0;
	for (; *pattern != '\0'; pattern++) {
		if (*pattern == '*') {
			memcpy(made + n, any_label, sizeof(any_label) - 1);
			n += sizeof(any_label) - 1;
			continue;
		}
		if (*pattern == '.')
			made[n++] = '\\';
		made[n++] = *pattern;
	}
	made[n++] = '$';
	if (n >= size)
		return 0;
	memcpy(out, made, n);
	out[n] = '\0';
	return n;
}

const char *
exim_text_format(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; n + 1 < size && text[n] != '\0'; n++) {
		char c = text[n];

		if (c == '"')
			c = '\'';
		else if (c == '\\')
			c = '/';
		else if (c < 0x20 || c > 0x7e)
			c = '?';
		out[n] = c;
	}
	out[n] = '\0';
	return out;
}
