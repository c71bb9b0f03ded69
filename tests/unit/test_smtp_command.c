/* SPDX-License-Identifier: ISC */
/* What a mail server says to the relay, and what is understood of it. */
#include "tests/unit/unit.h"

#include <string.h>

#include "proto/smtp_command.h"

static const struct {
	const char *line;
	enum smtp_verb verb;
	const char *argument;
} understood[] = {
	{ "EHLO mta.example.net", SMTP_VERB_EHLO, "mta.example.net" },
	{ "ehlo [192.0.2.1]", SMTP_VERB_EHLO, "[192.0.2.1]" },
	{ "HELO  mta \t", SMTP_VERB_HELO, "mta" },
	{ "MAIL FROM:<a@example.com>", SMTP_VERB_MAIL, "a@example.com" },
	{ "MAIL from: <a@example.com> ", SMTP_VERB_MAIL, "a@example.com" },
	{ "mail FROM:<>", SMTP_VERB_MAIL, "" },
	{ "MAIL FROM:<\"a> b\\\"\"@example.com>", SMTP_VERB_MAIL,
	    "\"a> b\\\"\"@example.com" },
	{ "RCPT TO:<a@example.com>", SMTP_VERB_RCPT, "a@example.com" },
	{ "RCPT TO:<a|b@[IPv6:2001:db8::1]>", SMTP_VERB_RCPT,
	    "a|b@[IPv6:2001:db8::1]" },
	{ "RCPT TO:<@one.example,@two.example:a@example.com>", SMTP_VERB_RCPT,
	    "a@example.com" },
	{ "RCPT TO:<Postmaster>", SMTP_VERB_RCPT, "Postmaster" },
	{ "DATA", SMTP_VERB_DATA, "" },
	{ "rset ", SMTP_VERB_RSET, "" },
	{ "NOOP whatever it is", SMTP_VERB_NOOP, "" },
	{ "VRFY a@example.com", SMTP_VERB_VRFY, "" },
	{ "QUIT", SMTP_VERB_QUIT, "" },
};

static void
commands_are_understood(void **state)
{
	struct smtp_command c;

	(void)state;
	for (size_t i = 0; i < sizeof(understood) / sizeof(understood[0]);
	     i++) {
		smtp_command_parse(span_of(understood[i].line), &c);
		if (c.refusal != NULL)
			fail_msg("%s: %s", understood[i].line, c.refusal);
		assert_int_equal(c.verb, understood[i].verb);
		assert_true(span_is(c.argument, understood[i].argument));
	}
}

static const struct {
	const char *line, *refusal; /* as far as it is looked at */
} refused[] = {
	{ "", "500 5.5.2" },
	{ "MAILFROM:<a@b>", "500 5.5.2" },
	{ "FOO bar", "500 5.5.2" },
	{ "STARTTLS", "502 5.5.1" },
	{ "AUTH PLAIN AGEAYg==", "502 5.5.1" },
	{ "BDAT 3 LAST", "502 5.5.1" },
	{ "EXPN all", "502 5.5.1" },
	{ "EHLO", "501 5.5.4" },
	{ "EHLO two names", "501 5.5.4" },
	{ "EHLO a\rb", "501 5.5.4" },
	{ "HELO \x7f", "501 5.5.4" },
	{ "DATA now", "501 5.5.4" },
	{ "RSET x", "501 5.5.4" },
	{ "QUIT x", "501 5.5.4" },
	{ "MAIL", "501 5.1.7" },
	{ "MAIL FROM", "501 5.1.7" },
	{ "MAIL FROM:", "501 5.1.7" },
	{ "MAIL FROM:a@example.com", "501 5.1.7" },
	{ "MAIL FROM:<a@example.com", "501 5.1.7" },
	{ "MAIL FROM:<a b@example.com>", "501 5.1.7" },
	{ "MAIL FROM:<a<b@example.com>", "501 5.1.7" },
	{ "MAIL FROM:<\"a@example.com>", "501 5.1.7" },
	{ "MAIL FROM:<\"a\\", "501 5.1.7" },
	{ "MAIL FROM:<a@example.com>SIZE=1", "501 5.1.7" },
	{ "MAIL FROM:<a\rb@example.com>", "501 5.1.7" },
	{ "MAIL FROM:<\"\x01\"@example.com>", "501 5.1.7" },
	{ "MAIL TO:<a@example.com>", "501 5.1.7" },
	{ "MAIL FROM:<a@example.com> RET=HDRS", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SIZE", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SIZE=", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SIZE=1k", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SIZE=18446744073709551616", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SIZE=000000000000000000001", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> BODY=BINARYMIME", "555 5.5.4" },
	{ "MAIL FROM:<a@example.com> SMTPUTF8=yes", "555 5.5.4" },
	{ "MAIL FROM:<\xc3\xa4@example.com>", "553 5.6.7" },
	{ "MAIL FROM:<\xe4@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xc0\xaf@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xed\xa0\x80@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xf4\x90\x80\x80@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xe0\x80\x80@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xf0\x80\x80\x80@example.com> SMTPUTF8", "501 5.1.7" },
	{ "MAIL FROM:<\xc3> SMTPUTF8", "501 5.1.7" },
	{ "RCPT TO:<>", "501 5.1.3" },
	{ "RCPT TO:<a@example.com> NOTIFY=NEVER", "555 5.5.4" },
	{ "RCPT FROM:<a@example.com>", "501 5.1.3" },
};

