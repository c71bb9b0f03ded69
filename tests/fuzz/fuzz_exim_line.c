/* SPDX-License-Identifier: ISC */
/*
 * Any bytes are read as Exim's request and as the engine's answer without
 * harm; what was found lies within them; what is made of them for Exim cannot
 * end a word, a quoted text or a line.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/ascii.h"
#include "proto/exim_line.h"
#include "proto/mx_match.h"

static void
check_within(struct span part, struct span line)
{
	assert(part.len == 0 ||
	    (part.p >= line.p && part.p + part.len <= line.p + line.len));
}

static void
check_word(struct span word, struct span line)
{
	check_within(word, line);
	assert(word.len > 0 && word.len <= EXIM_WORD_MAX);
	for (size_t i = 0; i < word.len; i++)
		assert(word.p[i] != ' ' && !ascii_is_control(word.p[i]));
}

static void
check_request(struct span line)
{
	struct exim_request r = exim_request_parse(line);

	assert((r.verb == EXIM_BAD) == (r.why != NULL));
	if (r.verb == EXIM_BAD) {
		assert(r.domain.p == NULL && r.text.p == NULL);
		return;
	}
	assert(line.len <= EXIM_REQUEST_MAX);
	check_word(r.domain, line);
	if (r.verb != EXIM_CERT && r.verb != EXIM_EVENT &&
	    r.verb != EXIM_VERDICT)
		return;
	check_word(r.message, line);
	check_word(r.host, line);
	check_word(r.address, line);
	check_within(r.certificate, line);
	check_within(r.cipher, line);
	check_within(r.text, line);
	assert(r.depth <= EXIM_DEPTH_MAX);
	assert((r.verb == EXIM_CERT) == (r.certificate.len > 0));
	assert((r.verb == EXIM_EVENT) == (r.event.len > 0));
}

static void
check_answer(struct span line)
{
	struct exim_answer a = exim_answer_parse(line);

	check_within(a.hosts, line);
	check_within(a.text, line);
	assert(a.text.len == 0 || memchr(a.text.p, '"', a.text.len) == NULL);
	if (a.mode != EXIM_TEMPFAIL)
		assert(span_starts(line, "mode="));
}

static void
check_formats(struct span line)
{
	char string[1024], out[600];

	if (!span_copy(line, string, sizeof(string)))
		return;
	exim_text_format(out, sizeof(out), string);
	for (const char *p = out; *p != '\0'; p++)
		assert(*p >= 0x20 && *p <= 0x7e && *p != '"' && *p != '\\');
	if (exim_pattern_format(out, sizeof(out), string) == 0)
		return;
	assert(mx_pattern_is_valid(line));
	assert(out[0] == '^' && out[strlen(out) - 1] == '$');
	assert(strpbrk(out, " ,:\"") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span line = fuzz_span(bytes, len);

	check_request(line);
	check_answer(line);
	check_formats(line);
	return 0;
}
