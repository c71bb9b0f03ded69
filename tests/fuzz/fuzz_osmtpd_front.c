/* SPDX-License-Identifier: ISC */
/*
 * The filter's whole input: any bytes from smtpd, in any pieces, between an
 * engine (that of this file) which answers any request at any time, or not.
 *
 * What the filter must write is known line by line. Each line that it reads is
 * seen on its way to the parser, and whether it asks the engine about a request
 * is seen too; so the answers that are due, and their order, are known: one for
 * each request at once, or when the engine answers, and none for a request that
 * was replaced or whose session has ended.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "filter/engine_link.h"
#include "filter/osmtpd_front.h"
#include "proto/ascii.h"
#include "proto/osmtpd_line.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 16384
#define REQUESTS_MAX (TEXT_MAX / 20) /* of the shortest that there is */
#define SAID_MAX (TEXT_MAX + PADDINGS_MAX * (LIMIT_FILTER_LINE + 1))
#define PADDINGS_MAX 4

/* A request: what smtpd has written and what became of it. */
struct request {
	char head[128]; /* "filter-result|SESSION|TOKEN|" */
	char session[OSMTPD_SESSION_MAX + 1];
	struct link_ask *ask; /* NULL: the engine is not asked (any more) */
	bool decided;	      /* by the engine: the answer is to be this */
	enum osmtpd_decision decision;
};

struct link_ask {
	struct request *request;
	char mailbox[1200];
	link_done_fn *done;
	void *arg;
};

static struct fuzz_input input;
static struct request requests[REQUESTS_MAX];
static size_t n_requests;
static struct request *current; /* of the line that is being read */
static struct request *due[2 * REQUESTS_MAX]; /* NULL: the registration */
static size_t n_due, n_ready;
static char closing[OSMTPD_SESSION_MAX + 1]; /* by the line; "": none */
static char said[SAID_MAX];
static size_t said_len, read_len; /* by us; by the filter, in whole lines */
static unsigned gone_calls;

/* The engine that is played */

struct link_ask *
engine_link_ask(struct engine_link *link, enum query_verb verb,
    struct span argument, link_done_fn *done, void *arg)
{
	struct link_ask *ask;

	(void)link;
	assert(verb == QUERY_RCPT && current != NULL && current->ask == NULL);
	if (fuzz_choose(&input, 16) == 0)
		return NULL;
	ask = calloc(1, sizeof(*ask));
	assert(ask != NULL);
	ask->request = current;
	ask->done = done;
	ask->arg = arg;
	span_copy(argument, ask->mailbox, sizeof(ask->mailbox));
	current->ask = ask;
	return ask;
}

void
engine_link_cancel(struct link_ask **ask)
{
	if (*ask != NULL) {
		(*ask)->request->ask = NULL;
		free(*ask);
	}
	*ask = NULL;
}

/* What the answer to smtpd must be then; else it is for the rules to say. */
static void
note_decision(struct request *request, const struct link_answer *answer)
{
	bool proceeds = answer->word == QUERY_PROCEED;
	bool rejects =
	    (answer->word == QUERY_DEFER && span_starts(answer->text, "4")) ||
	    (answer->word == QUERY_REJECT && span_starts(answer->text, "5"));

	request->decided = !answer->away && (proceeds || rejects);
	request->decision = proceeds ? OSMTPD_PROCEED : OSMTPD_REJECT;
}

static void
engine_answers(struct link_ask *ask)
{
	static const char *const texts[] = { "", "451 4.7.5 no MX matches",
		"550 5.7.1 no", "421 4.3.2 bye", "4", "5|\n", "no policy" };
	static const enum query_word words[] = { QUERY_PROCEED, QUERY_DEFER,
		QUERY_REJECT, QUERY_FACTS, QUERY_PONG, QUERY_ERROR };
	unsigned word = fuzz_choose(&input, 7), text = fuzz_choose(&input, 8);
	char mailbox[sizeof(ask->mailbox)];
	struct link_answer answer = { .away = word == 6 };
	struct request *request = ask->request;
	link_done_fn *done = ask->done;
	void *arg = ask->arg;

	memcpy(mailbox, ask->mailbox, sizeof(mailbox));
	if (!answer.away) {
		answer.word = words[word];
		answer.text = span_of(text == 7 ? mailbox : texts[text]);
	}
	note_decision(request, &answer);
	request->ask = NULL;
	free(ask);
	due[n_due++] = request;
	done(&answer, arg);
}

