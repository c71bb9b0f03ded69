/* SPDX-License-Identifier: ISC */
/* Netstrings: see netstring.h. */
#include "proto/netstring.h"

#include "proto/ascii.h"

/* Digits, as far as they have come; *len stays at most max. */
static enum netstring_state
length_parse(struct span input, size_t max, size_t *len, size_t *digits)
{
	size_t n = 0, i = 0;

	for (; i < input.len && ascii_is_digit(input.p[i]); i++) {
		size_t digit = (size_t)(input.p[i] - '0');

		if (i > 0 && n == 0) /* "00", "01" */
			return NETSTRING_BAD;
		if (digit > max || n > (max - digit) / 10)
			return NETSTRING_BAD;
		n = n * 10 + digit;
	}
	if (i == input.len)
		return NETSTRING_MORE;
	if (i == 0 || input.p[i] != ':')
		return NETSTRING_BAD;
	*len = n;
	*digits = i;
	return NETSTRING_WHOLE;
}

enum netstring_state
netstring_parse(struct span input, size_t max, struct span *octets,
    size_t *used)
{
	size_t len = 0, digits = 0;
	enum netstring_state state = length_parse(input, max, &len, &digits);

	if (state != NETSTRING_WHOLE)
		return state;
	input.p += digits + 1;
	input.len -= digits + 1;
	if (input.len <= len)
		return NETSTRING_MORE;
	if (input.p[len] != ',')
		return NETSTRING_BAD;
	octets->p = input.p;
	octets->len = len;
	*used = digits + 1 + len + 1;
	return NETSTRING_WHOLE;
}

size_t
netstring_head(char out[NETSTRING_HEAD_MAX], size_t len)
{
	size_t digits = 1, rest = len;

	while ((rest /= 10) > 0)
		digits++;
	out[digits] = ':';
	for (size_t i = digits; i > 0; len /= 10)
		out[--i] = (char)('0' + len % 10);
	return digits + 1;
}
