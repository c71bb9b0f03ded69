/* SPDX-License-Identifier: ISC */
/*
 * One connection of a mail server to the relay: see relay_session.h.
 *
 * A session is at one of the steps below. session_go() is the only way forward:
 * it takes commands, or octets of the message, as long as nothing has to be
 * waited for; what comes meanwhile stays in the input (RFC 2920, PIPELINING).
 *
 * The connection and EHLO are always accepted, and 421 is never said: smtpd
 * would give the whole route up. What there is to refuse is refused at RCPT.
 */
#include "filter/relay_session.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config.h"
#include "common/limits.h"
#include "filter/relay_mail.h"
#include "filter/relay_private.h"
#include "proto/smtp_command.h"

#define HELO_SIZE 256

enum session_step {
	STEP_COMMAND,
	STEP_ANSWER,  /* to RCPT or DATA: the mail will say */
	STEP_MESSAGE, /* octets of it */
	STEP_ROOM,    /* the mail will say when it can have more */
	STEP_END,     /* to the final dot: the mail will say */
	STEP_CLOSING, /* when all replies are written */
};

struct relay_session {
	struct relay *relay;
	LIST_ENTRY(relay_session) entry;
	struct bufferevent *bev;
	struct address peer;
	enum session_step step;
	bool skipping;	      /* the rest of a line that was too long */
	char helo[HELO_SIZE]; /* "": not said yet */
	bool esmtp;
	struct relay_mail *mail; /* between MAIL and its end */
	bool has_rcpt;		 /* one was tried */
};

void
relay_session_free(struct relay_session *session)
{
	relay_mail_end(&session->mail);
	LIST_REMOVE(session, entry);
	session->relay->n_sessions--;
	bufferevent_free(session->bev);
	free(session);
}

/* Replies. */

static void
say(struct relay_session *s, const char *text)
{
	size_t len = strlen(text);

	bufferevent_write(s->bev, text, len);
	if (len == 0 || text[len - 1] != '\n')
		bufferevent_write(s->bev, "\r\n", 2);
}

static void
say_ehlo(struct relay_session *s)
{
	/*
	 * SIZE has no number: the server behind has one. DSN is not offered
	 * (smtpd would leave it to servers that may not offer it), nor are
	 * CHUNKING, STARTTLS and AUTH: see proto/smtp_command.c.
	 */
	static const char extensions[] =
	    "250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8\r\n";

	bufferevent_write(s->bev, "250-", 4);
	say(s, s->relay->backend.config->hostname);
	say(s, extensions);
}

/* The mail server speaks. */

static void session_go(struct relay_session *s);

static void
mail_told(const char *answer, void *arg)
{
	struct relay_session *s = arg;
	enum session_step step = s->step;

	s->step = STEP_COMMAND;
	if (step == STEP_ROOM) {
		s->step = STEP_MESSAGE;
	} else {
		say(s, answer);
		if (step == STEP_END)
			relay_mail_end(&s->mail);
		else if (strncmp(answer, "354", 3) == 0)
			s->step = STEP_MESSAGE;
	}
	session_go(s);
}

static void
take_name(struct relay_session *s, const struct smtp_command *c)
{
	relay_mail_end(&s->mail); /* RFC 5321 4.1.4 */
	s->esmtp = c->verb == SMTP_VERB_EHLO;
	snprintf(s->helo, sizeof(s->helo), "%.*s", (int)c->argument.len,
	    c->argument.p);
	if (s->esmtp) {
		say_ehlo(s);
		return;
	}
	bufferevent_write(s->bev, "250 ", 4);
	say(s, s->relay->backend.config->hostname);
}

static void
take_mail(struct relay_session *s, const struct smtp_command *c)
{
	const struct relay_sender sender = { .helo = s->helo,
		.esmtp = s->esmtp,
		.peer = s->peer };

	if (s->helo[0] == '\0') {
		say(s, "503 5.5.1 EHLO comes first");
		return;
	}
	if (s->mail != NULL) {
		say(s, "503 5.5.1 one mail at a time");
		return;
	}
	s->has_rcpt = false;
	s->mail = relay_mail_new(s->relay, c, &sender, mail_told, s);
	say(s,
	    s->mail == NULL ? "451 4.3.0 out of memory, try again later"
			    : "250 2.1.0 go on");
}

