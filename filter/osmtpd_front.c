/* SPDX-License-Identifier: ISC */
/*
 * smtpd's side of the filter: see osmtpd_front.h. In the order of this file:
 * sessions, answers, requests, reports, the lines they come in.
 *
 * A request is known by its session (smtpd keeps one at a time in each, and
 * its token is that of the filter, not of the request), so the request that is
 * open is a part of the session.
 */
#include "filter/osmtpd_front.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/uthash_quiet.h"
#include "filter/engine_link.h"
#include "filter/lines.h"
#include "filter/outbox.h"
#include "proto/osmtpd_line.h"
#include "proto/query_line.h"

#define AWAY_TEXT                                                              \
	"451 4.3.0 strictmx: the TLS policy engine is not available, try "     \
	"again later"

struct session {
	struct osmtpd_front *front;
	char id[OSMTPD_SESSION_MAX + 1];
	bool local;	  /* from the local socket */
	bool null_sender; /* of the transaction that runs */

	struct link_ask *ask;  /* the open request; NULL: none */
	unsigned major, minor; /* protocol of the request */
	char token[OSMTPD_TOKEN_MAX + 1];
	UT_hash_handle hh;
};

struct osmtpd_front {
	struct bufferevent *in, *out;
	struct outbox *outbox; /* of out */
	struct engine_link *link;
	struct osmtpd_rules rules;
	osmtpd_gone_fn *gone;
	void *arg;
	bool has_gone;
	bool registered;
	bool skipping; /* the rest of a line that is too long */
	bool output_full_said;
	struct session *sessions;
};

static const char registration[] = "register|report|smtp-in|link-connect\n"
				   "register|report|smtp-in|link-disconnect\n"
				   "register|report|smtp-in|tx-mail\n"
				   "register|filter|smtp-in|rcpt-to\n"
				   "register|ready\n";

static void
front_gone(struct osmtpd_front *front)
{
	if (front->has_gone)
		return;
	front->has_gone = true;
	bufferevent_disable(front->in, EV_READ);
	bufferevent_disable(front->out, EV_WRITE);
	front->gone(front->arg);
}

/* Sessions */

static struct session *
session_find(struct osmtpd_front *front, struct span id)
{
	struct session *session;

	HASH_FIND(hh, front->sessions, id.p, id.len, session);
	return session;
}

/* The session, a new one when needed; NULL without a place or memory for it. */
static struct session *
session_get(struct osmtpd_front *front, struct span id)
{
	struct session *session = session_find(front, id);

	if (session != NULL)
		return session;
	if (HASH_COUNT(front->sessions) >= LIMIT_FILTER_SESSIONS)
		return NULL;
	session = calloc(1, sizeof(*session));
	if (session == NULL)
		return NULL;
	session->front = front;
	if (span_copy(id, session->id, sizeof(session->id)))
		HASH_ADD_KEYPTR(hh, front->sessions, session->id, id.len,
		    session);
	if (session->hh.tbl == NULL) {
		free(session);
		return NULL;
	}
	return session;
}

static void
session_free(struct session *session)
{
	HASH_DELETE(hh, session->front->sessions, session);
	engine_link_cancel(&session->ask);
	free(session);
}

/* Answers */

/*
 * Reading never waits for writing. smtpd has at most one answer of each
 * session to read, so a peer that leaves this much unread is not smtpd, or is
 * one that has stopped; its answers are dropped rather than our memory used.
 */
static void
front_write(struct osmtpd_front *front, const char *p, size_t len)
{
	bool full = outbox_length(front->outbox) > LIMIT_FILTER_OUTPUT;

	if (!full && evbuffer_add(outbox_open(front->outbox), p, len) == 0) {
		front->output_full_said = false;
		return;
	}
	if (!front->output_full_said)
		log_error("answers are lost: %s",
		    full ? "smtpd does not read them" : "out of memory");
	front->output_full_said = true;
}

static void
answer(struct osmtpd_front *front, const struct osmtpd_line *request,
    enum osmtpd_decision decision, const char *text)
{
	char out[OSMTPD_ANSWER_MAX];
	size_t len = osmtpd_answer_format(out, request->major, request->minor,
	    request->session, request->token, decision, text);

	front_write(front, out, len);
}

/*
 * What is said when no engine can be asked. A local session is never told to
 * come again: sendmail(1) has no queue and would drop the whole message.
 */
static void
answer_away(struct osmtpd_front *front, const struct osmtpd_line *request,
    bool local)
{
	if (local || front->rules.engine_away == CHOICE_PROCEED)
		answer(front, request, OSMTPD_PROCEED, NULL);
	else
		answer(front, request, OSMTPD_REJECT, AWAY_TEXT);
}

