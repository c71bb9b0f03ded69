/* SPDX-License-Identifier: ISC */
/* The octets of a socketmap: see socketmap.h. */
#include "proto/socketmap.h"

#include <string.h>

bool
socketmap_question_parse(struct span octets, struct socketmap_question *out)
{
	const char *blank =
	    octets.len == 0 ? NULL : memchr(octets.p, ' ', octets.len);

	if (blank == NULL || blank == octets.p)
		return false;
	out->map.p = octets.p;
	out->map.len = (size_t)(blank - octets.p);
	out->key.p = blank + 1;
	out->key.len = octets.len - out->map.len - 1;
	return true;
}

/* Postfix wants the blank also where no text follows. */
static const char *
status_word(enum socketmap_status status)
{
	switch (status) {
	case SOCKETMAP_OK:
		return "OK ";
	case SOCKETMAP_NOTFOUND:
		return "NOTFOUND ";
	case SOCKETMAP_TEMP:
		return "TEMP ";
	case SOCKETMAP_PERM:
		break;
	}
	return "PERM ";
}

void
socketmap_answer_begin(struct socketmap_answer *answer,
    enum socketmap_status status)
{
	answer->status = status;
	answer->overflow = false;
	answer->from = NETSTRING_HEAD_MAX; /* the head comes at the end */
	answer->len = 0;
	socketmap_answer_add(answer, span_of(status_word(status)));
}

void
socketmap_answer_add(struct socketmap_answer *answer, struct span text)
{
	char *to = answer->octets + NETSTRING_HEAD_MAX + answer->len;

	if (text.len > SOCKETMAP_ANSWER_MAX - answer->len) {
		answer->overflow = true;
		return;
	}
	for (size_t i = 0; i < text.len; i++)
		to[i] = text.p[i] < 0x20 || text.p[i] > 0x7e ? '?' : text.p[i];
	answer->len += text.len;
}

struct span
socketmap_answer_end(struct socketmap_answer *answer)
{
	char head[NETSTRING_HEAD_MAX];
	size_t head_len = netstring_head(head, answer->len);

	answer->from = NETSTRING_HEAD_MAX - head_len;
	memcpy(answer->octets + answer->from, head, head_len);
	answer->octets[NETSTRING_HEAD_MAX + answer->len] = ',';
	return (struct span){ answer->octets + answer->from,
		head_len + answer->len + 1 };
}
