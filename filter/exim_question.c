/* SPDX-License-Identifier: ISC */
/*
 * Exim's questions: see exim_question.h. Each kind has its half that begins it
 * and its half that takes the verdict of the engine; question_late() is for
 * those whose time is over. In doubt the answer is the one that makes Exim
 * wait, unless the configuration is to refuse nothing.
 */
#include "filter/exim_question.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/exempt.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/verdict.h"
#include "filter/exim_judge.h"
#include "filter/exim_outcome.h"
#include "filter/exim_policy.h"
#include "filter/exim_session.h"
#include "filter/exim_slow.h"
#include "proto/exim_line.h"

#define NO_OBJECTION "ok" /* to CERT and VERDICT */

enum progress {
	ENDED,
	WAITS /* for the engine, again */
};

struct exim_questions {
	struct clock *clock;
	struct engine *engine;
	const struct config *config;
	const struct tls_verify *verify;
	struct exim_sessions *sessions;
	struct exim_slow *slow;
	TAILQ_HEAD(, exim_question) oldest_first;
	size_t n;
};

struct exim_question {
	struct exim_questions *questions;
	enum exim_verb verb;
	char domain[DOMAIN_SIZE];
	exim_answer_fn *answer; /* NULL: nobody waits, or it was given */
	void *arg;
	struct engine_ask *ask;
	struct clock_timer *late;
	bool was_late;
	unsigned turns; /* that the engine had */
	bool looked;	/* at the record, before a refusal */

	/* CERT and VERDICT: the session, if it is still known. */
	char key[EXIM_SESSION_KEY_SIZE];
	STACK_OF(X509) * chain; /* CERT; owned */
	bool dane, encrypted;	/* VERDICT */

	/* Of an end of a session; not one that Exim waits for. */
	struct exim_session *ended;
	TAILQ_ENTRY(exim_question) entry;
};

static void
question_free(struct exim_question *q)
{
	engine_ask_cancel(&q->ask);
	clock_timer_cancel(&q->late);
	TAILQ_REMOVE(&q->questions->oldest_first, q, entry);
	q->questions->n--;
	exim_chain_free(q->chain);
	free(q->ended);
	free(q);
}

static void
question_say(struct exim_question *q, const char *line)
{
	exim_answer_fn *answer = q->answer;

	q->answer = NULL;
	if (answer != NULL)
		answer(line, q->arg);
}

/* Asking the engine. */

static void question_done(const struct verdict *verdict, void *arg);

static bool
question_ask(struct exim_question *q, bool look)
{
	struct engine *engine = q->questions->engine;

	q->turns++;
	q->ask = (look ? engine_ask_again : engine_ask)(engine, GATE_DELIVERY,
	    q->domain, question_done, q);
	return q->ask != NULL;
}

/* POLICY and ROUTE. */

static const char *
policy_unknown(const struct exim_question *q, const char *what,
    char line[LIMIT_EXIM_ANSWER])
{
	char why[LIMIT_EXIM_TEXT];

	snprintf(why, sizeof(why), "MTA-STS policy of %s: %s", q->domain, what);
	return exim_policy_format_mode(line,
	    q->questions->config->testing ? EXIM_TESTING : EXIM_TEMPFAIL, why);
}

/* Its fetch goes on: the engine's time was over before it was. */
static bool
is_being_fetched(const struct verdict *v)
{
	return v->facts.sts.state == POLICY_UNKNOWN &&
	    v->facts.sts.record == RECORD_FOUND;
}

static enum progress
policy_done(struct exim_question *q, const struct verdict *v)
{
	struct exim_questions *all = q->questions;
	enum exim_mode mode = exim_policy_mode(v, all->config);
	char line[LIMIT_EXIM_ANSWER];

	question_say(q,
	    exim_policy_format(line, v, all->config, q->verb == EXIM_ROUTE));
	if (mode == EXIM_ENFORCE || mode == EXIM_TESTING)
		exim_slow_forget(all->slow, q->domain);
	if (!q->was_late)
		return ENDED;
	if (mode == EXIM_NONE)
		exim_slow_note(all->slow, q->domain, clock_mono_ms(all->clock));
	else if (is_being_fetched(v) && q->turns < LIMIT_EXIM_TURNS &&
	    question_ask(q, false))
		return WAITS;
	return ENDED;
}