static void
engine_answers_one(void)
{
	size_t start = fuzz_choose(&input, 256);

	for (size_t i = 0; i < n_requests; i++) {
		struct request *r = &requests[(start + i) % n_requests];

		if (r->ask != NULL) {
			engine_answers(r->ask);
			return;
		}
	}
}

/* The lines that the filter reads */

/*
 * The line before is done with: its request was asked about, or its answer has
 * been written; and of a session that it has closed, no request is open.
 */
static void
line_done(void)
{
	for (size_t i = 0; i < n_requests && closing[0] != '\0'; i++)
		assert(&requests[i] == current || requests[i].ask == NULL ||
		    strcmp(requests[i].session, closing) != 0);
	if (current != NULL && current->ask == NULL)
		due[n_due++] = current;
	current = NULL;
	closing[0] = '\0';
}

/* It is the next one that was said, but for those that are too long. */
static void
check_line(struct span line)
{
	struct span rest = { said + read_len, said_len - read_len }, next;

	do {
		assert(span_cut(&rest, '\n', &next));
		read_len += next.len + 1;
	} while (next.len == 0 || next.len > LIMIT_FILTER_LINE);
	assert(read_len <= said_len && line.len == next.len);
	assert(memcmp(line.p, next.p, next.len) == 0);
}

static void
request_note(const struct osmtpd_line *line)
{
	bool token_first = line->minor < 5;
	struct span first = token_first ? line->token : line->session,
		    second = token_first ? line->session : line->token;

	assert(n_requests < REQUESTS_MAX);
	current = &requests[n_requests++];
	memset(current, 0, sizeof(*current));
	span_copy(line->session, current->session, sizeof(current->session));
	snprintf(current->head, sizeof(current->head),
	    "filter-result|%.*s|%.*s|", (int)first.len, first.p,
	    (int)second.len, second.p);
}

static void
report_note(const struct osmtpd_line *line)
{
	if (span_is(line->name, "link-connect") ||
	    span_is(line->name, "link-disconnect"))
		span_copy(line->session, closing, sizeof(closing));
}

struct osmtpd_line __real_osmtpd_line_parse(struct span text);
struct osmtpd_line __wrap_osmtpd_line_parse(struct span text);

struct osmtpd_line
__wrap_osmtpd_line_parse(struct span text)
{
	struct osmtpd_line line = __real_osmtpd_line_parse(text);

	line_done();
	check_line(text);
	switch (line.kind) {
	case OSMTPD_IGNORE:
	case OSMTPD_CONFIG:
		break;
	case OSMTPD_READY:
		if (n_ready++ == 0)
			due[n_due++] = NULL;
		break;
	case OSMTPD_REPORT:
		report_note(&line);
		break;
	case OSMTPD_FILTER:
		if (!span_is(line.name, "rcpt-to"))
			break;
		request_note(&line);
		span_copy(line.session, closing, sizeof(closing));
		break;
	}
	return line;
}

/* What the filter writes */

static void
check_reply(struct span text)
{
	assert(text.len >= 4 && text.len <= OSMTPD_TEXT_MAX);
	assert(text.p[0] == '4' || text.p[0] == '5');
	assert(ascii_is_digit(text.p[1]) && ascii_is_digit(text.p[2]));
	assert(text.p[3] == ' ' && !span_starts(text, "421"));
	assert(fuzz_is_printable(text));
}

static void
check_answer(struct span line, const struct request *request)
{
	size_t head_len = strlen(request->head);
	struct span rest = { line.p + head_len, line.len - head_len };

	assert(span_starts(line, request->head));
	if (request->decided)
		assert(span_is(rest, "proceed") ==
		    (request->decision == OSMTPD_PROCEED));
	if (span_is(rest, "proceed"))
		return;
	assert(span_starts(rest, "reject|"));
	check_reply((struct span){ rest.p + 7, rest.len - 7 });
}

static void
check_registration(struct fuzz_peer *smtpd, size_t *at)
{
	static const char *const lines[] = {
		"register|report|smtp-in|link-connect",
		"register|report|smtp-in|link-disconnect",
		"register|report|smtp-in|tx-mail",
		"register|filter|smtp-in|rcpt-to", "register|ready"
	};
	struct span line;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert(fuzz_peer_line(smtpd, at, &line) &&
		    span_is(line, lines[i]));
}

