/* SPDX-License-Identifier: ISC */
/*
 * One mail on its way through the relay: see relay_mail.h. Below, in the order
 * of time, each part with its half that asks and its half that takes the
 * answer:
 *
 *	1 the destination    2 the delivery: verdict, session, MAIL
 *	3 RCPT    4 DATA     5 the message     6 the final dot
 *
 * relay_mail_log() writes the one line that is left of it.
 */
#include "filter/relay_mail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/session_pool.h"
#include "filter/relay_mail_private.h"
#include "proto/smtp_answer.h"

#define NO_MEMORY "451 4.3.0 out of memory, try again later"

static char no_memory[] = NO_MEMORY;

/* The line in the log. */

void
relay_mail_note(struct relay_mail *m, enum relay_outcome outcome,
    const char *reply)
{
	m->outcome = outcome;
	snprintf(m->reply, sizeof(m->reply), "%.*s",
	    (int)strcspn(reply, "\r\n"), reply);
}

static const char *
verified_name(const struct relay_mail *m)
{
	if (m->proofs & PROOF_DANE)
		return "dane";
	return m->proofs & PROOF_PKIX ? "pkix" : "no";
}

/* As in the line of a lookup: without a policy there is none. */
static const char *
mode_name(const struct relay_mail *m)
{
	return m->mode == STS_MODE_UNKNOWN ? "none" : sts_mode_name(m->mode);
}

void
relay_mail_log(const struct relay_mail *m)
{
	char address[ADDRESS_SIZE] = "none", reply[LOG_QUOTE_SIZE];
	int64_t now = clock_mono_ms(m->relay->clock);
	const struct relay_ended ended = {
		.domain = m->domain,
		.outcome = m->outcome,
		.mx = m->mx,
		.reply = m->reply,
		.had_session = m->address.family != 0,
		.was_reused = m->was_reused,
		.octets = m->body.octets,
		.wall_s = clock_wall_s(m->relay->clock),
	};

	if (m->domain[0] == '\0')
		return;
	relay_counts_add(&ended);
	if (m->address.family != 0)
		address_format(&m->address, address);
	log_info("relay id=%" PRIx64 " domain=%s source=%s mode=%s outcome=%s "
		 "mx=%s address=%s tls=%s verified=%s reused=%s rcpts=%u/%u "
		 "octets=%" PRIu64 " ms=%" PRId64 " reply=%s%s",
	    m->id, m->domain, verdict_source_name(m->source), mode_name(m),
	    relay_outcome_name(m->outcome), m->mx[0] == '\0' ? "none" : m->mx,
	    address, m->tls_version[0] == '\0' ? "no" : m->tls_version,
	    verified_name(m), m->was_reused ? "yes" : "no", m->n_accepted,
	    m->n_rcpts, m->body.octets, now - m->started_ms,
	    log_quote(reply, m->reply, strlen(m->reply)),
	    m->outcome == RELAY_UNSURE ? " maybe-duplicate" : "");
}

/* Life. */

struct relay_mail *
relay_mail_new(struct relay *relay, const struct smtp_command *mail,
    const struct relay_sender *sender, relay_told_fn *told, void *arg)
{
	struct relay_mail *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->relay = relay;
	m->backend = relay->backend;
	++*m->backend.users;
	m->told = told;
	m->arg = arg;
	m->id = ++relay->n_begun;
	span_copy(mail->argument, m->from, sizeof(m->from));
	m->mail = (struct smtp_mail){
		.from = m->from,
		.smtputf8 = mail->smtputf8,
		.eight_bit_mime = mail->body == SMTP_BODY_8BITMIME,
		.has_size = mail->has_size,
		.size = mail->size,
	};
	relay_received_make(m->received, sender, m->backend.config->hostname,
	    m->id, mail->smtputf8, clock_wall_s(relay->clock));
	LIST_INSERT_HEAD(&relay->mails, m, entry);
	return m;
}

static void
refusal_forget(struct relay_mail *m)
{
	if (m->refusal != no_memory)
		free(m->refusal);
	m->refusal = NULL;
}

void
relay_mail_free(struct relay_mail *m)
{
	delivery_cancel(&m->delivery);
	upstream_cut(&m->upstream);
	clock_timer_cancel(&m->late);
	refusal_forget(m);
	LIST_REMOVE(m, entry);
	--*m->backend.users;
	free(m);
}

/* The dot cannot be taken back: it may be heard, and the mail come again. */
static bool
dot_is_owed(const struct relay_mail *m)
{
	return m->dot_said && m->upstream != NULL && m->told != NULL;
}

void
relay_mail_cut_all(struct relay *relay)
{
	struct relay_mail *m;

	while ((m = LIST_FIRST(&relay->mails)) != NULL) {
		if (dot_is_owed(m)) {
			relay_mail_note(m, RELAY_UNSURE, "the relay ends");
			relay_mail_log(m);
		}
		relay_mail_free(m);
	}
}

/* The answer that told announces. */
void
relay_mail_tell(struct relay_mail *m, const char *answer)
{
	if (m->told != NULL)
		m->told(answer, m->arg);
}

