/* SPDX-License-Identifier: ISC */
/* A server's reply, handed on: see smtp_answer.h. */
#include "proto/smtp_answer.h"

#include <stdio.h>
#include <string.h>

#include "proto/ascii.h"

/* "5.1.1" in front of a blank or the end (RFC 3463 2); 0: there is none. */
static size_t
status_length(struct span text)
{
	size_t i = 0;

	for (unsigned part = 0; part < 3; part++) {
		size_t digits = i;

		if (part > 0 && (i == text.len || text.p[i++] != '.'))
			return 0;
		for (digits = i; i < text.len && ascii_is_digit(text.p[i]); i++)
			;
		if (i == digits || i - digits > 3)
			return 0;
	}
	if (i < text.len && text.p[i] != ' ')
		return 0;
	return text.p[1] == '.' ? i : 0;
}

/* One line: code, status, host, text. */
static size_t
make_line(struct span text, unsigned code, bool is_last, const char *host,
    char *out, size_t room)
{
	size_t status = status_length(text), len;
	char line[SMTP_ANSWER_LINE_MAX + 1];
	struct span rest = { text.p + status, text.len - status };

	if (rest.len > 0 && rest.p[0] == ' ' && status > 0) {
		rest.p++;
		rest.len--;
	}
	snprintf(line, sizeof(line), "%u%c%.*s%s%s%s%.*s", code,
	    is_last ? ' ' : '-', (int)status, status > 0 ? text.p : "",
	    status > 0 ? " " : "", host, host[0] == '\0' ? "" : ": ",
	    (int)rest.len, rest.p == NULL ? "" : rest.p);
	if (status > 0)
		line[4] = (char)('0' + code / 100);
	len = strlen(line);
	if (len + 3 > room)
		return 0;
	snprintf(out, room, "%s\r\n", line);
	return len + 2;
}

void
smtp_answer_make(const struct smtp_reply *reply, unsigned code,
    const char *host, char out[SMTP_ANSWER_SIZE])
{
	struct span rest = { reply->whole, reply->whole_len }, line = rest;
	size_t len = 0;

	out[0] = '\0';
	do {
		const char *lf =
		    rest.len == 0 ? NULL : memchr(rest.p, '\n', rest.len);

		line = rest;
		if (lf != NULL) {
			line.len = (size_t)(lf - rest.p);
			rest.p = lf + 1;
			rest.len -= line.len + 1;
		}
		len += make_line(line, code, lf == NULL, host, out + len,
		    SMTP_ANSWER_SIZE - len);
		host = ""; /* is said once */
		if (lf == NULL)
			break;
	} while (true);
}
