/* SPDX-License-Identifier: ISC */
/*
 * strictmx cache: the policies that the running daemon has cached, shown,
 * fetched again, forgotten.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "filter/tool.h"
#include "filter/tool_engine.h"
#include "filter/tool_json.h"
#include "filter/tool_report.h"
#include "filter/tool_time.h"

static const char usage[] =
    "usage: strictmx cache list [--json] [-f FILE] [-s SOCKET]\n"
    "       strictmx cache show [--json] [-f FILE] [-s SOCKET] DOMAIN\n"
    "       strictmx cache refresh [--json] [-f FILE] [-s SOCKET] DOMAIN\n"
    "       strictmx cache drop [--json] [-f FILE] [-s SOCKET] DOMAIN | --all\n"
    "  -a, --all            drop: of all domains\n" TOOL_ENGINE_USAGE
    "refresh fetches the policy again, now. drop forgets it: until it is\n"
    "fetched again, the domain is one that was never seen before.\n"
    "exit status: 0 done, 1 not cached or not fetched, 2 wrong call or\n"
    "configuration, 3 no engine could tell\n";

struct cache_call {
	struct tool_engine_options options;
	bool all;
	char domain[DOMAIN_SIZE];
	struct tool_engine *engine;
};

/* -1, or the exit status. */
static int
call_open(struct cache_call *call, const char *verb, int argc, char **argv)
{
	const struct tool_option rows[] = {
		TOOL_ENGINE_OPTION_ROWS(&call->options),
		{ .name = "all", .letter = 'a', .flag = &call->all },
	};
	bool is_drop = strcmp(verb, "cache drop") == 0;
	int status = tool_options_read(verb, usage, rows,
	    TOOL_ENGINE_OPTIONS + is_drop, argc, argv);

	if (status != -1)
		return status;
	if (call->all || strcmp(verb, "cache list") == 0) {
		if (optind < argc)
			return tool_options_wrong(verb, usage,
			    "there is an argument too many");
	} else {
		status =
		    tool_engine_domain(verb, usage, argc, argv, call->domain);
	}
	if (status != -1)
		return status;
	call->engine = tool_engine_open(&call->options, &status);
	return call->engine == NULL ? status : -1;
}

/* When it will be fetched again, as seen from now. */
static const char *
refresh_text(const json_t *policy, int64_t now_s, char buf[TOOL_TIME_SIZE])
{
	const json_t *at = json_object_get(policy, "refresh_at");

	if (!json_is_integer(at))
		return "never";
	if (json_integer_value(at) <= now_s)
		return "due";
	return tool_time(buf, json_integer_value(at) - now_s);
}

static const char *
expiry_text(const json_t *policy, int64_t now_s, char buf[TOOL_TIME_SIZE])
{
	return json_is_true(json_object_get(policy, "expired"))
	    ? "expired"
	    : tool_time(buf, tool_json_number(policy, "expires_at") - now_s);
}

/* cache list: page after page, one document in the end. */

static void
print_row(const json_t *policy, int64_t now_s)
{
	char age[TOOL_TIME_SIZE], expiry[TOOL_TIME_SIZE];
	char refresh[TOOL_TIME_SIZE];

	printf("%-30s %-8s %-12s %-12s %-12s %s\n",
	    tool_json_text(policy, "domain"), tool_json_text(policy, "mode"),
	    tool_time(age, now_s - tool_json_number(policy, "fetched_at")),
	    expiry_text(policy, now_s, expiry),
	    refresh_text(policy, now_s, refresh), tool_json_text(policy, "id"));
}

static void
print_rows(const json_t *page, bool json, bool first)
{
	const json_t *policies = json_object_get(page, "policies");

	for (size_t i = 0; i < json_array_size(policies); i++) {
		const json_t *policy = json_array_get(policies, i);
		char *line;

		if (!json) {
			print_row(policy, tool_json_number(page, "now"));
			continue;
		}
		if ((line = json_dumps(policy, JSON_COMPACT)) == NULL)
			fatal("out of memory");
		printf("%s%s", first && i == 0 ? "" : ",", line);
		free(line);
	}
}

static int
list_all(struct cache_call *call)
{
	char after[DOMAIN_SIZE] = "";
	bool json = call->options.json, first = true, more = true;

	while (more) {
		json_t *page =
		    tool_engine_ask(call->engine, QUERY_CACHE_LIST, after);

		if (page == NULL)
			return TOOL_UNKNOWN;
		if (first && json)
			printf("{\"now\":%lld,\"policies\":[",
			    (long long)tool_json_number(page, "now"));
		else if (first)
			printf("%-30s %-8s %-12s %-12s %-12s %s\n", "DOMAIN",
			    "MODE", "FETCHED AGO", "LIFE LEFT", "REFRESH IN",
			    "ID");
		print_rows(page, json, first);
		first = false;
		more = json_is_string(json_object_get(page, "next"));
		snprintf(after, sizeof(after), "%s",
		    tool_json_text(page, "next"));
		json_decref(page);
	}
	if (json)
		puts("]}");
	return TOOL_FINE;
}