/* What was found out last time holds, where no policy has come since. */
static void
policy_late(struct exim_question *q)
{
	struct exim_questions *all = q->questions;
	char line[LIMIT_EXIM_ANSWER];

	if (!exim_slow_knows(all->slow, q->domain, clock_mono_ms(all->clock)) ||
	    engine_may_have_policy(all->engine, q->domain)) {
		question_say(q,
		    policy_unknown(q, "still being looked up", line));
		return;
	}
	log_warning("domain=%s policy is slow to be looked up, again: none "
		    "binds, as was found out before",
	    q->domain);
	question_say(q,
	    exim_policy_format_mode(line, EXIM_NONE,
		"slow to be looked up, none before"));
}

/* CERT. */

static void
cert_note(struct exim_question *q, const struct exim_judgement *judged)
{
	struct exim_session *s =
	    exim_session_find_key(q->questions->sessions, q->key);

	if (s == NULL)
		return;
	s->judged = true;
	s->judgement = judged->tls;
	memcpy(s->mx, judged->mx, sizeof(s->mx));
}

/*
 * What to say of a session without a look at it; NULL: it is to be judged.
 * Nothing is refused where no policy is enforced; but where nobody knows that,
 * Exim has been told otherwise before, or would not ask.
 */
static const char *
say_unjudged(enum exim_mode mode, const struct verdict *v)
{
	switch (mode) {
	case EXIM_NONE:
		return NO_OBJECTION;
	case EXIM_TEMPFAIL:
		return "MTA-STS policy is not known at present";
	case EXIM_TESTING: /* perhaps of what nobody knows */
		return facts_have_policy(&v->facts) ? NULL : NO_OBJECTION;
	case EXIM_ENFORCE:
	case EXIM_FAIL: /* there is a host all the same? */
		break;
	}
	return NULL;
}

static enum progress
cert_done(struct exim_question *q, const struct verdict *v)
{
	struct exim_questions *all = q->questions;
	enum exim_mode mode = exim_policy_mode(v, all->config);
	const char *unjudged = say_unjudged(mode, v);
	struct exim_session *s = exim_session_find_key(all->sessions, q->key);
	char line[EXIM_JUDGEMENT_SIZE];
	struct exim_judgement judged;

	if (unjudged != NULL) {
		question_say(q, unjudged);
		return ENDED;
	}
	if (s == NULL ||
	    !exim_judge(all->verify, v, s->host, q->chain, &judged)) {
		question_say(q,
		    mode == EXIM_TESTING ? NO_OBJECTION : "out of memory");
		return ENDED;
	}
	cert_note(q, &judged);
	if (judged.tls.result == RESULT_NONE) {
		question_say(q, NO_OBJECTION);
		return ENDED;
	}
	/* RFC 8461 5.1: is the policy still the published one? */
	if (mode != EXIM_TESTING && !q->looked && q->answer != NULL) {
		q->looked = true;
		if (question_ask(q, true))
			return WAITS;
	}
	exim_judgement_log(&judged, v, q->key, mode != EXIM_TESTING);
	question_say(q,
	    mode == EXIM_TESTING
		? NO_OBJECTION
		: exim_judgement_text(&judged, v->facts.domain, line));
	return ENDED;
}

/* VERDICT. */

static enum progress
verdict_done(struct exim_question *q, const struct verdict *v)
{
	struct exim_questions *all = q->questions;
	enum exim_mode mode = exim_policy_mode(v, all->config);
	const char *unjudged = say_unjudged(mode, v);
	const struct exim_session *s =
	    exim_session_find_key(all->sessions, q->key);
	bool good = q->dane ||
	    (s != NULL && q->encrypted && s->judged &&
		s->judgement.result == RESULT_NONE);
	char line[LIMIT_EXIM_TEXT];

	if (unjudged != NULL) {
		question_say(q, unjudged);
	} else if (good || mode == EXIM_TESTING) {
		question_say(q, NO_OBJECTION);
	} else {
		snprintf(line, sizeof(line),
		    "MTA-STS policy of %s: no good certificate in this session",
		    q->domain);
		question_say(q, line);
	}
	return ENDED;
}

/* The end of a session. */

static enum progress
ended_done(struct exim_question *q, const struct verdict *v)
{
	exim_outcome_report(q->ended, v);
	return ENDED;
}

static enum progress (*const done[])(struct exim_question *,
    const struct verdict *) = {
	[EXIM_POLICY] = policy_done,
	[EXIM_ROUTE] = policy_done,
	[EXIM_CERT] = cert_done,
	[EXIM_VERDICT] = verdict_done,
	[EXIM_EVENT] = ended_done,
};

/* The driver. */

static void
question_done(const struct verdict *verdict, void *arg)
{
	struct exim_question *q = arg;

	q->ask = NULL; /* spent */
	if (done[q->verb](q, verdict) == ENDED)
		question_free(q);
}

