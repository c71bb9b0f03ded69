/* SPDX-License-Identifier: ISC */
/*
 * A server's reply, handed on to who asked the relay: the same lines and codes,
 * with the name of the host in front of the text, so that a queue or a bounce
 * says who spoke:
 *
 *	550 5.1.1 mx1.example.com: no such user
 */
#ifndef STRICTMX_PROTO_SMTP_ANSWER_H
#define STRICTMX_PROTO_SMTP_ANSWER_H

#include "proto/domain.h"
#include "proto/smtp_reply.h"

/* RFC 5321 4.5.3.1.5 allows 512 octets with CR LF: longer lines are cut. */
#define SMTP_ANSWER_LINE_MAX 510
#define SMTP_ANSWER_SIZE 8192

/*
 * Writes the whole answer with its line ends and a NUL. code is the reply's, or
 * another one where the relay has to say another: the class of an enhanced
 * status code follows it then (RFC 2034 4). host may be "".
 */
void smtp_answer_make(const struct smtp_reply *reply, unsigned code,
    const char *host, char out[SMTP_ANSWER_SIZE]);

#endif