static void
what_is_not_understood_has_its_refusal(void **state)
{
	struct smtp_command c;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		smtp_command_parse(span_of(refused[i].line), &c);
		if (c.refusal == NULL ||
		    strncmp(c.refusal, refused[i].refusal, 9) != 0)
			fail_msg("%s: %s", refused[i].line,
			    c.refusal == NULL ? "taken" : c.refusal);
	}
}

static void
a_nul_in_a_mailbox_is_refused(void **state)
{
	static const char line[] = "RCPT TO:<a\0b@example.com>";
	struct smtp_command c;

	(void)state;
	smtp_command_parse((struct span){ line, sizeof(line) - 1 }, &c);
	assert_non_null(c.refusal);
}

static void
a_mailbox_has_512_octets_at_most(void **state)
{
	char line[600] = "RCPT TO:<";
	struct smtp_command c;
	size_t at = strlen(line);

	(void)state;
	memset(line + at, 'a', SMTP_PATH_MAX);
	line[at + SMTP_PATH_MAX] = '>';
	smtp_command_parse(span_of(line), &c);
	assert_null(c.refusal);
	assert_int_equal(c.argument.len, SMTP_PATH_MAX);
	line[at + SMTP_PATH_MAX] = 'a';
	line[at + SMTP_PATH_MAX + 1] = '>';
	smtp_command_parse(span_of(line), &c);
	assert_non_null(c.refusal);
}

static void
parameters_of_mail_are_told(void **state)
{
	struct smtp_command c;

	(void)state;
	smtp_command_parse(span_of("MAIL FROM:<\xc3\xa4@example.com> "
				   "SIZE=18446744073709551615 "
				   "body=8bitmime smtputf8"),
	    &c);
	assert_null(c.refusal);
	assert_true(c.has_size && c.smtputf8 && c.is_utf8);
	assert_true(c.size == UINT64_MAX);
	assert_int_equal(c.body, SMTP_BODY_8BITMIME);
	smtp_command_parse(span_of("MAIL FROM:<a@example.com>  BODY=7BIT"), &c);
	assert_null(c.refusal);
	assert_false(c.has_size || c.smtputf8 || c.is_utf8);
	assert_int_equal(c.body, SMTP_BODY_7BIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_understood),
		cmocka_unit_test(what_is_not_understood_has_its_refusal),
		cmocka_unit_test(a_nul_in_a_mailbox_is_refused),
		cmocka_unit_test(a_mailbox_has_512_octets_at_most),
		cmocka_unit_test(parameters_of_mail_are_told),
	};

	return cmocka_run_group_tests_name("smtp_command", tests, NULL, NULL);
}
