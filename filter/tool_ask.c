/* SPDX-License-Identifier: ISC */
/*
 * strictmx ask: what the filter would be told about a recipient, with all the
 * facts that led there. Asks the running daemon, else an engine of its own.
 */
#include "filter/tool.h"

#include <event2/event.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/event_loop.h"
#include "common/limits.h"
#include "common/log.h"
#include "filter/engine_link.h"
#include "filter/tool_json.h"
#include "filter/tool_progress.h"
#include "filter/unix_connect.h"

static const char usage_text[] =
    "usage: strictmx ask [-jv] [-e PROGRAM] [-f FILE] [-s SOCKET] "
    "RECIPIENT...\n"
    "  -e, --engine PROGRAM  strictmxd, where no daemon runs\n"
    "  -f, --config FILE     configuration (" CONFIG_DEFAULT_PATH ")\n"
    "  -j, --json            one line of JSON for each recipient\n"
    "  -s, --socket SOCKET   of the daemon\n"
    "  -v, --verbose         say what the engine does\n"
    "exit status: 0 all would proceed, 1 not all, 2 wrong call or\n"
    "configuration, 3 no engine could tell\n";

struct asking {
	struct event_base *base;
	struct clock *clock;
	struct engine_link *link;
	struct tool_progress *progress;
	bool json;
	char *const *recipients; /* those still to be asked, up to NULL */
	int exit_status;
};

static void ask_next(struct asking *a);

/* The answer for a person. What is no text prints as "-". */

static const char *
text_of(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "-";
}

/* A cached policy binds without a look at the record. */
static void
print_record(const json_t *record, const json_t *policy)
{
	if (strcmp(tool_json_text(policy, "state"), "cached") == 0 &&
	    strcmp(tool_json_text(record, "state"), "unknown") == 0) {
		puts("  record  not needed: the policy is cached");
		return;
	}
	printf("  record  %s, id %s", tool_json_text(record, "state"),
	    tool_json_text(record, "id"));
	if (json_is_string(json_object_get(record, "why")))
		printf(": %s", tool_json_text(record, "why"));
	putchar('\n');
}

static void
print_policy(const json_t *policy)
{
	const json_t *failure = json_object_get(policy, "failure");
	const json_t *patterns = json_object_get(policy, "mx");

	printf("  policy  %s", tool_json_text(policy, "state"));
	if (strcmp(tool_json_text(policy, "mode"), "unknown") != 0) {
		printf(", id %s, mode %s, max_age %lld, mx",
		    tool_json_text(policy, "id"),
		    tool_json_text(policy, "mode"),
		    (long long)json_integer_value(
			json_object_get(policy, "max_age")));
		for (size_t i = 0; i < json_array_size(patterns); i++)
			printf(" %s", text_of(json_array_get(patterns, i)));
	}
	if (json_is_object(failure))
		printf("\n          last fetch: %s: %s",
		    tool_json_text(failure, "result"),
		    tool_json_text(failure, "why"));
	putchar('\n');
}

/* Each record, and what came of it. */
static void
print_record_of(const json_t *record)
{
	const char *text = tool_json_text(record, "record");

	if (json_is_string(json_object_get(record, "unusable")))
		printf("          TLSA %s, unusable: %s\n", text,
		    tool_json_text(record, "unusable"));
	else if (json_is_true(json_object_get(record, "matched")))
		printf("          TLSA %s, matches\n", text);
	else
		printf("          TLSA %s\n", text);
}

static void
print_tlsa(const json_t *dane, bool under_dane)
{
	const json_t *records = json_object_get(dane, "tlsa");
	size_t n = json_array_size(records);
	json_int_t number =
	    json_integer_value(json_object_get(dane, "records"));

	if (under_dane && strcmp(tool_json_text(dane, "state"), "unknown") == 0)
		printf("          TLSA unknown: %s\n",
		    tool_json_text(dane, "why"));
	for (size_t i = 0; i < n; i++)
		print_record_of(json_array_get(records, i));
	if (number > (json_int_t)n)
		printf("          TLSA, %lld in all\n", (long long)number);
}

static void
print_mx(const json_t *mx)
{
	const json_t *probe = json_object_get(mx, "probe");
	bool under_dane = json_is_true(json_object_get(mx, "under_dane"));

	printf("  mx      %lld %s",
	    (long long)json_integer_value(json_object_get(mx, "preference")),
	    tool_json_text(mx, "host"));
	if (under_dane || json_is_true(json_object_get(mx, "listed")))
		printf(", %s, %s, address %s",
		    under_dane ? "under DANE" : "listed",
		    tool_json_text(probe, "state"),
		    tool_json_text(probe, "address"));
	else
		printf(", not listed");
	if (json_is_string(json_object_get(probe, "why")))
		printf(": %s", tool_json_text(probe, "why"));
	putchar('\n');
	print_tlsa(json_object_get(mx, "dane"), under_dane);
}

static void
print_facts(const char *recipient, const json_t *facts)
{
	const json_t *set = json_object_get(facts, "mx_set");
	const json_t *hosts = json_object_get(set, "hosts");
	const json_t *record = json_object_get(facts, "record");

	printf("%s: %s\n  %s\n", recipient, tool_json_text(facts, "action"),
	    tool_json_text(facts, "reason"));
	if (record == NULL)
		return; /* exempt: there are no facts */
	print_record(record, json_object_get(facts, "policy"));
	print_policy(json_object_get(facts, "policy"));
	if (json_array_size(hosts) == 0)
		printf("  mx      %s\n", tool_json_text(set, "state"));
	for (size_t i = 0; i < json_array_size(hosts); i++)
		print_mx(json_array_get(hosts, i));
}