/* No verdict, or none in time. Only of a policy anybody wants more later. */
static void
question_late(void *arg)
{
	struct exim_question *q = arg;

	q->late = NULL;
	q->was_late = true;
	if (q->verb == EXIM_POLICY || q->verb == EXIM_ROUTE) {
		policy_late(q);
		return;
	}
	question_say(q,
	    q->questions->config->testing ? NO_OBJECTION
					  : "no verdict in time");
	question_free(q);
}

static void
question_unable(struct exim_question *q)
{
	char line[LIMIT_EXIM_ANSWER];

	if (q->verb == EXIM_POLICY || q->verb == EXIM_ROUTE)
		question_say(q,
		    policy_unknown(q, "out of resources, try again later",
			line));
	else
		question_say(q, "out of resources, try again later");
	question_free(q);
}

/* NULL when it was answered by what is known. */
static struct exim_question *
question_go(struct exim_question *q)
{
	const struct verdict *kept =
	    engine_cached(q->questions->engine, GATE_DELIVERY, q->domain);

	if (kept != NULL && done[q->verb](q, kept) == ENDED) {
		question_free(q);
		return NULL;
	}
	if (q->ask == NULL && !question_ask(q, false)) {
		question_unable(q);
		return NULL;
	}
	if (q->answer == NULL)
		return q;
	q->late = clock_timer_start(q->questions->clock, LIMIT_EXIM_ANSWER_MS,
	    question_late, q);
	if (q->late != NULL)
		return q;
	question_unable(q);
	return NULL;
}

/* Of too many, one that nobody waits for goes: the oldest. */
static void
make_room(struct exim_questions *all)
{
	struct exim_question *q;

	if (all->n < LIMIT_EXIM_QUESTIONS)
		return;
	TAILQ_FOREACH (q, &all->oldest_first, entry)
		if (q->answer == NULL) {
			question_free(q);
			return;
		}
}

