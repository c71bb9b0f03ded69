/* SPDX-License-Identifier: ISC */
/*
 * A mail of the relay from DATA on: see relay_mail.h, and relay_mail.c for what
 * comes before.
 */
#include "filter/relay_mail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "filter/relay_mail_private.h"
#include "proto/smtp_answer.h"

/* 4. DATA. */

static void message_begin(struct relay_mail *m);

static void
data_done(const struct smtp_said *said, void *arg)
{
	struct relay_mail *m = arg;
	char answer[SMTP_ANSWER_SIZE];
	unsigned code;

	m->waits = false;
	if (said->unfit[0] != '\0') {
		relay_mail_tell(m, relay_mail_lose(m, said));
		return;
	}
	code = said->reply->code;
	if (code == 354) {
		message_begin(m);
		relay_mail_tell(m, "354 go ahead");
		return;
	}
	smtp_answer_make(said->reply, code, m->mx, answer);
	relay_mail_note(m, code / 100 == 4 ? RELAY_DEFERRED : RELAY_REFUSED,
	    answer);
	relay_mail_tell(m, answer);
}

const char *
relay_mail_data(struct relay_mail *mail)
{
	if (mail->n_accepted == 0) /* RFC 2920 3.1 */
		return "554 5.5.1 no valid recipients";
	if (mail->upstream == NULL) /* it was lost after that */
		return mail->refusal;
	mail->waits = true;
	smtp_transaction_data(mail->upstream->session,
	    mail->relay->times.command_ms, data_done, mail);
	return NULL;
}

/* 5. The message. */

/* It will not go through; the rest of it is read all the same. */
static void
message_fail(struct relay_mail *m, enum relay_outcome outcome,
    const char *answer)
{
	snprintf(m->failure, sizeof(m->failure), "%s", answer);
	relay_mail_note(m, outcome, answer);
	upstream_cut(&m->upstream);
}

static void
message_lost(struct relay_mail *m, const char *why)
{
	char answer[sizeof(m->failure)];

	snprintf(answer, sizeof(answer), "451 4.4.2 %s %s", m->mx, why);
	message_fail(m, RELAY_BROKEN, answer);
}

/* Octets as they go to the server behind; nothing when there is none. */
static void
message_pass(struct relay_mail *m, const char *p, size_t len)
{
	const char *unfit;

	if (m->upstream == NULL || len == 0 ||
	    smtp_transaction_write(m->upstream->session, p, len))
		return;
	unfit = smtp_transaction_unfit(m->upstream->session);
	message_lost(m,
	    unfit == NULL ? "got no memory for the message"
			  : "broke the session during DATA");
}

static void
message_begin(struct relay_mail *m)
{
	m->in_message = true;
	smtp_body_init(&m->body);
}

/*
 * The Received line (RFC 5321 4.4), once. It goes out with the first octets of
 * the message: over TLS each piece is a record, a packet, and work for the
 * server behind.
 */
static size_t
message_trace(struct relay_mail *m, char *piece)
{
	size_t len = m->traced ? 0 : strlen(m->received);

	memcpy(piece, m->received, len);
	m->traced = true;
	return len;
}

static void
room_done(const struct smtp_said *said, void *arg)
{
	struct relay_mail *m = arg;

	m->waits = false;
	if (said->unfit[0] != '\0')
		message_lost(m, said->unfit);
	relay_mail_tell(m, NULL);
}

static const char *dot_begin(struct relay_mail *m);

enum relay_take
relay_mail_take(struct relay_mail *mail, struct span *input,
    const char **answer)
{
	char piece[LIMIT_RELAY_PIECE];

	while (input->len > 0 && mail->body.state != SMTP_BODY_END) {
		size_t len = message_trace(mail, piece);

		len += smtp_body_take(&mail->body, input, piece + len,
		    sizeof(piece) - len);
		message_pass(mail, piece, len);
		if (mail->body.received > LIMIT_RELAY_RECEIVED &&
		    mail->failure[0] == '\0')
			message_fail(mail, RELAY_REFUSED,
			    "554 5.4.6 too many Received lines: a loop");
		if (mail->upstream != NULL &&
		    mail->body.state != SMTP_BODY_END &&
		    smtp_transaction_is_full(mail->upstream->session)) {
			mail->waits = true;
			smtp_transaction_wait_room(mail->upstream->session,
			    mail->relay->times.room_ms, room_done, mail);
			return RELAY_TAKE_ROOM;
		}
	}
	if (mail->body.state != SMTP_BODY_END)
		return RELAY_TAKE_MORE;
	mail->in_message = false;
	*answer = dot_begin(mail);
	return RELAY_TAKE_END;
}

/* 6. The final dot. */

/* RFC 1047: smtpd would not wait longer. The server may take it all the same,
 * and it will come again: rather twice than not at all. */
static void
dot_late(void *arg)
{
	struct relay_mail *m = arg;
	char answer[512];

	m->late = NULL;
	snprintf(answer, sizeof(answer),
	    "451 4.4.2 %s has not answered the end of the message in time",
	    m->mx);
	relay_mail_note(m, RELAY_UNSURE, answer);
	relay_mail_tell(m, answer);
}

/* Nobody waits for it any more. */
static void
dot_done_late(struct relay_mail *m, const struct smtp_said *said)
{
	char quoted[LOG_QUOTE_SIZE];
	const char *text =
	    said->reply == NULL ? said->unfit : said->reply->text;

	log_warning("relay id=%" PRIx64 " domain=%s mx=%s answered the end of "
		    "the message too late: %u %s",
	    m->id, m->domain, m->mx,
	    said->reply == NULL ? 0 : said->reply->code,
	    log_quote(quoted, text, strlen(text)));
	relay_mail_free(m);
}

static enum relay_outcome
outcome_of_code(unsigned code)
{
	if (code / 100 == 2)
		return RELAY_DELIVERED;
	return code / 100 == 4 ? RELAY_DEFERRED : RELAY_REFUSED;
}

static void
dot_done(const struct smtp_said *said, void *arg)
{
	struct relay_mail *m = arg;
	char answer[SMTP_ANSWER_SIZE];

	if (m->told == NULL) {
		dot_done_late(m, said);
		return;
	}
	clock_timer_cancel(&m->late);
	if (said->reply == NULL) {
		snprintf(answer, sizeof(answer),
		    "451 4.4.2 %s %s after the end of the message", m->mx,
		    said->unfit);
		relay_mail_note(m, RELAY_UNSURE, answer);
	} else {
		unsigned code =
		    said->unfit[0] == '\0' ? said->reply->code : 451;

		smtp_answer_make(said->reply, code, m->mx, answer);
		relay_mail_note(m, outcome_of_code(code), answer);
	}
	if (said->unfit[0] == '\0')
		relay_mail_release(m, false);
	else
		upstream_cut(&m->upstream);
	relay_mail_tell(m, answer);
}

/* The answer, when there is nothing to wait for. */
static const char *
dot_begin(struct relay_mail *m)
{
	const char *unfit;

	if (m->upstream == NULL)
		return m->failure;
	unfit = smtp_transaction_unfit(m->upstream->session);
	if (unfit == NULL)
		m->late = clock_timer_start(m->relay->clock,
		    m->relay->times.dot_ms, dot_late, m);
	if (m->late == NULL) {
		message_lost(m,
		    unfit == NULL ? "got no memory for its answer"
				  : "broke the session during DATA");
		return m->failure;
	}
	m->dot_said = true;
	smtp_transaction_end(m->upstream->session, m->relay->times.late_ms,
	    dot_done, m);
	return NULL;
}
