/* SPDX-License-Identifier: ISC */
/*
 * The commands of a mail server: see smtp_command.h. A mailbox is taken as far
 * as its form has a meaning for who passes it on: where it ends, and that
 * nothing in it ends the line early. The rest is for the server behind.
 */
#include "proto/smtp_command.h"

#include "proto/ascii.h"

static const struct {
	const char *name;
	enum smtp_verb verb;
} verbs[] = {
	{ "EHLO", SMTP_VERB_EHLO },
	{ "HELO", SMTP_VERB_HELO },
	{ "MAIL", SMTP_VERB_MAIL },
	{ "RCPT", SMTP_VERB_RCPT },
	{ "DATA", SMTP_VERB_DATA },
	{ "RSET", SMTP_VERB_RSET },
	{ "NOOP", SMTP_VERB_NOOP },
	{ "VRFY", SMTP_VERB_VRFY },
	{ "QUIT", SMTP_VERB_QUIT },
};

/*
 * Known, and not offered. DSN is not: smtpd would then leave it to the server
 * behind to tell senders of failures, and 6.8 sends one recipient's NOTIFY for
 * all. CHUNKING is not: a message then ends by count, and what a count says of
 * the last line end would have to be trusted. STARTTLS and AUTH are not: the
 * relay is spoken to on loopback by this host's own mail server.
 */
static const char *const absent_verbs[] = { "AUTH", "BDAT", "EXPN", "HELP",
	"STARTTLS", "ETRN", "TURN" };

static void
skip_blanks(struct span *s)
{
	while (s->len > 0 && ascii_is_blank(s->p[0])) {
		s->p++;
		s->len--;
	}
}

/* Cuts off what comes before the next blank. */
static struct span
cut_word(struct span *rest)
{
	struct span word = { rest->p, 0 };

	while (word.len < rest->len && !ascii_is_blank(rest->p[word.len]))
		word.len++;
	rest->p += word.len;
	rest->len -= word.len;
	skip_blanks(rest);
	return word;
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
is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] > 0x7f)
			return false;
	return true;
}

/* How many octets the sequence has that begins with this one; 0: none does. */
static size_t
utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* The second octet rules out overlong forms and surrogates: RFC 3629 4. */
static bool
utf8_second_fits(unsigned char first, unsigned char second)
{
	if (first == 0xe0)
		return second >= 0xa0;
	if (first == 0xed)
		return second <= 0x9f;
	if (first == 0xf0)
		return second >= 0x90;
	if (first == 0xf4)
		return second <= 0x8f;
	return true;
}

static bool
is_utf8(struct span s)
{
	for (size_t i = 0, n; i < s.len; i += n) {
		n = utf8_length((unsigned char)s.p[i]);
		if (n == 0 || n > s.len - i)
			return false;
		for (size_t k = 1; k < n; k++)
			if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
				return false;
		if (n > 1 &&
		    !utf8_second_fits((unsigned char)s.p[i],
			(unsigned char)s.p[i + 1]))
			return false;
	}
	return true;
}

/* Paths. */

/*
 * The length up to the ">" that ends it: one outside of quotes (RFC 5321
 * 4.1.2, Quoted-string). s.len when there is none, or a blank before it.
 */
static size_t
path_length(struct span s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.len; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && s.p[i] == '>')
			return i;
		else if (!quoted && (ascii_is_blank(s.p[i]) || s.p[i] == '<'))
			break;
	}
	return s.len;
}

/* "@one,@two:user@example.com": RFC 5321 F.2, routes are to be ignored. */
static struct span
without_route(struct span path)
{
	struct span route, rest = path;

	if (path.len == 0 || path.p[0] != '@')
		return path;
	if (!span_cut(&rest, ':', &route) || rest.p == NULL)
		return path;
	return rest;
}

/* Cuts "FROM:<path>" or "TO:<path>" off; false when it is none. */
static bool
take_path(struct span *rest, const char *keyword, struct smtp_command *out)
{
	struct span word = *rest, path;
	size_t len;

	if (!span_cut(rest, ':', &word) || !span_is_nocase(word, keyword) ||
	    rest->p == NULL)
		return false;
	skip_blanks(rest);
	if (rest->len == 0 || rest->p[0] != '<')
		return false;
	rest->p++;
	rest->len--;
	len = path_length(*rest);
	if (len == rest->len)
		return false;
	path = (struct span){ rest->p, len };
	rest->p += len + 1;
	rest->len -= len + 1;
	if (rest->len > 0 && !ascii_is_blank(rest->p[0]))
		return false;
	skip_blanks(rest);
	out->argument = without_route(path);
	out->is_utf8 = !is_ascii(path);
	return out->argument.len <= SMTP_PATH_MAX && !has_control(path) &&
	    is_utf8(path);
}

