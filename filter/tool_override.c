/* SPDX-License-Identifier: ISC */
/*
 * strictmx override: policies that the administrator sets for single domains in
 * the running daemon, until a date.
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
#include "proto/rfc3339.h"

static const char usage[] =
    "usage: strictmx override set [-j] [-f FILE] [-s SOCKET] --until TIME\n"
    "           --mode MODE [--mx HOST,...] [--reason TEXT] DOMAIN\n"
    "       strictmx override list [-j] [-f FILE] [-s SOCKET]\n"
    "       strictmx override drop [-j] [-f FILE] [-s SOCKET] DOMAIN\n"
    "  -m, --mode MODE      enforce, testing or none\n"
    "  -r, --reason TEXT    for people\n"
    "  -u, --until TIME     its end, as 2026-12-01T00:00:00Z\n"
    "  -x, --mx HOST,...    hosts, or patterns as *.mail.example; needed\n"
    "                       unless the mode is none\n" TOOL_ENGINE_USAGE
    "What is set wins over a 'policy' section of the configuration, and both\n"
    "win over what the domain publishes.\n"
    "exit status: 0 done, 1 none was set at run time, 2 wrong call or\n"
    "configuration, 3 no engine could tell, or it refused\n";

struct override_call {
	struct tool_engine_options options;
	const char *mode, *until, *mx, *reason;
	char domain[DOMAIN_SIZE];
	struct tool_engine *engine;
};

/* -1, or the exit status. */
static int
call_open(struct override_call *call, const char *verb, int argc, char **argv)
{
	const struct tool_option rows[] = {
		TOOL_ENGINE_OPTION_ROWS(&call->options),
		{ .name = "mode", .letter = 'm', .value = &call->mode },
		{ .name = "mx", .letter = 'x', .value = &call->mx },
		{ .name = "reason", .letter = 'r', .value = &call->reason },
		{ .name = "until", .letter = 'u', .value = &call->until },
	};
	size_t more = strcmp(verb, "override set") == 0 ? 4 : 0;
	int status = tool_options_read(verb, usage, rows,
	    TOOL_ENGINE_OPTIONS + more, argc, argv);

	if (status != -1)
		return status;
	if (more > 0 && (call->mode == NULL || call->until == NULL))
		return tool_options_wrong(verb, usage,
		    "--mode and --until are needed");
	if (strcmp(verb, "override list") != 0)
		status =
		    tool_engine_domain(verb, usage, argc, argv, call->domain);
	else if (optind < argc)
		return tool_options_wrong(verb, usage,
		    "there is an argument too many");
	if (status != -1)
		return status;
	call->engine = tool_engine_open(&call->options, &status);
	return call->engine == NULL ? status : -1;
}

/* "-" for what is no text. */
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

static void
print_override(const json_t *o)
{
	const json_t *mx = json_object_get(o, "mx");
	char until[RFC3339_SIZE], where[32] = "run time";

	rfc3339_write(number(o, "until"), until);
	if (json_is_integer(json_object_get(o, "line")))
		snprintf(where, sizeof(where), "line %lld",
		    (long long)number(o, "line"));
	printf("%-30s %-8s %-20s %-6s %-9s %s\n", text(o, "domain"),
	    text(o, "mode"), until, text(o, "state"), where, text(o, "reason"));
	for (size_t i = 0; i < json_array_size(mx); i++)
		printf("  mx %s\n", json_string_value(json_array_get(mx, i)));
}

/* override set */

/* The line of a request; false, having said so, when it would be too long. */
static bool
request_line(const struct override_call *call, char *line, size_t size)
{
	int len = snprintf(line, size, "%s %s %s %s %s", call->domain,
	    call->mode, call->until, call->mx == NULL ? "-" : call->mx,
	    call->reason == NULL ? "" : call->reason);

	if (len >= 0 && (size_t)len < size)
		return true;
	log_error("override set: too many hosts, or too long a reason");
	return false;
}

