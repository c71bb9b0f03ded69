/* SPDX-License-Identifier: ISC */
/* Messages on their way through: what ends them, and what is made of the rest.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "proto/smtp_body.h"

static struct smtp_body body;
static char out[4096];
static size_t n_out;

/* Gives input in pieces of so many octets; returns what was not taken. */
static struct span
pass(const char *input, size_t piece)
{
	struct span all = span_of(input);

	smtp_body_init(&body);
	n_out = 0;
	while (all.len > 0 && body.state != SMTP_BODY_END) {
		size_t len = piece < all.len ? piece : all.len;
		struct span now = { all.p, len };

		while (now.len > 0 && body.state != SMTP_BODY_END)
			n_out += smtp_body_take(&body, &now, out + n_out,
			    SMTP_BODY_HELD + piece);
		all.p += len - now.len;
		all.len -= len - now.len;
	}
	out[n_out] = '\0';
	assert_int_equal(body.octets, n_out);
	return all;
}

static const struct {
	const char *input, *output, *rest;
	bool ends, repaired;
} messages[] = {
	{ ".\r\n", "", "", true, false },
	{ "a\r\n.\r\n", "a\r\n", "", true, false },
	{ "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n", true, false },
	/* RFC 5321 4.5.2: dots are left for the server behind. */
	{ "..\r\n...a\r\n.b\r\na.\r\n.\r\n", "..\r\n...a\r\n.b\r\na.\r\n", "",
	    true, false },
	{ "\r\n\r\n.\r\n", "\r\n\r\n", "", true, false },
	/* Not an end to us, and none to anybody behind us. */
	{ "a\n.\nb\r\n.\r\n", "a . b\r\n", "", true, true },
	{ "a\n.\r\nb\r\n.\r\n", "a .\r\nb\r\n", "", true, true },
	{ "a\r\n.\nb\r\n.\r\n", "a\r\n. b\r\n", "", true, true },
	{ "a\r.\r\nb\r\n.\r\n", "a .\r\nb\r\n", "", true, true },
	{ "a\r\n.\rb\r\n.\r\n", "a\r\n. b\r\n", "", true, true },
	{ "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n. \r\nb\r\n", "", true, true },
	{ "a\r.\rb\r\n.\r\n", "a . b\r\n", "", true, true },
	{ "a\n\r.\r\nb\r\n.\r\n", "a  .\r\nb\r\n", "", true, true },
	{ "a\r\r\n.\r\n", "a \r\n", "", true, true },
	{ "a\n\n.\n\nb\r\n.\r\n", "a  .  b\r\n", "", true, true },
	{ "\n.\r\n\r\n.\r\n", " .\r\n\r\n", "", true, true },
	{ "\r.\r\n\r\n.\r\n", " .\r\n\r\n", "", true, true },
	/* Not ended: something may be held back. */
	{ "a\r\n.\r", "a\r\n", "", false, false },
	{ "a\r", "a", "", false, false },
	{ "a", "a", "", false, false },
};

static void
only_crlf_dot_crlf_ends_a_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		for (size_t piece = 1; piece < 30; piece++) {
			struct span rest = pass(messages[i].input, piece);

			assert_string_equal(out, messages[i].output);
			assert_true(span_is(rest, messages[i].rest));
			assert_int_equal(body.state == SMTP_BODY_END,
			    messages[i].ends);
			assert_int_equal(body.repaired, messages[i].repaired);
		}
}

static void
only_received_lines_of_the_header_count(void **state)
{
	static const char message[] =
	    "Received: from a\r\n by b\r\nRECEIVED:\r\nX-Received: no\r\n"
	    " Received: folded\r\nReceive: no\r\nReceivedx: no\r\n"
	    ".received: no\r\nreceived: from c\r\n\r\n"
	    "Received: in the text\r\n.\r\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(message); piece++) {
		pass(message, piece);
		assert_int_equal(body.received, 3);
	}
}

static void
eight_bit_octets_pass_and_are_told(void **state)
{
	(void)state;
	pass("a\xff\r\n.\r\n", 2);
	assert_string_equal(out, "a\xff\r\n");
	assert_true(body.eight_bit);
	pass("a\x7f\r\n.\r\n", 2);
	assert_false(body.eight_bit);
}

static void
long_lines_pass_untouched(void **state)
{
	static char input[3000], expected[3000];

	(void)state;
	memset(input, 'x', 2500);
	strcpy(input + 2500, "\r\n");
	strcpy(expected, input);
	strcat(input, ".\r\n");
	pass(input, 700);
	assert_string_equal(out, expected);
	assert_int_equal(body.state, SMTP_BODY_END);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_crlf_dot_crlf_ends_a_message),
		cmocka_unit_test(only_received_lines_of_the_header_count),
		cmocka_unit_test(eight_bit_octets_pass_and_are_told),
		cmocka_unit_test(long_lines_pass_untouched),
	};

	return cmocka_run_group_tests_name("smtp_body", tests, NULL, NULL);
}