static void
answer_text(struct osmtpd_front *front, const struct osmtpd_line *request,
    struct span text)
{
	char copy[OSMTPD_TEXT_MAX + 1];

	if (text.len > OSMTPD_TEXT_MAX)
		text.len = OSMTPD_TEXT_MAX;
	if (!span_copy(text, copy, sizeof(copy)))
		copy[0] = '\0';
	answer(front, request, OSMTPD_REJECT, copy);
}

/*
 * The request as it stands in the session, for an answer. It is over with
 * this: nothing is left that could be answered a second time.
 */
static struct osmtpd_line
request_close(struct session *session)
{
	struct osmtpd_line request = { .kind = OSMTPD_FILTER,
		.major = session->major,
		.minor = session->minor,
		.session = span_of(session->id),
		.token = span_of(session->token) };

	session->ask = NULL;
	return request;
}

static void
engine_answered(const struct link_answer *found, void *arg)
{
	struct session *session = arg;
	struct osmtpd_front *front = session->front;
	struct osmtpd_line request = request_close(session);
	char quoted[LOG_QUOTE_SIZE];
	enum query_word word = found->away ? QUERY_ANSWER_BAD : found->word;

	switch (word) {
	case QUERY_PROCEED:
		answer(front, &request, OSMTPD_PROCEED, NULL);
		return;
	case QUERY_DEFER:
		if (!span_starts(found->text, "4"))
			break;
		answer_text(front, &request, found->text);
		return;
	case QUERY_REJECT:
		if (!span_starts(found->text, "5"))
			break;
		answer_text(front, &request, found->text);
		return;
	case QUERY_ANSWER_BAD:
	case QUERY_FACTS:
	case QUERY_PONG:
	case QUERY_ERROR:
		break;
	}
	if (!found->away)
		log_warning("the policy engine has no verdict: %s %s",
		    query_word_name(word),
		    log_quote(quoted, found->text.p, found->text.len));
	answer_away(front, &request, session->local);
}

/* Requests */

static void
request_open(struct session *session, const struct osmtpd_line *request)
{
	bool fits;

	/*
	 * smtpd has one request at a time in a session, so when another comes
	 * the first one is dead to it. Were it not, then leaving it unanswered
	 * costs that one session, a second answer costs the mail server. And
	 * the newer one must not get the verdict on the older's recipient.
	 */
	engine_link_cancel(&session->ask);
	session->major = request->major;
	session->minor = request->minor;
	fits =
	    span_copy(request->token, session->token, sizeof(session->token));
	assert(fits); /* the parser's bound */
	session->ask = engine_link_ask(session->front->link, QUERY_RCPT,
	    request->rest, engine_answered, session);
	if (session->ask == NULL)
		answer_away(session->front, request, session->local);
}

/*
 * A session that was not seen to begin is judged like one from the network; so
 * is, without the engine, one that there is no place for.
 */
static void
rcpt_to(struct osmtpd_front *front, const struct osmtpd_line *request)
{
	struct session *session = session_get(front, request->session);

	if (session == NULL)
		answer_away(front, request, false);
	else if (request->rest.len == 0 || session->null_sender ||
	    (session->local && !front->rules.judge_local_submission)) {
		engine_link_cancel(&session->ask);
		answer(front, request, OSMTPD_PROCEED, NULL);
	} else
		request_open(session, request);
}

/* Reports */

/* The last field, which is cut off with the '|' before it. */
static struct span
cut_last(struct span *s)
{
	struct span field = *s;
	size_t start = s->len;

	while (start > 0 && s->p[start - 1] != '|')
		start--;
	if (start > 0)
		field.p = s->p + start;
	field.len = s->len - start;
	s->len = start > 0 ? start - 1 : 0;
	return field;
}

static void
link_disconnect(struct osmtpd_front *front, const struct osmtpd_line *report)
{
	struct session *session = session_find(front, report->session);

	if (session != NULL)
		session_free(session);
}

/*
 * rdns|pass|source|destination. Counted from the end: the name in front comes
 * from the client's DNS, and must not be able to shift the fields.
 */
static void
link_connect(struct osmtpd_front *front, const struct osmtpd_line *report)
{
	struct span rest = report->rest, source;
	struct session *session;

	link_disconnect(front, report); /* nothing of an older one stays */
	session = session_get(front, report->session);
	if (session == NULL)
		return;
	cut_last(&rest);
	source = cut_last(&rest);
	session->local =
	    span_starts(source, "unix:") || span_is(source, "local");
}

/* msgid|result|sender; msgid|sender|result before 0.6 */
static bool
is_null_sender(const struct osmtpd_line *report)
{
	struct span rest = report->rest, whole, cut;

	if (report->minor < 6)
		cut_last(&rest);
	whole = rest;
	if (!span_cut(&rest, '|', &cut) ||
	    (report->minor >= 6 && !span_cut(&rest, '|', &cut)))
		return false;
	if (rest.p == NULL) /* an empty field, or none at all? */
		return whole.len > 0 && whole.p[whole.len - 1] == '|';
	return span_is(rest, "<>");
}