static int
set(struct override_call *call)
{
	char line[QUERY_REQUEST_MAX - QUERY_ID_MAX - sizeof(" override-set ")];
	json_t *answer;

	if (!request_line(call, line, sizeof(line)))
		return TOOL_USAGE;
	answer = tool_engine_ask(call->engine, QUERY_OVERRIDE_SET, line);
	if (answer == NULL)
		return TOOL_UNKNOWN;
	if (call->options.json) {
		tool_report_json(answer);
		return TOOL_FINE;
	}
	print_override(json_object_get(answer, "override"));
	if (!json_is_true(json_object_get(answer, "stored")))
		puts("strictmxd keeps policies in memory only: this one is "
		     "gone when it ends");
	if (json_is_string(json_object_get(answer, "warning")))
		puts(text(answer, "warning"));
	json_decref(answer);
	return TOOL_FINE;
}

static int
override_set(int argc, char **argv)
{
	struct override_call call = { .mode = NULL };
	int status = call_open(&call, "override set", argc, argv);

	if (status == -1)
		status = set(&call);
	tool_engine_close(call.engine);
	return status;
}

/* override list: page after page, one document in the end. */

static int
list(struct override_call *call)
{
	json_t *all = json_array();
	char after[DOMAIN_SIZE] = "";
	bool more = true;

	while (more) {
		json_t *page =
		    tool_engine_ask(call->engine, QUERY_OVERRIDE_LIST, after);

		if (page == NULL) {
			json_decref(all);
			return TOOL_UNKNOWN;
		}
		if (json_array_extend(all,
			json_object_get(page, "overrides")) != 0)
			fatal("out of memory");
		more = json_is_string(json_object_get(page, "next"));
		snprintf(after, sizeof(after), "%s", text(page, "next"));
		json_decref(page);
	}
	if (call->options.json) {
		tool_report_json(json_pack("{s:o}", "overrides", all));
		return TOOL_FINE;
	}
	printf("%-30s %-8s %-20s %-6s %-9s %s\n", "DOMAIN", "MODE", "UNTIL",
	    "STATE", "SET", "REASON");
	for (size_t i = 0; i < json_array_size(all); i++)
		print_override(json_array_get(all, i));
	json_decref(all);
	return TOOL_FINE;
}

static int
override_list(int argc, char **argv)
{
	struct override_call call = { .mode = NULL };
	int status = call_open(&call, "override list", argc, argv);

	if (status == -1)
		status = list(&call);
	tool_engine_close(call.engine);
	return status;
}

/* override drop */

static void
print_dropped(const json_t *answer, bool dropped)
{
	printf("%s: %s\n", text(answer, "domain"),
	    dropped ? "dropped" : "none was set at run time");
	if (json_is_true(json_object_get(answer, "configured")))
		puts("the configuration has a policy for it as well");
}

static int
drop(struct override_call *call)
{
	json_t *answer =
	    tool_engine_ask(call->engine, QUERY_OVERRIDE_DROP, call->domain);
	bool dropped;

	if (answer == NULL)
		return TOOL_UNKNOWN;
	dropped = json_is_true(json_object_get(answer, "dropped"));
	if (call->options.json) {
		tool_report_json(answer);
	} else {
		print_dropped(answer, dropped);
		json_decref(answer);
	}
	return dropped ? TOOL_FINE : TOOL_BAD;
}

static int
override_drop(int argc, char **argv)
{
	struct override_call call = { .mode = NULL };
	int status = call_open(&call, "override drop", argc, argv);

	if (status == -1)
		status = drop(&call);
	tool_engine_close(call.engine);
	return status;
}

int
tool_override(int argc, char **argv)
{
	static const struct tool_subject subjects[] = {
		{ "drop", override_drop },
		{ "list", override_list },
		{ "set", override_set },
	};

	return tool_subject_run("override", usage, subjects,
	    sizeof(subjects) / sizeof(subjects[0]), argc, argv);
}
