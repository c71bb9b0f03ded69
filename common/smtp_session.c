/* SPDX-License-Identifier: ISC */
/*
 * One SMTP session up to the point where mail could be sent: smtp_session.h.
 *
 * The stages of enum smtp_stage are the steps of a session. They stand below
 * in the order of time, each with its half that asks and its half that takes
 * the answer. A half says how to go on: NEXT, WAIT for the loop, or DONE.
 * session_go() is the only way forward and the only way out.
 *
 * Sections: RFC 5321 3.1, 3.2 and 4.2 (SMTP), RFC 3207 4 (STARTTLS).
 */
#include "common/smtp_session.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/starved.h"
#include "common/tls_verify.h"
#include "common/tlsa_set.h"

enum step_result {
	NEXT,
	WAIT,
	DONE
};

typedef enum step_result half_fn(struct smtp_session *s);

struct smtp_session {
	struct smtp_dialer *dialer;
	TAILQ_ENTRY(smtp_session) entry;

	char *mx;
	char *helo;
	struct address address;
	uint16_t port;
	unsigned proofs;       /* asked for */
	bool in_clear;	       /* STARTTLS is not wanted */
	struct tlsa_set *tlsa; /* that one must match; NULL: no DANE */
	char *next_hop;	       /* NULL: none */
	smtp_ready_fn *ready;  /* NULL when nobody waits for it any more */
	void *arg;

	struct event *begin;	/* the first step runs from the loop */
	struct event *deadline; /* of all up to ready */
	struct smtp_wire wire;
	half_fn *answer; /* takes the answer of what the wire waits for */
	struct smtp_dialog dialog; /* once the session is ready */
	bool tls_agreed;	   /* 220 to STARTTLS */
	struct smtp_result result; /* its stage is the step that runs */
};

/* For "failed at ...", "timed out at ..." */
static const char *const stage_words[] = {
	[SMTP_STAGE_CONNECT] = "the connection",
	[SMTP_STAGE_GREETING] = "the greeting",
	[SMTP_STAGE_EHLO] = "EHLO",
	[SMTP_STAGE_STARTTLS] = "STARTTLS",
	[SMTP_STAGE_TLS] = "the TLS handshake",
	[SMTP_STAGE_EHLO_TLS] = "EHLO after the TLS handshake",
	[SMTP_STAGE_READY] = "QUIT",
};

static half_fn step_connect, step_greeting, step_ehlo, step_starttls, step_tls,
    step_ehlo_tls, step_ready;

static half_fn *const steps[] = {
	[SMTP_STAGE_CONNECT] = step_connect,
	[SMTP_STAGE_GREETING] = step_greeting,
	[SMTP_STAGE_EHLO] = step_ehlo,
	[SMTP_STAGE_STARTTLS] = step_starttls,
	[SMTP_STAGE_TLS] = step_tls,
	[SMTP_STAGE_EHLO_TLS] = step_ehlo_tls,
	[SMTP_STAGE_READY] = step_ready,
};

/* The end. */

void
smtp_session_free(struct smtp_session *s)
{
	TAILQ_REMOVE(&s->dialer->sessions, s, entry);
	s->dialer->n_sessions--;
	smtp_wire_cleanup(&s->wire);
	if (s->begin != NULL)
		event_free(s->begin);
	if (s->deadline != NULL)
		event_free(s->deadline);
	tlsa_set_drop(&s->tlsa); /* after the wire, whose SSL looks at it */
	free(s->next_hop);
	free(s->mx);
	free(s->helo);
	free(s);
}

static void
session_end(struct smtp_session *s)
{
	struct smtp_result result = s->result;
	smtp_ready_fn *ready = s->ready;
	void *arg = s->arg;

	smtp_session_free(s);
	if (ready != NULL)
		ready(&result, NULL, arg);
}

/* The only way forward and the only way out; the session may be gone then. */
static void
session_go(struct smtp_session *s, enum step_result result)
{
	while (result == NEXT) {
		assert(s->result.stage < SMTP_STAGE_READY);
		result = steps[++s->result.stage](s);
	}
	if (result == DONE)
		session_end(s);
}

