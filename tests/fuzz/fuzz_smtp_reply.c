/* SPDX-License-Identifier: ISC */
/* Any bytes as the lines of replies, one after the other. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/smtp_reply.h"

static void
check(const struct smtp_reply *reply)
{
	assert(reply->octets <= SMTP_REPLY_MAX);
	assert(reply->lines * 5 <= reply->octets);
	assert((reply->state == SMTP_REPLY_BAD) == (reply->why != NULL));
	if (reply->state != SMTP_REPLY_BAD)
		assert(reply->code >= 200 && reply->code <= 599);
	assert(strnlen(reply->text, sizeof(reply->text)) < sizeof(reply->text));
	for (const char *c = reply->text; *c != '\0'; c++)
		assert(*c >= ' ' && *c <= '~');
	if (reply->starttls || reply->pipelining || reply->smtputf8 ||
	    reply->eightbitmime || reply->size)
		assert(reply->code == 250 && reply->lines >= 2);
}

/* RFC 5321 4.2: a line that was taken has the form of one. */
static void
check_line(const struct smtp_reply *before, const struct smtp_reply *after,
    struct span line)
{
	bool has_code = line.len >= 3 && ascii_is_digit(line.p[0]) &&
	    ascii_is_digit(line.p[1]) && ascii_is_digit(line.p[2]);
	unsigned code = has_code ? (unsigned)(line.p[0] - '0') * 100 +
		(unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0')
				 : 0;
	bool fits = before->octets + line.len + 2 <= SMTP_REPLY_MAX;
	bool good = fits && code >= 200 && code <= 599 &&
	    (before->lines == 0 || before->code == code) &&
	    (line.len == 3 || line.p[3] == ' ' || line.p[3] == '-');

	assert(good == (after->state != SMTP_REPLY_BAD));
	if (!good)
		return;
	assert(after->code == code && after->lines == before->lines + 1);
	assert(after->octets == before->octets + line.len + 2);
	assert((after->state == SMTP_REPLY_MORE) ==
	    (line.len > 3 && line.p[3] == '-'));
	if (after->starttls && !before->starttls)
		assert(line.len >= 12 &&
		    span_is_nocase((struct span){ line.p + 4, 8 }, "starttls"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), line;
	struct smtp_reply reply;

	smtp_reply_init(&reply);
	while (span_cut(&rest, '\n', &line)) {
		struct smtp_reply before = reply;
		enum smtp_reply_state state = smtp_reply_line(&reply, line);

		assert(state == reply.state);
		check(&reply);
		check_line(&before, &reply, line);
		if (state != SMTP_REPLY_MORE)
			smtp_reply_init(&reply);
	}
	return 0;
}
