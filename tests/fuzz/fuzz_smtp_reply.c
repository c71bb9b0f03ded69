/* SPDX-License-Identifier: ISC */
/* Any bytes as the lines of replies, one after the other. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

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

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), line;
	struct smtp_reply reply;

	smtp_reply_init(&reply);
	while (span_cut(&rest, '\n', &line)) {
		enum smtp_reply_state state = smtp_reply_line(&reply, line);

		assert(state == reply.state);
		check(&reply);
		if (state != SMTP_REPLY_MORE)
			smtp_reply_init(&reply);
	}
	return 0;
}