/* MAIL and its parameters. */

static bool
take_size(struct span value, struct smtp_command *out)
{
	uint64_t size = 0;

	/* RFC 1870 3: up to 20 digits */
	if (value.len == 0 || value.len > 20)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		unsigned digit = (unsigned)(value.p[i] - '0');

		if (!ascii_is_digit(value.p[i]) ||
		    size > (UINT64_MAX - digit) / 10)
			return false;
		size = size * 10 + digit;
	}
	out->has_size = true;
	out->size = size;
	return true;
}

static bool
take_body(struct span value, struct smtp_command *out)
{
	if (span_is_nocase(value, "8BITMIME"))
		out->body = SMTP_BODY_8BITMIME;
	else if (span_is_nocase(value, "7BIT"))
		out->body = SMTP_BODY_7BIT;
	else
		return false;
	return true;
}

static bool
take_parameter(struct span parameter, struct smtp_command *out)
{
	struct span name = parameter, value = parameter;

	span_cut(&value, '=', &name);
	if (span_is_nocase(name, "SMTPUTF8") && value.p == NULL) {
		out->smtputf8 = true;
		return true;
	}
	if (span_is_nocase(name, "SIZE"))
		return take_size(value, out);
	return span_is_nocase(name, "BODY") && take_body(value, out);
}

static const char *
parse_mail(struct span rest, struct smtp_command *out)
{
	if (!take_path(&rest, "FROM", out))
		return "501 5.1.7 MAIL FROM:<address> is what is understood";
	while (rest.len > 0)
		if (!take_parameter(cut_word(&rest), out))
			return "555 5.5.4 parameter not understood";
	/* RFC 6531 3.1: only who says SMTPUTF8 may use it. */
	if (out->is_utf8 && !out->smtputf8)
		return "553 5.6.7 not an ASCII address, and no SMTPUTF8";
	return NULL;
}

static const char *
parse_rcpt(struct span rest, struct smtp_command *out)
{
	if (!take_path(&rest, "TO", out) || out->argument.len == 0)
		return "501 5.1.3 RCPT TO:<address> is what is understood";
	return rest.len == 0 ? NULL : "555 5.5.4 parameter not understood";
}

static const char *
parse_name(struct span rest, struct smtp_command *out)
{
	out->argument = cut_word(&rest);
	if (out->argument.len == 0 || rest.len > 0 ||
	    has_control(out->argument))
		return "501 5.5.4 one name is wanted";
	return NULL;
}

static const char *
parse_argument(struct span rest, struct smtp_command *out)
{
	switch (out->verb) {
	case SMTP_VERB_EHLO:
	case SMTP_VERB_HELO:
		return parse_name(rest, out);
	case SMTP_VERB_MAIL:
		return parse_mail(rest, out);
	case SMTP_VERB_RCPT:
		return parse_rcpt(rest, out);
	case SMTP_VERB_DATA:
	case SMTP_VERB_RSET:
	case SMTP_VERB_QUIT:
		return rest.len == 0 ? NULL : "501 5.5.4 no argument is wanted";
	case SMTP_VERB_NOOP:
	case SMTP_VERB_VRFY:
		return NULL;
	case SMTP_VERB_UNKNOWN:
		break;
	}
	return "500 5.5.2 command not understood";
}

void
smtp_command_parse(struct span line, struct smtp_command *out)
{
	struct span rest = line, verb;

	*out = (struct smtp_command){ .verb = SMTP_VERB_UNKNOWN };
	while (rest.len > 0 && ascii_is_blank(rest.p[rest.len - 1]))
		rest.len--;
	verb = cut_word(&rest);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (span_is_nocase(verb, verbs[i].name))
			out->verb = verbs[i].verb;
	out->refusal = parse_argument(rest, out);
	for (size_t i = 0; i < sizeof(absent_verbs) / sizeof(absent_verbs[0]);
	     i++)
		if (span_is_nocase(verb, absent_verbs[i]))
			out->refusal = "502 5.5.1 command not offered";
}