static void
take_rcpt(struct relay_session *s, const struct smtp_command *c)
{
	const char *answer;

	if (s->mail == NULL) {
		say(s, "503 5.5.1 MAIL comes first");
		return;
	}
	s->has_rcpt = true;
	answer = relay_mail_rcpt(s->mail, c);
	if (answer != NULL)
		say(s, answer);
	else
		s->step = STEP_ANSWER;
}

static void
take_data(struct relay_session *s)
{
	const char *answer;

	if (s->mail == NULL || !s->has_rcpt) {
		say(s, "503 5.5.1 MAIL and RCPT come first");
		return;
	}
	answer = relay_mail_data(s->mail);
	if (answer != NULL)
		say(s, answer);
	else
		s->step = STEP_ANSWER;
}

static void
take_command(struct relay_session *s, struct span line)
{
	struct smtp_command c;

	smtp_command_parse(line, &c);
	if (c.refusal != NULL) {
		say(s, c.refusal);
		return;
	}
	switch (c.verb) {
	case SMTP_VERB_EHLO:
	case SMTP_VERB_HELO:
		take_name(s, &c);
		break;
	case SMTP_VERB_MAIL:
		take_mail(s, &c);
		break;
	case SMTP_VERB_RCPT:
		take_rcpt(s, &c);
		break;
	case SMTP_VERB_DATA:
		take_data(s);
		break;
	case SMTP_VERB_RSET:
		relay_mail_end(&s->mail);
		say(s, "250 2.0.0 forgotten");
		break;
	case SMTP_VERB_NOOP:
		say(s, "250 2.0.0 yes");
		break;
	case SMTP_VERB_VRFY: /* RFC 5321 3.5.3 */
		say(s, "252 2.1.5 not looked at");
		break;
	case SMTP_VERB_QUIT:
		relay_mail_end(&s->mail);
		say(s, "221 2.0.0 bye");
		s->step = STEP_CLOSING;
		break;
	case SMTP_VERB_UNKNOWN: /* has its refusal */
		break;
	}
}

/* One command, if there is a whole line; false when there is none. */
static bool
command_next(struct relay_session *s)
{
	struct evbuffer *input = bufferevent_get_input(s->bev);
	struct evbuffer_ptr end = evbuffer_search(input, "\n", 1, NULL);
	char buf[LIMIT_RELAY_LINE];
	struct span line = { buf, 0 };

	if (end.pos > (ssize_t)sizeof(buf) ||
	    (end.pos < 0 && evbuffer_get_length(input) > sizeof(buf))) {
		if (!s->skipping)
			say(s, "500 5.5.2 line too long");
		s->skipping = end.pos < 0;
		evbuffer_drain(input,
		    end.pos < 0 ? evbuffer_get_length(input)
				: (size_t)end.pos + 1);
		return !s->skipping;
	}
	if (end.pos < 0)
		return false;
	line.len = (size_t)end.pos;
	evbuffer_remove(input, buf, line.len);
	evbuffer_drain(input, 1);
	if (s->skipping) {
		s->skipping = false;
		return true;
	}
	if (line.len > 0 && buf[line.len - 1] == '\r')
		line.len--;
	take_command(s, line);
	return true;
}

/* Some of the message, if there is any; false when there is none. */
static bool
message_next(struct relay_session *s)
{
	struct evbuffer *input = bufferevent_get_input(s->bev);
	struct evbuffer_iovec piece;
	const char *answer = NULL;
	struct span rest;

	if (evbuffer_peek(input, -1, NULL, &piece, 1) < 1 || piece.iov_len == 0)
		return false;
	rest = (struct span){ piece.iov_base, piece.iov_len };
	switch (relay_mail_take(s->mail, &rest, &answer)) {
	case RELAY_TAKE_MORE:
		break;
	case RELAY_TAKE_ROOM:
		s->step = STEP_ROOM;
		break;
	case RELAY_TAKE_END:
		s->step = answer == NULL ? STEP_END : STEP_COMMAND;
		break;
	}
	if (answer != NULL) {
		say(s, answer);
		relay_mail_end(&s->mail);
	}
	evbuffer_drain(input, piece.iov_len - rest.len);
	return true;
}

