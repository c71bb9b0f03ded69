/* SPDX-License-Identifier: ISC */
/*
 * strictmx staging: what the running daemon would have refused, had nothing
 * been in a testing mode.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "filter/tool.h"
#include "filter/tool_engine.h"
#include "filter/tool_report.h"
#include "filter/tool_time.h"

static const char usage[] =
    "usage: strictmx staging [--json] [-f FILE] [-s SOCKET]\n" TOOL_ENGINE_USAGE
    "Lists, by domain, what would have been refused, since when, how often,\n"
    "and why: what 'mode = enforce' would refuse (our-mode), and what domains\n"
    "would want refused that test their policy (policy).\n"
    "exit status: 0 nothing would be refused by our mode, 1 something would,\n"
    "2 wrong call or configuration, 3 no engine could tell\n";

static const char *
text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value == NULL ? "-" : value;
}

static int64_t
number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool
is_ours(const json_t *staged)
{
	return strcmp(text(staged, "cause"), "our-mode") == 0;
}

static bool
is_good_now(const json_t *staged)
{
	return json_is_integer(json_object_get(staged, "good_since"));
}

/* All pages as one object; NULL when there is none, having said so. */
static json_t *
ask(struct tool_engine *engine)
{
	json_t *all = NULL;
	char after[DOMAIN_SIZE] = "";
	bool more = true;

	while (more) {
		json_t *page = tool_engine_ask(engine, QUERY_STAGING, after);

		if (page == NULL) {
			json_decref(all);
			return NULL;
		}
		more = json_is_string(json_object_get(page, "next"));
		snprintf(after, sizeof(after), "%s", text(page, "next"));
		json_object_del(page, "next");
		if (all == NULL) {
			all = page;
			continue;
		}
		if (json_array_extend(json_object_get(all, "staged"),
			json_object_get(page, "staged")) != 0)
			fatal("out of memory");
		json_decref(page);
	}
	return all;
}

static void
print(const json_t *all)
{
	const json_t *list = json_object_get(all, "staged");
	int64_t now_s = number(all, "now");
	char since[TOOL_TIME_SIZE], last[TOOL_TIME_SIZE];

	printf("since %s\n", tool_time(since, now_s - number(all, "since")));
	printf("%-30s %-8s %8s %-12s %-12s %s\n", "DOMAIN", "CAUSE", "TIMES",
	    "FIRST AGO", "LAST AGO", "WHY");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *s = json_array_get(list, i);

		printf("%-30s %-8s %8lld %-12s %-12s %s%s\n", text(s, "domain"),
		    text(s, "cause"), (long long)number(s, "times"),
		    tool_time(since, now_s - number(s, "since")),
		    tool_time(last, now_s - number(s, "last")),
		    is_good_now(s) ? "(good since) " : "", text(s, "reason"));
	}
}

static int
judge(const json_t *all)
{
	const json_t *list = json_object_get(all, "staged");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_ours(json_array_get(list, i)) &&
		    !is_good_now(json_array_get(list, i)))
			return TOOL_BAD;
	return TOOL_FINE;
}

int
tool_staging(int argc, char **argv)
{
	struct tool_engine_options options = { .json = false };
	const struct tool_option rows[] = { TOOL_ENGINE_OPTION_ROWS(&options) };
	int status = tool_options_read("staging", usage, rows,
	    TOOL_ENGINE_OPTIONS, argc, argv);
	struct tool_engine *engine;
	json_t *all;

	if (status != -1)
		return status;
	if (optind < argc)
		return tool_options_wrong("staging", usage,
		    "there is an argument too many");
	if ((engine = tool_engine_open(&options, &status)) == NULL)
		return status;
	all = ask(engine);
	tool_engine_close(engine);
	if (all == NULL)
		return TOOL_UNKNOWN;
	status = judge(all);
	if (options.json) {
		tool_report_json(all);
		return status;
	}
	print(all);
	json_decref(all);
	return status;
}
