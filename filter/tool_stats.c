/* SPDX-License-Identifier: ISC */
/* strictmx stats: what the running daemon has done so far, in numbers. */
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
    "usage: strictmx stats [--json] [-f FILE] [-s SOCKET]\n" TOOL_ENGINE_USAGE
    "exit status: 0 told, 2 wrong call or configuration, 3 no engine could\n"
    "tell\n";

static long long
number(const json_t *object, const char *name)
{
	return (long long)tool_json_number(object, name);
}

/* The members of an object that are numbers, as "12 proceed, 3 defer". */
static void
print_members(const char *title, json_t *members)
{
	const char *key, *separator = "";
	json_t *value;

	printf("%-10s", title);
	json_object_foreach(members, key, value)
	{
		if (!json_is_integer(value))
			continue;
		printf("%s%lld %s", separator,
		    (long long)json_integer_value(value), key);
		separator = ", ";
	}
	putchar('\n');
}

static void
print_outcomes(const char *title, json_t *outcomes)
{
	json_t *failed = json_object_get(outcomes, "failed");

	print_members(title, outcomes);
	if (json_object_size(failed) > 0)
		print_members("  failed", failed);
}

/* Nothing of a relay that has had no mail. */
static void
print_relay(const json_t *relay)
{
	const json_t *domains = json_object_get(relay, "domains");
	char age[TOOL_TIME_SIZE];

	if (json_object_size(json_object_get(relay, "mails")) == 0)
		return;
	print_members("relay", json_object_get(relay, "mails"));
	printf("%-10s%lld sessions, %lld of them used again, %lld octets "
	       "delivered\n",
	    "", number(relay, "sessions"), number(relay, "reused"),
	    number(relay, "octets"));
	for (size_t i = 0; i < json_array_size(domains); i++) {
		const json_t *domain = json_array_get(domains, i);

		printf("  %s: %s %s ago, mx %s, %s\n",
		    tool_json_text(domain, "domain"),
		    tool_json_text(domain, "outcome"),
		    tool_time(age, tool_json_number(domain, "age")),
		    tool_json_text(domain, "mx"),
		    tool_json_text(domain, "reply"));
		print_members("", json_object_get(domain, "mails"));
	}
}

static void
print_stats(const json_t *stats)
{
	const json_t *ms = json_object_get(stats, "latency_ms");
	const json_t *stall = json_object_get(stats, "longest_stall_ms");
	char up[TOOL_TIME_SIZE];

	printf("strictmxd %s, up %s\n", tool_json_text(stats, "version"),
	    tool_time(up, tool_json_number(stats, "uptime")));
	printf("%-10s%lld, %lld from memory\n", "asked", number(stats, "asked"),
	    number(stats, "hits"));
	print_members("verdicts", json_object_get(stats, "verdicts"));
	printf("%-10s%lld; ms: mean %.0f, p50 %lld, p90 %lld, p99 %lld, "
	       "max %lld\n",
	    "lookups", number(stats, "lookups"),
	    json_number_value(json_object_get(ms, "mean")), number(ms, "p50"),
	    number(ms, "p90"), number(ms, "p99"), number(ms, "max"));
	print_outcomes("fetches", json_object_get(stats, "fetches"));
	print_outcomes("probes", json_object_get(stats, "probes"));
	print_outcomes("sessions", json_object_get(stats, "sessions"));
	print_relay(json_object_get(stats, "relay"));
	print_members("sizes", json_object_get(stats, "sizes"));
	if (json_is_number(stall))
		printf("%-10s%.1f ms\n", "stall", json_number_value(stall));
}

int
tool_stats(int argc, char **argv)
{
	struct tool_engine_options options = { .json = false };
	const struct tool_option rows[] = { TOOL_ENGINE_OPTION_ROWS(&options) };
	int status = tool_options_read("stats", usage, rows,
	    TOOL_ENGINE_OPTIONS, argc, argv);
	struct tool_engine *engine;
	json_t *stats;

	if (status != -1)
		return status;
	if (optind < argc)
		return tool_options_wrong("stats", usage,
		    "there is an argument too many");
	engine = tool_engine_open(&options, &status);
	if (engine == NULL)
		return status;
	stats = tool_engine_ask(engine, QUERY_STATS, "");
	status = stats == NULL ? TOOL_UNKNOWN : TOOL_FINE;
	if (stats != NULL && options.json) {
		tool_report_json(stats);
	} else if (stats != NULL) {
		print_stats(stats);
		json_decref(stats);
	}
	tool_engine_close(engine);
	return status;
}
