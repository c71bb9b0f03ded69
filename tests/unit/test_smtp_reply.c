/* SPDX-License-Identifier: ISC */
/* Replies of SMTP servers, good and bad, one row each. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "proto/smtp_reply.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The lines with "\n" between them; text is why when the reply is bad. */
struct row {
	const char *lines;
	enum smtp_reply_state state;
	unsigned code;
	const char *text;
};

static const struct row rows[] = {
	/* of the field */
	{ "220 mx.google.com ESMTP a640c23a62f3a-q1si5.1 - gsmtp",
	    SMTP_REPLY_DONE, 220,
	    "mx.google.com ESMTP a640c23a62f3a-q1si5.1 - gsmtp" },
	{ "220-mail.example.net ESMTP Exim 4.96 Thu, 23 Nov 2023 12:00:00\n"
	  "220-We do not authorize the use of this system to transport\n"
	  "220 and/or bulk e-mail.",
	    SMTP_REPLY_DONE, 220, "and/or bulk e-mail." },
	{ "250-mx.example.com at your service, [192.0.2.7]\n"
	  "250-SIZE 157286400\n250-8BITMIME\n250-STARTTLS\n"
	  "250-ENHANCEDSTATUSCODES\n250-PIPELINING\n250-CHUNKING\n"
	  "250 SMTPUTF8",
	    SMTP_REPLY_DONE, 250, "SMTPUTF8" },
	{ "454 4.7.0 TLS not available due to local problem", SMTP_REPLY_DONE,
	    454, "4.7.0 TLS not available due to local problem" },
	{ "550-5.1.1 The email account that you tried to reach does not\n"
	  "550 5.1.1 exist.",
	    SMTP_REPLY_DONE, 550, "5.1.1 exist." },
	/* codes */
	{ "200 x", SMTP_REPLY_DONE, 200, "x" },
	{ "599 x", SMTP_REPLY_DONE, 599, "x" },
	{ "354", SMTP_REPLY_DONE, 354, "" },
	{ "354 ", SMTP_REPLY_DONE, 354, "" },
	{ "250-", SMTP_REPLY_MORE, 250, "" },
	{ "250-a\n250-b", SMTP_REPLY_MORE, 250, "b" },
	{ "250-a\n250", SMTP_REPLY_DONE, 250, "" },
	{ "199 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "600 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "000 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "22", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "22 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ " 220 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "+20 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "2x0 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "\xb2\xb2\xb0 x", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "SSH-2.0-OpenSSH_9.2", SMTP_REPLY_BAD, 0, "reply without a code" },
	{ "2200 x", SMTP_REPLY_BAD, 0, "reply code not followed by a blank" },
	{ "220x", SMTP_REPLY_BAD, 0, "reply code not followed by a blank" },
	{ "220\tx", SMTP_REPLY_BAD, 0, "reply code not followed by a blank" },
	{ "220\r", SMTP_REPLY_BAD, 0, "reply code not followed by a blank" },
	{ "250-a\n220 b", SMTP_REPLY_BAD, 250,
	    "reply with more than one code" },
	{ "250-a\nb", SMTP_REPLY_BAD, 250, "reply without a code" },
	{ "250-a\n", SMTP_REPLY_BAD, 250, "reply without a code" },
	/* text */
	{ "250  two blanks -", SMTP_REPLY_DONE, 250, " two blanks -" },
	{ "250 a\rb\tc\x1b[1m\x7f\xc3\xbc", SMTP_REPLY_DONE, 250,
	    "a?b?c?[1m???" },
};

/* Feeds lines with "\n" between them. */
static enum smtp_reply_state
feed(struct smtp_reply *reply, const char *lines)
{
	enum smtp_reply_state state = SMTP_REPLY_MORE;

	smtp_reply_init(reply);
	while (state == SMTP_REPLY_MORE) {
		struct span line = { lines, strcspn(lines, "\n") };

		state = smtp_reply_line(reply, line);
		assert_int_equal(state, reply->state);
		if (lines[line.len] == '\0')
			break;
		lines += line.len + 1;
	}
	return state;
}

static void
replies_are_read_to_the_letter(void **state)
{
	struct smtp_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum smtp_reply_state got = feed(&reply, rows[i].lines);
		const char *text =
		    got == SMTP_REPLY_BAD ? reply.why : reply.text;

		if (got != rows[i].state || reply.code != rows[i].code ||
		    strcmp(text, rows[i].text) != 0)
			fail_msg("\"%s\": state %d, code %u, \"%s\"",
			    rows[i].lines, (int)got, reply.code, text);
		assert_int_equal(reply.why != NULL, got == SMTP_REPLY_BAD);
	}
}