static enum step_result session_fail(struct smtp_session *s,
    enum result_type result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the handshake may have shown before does not count any more. */
static enum step_result
session_fail(struct smtp_session *s, enum result_type result,
    const char *format, ...)
{
	va_list ap;

	s->result.result = result;
	s->result.proofs = 0;
	s->result.certificate_bad = false;
	va_start(ap, format);
	vsnprintf(s->result.why, sizeof(s->result.why), format, ap);
	va_end(ap);
	return DONE;
}

static enum step_result
session_fail_here(struct smtp_session *s, const char *why)
{
	return session_fail(s, RESULT_NONE, "failed at %s: %s",
	    stage_words[s->result.stage], why);
}

static enum step_result
session_starve(struct smtp_session *s, const char *why)
{
	s->result.starved = true;
	return session_fail_here(s, why);
}

/*
 * A connection that breaks after STARTTLS was said is a failure of TLS; also
 * while EHLO waits for its answer under TLS, since a server that misses a
 * client certificate says so only then (TLS 1.3).
 */
static enum step_result
session_broken(struct smtp_session *s, const char *how, const char *why)
{
	enum smtp_stage stage = s->result.stage;

	return session_fail(s,
	    stage < SMTP_STAGE_STARTTLS ? RESULT_NONE
					: RESULT_VALIDATION_FAILURE,
	    "%s %s%s%s", how, stage_words[stage], why[0] == '\0' ? "" : ": ",
	    why);
}

/* Silence is a failure of TLS from the handshake on. */
static enum step_result
session_late(struct smtp_session *s)
{
	enum smtp_stage stage = s->result.stage;

	return session_fail(s,
	    stage < SMTP_STAGE_TLS ? RESULT_NONE : RESULT_VALIDATION_FAILURE,
	    "timed out at %s", stage_words[stage]);
}

/* From the loop. */

static void
wire_happened(enum smtp_wire_event event, void *arg)
{
	struct smtp_session *s = arg;

	if (s->dialog.done != NULL) {
		smtp_dialog_happened(&s->dialog, event);
		return;
	}
	switch (event) {
	case SMTP_WIRE_ROOM: /* is waited for in a dialog only */
		return;
	case SMTP_WIRE_REPLY:
		s->result.reply_code = s->wire.reply.code;
		session_go(s, s->answer(s));
		return;
	case SMTP_WIRE_OPEN:
		session_go(s, s->answer(s));
		return;
	case SMTP_WIRE_CLOSED:
		session_go(s,
		    session_broken(s, "closed the connection at", ""));
		return;
	case SMTP_WIRE_FAILED:
		session_go(s, session_broken(s, "failed at", s->wire.why));
		return;
	case SMTP_WIRE_LATE:
		session_go(s, session_late(s));
		return;
	}
}

static void
deadline_passed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	session_go(arg, session_late(arg));
}

static void
session_begin(evutil_socket_t fd, short what, void *arg)
{
	struct smtp_session *s = arg;

	(void)fd;
	(void)what;
	if (s->result.stage == SMTP_STAGE_READY)
		smtp_dialog_later(&s->dialog);
	else
		session_go(s, step_connect(s));
}

/*
 * Says one command; its reply goes to answer. What came in before was said
 * before it was asked for and may not be taken for the reply.
 */
static enum step_result
session_command(struct smtp_session *s, const char *verb, const char *argument,
    unsigned limit_ms, half_fn *answer)
{
	const char *unfit = smtp_wire_unfit(&s->wire);

	if (unfit != NULL)
		return session_broken(s, "failed at", unfit);
	s->answer = answer;
	if (!smtp_wire_command(&s->wire, verb, argument, limit_ms))
		return session_starve(s, "no memory");
	return WAIT;
}

/* 1. The connection. */

static enum step_result
connect_done(struct smtp_session *s)
{
	(void)s;
	return NEXT;
}

static enum step_result
step_connect(struct smtp_session *s)
{
	s->answer = connect_done;
	if (!smtp_wire_connect(&s->wire, &s->address, s->port,
		s->dialer->limits.connect_ms))
		return is_starved(errno)
		    ? session_starve(s, strerror(errno))
		    : session_fail_here(s, strerror(errno));
	return WAIT;
}