static int
cache_list(int argc, char **argv)
{
	struct cache_call call = { .all = false };
	int status = call_open(&call, "cache list", argc, argv);

	if (status == -1)
		status = list_all(&call);
	tool_engine_close(call.engine);
	return status;
}

/* The other verbs: one question, one answer. */

typedef void print_fn(const json_t *answer);
typedef int judge_fn(const json_t *answer);

/* Prints the answer, as it is or for a person; the exit status. */
static int
ask_and_print(struct cache_call *call, enum query_verb verb, print_fn *print,
    judge_fn *judge)
{
	json_t *answer = tool_engine_ask(call->engine, verb, call->domain);
	int status;

	if (answer == NULL)
		return TOOL_UNKNOWN;
	status = judge(answer);
	if (call->options.json) {
		tool_report_json(answer);
		return status;
	}
	print(answer);
	json_decref(answer);
	return status;
}

static int
judge_shown(const json_t *answer)
{
	return json_is_object(json_object_get(answer, "policy")) ? TOOL_FINE
								 : TOOL_BAD;
}

static void
print_shown(const json_t *answer)
{
	const json_t *policy = json_object_get(answer, "policy");
	const json_t *mx = json_object_get(answer, "mx");
	int64_t now_s = tool_json_number(answer, "now");
	char buf[TOOL_TIME_SIZE];

	if (!json_is_object(policy)) {
		printf("%s: no policy is cached\n",
		    tool_json_text(answer, "domain"));
		return;
	}
	printf("%s: id %s, mode %s, max_age %lld\n",
	    tool_json_text(answer, "domain"), tool_json_text(policy, "id"),
	    tool_json_text(policy, "mode"),
	    (long long)tool_json_number(policy, "max_age"));
	for (size_t i = 0; i < json_array_size(mx); i++)
		printf("  mx           %s\n",
		    json_string_value(json_array_get(mx, i)));
	printf("  fetched      %s ago\n",
	    tool_time(buf, now_s - tool_json_number(policy, "fetched_at")));
	printf("  record seen  %s ago\n",
	    tool_time(buf, now_s - tool_json_number(policy, "record_seen_at")));
	printf("  life left    %s\n", expiry_text(policy, now_s, buf));
	printf("  refresh in   %s\n", refresh_text(policy, now_s, buf));
}

static int
cache_show(int argc, char **argv)
{
	struct cache_call call = { .all = false };
	int status = call_open(&call, "cache show", argc, argv);

	if (status == -1)
		status = ask_and_print(&call, QUERY_CACHE_SHOW, print_shown,
		    judge_shown);
	tool_engine_close(call.engine);
	return status;
}

static int
judge_refreshed(const json_t *answer)
{
	return json_is_true(json_object_get(answer, "refreshed")) ? TOOL_FINE
								  : TOOL_BAD;
}

static void
print_refreshed(const json_t *answer)
{
	const json_t *failure = json_object_get(answer, "failure");
	bool fetched = judge_refreshed(answer) == TOOL_FINE;

	tool_report_verdict(fetched, "%s: %s", tool_json_text(answer, "domain"),
	    fetched ? "fetched" : "not fetched");
	if (!fetched)
		printf("  %s (%s)\n  policy %s\n",
		    tool_json_text(failure, "why"),
		    tool_json_text(failure, "result"),
		    tool_json_text(answer, "state"));
}

static int
cache_refresh(int argc, char **argv)
{
	struct cache_call call = { .all = false };
	int status = call_open(&call, "cache refresh", argc, argv);

	if (status == -1)
		status = ask_and_print(&call, QUERY_CACHE_REFRESH,
		    print_refreshed, judge_refreshed);
	tool_engine_close(call.engine);
	return status;
}

/* A number of them, or whether there was this one. */
static int
judge_dropped(const json_t *answer)
{
	return json_is_false(json_object_get(answer, "dropped")) ? TOOL_BAD
								 : TOOL_FINE;
}

static void
print_dropped(const json_t *answer)
{
	const json_t *dropped = json_object_get(answer, "dropped");

	if (json_is_integer(dropped))
		printf("%lld policies dropped\n",
		    (long long)json_integer_value(dropped));
	else
		printf("%s: %s\n", tool_json_text(answer, "domain"),
		    json_is_true(dropped) ? "dropped" : "no policy was cached");
}

static int
cache_drop(int argc, char **argv)
{
	struct cache_call call = { .all = false };
	int status = call_open(&call, "cache drop", argc, argv);

	if (status == -1)
		status = ask_and_print(&call,
		    call.all ? QUERY_CACHE_CLEAR : QUERY_CACHE_DROP,
		    print_dropped, judge_dropped);
	tool_engine_close(call.engine);
	return status;
}

int
tool_cache(int argc, char **argv)
{
	static const struct tool_subject subjects[] = {
		{ "drop", cache_drop },
		{ "list", cache_list },
		{ "refresh", cache_refresh },
		{ "show", cache_show },
	};

	return tool_subject_run("cache", usage, subjects,
	    sizeof(subjects) / sizeof(subjects[0]), argc, argv);
}
