/* SPDX-License-Identifier: ISC */
/*
 * The lines of smtpd-filters(7): see osmtpd_line.h. Reading is tolerant, for a
 * line that is not understood must never end the filter; writing is strict,
 * for a line that smtpd does not understand ends smtpd.
 */
#include "proto/osmtpd_line.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "proto/ascii.h"

#define VERSION_PART_MAX 9999
#define TEXT_PREFIX "451 4.3.0 "

/* What smtpd makes ids of is hex; anything that cannot break a line is fine. */
static bool
is_id(struct span s, size_t max)
{
	if (s.len == 0 || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alnum(s.p[i]))
			return false;
	return true;
}

/* "0.7": two numbers, compared each by itself, so that 0.10 is after 0.9. */
static bool
parse_version(struct span s, struct osmtpd_line *out)
{
	unsigned long major, minor;
	struct span part;

	if (!span_cut(&s, '.', &part) ||
	    !span_number(part, VERSION_PART_MAX, &major) ||
	    !span_number(s, VERSION_PART_MAX, &minor))
		return false;
	out->major = (unsigned)major;
	out->minor = (unsigned)minor;
	return true;
}

static enum osmtpd_kind
parse_config(struct span line, struct osmtpd_line *out)
{
	if (!span_cut(&line, '|', &out->name) || out->name.len == 0)
		return OSMTPD_IGNORE;
	out->rest = line;
	return span_is(out->name, "ready") ? OSMTPD_READY : OSMTPD_CONFIG;
}

/* version|time|smtp-in|event or phase|session */
static bool
parse_head(struct span *line, struct osmtpd_line *out)
{
	struct span version, time, subsystem;

	return span_cut(line, '|', &version) && parse_version(version, out) &&
	    out->major == 0 && span_cut(line, '|', &time) &&
	    span_cut(line, '|', &subsystem) && span_is(subsystem, "smtp-in") &&
	    span_cut(line, '|', &out->name) && out->name.len > 0 &&
	    span_cut(line, '|', &out->session) &&
	    is_id(out->session, OSMTPD_SESSION_MAX);
}

static enum osmtpd_kind
parse_report(struct span line, struct osmtpd_line *out)
{
	if (!parse_head(&line, out))
		return OSMTPD_IGNORE;
	out->rest = line;
	return OSMTPD_REPORT;
}

static enum osmtpd_kind
parse_filter(struct span line, struct osmtpd_line *out)
{
	if (!parse_head(&line, out) || !span_cut(&line, '|', &out->token) ||
	    !is_id(out->token, OSMTPD_TOKEN_MAX))
		return OSMTPD_IGNORE;
	out->rest = line;
	return OSMTPD_FILTER;
}

struct osmtpd_line
osmtpd_line_parse(struct span line)
{
	struct osmtpd_line out = { 0 }, ignored = { 0 };
	struct span type;

	if (!span_cut(&line, '|', &type))
		return ignored;
	if (span_is(type, "config"))
		out.kind = parse_config(line, &out);
	else if (span_is(type, "report"))
		out.kind = parse_report(line, &out);
	else if (span_is(type, "filter"))
		out.kind = parse_filter(line, &out);
	return out.kind == OSMTPD_IGNORE ? ignored : out;
}

/*
 * smtpd answers the client with 421 and hangs up when a text does not begin
 * with a 4xx or 5xx code, and a 421 of ours makes it hang up as well.
 */
static bool
is_reply(const char *text)
{
	return (text[0] == '4' || text[0] == '5') && ascii_is_digit(text[1]) &&
	    ascii_is_digit(text[2]) && text[3] == ' ' &&
	    strncmp(text, "421", 3) != 0;
}

static size_t
append(char *out, size_t n, struct span s)
{
	assert(n + s.len < OSMTPD_ANSWER_MAX);
	memcpy(out + n, s.p, s.len);
	return n + s.len;
}

static size_t
append_text(char *out, size_t n, const char *text)
{
	size_t end = n + OSMTPD_TEXT_MAX;

	if (!is_reply(text))
		n = append(out, n, span_of(TEXT_PREFIX));
	for (; *text != '\0' && n < end; text++) {
		bool printable = *text >= 0x20 && *text < 0x7f;

		out[n++] = (char)(printable ? *text : '?');
	}
	return n;
}

size_t
osmtpd_answer_format(char out[OSMTPD_ANSWER_MAX], unsigned major,
    unsigned minor, struct span session, struct span token,
    enum osmtpd_decision decision, const char *text)
{
	bool token_first = major == 0 && minor < 5;
	size_t n = 0;

	assert(is_id(session, OSMTPD_SESSION_MAX));
	assert(is_id(token, OSMTPD_TOKEN_MAX));
	n = append(out, n, span_of("filter-result|"));
	n = append(out, n, token_first ? token : session);
	n = append(out, n, span_of("|"));
	n = append(out, n, token_first ? session : token);
	switch (decision) {
	case OSMTPD_PROCEED:
		n = append(out, n, span_of("|proceed"));
		break;
	case OSMTPD_REJECT:
		n = append(out, n, span_of("|reject|"));
		n = append_text(out, n, text);
		break;
	}
	n = append(out, n, span_of("\n"));
	out[n] = '\0';
	return n;
}