static void
tx_mail(struct osmtpd_front *front, const struct osmtpd_line *report)
{
	struct session *session = session_get(front, report->session);

	if (session != NULL)
		session->null_sender = is_null_sender(report);
}

/* The lines they come in */

/*
 * Before it has registered a filter serves nothing and may refuse to: one that
 * ignored all that smtpd says would hang every session. Later it never ends.
 */
static void
config(const struct osmtpd_front *front, const struct osmtpd_line *line)
{
	char protocol[LOG_QUOTE_SIZE];

	if (!front->registered && span_is(line->name, "protocol") &&
	    !span_starts(line->rest, "0."))
		fatal("smtpd speaks filter protocol %s, not 0.x",
		    log_quote(protocol, line->rest.p, line->rest.len));
}

static void
front_line(struct osmtpd_front *front, struct span text)
{
	struct osmtpd_line line = osmtpd_line_parse(text);

	switch (line.kind) {
	case OSMTPD_IGNORE:
		break;
	case OSMTPD_CONFIG:
		config(front, &line);
		break;
	case OSMTPD_READY:
		/* smtpd takes no registration after "register|ready". */
		if (!front->registered)
			front_write(front, registration,
			    sizeof(registration) - 1);
		front->registered = true;
		break;
	case OSMTPD_REPORT:
		if (span_is(line.name, "link-connect"))
			link_connect(front, &line);
		else if (span_is(line.name, "link-disconnect"))
			link_disconnect(front, &line);
		else if (span_is(line.name, "tx-mail"))
			tx_mail(front, &line);
		break;
	case OSMTPD_FILTER:
		if (span_is(line.name, "rcpt-to"))
			rcpt_to(front, &line);
		break;
	}
}

static void
take_line(struct osmtpd_front *front, struct span line)
{
	if (line.p == NULL)
		log_error("a line of smtpd is lost: out of memory");
	else if (!front->skipping && line.len > 0 &&
	    line.len <= LIMIT_FILTER_LINE)
		front_line(front, line);
	front->skipping = false;
}

static void
read_lines(struct bufferevent *bev, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct lines lines = { .input = input };
	struct osmtpd_front *front = arg;
	struct span line;

	while (lines_next(&lines, &line))
		take_line(front, line);
	lines_end(&lines);
	if (evbuffer_get_length(input) > LIMIT_FILTER_LINE) {
		front->skipping = true;
		evbuffer_drain(input, evbuffer_get_length(input));
	}
}

static void
smtpd_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		front_gone(arg);
}

/* One direction; each has its descriptor. */
static struct bufferevent *
open_side(struct osmtpd_front *front, struct event_base *base, int fd,
    short direction)
{
	struct bufferevent *bev;

	if (evutil_make_socket_nonblocking(fd) == -1)
		return NULL;
	bev = bufferevent_socket_new(base, fd, 0);
	if (bev == NULL)
		return NULL;
	bufferevent_setcb(bev, read_lines, NULL, smtpd_event, front);
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	if (bufferevent_enable(bev, direction) == -1) {
		bufferevent_free(bev);
		return NULL;
	}
	return bev;
}

struct osmtpd_front *
osmtpd_front_new(struct event_base *base, int fd_in, int fd_out,
    struct engine_link *link, const struct osmtpd_rules *rules,
    osmtpd_gone_fn *gone, void *arg)
{
	struct osmtpd_front *front = calloc(1, sizeof(*front));

	assert(fd_in != fd_out);
	if (front == NULL)
		return NULL;
	front->link = link;
	front->rules = *rules;
	front->gone = gone;
	front->arg = arg;
	front->in = open_side(front, base, fd_in, EV_READ);
	if (front->in != NULL)
		front->out = open_side(front, base, fd_out, EV_WRITE);
	if (front->out != NULL)
		front->outbox = outbox_new(front->out);
	if (front->outbox == NULL) {
		osmtpd_front_free(front);
		return NULL;
	}
	return front;
}

void
osmtpd_front_set_rules(struct osmtpd_front *front,
    const struct osmtpd_rules *rules)
{
	front->rules = *rules;
}

void
osmtpd_front_free(struct osmtpd_front *front)
{
	struct session *session, *next;

	if (front == NULL)
		return;
	HASH_ITER (hh, front->sessions, session, next)
		session_free(session);
	if (front->in != NULL)
		bufferevent_free(front->in);
	outbox_free(front->outbox);
	if (front->out != NULL)
		bufferevent_free(front->out);
	free(front);
}
