/* SPDX-License-Identifier: ISC */
/*
 * Lines of an evbuffer: see lines.h. Many lines come at once when there is much
 * to do; searching, straightening and draining the evbuffer for each of them is
 * a large part of the work then. So this is done once for all that lie in one
 * piece, and lines are found in that with memchr().
 */
#include "filter/lines.h"

#include <event2/buffer.h>
#include <string.h>

/* Makes the next piece begin with a whole line. False without one. */
static bool
next_piece(struct lines *lines, struct span *line)
{
	struct evbuffer_ptr eol;

	lines_end(lines);
	eol = evbuffer_search_eol(lines->input, NULL, NULL, EVBUFFER_EOL_LF);
	if (eol.pos == -1)
		return false;
	line->len = (size_t)eol.pos;
	lines->p =
	    (const char *)evbuffer_pullup(lines->input, (ssize_t)eol.pos + 1);
	if (lines->p == NULL)
		evbuffer_drain(lines->input, line->len + 1);
	else
		lines->left = evbuffer_get_contiguous_space(lines->input);
	return true;
}

bool
lines_next(struct lines *lines, struct span *line)
{
	const char *end =
	    lines->left == 0 ? NULL : memchr(lines->p, '\n', lines->left);

	if (end != NULL)
		line->len = (size_t)(end - lines->p);
	else if (!next_piece(lines, line))
		return false;
	line->p = lines->p;
	if (line->p != NULL) {
		lines->p += line->len + 1;
		lines->left -= line->len + 1;
		lines->taken += line->len + 1;
	}
	return true;
}

void
lines_end(struct lines *lines)
{
	if (lines->taken > 0)
		evbuffer_drain(lines->input, lines->taken);
	lines->p = NULL;
	lines->left = 0;
	lines->taken = 0;
}