/* Who does not read what he is told is told no more for now. */
static bool
is_told_enough(const struct relay_session *s)
{
	return evbuffer_get_length(bufferevent_get_output(s->bev)) >=
	    LIMIT_RELAY_OUTPUT;
}

static bool
takes_more(const struct relay_session *s)
{
	return s->step == STEP_MESSAGE ||
	    (s->step == STEP_COMMAND && !is_told_enough(s));
}

/*
 * While an answer is waited for, the end of the connection is to be seen, but
 * no more is taken than the input holds: a bufferevent that is full, and is
 * read from, calls again and again.
 */
static void
set_reading(struct relay_session *s)
{
	struct evbuffer *input = bufferevent_get_input(s->bev);

	if (takes_more(s) || evbuffer_get_length(input) < LIMIT_RELAY_INPUT)
		bufferevent_enable(s->bev, EV_READ);
	else
		bufferevent_disable(s->bev, EV_READ);
}

static void
session_go(struct relay_session *s)
{
	bool more = true;

	while (more)
		switch (s->step) {
		case STEP_COMMAND:
			more = takes_more(s) && command_next(s);
			break;
		case STEP_MESSAGE:
			more = message_next(s);
			break;
		case STEP_ANSWER:
		case STEP_ROOM:
		case STEP_END:
		case STEP_CLOSING:
			more = false;
			break;
		}
	set_reading(s);
}

/* From the loop. */

static void
readable(struct bufferevent *bev, void *arg)
{
	(void)bev;
	session_go(arg);
}

static void
written(struct bufferevent *bev, void *arg)
{
	struct relay_session *s = arg;

	(void)bev;
	if (s->step == STEP_CLOSING)
		relay_session_free(s);
	else
		session_go(s); /* there may be room for answers again */
}

/*
 * The mail server is gone, or has been silent for too long: nothing can be
 * said to it then, 421 neither.
 */
static void
happened(struct bufferevent *bev, short what, void *arg)
{
	struct relay_session *s = arg;

	(void)bev;
	if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) &&
	    s->step != STEP_COMMAND && s->step != STEP_MESSAGE) {
		/* It is silent since it waits for an answer. */
		set_reading(s);
		return;
	}
	relay_session_free(s);
}

bool
relay_session_new(struct relay *relay, int fd, const struct address *peer)
{
	struct relay_session *s = calloc(1, sizeof(*s));
	const struct timeval silence = {
		.tv_sec = (time_t)(relay->times.mta_ms / 1000),
		.tv_usec = (suseconds_t)(relay->times.mta_ms % 1000 * 1000)
	};

	if (s == NULL)
		return false;
	/* Of a Unix socket there is no such option, and no need. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	s->bev = bufferevent_socket_new(relay->base, fd,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (s->bev == NULL) {
		free(s);
		return false;
	}
	s->relay = relay;
	s->peer = *peer;
	LIST_INSERT_HEAD(&relay->sessions, s, entry);
	relay->n_sessions++;
	bufferevent_setcb(s->bev, readable, written, happened, s);
	bufferevent_setwatermark(s->bev, EV_READ, 0, LIMIT_RELAY_INPUT);
	bufferevent_set_max_single_read(s->bev, LIMIT_RELAY_PIECE);
	bufferevent_set_timeouts(s->bev, &silence, &silence);
	bufferevent_enable(s->bev, EV_READ | EV_WRITE);
	bufferevent_write(s->bev, "220 ", 4);
	bufferevent_write(s->bev, relay->backend.config->hostname,
	    strlen(relay->backend.config->hostname));
	say(s, " ESMTP strictmx");
	return true;
}
