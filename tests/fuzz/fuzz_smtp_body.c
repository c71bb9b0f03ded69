/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as a message, in pieces: the first octet says of what size. What
 * comes out holds no CR or LF alone, and no end before the end; it is the same
 * whatever the pieces.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "proto/smtp_body.h"

struct passed {
	struct smtp_body body;
	char *out;
	size_t len, taken;
};

static struct passed
pass(struct span all, size_t piece, size_t size)
{
	struct passed p = { .out = malloc(all.len + SMTP_BODY_HELD + size) };
	size_t len = all.len;

	assert(p.out != NULL);
	smtp_body_init(&p.body);
	while (all.len > 0 && p.body.state != SMTP_BODY_END) {
		struct span now = { all.p, piece < all.len ? piece : all.len };
		size_t before = now.len, n;

		n = smtp_body_take(&p.body, &now, p.out + p.len, size);
		assert(n <= size && n <= before - now.len + SMTP_BODY_HELD);
		assert(now.len == 0 || p.body.state == SMTP_BODY_END ||
		    n + SMTP_BODY_HELD >= size);
		p.len += n;
		all.p += before - now.len;
		all.len -= before - now.len;
	}
	p.taken = len - all.len;
	assert(p.body.octets == p.len && p.len <= p.taken);
	return p;
}

static void
check(const struct passed *p)
{
	for (size_t i = 0; i < p->len; i++) {
		if (p->out[i] == '\r')
			assert(i + 1 < p->len && p->out[i + 1] == '\n');
		if (p->out[i] == '\n')
			assert(i > 0 && p->out[i - 1] == '\r');
		assert(
		    p->len - i < 5 || memcmp(p->out + i, "\r\n.\r\n", 5) != 0);
	}
	assert(p->len < 3 || memcmp(p->out, ".\r\n", 3) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span all = fuzz_span(bytes, len);
	struct passed whole, pieces;
	size_t piece;

	if (len < 2)
		return 0;
	piece = 1 + bytes[0] % 64;
	all.p++;
	all.len--;
	whole = pass(all, all.len, all.len + SMTP_BODY_HELD + 1);
	pieces = pass(all, piece, SMTP_BODY_HELD + 1 + bytes[0] / 64);
	check(&whole);
	assert(whole.len == pieces.len && whole.taken == pieces.taken);
	assert(memcmp(whole.out, pieces.out, whole.len) == 0);
	assert(memcmp(&whole.body, &pieces.body, sizeof(whole.body)) == 0);
	free(whole.out);
	free(pieces.out);
	return 0;
}