/* 2. The greeting. */

static enum step_result
greeting_done(struct smtp_session *s)
{
	if (s->wire.reply.code == 220)
		return NEXT;
	return session_fail(s, RESULT_NONE, "greeted with %u %s",
	    s->wire.reply.code, s->wire.reply.text);
}

static enum step_result
step_greeting(struct smtp_session *s)
{
	s->answer = greeting_done;
	if (!smtp_wire_wait_reply(&s->wire, s->dialer->limits.command_ms))
		return session_starve(s, "no memory");
	return WAIT;
}

/* 3. EHLO in clear. HELO is not tried: no STARTTLS comes after it. */

static enum step_result
ehlo_done(struct smtp_session *s)
{
	if (s->wire.reply.code == 250)
		return NEXT;
	return session_fail(s, RESULT_NONE, "refused %s: %u %s",
	    stage_words[s->result.stage], s->wire.reply.code,
	    s->wire.reply.text);
}

static enum step_result
step_ehlo(struct smtp_session *s)
{
	return session_command(s, "EHLO", s->helo, s->dialer->limits.command_ms,
	    ehlo_done);
}

/* 4. STARTTLS. Who asks for no proof goes on in clear when there is none. */

static enum step_result
starttls_done(struct smtp_session *s)
{
	const struct smtp_reply *reply = &s->wire.reply;

	if (reply->code == 220) {
		s->tls_agreed = true;
		return NEXT;
	}
	if (reply->code < 400)
		return session_fail(s, RESULT_VALIDATION_FAILURE,
		    "answered STARTTLS with %u %s", reply->code, reply->text);
	if (s->proofs == 0)
		return NEXT;
	return session_fail(s, RESULT_STARTTLS_NOT_SUPPORTED,
	    "refused STARTTLS: %u %s", reply->code, reply->text);
}

static enum step_result
step_starttls(struct smtp_session *s)
{
	if (s->in_clear)
		return NEXT;
	if (s->wire.reply.starttls)
		return session_command(s, "STARTTLS", "",
		    s->dialer->limits.command_ms, starttls_done);
	if (s->proofs == 0)
		return NEXT;
	return session_fail(s, RESULT_STARTTLS_NOT_SUPPORTED,
	    "does not offer STARTTLS");
}

/* 5. The handshake, and what it has shown. */

static enum step_result
tls_done(struct smtp_session *s)
{
	struct smtp_result *result = &s->result;
	struct tls_judgement judgement;

	tls_verify_judge(s->wire.ssl, &judgement);
	snprintf(result->tls_version, sizeof(result->tls_version), "%s",
	    SSL_get_version(s->wire.ssl));
	result->proofs = judgement.proofs;
	result->result = judgement.result;
	result->tlsa_matched = judgement.tlsa_matched;
	result->certificate_until_s = judgement.until_s;
	result->certificate_bad = judgement.result != RESULT_NONE;
	snprintf(result->why, sizeof(result->why), "%s",
	    judgement.why == NULL ? "" : judgement.why);
	if ((s->proofs & ~judgement.proofs) == 0)
		return NEXT;
	if (result->certificate_bad)
		return DONE;
	return session_fail(s, RESULT_VALIDATION_FAILURE,
	    "cannot show all that is asked of it");
}

static SSL *
session_ssl(const struct smtp_session *s)
{
	const struct tls_dane dane = { .mx = s->mx,
		.tlsa = s->tlsa,
		.next_hop = s->next_hop };

	return s->tlsa == NULL ? tls_verify_ssl(s->dialer->verify, s->mx)
			       : tls_verify_dane_ssl(s->dialer->verify, &dane);
}

static enum step_result
step_tls(struct smtp_session *s)
{
	SSL *ssl;

	if (!s->tls_agreed)
		return NEXT;
	if (smtp_wire_unfit(&s->wire) != NULL)
		return session_fail(s, RESULT_VALIDATION_FAILURE,
		    "sent more in clear after its answer to STARTTLS");
	ssl = session_ssl(s);
	s->answer = tls_done;
	if (ssl == NULL ||
	    !smtp_wire_start_tls(&s->wire, ssl, s->dialer->limits.tls_ms))
		return session_starve(s, "no memory");
	return WAIT;
}

