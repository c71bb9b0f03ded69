/* SPDX-License-Identifier: ISC */
/*
 * Replies of an SMTP server, line by line, for the one client that prober and
 * relay share. What is not a reply to the letter of RFC 5321 4.2 ends the
 * session: a client that guesses can be led astray.
 */
#include "proto/smtp_reply.h"

#include <assert.h>

#include "proto/ascii.h"

#define CODE_LEN 3

void
smtp_reply_init(struct smtp_reply *reply)
{
	*reply = (struct smtp_reply){ .state = SMTP_REPLY_MORE };
}

static enum smtp_reply_state
bad(struct smtp_reply *reply, const char *why)
{
	reply->why = why;
	return reply->state = SMTP_REPLY_BAD;
}

/* Replies go into logs and bounces: nothing but printable ASCII may pass. */
static size_t
copy_text(struct span text, char *out, size_t room)
{
	size_t i;

	for (i = 0; i < text.len && i < room; i++)
		out[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
	out[i] = '\0';
	return i;
}

static void
keep_text(struct smtp_reply *reply, struct span text)
{
	char *whole = reply->whole;

	copy_text(text, reply->text, sizeof(reply->text) - 1);
	if (reply->lines > 0 && reply->whole_len < SMTP_REPLY_WHOLE_MAX)
		whole[reply->whole_len++] = '\n';
	reply->whole_len += copy_text(text, whole + reply->whole_len,
	    SMTP_REPLY_WHOLE_MAX - reply->whole_len);
}

/* RFC 5321 4.1.1.1: a keyword in any case, then parameters behind a blank. */
static void
note_extension(struct smtp_reply *reply, struct span text)
{
	const struct {
		const char *keyword;
		bool *named;
	} extensions[] = {
		{ "STARTTLS", &reply->starttls },
		{ "PIPELINING", &reply->pipelining },
		{ "SMTPUTF8", &reply->smtputf8 },
		{ "8BITMIME", &reply->eightbitmime },
		{ "SIZE", &reply->size },
	};
	struct span keyword = { text.p, 0 };

	while (keyword.len < text.len && !ascii_is_blank(text.p[keyword.len]))
		keyword.len++;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (span_is_nocase(keyword, extensions[i].keyword))
			*extensions[i].named = true;
}

/* RFC 5321 4.2: 200 to 599; false for all else, letters included. */
static bool
take_code(struct span line, unsigned *code)
{
	struct span digits = { line.p, CODE_LEN };
	unsigned long n;

	if (line.len < CODE_LEN || !span_number(digits, 599, &n) || n < 200)
		return false;
	*code = (unsigned)n;
	return true;
}

enum smtp_reply_state
smtp_reply_line(struct smtp_reply *reply, struct span line)
{
	struct span text = { NULL, 0 };
	unsigned code;

	assert(reply->state == SMTP_REPLY_MORE);
	if (line.len > SMTP_REPLY_MAX - 2 ||
	    reply->octets > SMTP_REPLY_MAX - 2 - line.len)
		return bad(reply, "reply too long");
	reply->octets += line.len + 2;
	if (!take_code(line, &code))
		return bad(reply, "reply without a code");
	if (line.len > CODE_LEN && line.p[CODE_LEN] != ' ' &&
	    line.p[CODE_LEN] != '-')
		return bad(reply, "reply code not followed by a blank");
	if (reply->lines > 0 && code != reply->code)
		return bad(reply, "reply with more than one code");
	if (line.len > CODE_LEN) {
		text.p = line.p + CODE_LEN + 1;
		text.len = line.len - CODE_LEN - 1;
	}
	if (code == 250 && reply->lines > 0)
		note_extension(reply, text);
	keep_text(reply, text);
	reply->code = code;
	reply->lines++;
	if (line.len > CODE_LEN && line.p[CODE_LEN] == '-')
		return SMTP_REPLY_MORE;
	return reply->state = SMTP_REPLY_DONE;
}