/* All that is due was written, in its order, and nothing else. */
static void
check_written(struct fuzz_peer *smtpd)
{
	struct span line;
	size_t at = 0;

	line_done();
	for (size_t i = 0; i < n_due; i++) {
		if (due[i] == NULL) {
			check_registration(smtpd, &at);
			continue;
		}
		assert(fuzz_peer_line(smtpd, &at, &line));
		check_answer(line, due[i]);
	}
	assert(at == smtpd->heard_len);
	n_due = smtpd->heard_len = 0;
}

/* One run */

static void
gone(void *arg)
{
	(void)arg;
	gone_calls++;
}

/* Before it has registered the filter ends on it, by design. */
static bool
ends_filter(struct span text)
{
	struct osmtpd_line line = __real_osmtpd_line_parse(text);

	return line.kind == OSMTPD_CONFIG && span_is(line.name, "protocol") &&
	    !span_starts(line.rest, "0.");
}

/* Up to the first line that ends the filter. */
static struct span
without_end(struct span text)
{
	struct span rest = text, cut;

	while (span_cut(&rest, '\n', &cut)) {
		if (ends_filter(cut)) {
			text.len = (size_t)(cut.p - text.p);
			break;
		}
	}
	return text;
}

static void
say(struct fuzz_peer *smtpd, const char *p, size_t len)
{
	assert(said_len + len <= sizeof(said));
	memcpy(said + said_len, p, len);
	said_len += len;
	fuzz_peer_say(smtpd, (struct span){ said + said_len - len, len });
	check_written(smtpd);
}

/* What was said since the last LF. */
static struct span
line_at_hand(void)
{
	size_t from = said_len;

	while (from > 0 && said[from - 1] != '\n')
		from--;
	return (struct span){ said + from, said_len - from };
}

/* Makes the line at hand too long, or nearly so. */
static void
say_padding(struct fuzz_peer *smtpd)
{
	static char padding[LIMIT_FILTER_LINE + 1];

	if (ends_filter(line_at_hand()))
		return; /* "0", and ".7" is still to come */
	memset(padding, 'x', sizeof(padding));
	say(smtpd, padding, sizeof(padding) - fuzz_choose(&input, 256));
}

static void
converse(struct fuzz_peer *smtpd)
{
	struct span chunk;
	unsigned paddings = 0;

	while (fuzz_chunk(&input, &chunk)) {
		say(smtpd, chunk.p, chunk.len);
		for (unsigned n = fuzz_choose(&input, 4); n > 1; n--)
			engine_answers_one();
		fuzz_peer_settle(smtpd);
		check_written(smtpd);
		if (fuzz_choose(&input, 256) == 255 &&
		    paddings++ < PADDINGS_MAX)
			say_padding(smtpd);
	}
}

static void
start(void)
{
	log_init("fuzz", false, LOG_LEVEL_ERROR);
	current = NULL;
	closing[0] = '\0';
	n_requests = n_due = n_ready = said_len = read_len = 0;
	gone_calls = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct osmtpd_rules rules;
	struct osmtpd_front *front;
	struct fuzz_peer smtpd;
	int in, out;

	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	start();
	input.text = without_end(input.text);
	rules.judge_local_submission = fuzz_choose(&input, 2) == 1;
	rules.engine_away =
	    fuzz_choose(&input, 2) == 1 ? CHOICE_DEFER : CHOICE_PROCEED;
	in = fuzz_peer_open(&smtpd);
	out = dup(in);
	front = osmtpd_front_new(smtpd.base, in, out, NULL, &rules, gone, NULL);
	assert(front != NULL);
	converse(&smtpd);
	/* Everyone who still waits is answered. */
	for (size_t i = 0; i < n_requests; i++)
		if (requests[i].ask != NULL)
			engine_answers(requests[i].ask);
	fuzz_peer_settle(&smtpd);
	check_written(&smtpd);
	fuzz_peer_hang_up(&smtpd);
	assert(gone_calls == 1);
	osmtpd_front_free(front);
	fuzz_peer_cleanup(&smtpd);
	close(in);
	close(out);
	return 0;
}