static struct exim_question *
question_new(struct exim_questions *all, enum exim_verb verb,
    const char *domain, exim_answer_fn *answer, void *arg)
{
	struct exim_question *q;

	make_room(all);
	if (all->n >= LIMIT_EXIM_QUESTIONS ||
	    (q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	q->questions = all;
	q->verb = verb;
	q->answer = answer;
	q->arg = arg;
	snprintf(q->domain, sizeof(q->domain), "%s", domain);
	TAILQ_INSERT_TAIL(&all->oldest_first, q, entry);
	all->n++;
	return q;
}

static void
session_ended(const struct exim_session *session, void *arg)
{
	struct exim_questions *all = arg;
	struct exim_question *q;

	if (exempt_why(all->config, DOMAIN_OK, session->domain) != NULL)
		return;
	q = question_new(all, EXIM_EVENT, session->domain, NULL, NULL);
	if (q == NULL)
		return; /* not counted */
	q->ended = malloc(sizeof(*q->ended));
	if (q->ended == NULL) {
		question_free(q);
		return;
	}
	*q->ended = *session;
	(void)question_go(q);
}

/* Requests. */

static const char *
bad_request(const struct exim_questions *all, const char *why,
    char line[LIMIT_EXIM_ANSWER])
{
	return exim_policy_format_mode(line,
	    all->config->testing ? EXIM_TESTING : EXIM_TEMPFAIL, why);
}

static enum domain_kind
domain_read(struct span text, char domain[DOMAIN_SIZE])
{
	char mailbox[EXIM_WORD_MAX + 2] = "@";

	if (!span_copy(text, mailbox + 1, sizeof(mailbox) - 1)) {
		domain[0] = '\0';
		return DOMAIN_INVALID;
	}
	return domain_of_mailbox(span_of(mailbox), domain);
}

static const char *
say_domain(struct span text, char line[LIMIT_EXIM_ANSWER])
{
	char domain[DOMAIN_SIZE];

	if (domain_read(text, domain) != DOMAIN_OK)
		domain[0] = '\0';
	snprintf(line, LIMIT_EXIM_ANSWER, "%s", domain);
	return line;
}

/* What there is to say without the engine; NULL: ask it. */
static const char *
say_exempt(const struct exim_questions *all, const struct exim_request *request,
    char domain[DOMAIN_SIZE], char line[LIMIT_EXIM_ANSWER])
{
	enum domain_kind kind = domain_read(request->domain, domain);
	const char *why = exempt_why(all->config, kind, domain);

	if (kind == DOMAIN_NO_MEMORY)
		return bad_request(all, "out of memory", line);
	if (why == NULL)
		return NULL;
	if (request->verb == EXIM_CERT || request->verb == EXIM_VERDICT)
		return NO_OBJECTION;
	return exim_policy_format_mode(line, EXIM_NONE, why);
}

/* A certificate that is not the last, or cannot be judged; NULL: judge. */
static const char *
cert_begin(struct exim_questions *all, const struct exim_request *request)
{
	struct exim_session *s = exim_session_take(all->sessions, request);

	/* Then it is Exim that authenticates the host (RFC 8461 2). */
	if (request->tlsa_usage != 0)
		return NO_OBJECTION;
	if (s == NULL)
		return "this host cannot be judged";
	switch (exim_session_show(s, request)) {
	case EXIM_SHOWN_PART:
		return NO_OBJECTION;
	case EXIM_SHOWN_WHOLE:
		return NULL;
	case EXIM_SHOWN_BAD:
		break;
	}
	return "certificate-not-trusted: what the host shows cannot be read";
}

static struct exim_question *
ask_engine(struct exim_questions *all, const struct exim_request *request,
    const char *domain, exim_answer_fn *answer, void *arg)
{
	struct exim_question *q =
	    question_new(all, request->verb, domain, answer, arg);
	char line[LIMIT_EXIM_ANSWER];
	struct exim_session *s;

	if (q == NULL) {
		answer(bad_request(all, "out of memory", line), arg);
		return NULL;
	}
	if (request->verb == EXIM_CERT || request->verb == EXIM_VERDICT) {
		s = exim_session_find(all->sessions, request);
		if (s != NULL)
			memcpy(q->key, s->key, sizeof(q->key));
		if (s != NULL && request->verb == EXIM_CERT)
			q->chain = exim_session_take_chain(s);
		q->dane = request->dane;
		q->encrypted = request->cipher.len > 0;
	}
	return question_go(q);
}

struct exim_question *
exim_question_start(struct exim_questions *questions,
    const struct exim_request *request, exim_answer_fn *answer, void *arg)
{
	char domain[DOMAIN_SIZE], line[LIMIT_EXIM_ANSWER];
	const char *known = NULL;

	switch (request->verb) {
	case EXIM_BAD:
		known = bad_request(questions, request->why, line);
		break;
	case EXIM_DOMAIN:
		known = say_domain(request->domain, line);
		break;
	case EXIM_EVENT:
		exim_sessions_event(questions->sessions, request);
		known = "";
		break;
	case EXIM_POLICY:
	case EXIM_ROUTE:
	case EXIM_CERT:
	case EXIM_VERDICT:
		known = say_exempt(questions, request, domain, line);
		break;
	}
	if (known == NULL && request->verb == EXIM_CERT)
		known = cert_begin(questions, request);
	if (known == NULL)
		return ask_engine(questions, request, domain, answer, arg);
	answer(known, arg);
	return NULL;
}

/* The engine goes on with a policy, for the next one who asks. */
void
exim_question_leave(struct exim_question **question)
{
	struct exim_question *q = *question;

	*question = NULL;
	if (q == NULL)
		return;
	q->answer = NULL;
	if (q->verb != EXIM_POLICY && q->verb != EXIM_ROUTE)
		question_free(q);
}

/* Life. */

struct exim_questions *
exim_questions_new(struct clock *clock, struct engine *engine,
    const struct config *config, const struct tls_verify *verify)
{
	struct exim_questions *all = calloc(1, sizeof(*all));

	if (all == NULL)
		return NULL;
	all->clock = clock;
	TAILQ_INIT(&all->oldest_first);
	exim_questions_use(all, engine, config, verify);
	all->sessions = exim_sessions_new(clock, session_ended, all);
	all->slow = exim_slow_new(LIMIT_EXIM_SLOW, LIMIT_EXIM_SLOW_MS);
	if (all->sessions != NULL && all->slow != NULL)
		return all;
	exim_questions_free(all);
	return NULL;
}

void
exim_questions_use(struct exim_questions *questions, struct engine *engine,
    const struct config *config, const struct tls_verify *verify)
{
	questions->engine = engine;
	questions->config = config;
	questions->verify = verify;
}

void
exim_questions_free(struct exim_questions *questions)
{
	if (questions == NULL)
		return;
	while (!TAILQ_EMPTY(&questions->oldest_first))
		question_free(TAILQ_FIRST(&questions->oldest_first));
	exim_sessions_free(questions->sessions);
	exim_slow_free(questions->slow);
	free(questions);
}