/* Asking, one recipient after the other. */

static bool
is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

static void
answer_take(struct asking *a, const char *recipient, struct span text)
{
	json_t *facts = json_loadb(text.p, text.len, 0, NULL);
	const char *action = tool_json_text(facts, "action");
	bool passes = is_one_of(action, "proceed", "would-defer");

	if (!passes && !is_one_of(action, "defer", "reject")) {
		fprintf(stderr,
		    "strictmx: %s: the engine's answer is not understood\n",
		    recipient);
		a->exit_status = TOOL_UNKNOWN;
	} else if (a->json) {
		printf("%.*s\n", (int)text.len, text.p);
	} else {
		tool_json_make_printable(facts);
		print_facts(recipient, facts);
	}
	if (!passes && a->exit_status == TOOL_FINE)
		a->exit_status = TOOL_BAD;
	json_decref(facts);
}

static void
answer_done(const struct link_answer *answer, void *arg)
{
	struct asking *a = arg;
	const char *recipient = *a->recipients++;
	struct span why =
	    answer->away ? span_of("no engine could be asked") : answer->text;

	tool_progress_clear(a->progress);
	if (!answer->away && answer->word == QUERY_FACTS) {
		answer_take(a, recipient, answer->text);
	} else {
		fprintf(stderr, "strictmx: %s: %.*s\n", recipient, (int)why.len,
		    why.p);
		a->exit_status = TOOL_UNKNOWN;
	}
	ask_next(a);
}

static void
ask_next(struct asking *a)
{
	for (; *a->recipients != NULL; a->recipients++) {
		tool_progress_say(a->progress, "asking about %s",
		    *a->recipients);
		if (engine_link_ask(a->link, QUERY_EXPLAIN,
			span_of(*a->recipients), answer_done, a) != NULL)
			return;
		fprintf(stderr, "strictmx: %s: cannot be asked about\n",
		    *a->recipients);
		a->exit_status = TOOL_UNKNOWN;
	}
	event_base_loopbreak(a->base);
}

static bool
daemon_listens(const char *path)
{
	int fd = unix_connect(path);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static int
ask_all(struct engine_link_opts *opts, char *const *recipients, bool json)
{
	struct asking a = { .json = json, .recipients = recipients };

	if ((a.base = event_base_new()) == NULL ||
	    (a.clock = clock_new(a.base)) == NULL ||
	    (a.link = engine_link_new(a.base, a.clock, opts)) == NULL)
		fatal("out of memory");
	a.progress = tool_progress_new(a.clock);
	ask_next(&a);
	if (*a.recipients != NULL)
		event_base_dispatch(a.base);
	tool_progress_free(a.progress);
	engine_link_free(a.link);
	clock_free(a.clock);
	event_loop_free(a.base);
	libevent_global_shutdown();
	return a.exit_status;
}

struct ask_options {
	const char *config_file; /* NULL: the default, which may be missing */
	const char *socket;
	const char *program;
	bool json, verbose;
};

/* -1, or the exit status. */
static int
parse_options(struct ask_options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "engine", required_argument, NULL, 'e' },
		{ "config", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "socket", required_argument, NULL, 's' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "e:f:js:vh", longs, NULL)) != -1) {
		if (c == 'e')
			o->program = optarg;
		else if (c == 'f')
			o->config_file = optarg;
		else if (c == 'j')
			o->json = true;
		else if (c == 's')
			o->socket = optarg;
		else if (c == 'v')
			o->verbose = true;
		else if (c == 'h') {
			fputs(usage_text, stdout);
			return TOOL_FINE;
		} else {
			fputs(usage_text, stderr);
			return TOOL_USAGE;
		}
	}
	if (optind < argc)
		return -1;
	fputs(usage_text, stderr);
	return TOOL_USAGE;
}

int
tool_ask(int argc, char **argv)
{
	struct ask_options o = { .program = STRICTMX_SBINDIR "/strictmxd" };
	char error[CONFIG_ERROR_SIZE];
	struct config *config;
	struct engine_link_opts opts = { 0 };
	int status = parse_options(&o, argc, argv);

	if (status != -1)
		return status;
	config = config_load(o.config_file == NULL ? CONFIG_DEFAULT_PATH
						   : o.config_file,
	    o.config_file != NULL, error);
	if (config == NULL) {
		log_error("%s", error);
		return TOOL_USAGE;
	}
	if (o.verbose)
		log_set_level(LOG_LEVEL_INFO);
	/* A socket that was named must answer; the usual one may be absent. */
	if (o.socket != NULL || daemon_listens(config->socket))
		opts.socket = o.socket == NULL ? config->socket : o.socket;
	opts.program = o.program;
	opts.config_file = o.config_file;
	opts.memory_only = true;
	opts.answer_ms =
	    (int64_t)config->deadline_s * 1000 + LIMIT_FILTER_DEADLINE_SLACK_MS;
	status = ask_all(&opts, argv + optind, o.json);
	config_free(config);
	return status;
}