/*
 * The session is wanted no more. One of another backend than that of now is
 * not kept: it may have been had under another configuration.
 */
void
relay_mail_release(struct relay_mail *m, bool in_transaction)
{
	struct upstream *u = m->upstream;

	m->upstream = NULL;
	if (m->backend.engine != m->relay->backend.engine)
		upstream_quit(&u);
	else if (u != NULL)
		session_pool_put(m->relay->pool, u, in_transaction);
}

/* Every further recipient is told the same. */
static const char *
refuse_all(struct relay_mail *m, const char *answer)
{
	refusal_forget(m);
	m->refusal = strdup(answer);
	if (m->refusal == NULL)
		m->refusal = no_memory;
	return m->refusal;
}

/* The server behind is of no use any more. */
const char *
relay_mail_lose(struct relay_mail *m, const struct smtp_said *said)
{
	char answer[SMTP_ANSWER_SIZE];

	if (said->reply != NULL)
		smtp_answer_make(said->reply, 451, m->mx, answer);
	else
		snprintf(answer, sizeof(answer), "451 4.4.2 %s %s", m->mx,
		    said->unfit);
	upstream_cut(&m->upstream);
	relay_mail_note(m, RELAY_BROKEN, answer);
	return refuse_all(m, answer);
}

void
relay_mail_end(struct relay_mail **mail)
{
	struct relay_mail *m = *mail;

	*mail = NULL;
	if (m == NULL)
		return;
	if (dot_is_owed(m)) {
		if (m->late != NULL)
			relay_mail_note(m, RELAY_UNSURE,
			    "the mail server did not wait for the answer");
		clock_timer_cancel(&m->late);
		relay_mail_log(m);
		m->told = NULL; /* what comes now is for the log only */
		return;
	}
	if (m->upstream != NULL && !m->waits && !m->in_message)
		relay_mail_release(m, true);
	relay_mail_log(m);
	relay_mail_free(m);
}

/* 1. The destination. */

struct destination {
	char domain[DOMAIN_SIZE];
	struct address literal;
};

static const char *
destination_of(struct span path, struct destination *out)
{
	switch (domain_of_mailbox(path, out->domain)) {
	case DOMAIN_OK:
		return NULL;
	case DOMAIN_LITERAL:
		if (!address_of_mailbox(path, &out->literal))
			break;
		address_format(&out->literal, out->domain);
		return NULL;
	case DOMAIN_ABSENT:
		return "550 5.1.3 there is no domain to deliver to";
	case DOMAIN_INVALID:
		break;
	case DOMAIN_NO_MEMORY:
		return NO_MEMORY;
	}
	return "553 5.1.3 mail cannot be delivered to such a domain";
}

/* Nobody of this domain has been accepted: another one may have its turn. */
static void
destination_leave(struct relay_mail *m)
{
	if (m->upstream != NULL)
		relay_mail_release(m, true);
	relay_mail_log(m);
	refusal_forget(m);
	m->outcome = RELAY_ABANDONED;
	m->n_rcpts = 0;
	m->domain[0] = m->mx[0] = m->reply[0] = '\0';
	m->address.family = 0;
	m->source = VERDICT_NONE;
	m->mode = STS_MODE_UNKNOWN;
	m->tls_version[0] = '\0';
	m->proofs = 0;
	m->was_reused = false;
}

static const char *
destination_take(struct relay_mail *m, struct span path)
{
	struct destination to = { .literal.family = 0 };
	const char *refusal = destination_of(path, &to);

	if (refusal != NULL || strcmp(m->domain, to.domain) == 0)
		return refusal;
	if (m->domain[0] != '\0' && m->n_accepted > 0)
		return "452 4.5.3 one destination domain at a time, this one "
		       "next time";
	if (m->domain[0] != '\0')
		destination_leave(m);
	memcpy(m->domain, to.domain, sizeof(m->domain));
	m->literal = to.literal;
	m->started_ms = clock_mono_ms(m->relay->clock);
	return NULL;
}

/* 2. The delivery. */

static void rcpt_begin(struct relay_mail *m, unsigned limit_ms);

static void
outcome_of_refusal(struct relay_mail *m, const struct delivery_result *result,
    const char *answer)
{
	enum relay_outcome outcome = RELAY_DEFERRED;

	if (result->permanent)
		outcome = RELAY_UNDELIVERABLE;
	else if (result->verdict != NULL &&
	    (result->verdict->enforced ||
		result->verdict->source == VERDICT_DANE))
		outcome = RELAY_HELD;
	relay_mail_note(m, outcome, answer);
}

/* For the log, and for what may be done with the session. */
static bool
upstream_take(struct relay_mail *m, const struct delivery_result *result)
{
	struct upstream *u = upstream_new(&m->backend.ports->smtp,
	    result->found, result->verdict);

	if (u == NULL)
		return false;
	m->upstream = u;
	m->was_reused = u->n_messages > 1;
	memcpy(m->mx, u->mx, sizeof(m->mx));
	m->address = u->address;
	memcpy(m->tls_version, u->tls_version, sizeof(m->tls_version));
	m->proofs = u->proofs;
	return true;
}

