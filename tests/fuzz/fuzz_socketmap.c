/* SPDX-License-Identifier: ISC */
/*
 * Any bytes are read as a netstring and as a question without harm; what was
 * found lies within them and could be found in no shorter piece; what is bad
 * stays bad. An answer of any text is one netstring of printable ASCII.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/netstring.h"
#include "proto/socketmap.h"

#define MAX 300

static void
check_whole(struct span input, struct span octets, size_t used)
{
	char head[NETSTRING_HEAD_MAX];
	size_t head_len = netstring_head(head, octets.len);

	assert(octets.len <= MAX && used <= input.len);
	assert(used == head_len + octets.len + 1);
	assert(memcmp(input.p, head, head_len) == 0);
	assert(octets.p == input.p + head_len && input.p[used - 1] == ',');
}

static void
check_question(struct span octets)
{
	struct socketmap_question q;

	if (!socketmap_question_parse(octets, &q)) {
		assert(octets.len == 0 || octets.p[0] == ' ' ||
		    memchr(octets.p, ' ', octets.len) == NULL);
		return;
	}
	assert(q.map.len > 0 && memchr(q.map.p, ' ', q.map.len) == NULL);
	assert(q.map.p == octets.p && q.key.p == q.map.p + q.map.len + 1);
	assert(q.map.len + 1 + q.key.len == octets.len);
}

static void
check_netstring(struct span input)
{
	enum netstring_state whole, part;
	struct span octets, part_octets;
	size_t used, part_used;

	whole = netstring_parse(input, MAX, &octets, &used);
	if (whole == NETSTRING_WHOLE) {
		check_whole(input, octets, used);
		check_question(octets);
	}
	assert(whole != NETSTRING_MORE || input.len < NETSTRING_AROUND + MAX);
	for (size_t len = 0; len < input.len && len < 400; len++) {
		part = netstring_parse((struct span){ input.p, len }, MAX,
		    &part_octets, &part_used);
		if (whole == NETSTRING_WHOLE)
			assert(part ==
			    (len < used ? NETSTRING_MORE : NETSTRING_WHOLE));
		else
			assert(part == NETSTRING_MORE || part == whole);
	}
}

static void
check_answer(struct span text)
{
	static struct socketmap_answer answer;
	struct span whole, octets;
	size_t used;

	socketmap_answer_begin(&answer, SOCKETMAP_TEMP);
	socketmap_answer_add(&answer, text);
	whole = socketmap_answer_end(&answer);
	assert(netstring_parse(whole, SOCKETMAP_ANSWER_MAX, &octets, &used) ==
	    NETSTRING_WHOLE);
	assert(used == whole.len && span_starts(octets, "TEMP "));
	assert(octets.len == 5 + text.len || answer.overflow);
	for (size_t i = 0; i < octets.len; i++)
		assert(octets.p[i] >= 0x20 && octets.p[i] <= 0x7e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span input = fuzz_span(bytes, len);

	check_netstring(input);
	check_question(input);
	check_answer(input);
	return 0;
}