/* One letter per extension: Starttls, Pipelining, smtpUtf8, 8bitmime, siZe. */
static const struct {
	const char *lines;
	const char *named;
} ehlos[] = {
	{ "250-mx\n250-STARTTLS\n250-PIPELINING\n250-SMTPUTF8\n250-8BITMIME\n"
	  "250 SIZE 1",
	    "SPU8Z" },
	{ "250-mx\n250-starttls\n250 Pipelining", "SP" },
	{ "250-mx\n250-SIZE\n250 STARTTLS ", "SZ" },
	{ "250-mx\n250-SIZE\t1\n250 x", "Z" },
	/* the first line is the greeting */
	{ "250 STARTTLS", "" },
	{ "250-STARTTLS\n250 SIZE", "Z" },
	/* whole keywords only, at the start of the line */
	{ "250-mx\n250-STARTTLSX\n250-XSTARTTLS\n250 SIZE=1", "" },
	{ "250-mx\n250- STARTTLS\n250 XEXT STARTTLS", "" },
	{ "250-mx\n250-\n250", "" },
	/* replies to other commands name nothing */
	{ "220-mx\n220 STARTTLS", "" },
	{ "550-no\n550 STARTTLS", "" },
};

static void
extensions_are_named_by_keyword_after_the_first_line_of_a_250(void **state)
{
	struct smtp_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT(ehlos); i++) {
		char named[6];

		assert_int_equal(feed(&reply, ehlos[i].lines), SMTP_REPLY_DONE);
		snprintf(named, sizeof(named), "%s%s%s%s%s",
		    reply.starttls ? "S" : "", reply.pipelining ? "P" : "",
		    reply.smtputf8 ? "U" : "", reply.eightbitmime ? "8" : "",
		    reply.size ? "Z" : "");
		if (strcmp(named, ehlos[i].named) != 0)
			fail_msg("%s: %s", ehlos[i].lines, named);
	}
}

static void
init_forgets_the_reply_before(void **state)
{
	struct smtp_reply reply;

	(void)state;
	feed(&reply, "250-mx\n250 STARTTLS");
	smtp_reply_init(&reply);
	assert_int_equal(reply.code, 0);
	assert_int_equal(reply.octets, 0);
	assert_int_equal(reply.lines, 0);
	assert_false(reply.starttls);
	assert_string_equal(reply.text, "");
	assert_int_equal(reply.state, SMTP_REPLY_MORE);
}

static void
lines_and_octets_are_counted_and_bounded(void **state)
{
	struct smtp_reply reply;
	const struct span line = span_of("250-56789012345678901234567890");

	(void)state;
	smtp_reply_init(&reply);
	for (size_t i = 1; i <= SMTP_REPLY_MAX / 32; i++) {
		assert_int_equal(smtp_reply_line(&reply, line),
		    SMTP_REPLY_MORE);
		assert_int_equal(reply.lines, i);
		assert_int_equal(reply.octets, i * 32);
	}
	assert_int_equal(smtp_reply_line(&reply, span_of("250")),
	    SMTP_REPLY_BAD);
	assert_string_equal(reply.why, "reply too long");
	assert_int_equal(reply.octets, SMTP_REPLY_MAX);
}

static void
a_long_line_is_cut_in_the_text_and_bounded_as_a_whole(void **state)
{
	static char line[SMTP_REPLY_MAX];
	struct smtp_reply reply;
	struct span s = { line, SMTP_REPLY_MAX - 2 };

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	smtp_reply_init(&reply);
	assert_int_equal(smtp_reply_line(&reply, s), SMTP_REPLY_DONE);
	assert_int_equal(strlen(reply.text), SMTP_REPLY_TEXT_MAX - 1);
	smtp_reply_init(&reply);
	s.len++;
	assert_int_equal(smtp_reply_line(&reply, s), SMTP_REPLY_BAD);
	smtp_reply_init(&reply);
	s.len++;
	assert_int_equal(smtp_reply_line(&reply, s), SMTP_REPLY_BAD);
}

static void
nul_in_a_line_is_an_octet_as_any_other(void **state)
{
	struct smtp_reply reply;
	const struct span text = { "250 a\0b", 7 }, code = { "25\0 a", 5 };

	(void)state;
	smtp_reply_init(&reply);
	assert_int_equal(smtp_reply_line(&reply, text), SMTP_REPLY_DONE);
	assert_string_equal(reply.text, "a?b");
	smtp_reply_init(&reply);
	assert_int_equal(smtp_reply_line(&reply, code), SMTP_REPLY_BAD);
	smtp_reply_init(&reply);
	assert_int_equal(smtp_reply_line(&reply, span_of(NULL)),
	    SMTP_REPLY_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_read_to_the_letter),
		cmocka_unit_test(
		    extensions_are_named_by_keyword_after_the_first_line_of_a_250),
		cmocka_unit_test(init_forgets_the_reply_before),
		cmocka_unit_test(lines_and_octets_are_counted_and_bounded),
		cmocka_unit_test(
		    a_long_line_is_cut_in_the_text_and_bounded_as_a_whole),
		cmocka_unit_test(nul_in_a_line_is_an_octet_as_any_other),
	};

	return cmocka_run_group_tests_name("smtp_reply", tests, NULL, NULL);
}
