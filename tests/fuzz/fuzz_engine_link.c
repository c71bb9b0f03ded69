/* SPDX-License-Identifier: ISC */
/*
 * The link to the engine, with a hostile engine at its other end: any bytes in
 * any pieces, connections that fail, break and stay silent, and time that
 * passes. Every ask ends exactly once, in its time; an answer that is not
 * "away" was said on the very connection on which the ask was made, with its
 * id; requests are well-formed, and no id is used twice.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"
#include "filter/engine_link.h"
#include "filter/unix_connect.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 8192
#define ASKS_MAX 512 /* then no more are made */
#define ANSWER_MS 35000

struct asker {
	struct link_ask *ask; /* NULL: ended or cancelled */
	bool made;	      /* engine_link_ask() has returned it */
	bool heard;	      /* its request, with the id that it must have */
	int64_t asked_ms;
	unsigned connection; /* of the request */
};

static struct fuzz_input input;
static struct clock *test_clock;
static struct engine_link *test_link;
static struct fuzz_peer engine;
static unsigned connection; /* the number of this one */
static struct asker askers[ASKS_MAX];
static size_t n_askers;
static unsigned long last_id;
static char said[TEXT_MAX + 1]; /* on this connection */
static size_t said_len, heard_len;

static const char argument[] = "user@example.com";

/* The asks */

static void ask(void);
static void hear_requests(void);

/* Ids count from 1; a hostile engine knows them before it is asked. */
static unsigned long
asker_id(const struct asker *a)
{
	return (unsigned long)(a - askers) + 1;
}

/* A line of those that were said, after the greeting, is this answer. */
static bool
was_said(unsigned long id, const struct link_answer *answer)
{
	struct span rest = { said, said_len }, line;

	if (!span_cut(&rest, '\n', &line) || !span_is(line, QUERY_GREETING))
		return false;
	while (span_cut(&rest, '\n', &line)) {
		struct query_answer found = query_answer_parse(line);
		unsigned long number;

		if (found.word == answer->word &&
		    span_number(found.id, ASKS_MAX, &number) && number == id &&
		    found.text.len == answer->text.len &&
		    (found.text.len == 0 ||
			memcmp(found.text.p, answer->text.p, found.text.len) ==
			    0))
			return true;
	}
	return false;
}

static void
answered(const struct link_answer *answer, void *arg)
{
	struct asker *a = arg;

	assert(a->made && a->ask != NULL);
	a->ask = NULL;
	if (!answer->away) {
		assert(answer->word != QUERY_ANSWER_BAD);
		assert(a->connection == connection);
		assert(was_said(asker_id(a), answer));
	}
	if (fuzz_choose(&input, 4) == 1)
		ask();
	if (fuzz_choose(&input, 4) == 1 && n_askers > 0)
		engine_link_cancel(
		    &askers[fuzz_choose(&input, 256) % n_askers].ask);
}

static void
ask(void)
{
	struct asker *a = &askers[n_askers];

	if (n_askers == ASKS_MAX)
		return;
	*a = (struct asker){ .asked_ms = clock_mono_ms(test_clock),
		.connection = connection };
	n_askers++;
	a->ask = engine_link_ask(test_link, QUERY_RCPT, span_of(argument),
	    answered, a);
	assert(a->ask != NULL);
	a->made = true;
}

/* A connection is lost: all that were asked before are away. */
static void
hang_up(void)
{
	size_t n = n_askers;

	fuzz_peer_hang_up(&engine);
	heard_len = 0;
	for (size_t i = 0; i < n; i++)
		assert(askers[i].ask == NULL);
}

/* What waits has time left; and with none left, nothing waits. */
static void
check_times(void)
{
	int64_t now_ms = clock_mono_ms(test_clock);

	for (size_t i = 0; i < n_askers; i++)
		assert(askers[i].ask == NULL ||
		    now_ms < askers[i].asked_ms + ANSWER_MS);
}

/* The engine that is played */

/* Asks that were cancelled or gave up are heard too: in order, none twice. */
static void
request_heard(struct span line)
{
	struct query_request request = query_request_parse(line);
	unsigned long id;

	assert(request.verb == QUERY_RCPT);
	assert(span_is(request.argument, argument));
	assert(span_number(request.id, ASKS_MAX, &id) && id > last_id);
	assert(id <= n_askers && !askers[id - 1].heard);
	last_id = id;
	askers[id - 1].heard = true;
}

static void
hear_requests(void)
{
	struct span line;

	while (fuzz_peer_line(&engine, &heard_len, &line))
		request_heard(line);
}

int
unix_connect(const char *path)
{
	int fd;

	assert(span_is(span_of(path), "/engine"));
	if (fuzz_choose(&input, 8) == 1) {
		errno = ECONNREFUSED;
		return -1;
	}
	fuzz_peer_cleanup(&engine);
	fd = fuzz_peer_open(&engine);
	connection++;
	said_len = heard_len = 0;
	return fd;
}

static void
settle(void)
{
	fuzz_peer_settle(&engine);
	hear_requests();
}

static void
say(struct span bytes)
{
	if (engine.fd == -1)
		return;
	memcpy(said + said_len, bytes.p, bytes.len);
	said_len += bytes.len;
	fuzz_peer_say(&engine, bytes);
	settle();
}

/* One run */

static void
something_else_happens(void)
{
	static const int64_t ms[] = { 1, 100, 1000, 20000, ANSWER_MS };

	switch (fuzz_choose(&input, 8)) {
	case 0:
	case 1:
		ask();
		break;
	case 2:
		if (n_askers > 0)
			engine_link_cancel(
			    &askers[fuzz_choose(&input, 256) % n_askers].ask);
		break;
	case 3:
		hang_up();
		break;
	case 4:
		clock_advance(test_clock, ms[fuzz_choose(&input, 5)]);
		break;
	case 5:
		engine_link_reload(test_link, ANSWER_MS);
		break;
	}
	settle();
	check_times();
}

static void
start(void)
{
	const struct engine_link_opts opts = { .socket = "/engine",
		.answer_ms = ANSWER_MS };

	log_init("fuzz", false, LOG_LEVEL_ERROR);
	engine = (struct fuzz_peer){ .base = fuzz_base(), .fd = -1 };
	connection = 0;
	n_askers = said_len = heard_len = 0;
	last_id = 0;
	test_clock = clock_new_fake(1000000000);
	test_link = engine_link_new(fuzz_base(), test_clock, &opts);
	assert(test_link != NULL);
	for (unsigned n = fuzz_choose(&input, 4); n > 0; n--)
		ask();
	settle();
	if (fuzz_choose(&input, 4) != 1)
		say(span_of(QUERY_GREETING "\n"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct span chunk;

	if (!fuzz_input_begin(&input, bytes, len) ||
	    input.text.len > TEXT_MAX - 100)
		return 0;
	start();
	while (fuzz_chunk(&input, &chunk)) {
		say(chunk);
		something_else_happens();
	}
	clock_advance(test_clock, ANSWER_MS);
	settle();
	check_times();
	for (size_t i = 0; i < n_askers; i++)
		engine_link_cancel(&askers[i].ask);
	engine_link_free(test_link);
	fuzz_peer_settle(&engine);
	fuzz_peer_cleanup(&engine);
	clock_free(test_clock);
	return 0;
}