static unsigned
setup_left_ms(const struct relay_mail *m)
{
	const struct relay_times *times = &m->relay->times;
	int64_t left =
	    m->started_ms + times->setup_ms - clock_mono_ms(m->relay->clock);

	if (left > times->command_ms)
		return times->command_ms;
	return left > 0 ? (unsigned)left : 1;
}

/* RFC 5321 3.3: MAIL was refused for good; its words are heard here. */
static void
mail_refused(struct relay_mail *m, const struct smtp_reply *reply)
{
	char answer[SMTP_ANSWER_SIZE];

	smtp_answer_make(reply, reply->code, m->mx, answer);
	relay_mail_note(m, RELAY_REFUSED, answer);
	relay_mail_release(m, false);
	relay_mail_tell(m, refuse_all(m, answer));
}

static void
delivery_done(const struct delivery_result *result, void *arg)
{
	struct relay_mail *m = arg;

	m->delivery = NULL;
	if (result->verdict != NULL) {
		m->source = result->verdict->source;
		m->mode = result->verdict->facts.sts.policy.mode;
		snprintf(m->mx, sizeof(m->mx), "%s", result->verdict->mx);
	}
	if (result->found == NULL) {
		outcome_of_refusal(m, result, result->reason);
		relay_mail_tell(m, refuse_all(m, result->reason));
	} else if (!upstream_take(m, result)) {
		relay_mail_note(m, RELAY_DEFERRED, NO_MEMORY);
		relay_mail_tell(m, refuse_all(m, NO_MEMORY));
	} else if (result->found->refusal != NULL) {
		mail_refused(m, result->found->refusal);
	} else {
		rcpt_begin(m, setup_left_ms(m));
	}
}

/* Is there a place for one more mail, to this domain? */
static bool
has_place(const struct relay_mail *m)
{
	const struct relay_settings *settings = &m->backend.config->relay;
	const struct relay_mail *other;
	unsigned all = 0, same = 0;

	LIST_FOREACH (other, &m->relay->mails, entry)
		if (other->delivery != NULL || other->upstream != NULL) {
			all++;
			same += strcmp(other->domain, m->domain) == 0;
		}
	return all < settings->sessions && same < settings->sessions_per_domain;
}

static const char *
delivery_begin(struct relay_mail *m)
{
	const struct delivery_opts opts = {
		.engine = m->backend.engine,
		.ports = m->backend.ports,
		.config = m->backend.config,
		.domain = m->domain,
		.literal = m->literal,
		.mail = &m->mail,
		.pool = m->backend.engine == m->relay->backend.engine
		    ? m->relay->pool
		    : NULL,
	};
	static const char full[] =
	    "451 4.3.2 too many mails on their way, try again later";

	if (!has_place(m)) {
		relay_mail_note(m, RELAY_LIMITED, full);
		return full;
	}
	m->delivery = delivery_start(&opts, delivery_done, m);
	if (m->delivery != NULL)
		return NULL;
	relay_mail_note(m, RELAY_DEFERRED, NO_MEMORY);
	return NO_MEMORY;
}

/* 3. RCPT. */

static void
rcpt_done(const struct smtp_said *said, void *arg)
{
	struct relay_mail *m = arg;
	char answer[SMTP_ANSWER_SIZE];
	unsigned code;

	m->waits = false;
	if (said->unfit[0] != '\0') {
		relay_mail_tell(m, relay_mail_lose(m, said));
		return;
	}
	/* RFC 5321 4.5.3.1.10: 552 has been said for "too many recipients". */
	code = said->reply->code == 552 ? 452 : said->reply->code;
	smtp_answer_make(said->reply, code, m->mx, answer);
	if (code / 100 == 2) {
		m->n_accepted++;
		relay_mail_note(m, RELAY_ABANDONED, "");
	} else if (m->n_accepted == 0)
		relay_mail_note(m,
		    code / 100 == 4 ? RELAY_DEFERRED : RELAY_REFUSED, answer);
	relay_mail_tell(m, answer);
}

static void
rcpt_begin(struct relay_mail *m, unsigned limit_ms)
{
	m->waits = true;
	smtp_transaction_rcpt(m->upstream->session, m->rcpt, limit_ms,
	    rcpt_done, m);
}

const char *
relay_mail_rcpt(struct relay_mail *mail, const struct smtp_command *rcpt)
{
	const char *refusal;

	if (mail->n_rcpts == LIMIT_RELAY_RCPTS)
		return "452 4.5.3 too many recipients";
	if (rcpt->is_utf8 && !mail->mail.smtputf8)
		return "553 5.6.7 not an ASCII address, and no SMTPUTF8";
	refusal = destination_take(mail, rcpt->argument);
	if (refusal != NULL)
		return refusal;
	mail->n_rcpts++;
	span_copy(rcpt->argument, mail->rcpt, sizeof(mail->rcpt));
	if (mail->refusal != NULL)
		return mail->refusal;
	if (mail->upstream == NULL)
		return delivery_begin(mail);
	rcpt_begin(mail, mail->relay->times.command_ms);
	return NULL;
}
