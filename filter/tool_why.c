/* SPDX-License-Identifier: ISC */
/*
 * strictmx why: how the running daemon judges mail for a domain, from what it
 * remembers: the verdict, each fact with its age, source and next look, and
 * what failed last.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"
#include "filter/tool.h"
#include "filter/tool_engine.h"
#include "filter/tool_json.h"
#include "filter/tool_report.h"
#include "filter/tool_time.h"

static const char usage[] =
    "usage: strictmx why [--json] [-f FILE] [-s SOCKET] "
    "DOMAIN\n" TOOL_ENGINE_USAGE
    "exit status: 0 mail would proceed, 1 it would not, 2 wrong call or\n"
    "configuration, 3 no engine could tell\n";

static bool
passes(const json_t *verdict)
{
	const char *action = tool_json_text(verdict, "action");

	return strcmp(action, "proceed") == 0 ||
	    strcmp(action, "would-defer") == 0;
}

static void
print_verdict(const json_t *why)
{
	const json_t *verdict = json_object_get(why, "verdict");
	const json_t *kept = json_object_get(why, "kept");
	char age[TOOL_TIME_SIZE], left[TOOL_TIME_SIZE];

	printf("%s: ", tool_json_text(why, "domain"));
	tool_report_verdict(passes(verdict), "%s",
	    tool_json_text(verdict, "action"));
	printf("  %s\n", tool_json_text(verdict, "reason"));
	if (json_is_true(kept))
		printf("  judged %s ago, holds %s more\n",
		    tool_time(age, tool_json_number(why, "age")),
		    tool_time(left, tool_json_number(why, "expires_in")));
	else if (json_is_false(kept))
		printf("  judged now: nothing was in memory\n");
}

static void
print_policy(const json_t *why)
{
	const json_t *policy =
	    json_object_get(json_object_get(why, "verdict"), "policy");
	const json_t *life = json_object_get(why, "policy_life");
	char left[TOOL_TIME_SIZE];

	if (!json_is_integer(life))
		return;
	printf("  policy in mode %s binds for %s more\n",
	    tool_json_text(policy, "mode"),
	    tool_time(left, json_integer_value(life)));
}

static void
print_facts(const json_t *facts)
{
	char age[TOOL_TIME_SIZE], in[TOOL_TIME_SIZE];

	if (json_array_size(facts) == 0)
		return;
	printf("  %-8s %-12s %-30s %-6s %-12s %s\n", "FACT", "STATE", "ABOUT",
	    "FROM", "SEEN AGO", "AGAIN IN");
	for (size_t i = 0; i < json_array_size(facts); i++) {
		const json_t *fact = json_array_get(facts, i);
		const json_t *again = json_object_get(fact, "refresh_in");

		printf("  %-8s %-12s %-30s %-6s %-12s %s\n",
		    tool_json_text(fact, "fact"), tool_json_text(fact, "state"),
		    tool_json_text(fact, "about"),
		    tool_json_text(fact, "source"),
		    tool_time(age, tool_json_number(fact, "age")),
		    json_is_integer(again)
			? tool_time(in, json_integer_value(again))
			: "-");
	}
}

static void
print_failures(const json_t *failures)
{
	char age[TOOL_TIME_SIZE];

	for (size_t i = 0; i < json_array_size(failures); i++) {
		const json_t *failure = json_array_get(failures, i);

		printf("  %s %s ago: %s", tool_json_text(failure, "what"),
		    tool_time(age, tool_json_number(failure, "age")),
		    tool_json_text(failure, "why"));
		printf(" (mx %s, address %s, result %s)\n",
		    tool_json_text(failure, "mx"),
		    tool_json_text(failure, "address"),
		    tool_json_text(failure, "result"));
	}
}

/* What became of the mail that went by the relay. */
static void
print_relay(const json_t *relay)
{
	char age[TOOL_TIME_SIZE];
	const char *outcome;
	json_t *number;

	if (!json_is_object(relay))
		return;
	printf("relay: last mail %s %s ago, mx %s: %s\n",
	    tool_json_text(relay, "outcome"),
	    tool_time(age, tool_json_number(relay, "age")),
	    tool_json_text(relay, "mx"), tool_json_text(relay, "reply"));
	json_object_foreach(json_object_get(relay, "mails"), outcome, number)
	    printf("  %s %lld\n", outcome,
		(long long)json_integer_value(number));
}

static int
why_print(json_t *why, bool json)
{
	const json_t *failures = json_object_get(why, "failures");
	int status =
	    passes(json_object_get(why, "verdict")) ? TOOL_FINE : TOOL_BAD;

	if (json) {
		tool_report_json(why);
		return status;
	}
	print_verdict(why);
	print_policy(why);
	print_facts(json_object_get(why, "facts"));
	if (json_array_size(failures) > 0)
		puts("last failures:");
	print_failures(failures);
	print_relay(json_object_get(why, "relay"));
	json_decref(why);
	return status;
}

int
tool_why(int argc, char **argv)
{
	struct tool_engine_options options = { .json = false };
	const struct tool_option rows[] = { TOOL_ENGINE_OPTION_ROWS(&options) };
	int status = tool_options_read("why", usage, rows, TOOL_ENGINE_OPTIONS,
	    argc, argv);
	struct tool_engine *engine;
	char domain[DOMAIN_SIZE];
	json_t *why;

	if (status == -1)
		status = tool_engine_domain("why", usage, argc, argv, domain);
	if (status != -1)
		return status;
	engine = tool_engine_open(&options, &status);
	if (engine == NULL)
		return status;
	why = tool_engine_ask(engine, QUERY_WHY, domain);
	status = why == NULL ? TOOL_UNKNOWN : why_print(why, options.json);
	tool_engine_close(engine);
	return status;
}
