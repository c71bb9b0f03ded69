/* SPDX-License-Identifier: ISC */
/* Any bytes as commands, one a line. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/smtp_command.h"

static void
check(struct span line, const struct smtp_command *c)
{
	if (c->refusal != NULL) {
		assert(strlen(c->refusal) > 10 && c->refusal[0] == '5');
		assert(c->refusal[3] == ' ' && c->refusal[4] == '5');
		return;
	}
	assert(c->verb != SMTP_VERB_UNKNOWN);
	if (c->argument.len > 0)
		assert(c->argument.p >= line.p &&
		    c->argument.p + c->argument.len <= line.p + line.len);
	/* Nothing that is passed on can end a line early. */
	for (size_t i = 0; i < c->argument.len; i++)
		assert(!ascii_is_control(c->argument.p[i]));
	assert(c->argument.len <= SMTP_PATH_MAX || c->verb == SMTP_VERB_EHLO ||
	    c->verb == SMTP_VERB_HELO);
	if (c->verb == SMTP_VERB_RCPT)
		assert(c->argument.len > 0);
	if (c->smtputf8 || c->has_size || c->body != SMTP_BODY_UNSAID)
		assert(c->verb == SMTP_VERB_MAIL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span rest = fuzz_span(bytes, len), line;
	struct smtp_command command;

	while (span_cut(&rest, '\n', &line)) {
		smtp_command_parse(line, &command);
		check(line, &command);
	}
	return 0;
}