/* 6. EHLO again: RFC 3207 4.2, what was said in clear is forgotten. */

static enum step_result
step_ehlo_tls(struct smtp_session *s)
{
	return s->tls_agreed ? step_ehlo(s) : NEXT;
}

/*
 * 7. Ready. Who waited for the session has it now, may end it at once, or say
 * more (smtp_transaction.c).
 */

struct smtp_dialog *
smtp_session_dialog(struct smtp_session *s)
{
	return &s->dialog;
}

static void
dialog_begin(struct smtp_session *s)
{
	const struct smtp_reply *ehlo = &s->wire.reply;

	s->dialog.wire = &s->wire;
	s->dialog.later = s->begin;
	s->dialog.offers = (struct smtp_offers){
		.smtputf8 = ehlo->smtputf8,
		.eight_bit_mime = ehlo->eightbitmime,
		.size = ehlo->size,
	};
}

static enum step_result
step_ready(struct smtp_session *s)
{
	struct smtp_result result = s->result;
	smtp_ready_fn *ready = s->ready;

	evtimer_del(s->deadline);
	dialog_begin(s);
	s->ready = NULL;
	ready(&result, s, s->arg);
	return WAIT;
}

/* 8. QUIT. The dialer alone has the session now. */

static enum step_result
quit_done(struct smtp_session *s)
{
	smtp_wire_close_tls(&s->wire);
	return DONE;
}

void
smtp_session_quit(struct smtp_session *s)
{
	enum step_result outcome = DONE;

	s->ready = NULL;
	s->dialog.done = NULL;
	event_del(s->begin);
	if (s->result.stage == SMTP_STAGE_READY)
		outcome = session_command(s, "QUIT", "",
		    s->dialer->limits.quit_ms, quit_done);
	session_go(s, outcome);
}

/* The beginning: the first step runs from the loop. */

static bool
session_set_up(struct smtp_session *s, const struct smtp_target *target)
{
	struct event_base *base = s->dialer->base;
	struct timeval deadline = { .tv_sec =
					(time_t)(target->deadline_ms / 1000),
		.tv_usec = (suseconds_t)(target->deadline_ms % 1000 * 1000) };

	s->mx = strdup(target->mx);
	s->helo = strdup(target->helo);
	s->address = target->address;
	s->port = target->port;
	s->proofs = target->proofs;
	s->in_clear = target->in_clear;
	s->tlsa = tlsa_set_hold(target->tlsa);
	if (target->next_hop != NULL)
		s->next_hop = strdup(target->next_hop);
	s->result.tlsa_matched = -1;
	s->begin = event_new(base, -1, 0, session_begin, s);
	s->deadline = evtimer_new(base, deadline_passed, s);
	if (!smtp_wire_init(&s->wire, base, wire_happened, s) ||
	    s->mx == NULL || s->helo == NULL ||
	    (target->next_hop != NULL && s->next_hop == NULL) ||
	    s->begin == NULL || s->deadline == NULL)
		return false;
	event_active(s->begin, EV_TIMEOUT, 0);
	return target->deadline_ms == 0 ||
	    evtimer_add(s->deadline, &deadline) == 0;
}

struct smtp_session *
smtp_session_new(struct smtp_dialer *dialer, const struct smtp_target *target,
    smtp_ready_fn *ready, void *arg)
{
	struct smtp_session *s = calloc(1, sizeof(*s));

	assert(!target->in_clear || target->proofs == 0);
	assert(target->tlsa == NULL || (target->proofs & PROOF_DANE) != 0);
	if (s == NULL)
		return NULL;
	s->dialer = dialer;
	s->ready = ready;
	s->arg = arg;
	TAILQ_INSERT_TAIL(&dialer->sessions, s, entry);
	dialer->n_sessions++;
	if (!session_set_up(s, target)) {
		smtp_session_free(s);
		s = NULL;
	}
	return s;
}
