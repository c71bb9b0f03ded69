/* SPDX-License-Identifier: ISC */
/* Handing mail over on a session that is ready: see smtp_transaction.h. */
#include "common/smtp_transaction.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/limits.h"
#include "common/smtp_session.h"
#include "proto/smtp_command.h"

#define SERVICE_NOT_AVAILABLE 421 /* RFC 5321 3.8: it closes now */

/* The end of a wait. The session may be gone after that. */
static void
dialog_end(struct smtp_dialog *d, const struct smtp_reply *reply)
{
	const struct smtp_said said = { .reply = reply, .unfit = d->why };
	smtp_said_fn *done = d->done;

	d->done = NULL;
	done(&said, d->arg);
}

static void __attribute__((format(printf, 2, 3)))
dialog_fail(struct smtp_dialog *d, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(d->why, sizeof(d->why), format, ap);
	va_end(ap);
	dialog_end(d, NULL);
}

/* RFC 5321 4.2.1, 4.3.2: which class can follow. */
static void
dialog_reply(struct smtp_dialog *d)
{
	const struct smtp_reply *reply = &d->wire->reply;
	unsigned class = reply->code / 100;

	if (reply->octets > LIMIT_SMTP_REPLY) {
		dialog_fail(d, "sent a reply that is too long");
	} else if (class != 4 && class != 5 &&
	    (class != d->wanted || (class == 3 && reply->code != 354))) {
		dialog_fail(d, "gave a reply that cannot be: %u", reply->code);
	} else {
		if (reply->code == SERVICE_NOT_AVAILABLE)
			snprintf(d->why, sizeof(d->why), "ends the session");
		dialog_end(d, reply);
	}
}

void
smtp_dialog_happened(struct smtp_dialog *dialog, enum smtp_wire_event event)
{
	switch (event) {
	case SMTP_WIRE_REPLY:
		dialog_reply(dialog);
		return;
	case SMTP_WIRE_OPEN:
	case SMTP_WIRE_ROOM:
		dialog_end(dialog, NULL);
		return;
	case SMTP_WIRE_CLOSED:
		dialog_fail(dialog, "closed the connection");
		return;
	case SMTP_WIRE_FAILED:
		if (dialog->wire->cut) {
			dialog_fail(dialog, "closed the connection");
			return;
		}
		dialog_fail(dialog, "cannot be used any more: %s",
		    dialog->wire->why);
		return;
	case SMTP_WIRE_LATE:
		dialog_fail(dialog, "did not answer in time");
		return;
	}
}

/* Why there was nothing to wait for. */
void
smtp_dialog_later(struct smtp_dialog *dialog)
{
	if (dialog->done != NULL)
		dialog_end(dialog, NULL);
}

static void
fail_later(struct smtp_dialog *d, const char *why)
{
	snprintf(d->why, sizeof(d->why), "cannot be used any more: %s", why);
	event_active(d->later, EV_TIMEOUT, 0);
}

static struct smtp_dialog *
dialog_begin(struct smtp_session *s, unsigned wanted, smtp_said_fn *done,
    void *arg)
{
	struct smtp_dialog *d = smtp_session_dialog(s);

	assert(d->wire != NULL && d->done == NULL);
	d->wanted = wanted;
	d->done = done;
	d->arg = arg;
	d->why[0] = '\0';
	return d;
}

/* What came in before a command is no reply to it. */
static void
say(struct smtp_session *s, const char *line, unsigned wanted,
    unsigned limit_ms, smtp_said_fn *done, void *arg)
{
	struct smtp_dialog *d = dialog_begin(s, wanted, done, arg);
	const char *unfit = smtp_wire_unfit(d->wire);

	if (unfit != NULL)
		fail_later(d, unfit);
	else if (!smtp_wire_command(d->wire, line, "", limit_ms))
		fail_later(d, "no memory");
}

const struct smtp_offers *
smtp_transaction_offers(struct smtp_session *s)
{
	return &smtp_session_dialog(s)->offers;
}

void
smtp_transaction_refuse_smtputf8(struct smtp_reply *out)
{
	static const char line[] =
	    "553 5.6.7 does not offer SMTPUTF8, which this message needs";

	smtp_reply_init(out);
	smtp_reply_line(out, span_of(line));
}

void
smtp_transaction_mail(struct smtp_session *s, const struct smtp_mail *mail,
    unsigned limit_ms, smtp_said_fn *done, void *arg)
{
	const struct smtp_offers *offers = smtp_transaction_offers(s);
	char line[SMTP_PATH_SIZE + 96], size[32] = "";

	if (mail->has_size && offers->size)
		snprintf(size, sizeof(size), " SIZE=%" PRIu64, mail->size);
	snprintf(line, sizeof(line), "MAIL FROM:<%s>%s%s%s", mail->from, size,
	    mail->eight_bit_mime && offers->eight_bit_mime ? " BODY=8BITMIME"
							   : "",
	    mail->smtputf8 ? " SMTPUTF8" : "");
	say(s, line, 2, limit_ms, done, arg);
}

void
smtp_transaction_rcpt(struct smtp_session *s, const char *to, unsigned limit_ms,
    smtp_said_fn *done, void *arg)
{
	char line[SMTP_PATH_SIZE + 16];

	snprintf(line, sizeof(line), "RCPT TO:<%s>", to);
	say(s, line, 2, limit_ms, done, arg);
}

void
smtp_transaction_data(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg)
{
	say(s, "DATA", 3, limit_ms, done, arg);
}

bool
smtp_transaction_write(struct smtp_session *s, const char *p, size_t len)
{
	struct smtp_wire *wire = smtp_session_dialog(s)->wire;

	return smtp_wire_unfit(wire) == NULL && smtp_wire_write(wire, p, len);
}

bool
smtp_transaction_is_full(struct smtp_session *s)
{
	return smtp_wire_is_full(smtp_session_dialog(s)->wire);
}

void
smtp_transaction_wait_room(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg)
{
	struct smtp_dialog *d = dialog_begin(s, 0, done, arg);

	if (!smtp_wire_wait_room(d->wire, limit_ms))
		fail_later(d, "no memory");
}

void
smtp_transaction_end(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg)
{
	say(s, ".", 2, limit_ms, done, arg);
}

void
smtp_transaction_reset(struct smtp_session *s, unsigned limit_ms,
    smtp_said_fn *done, void *arg)
{
	say(s, "RSET", 2, limit_ms, done, arg);
}

const char *
smtp_transaction_unfit(struct smtp_session *s)
{
	return smtp_wire_unfit(smtp_session_dialog(s)->wire);
}
