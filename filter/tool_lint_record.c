/* SPDX-License-Identifier: ISC */
/*
 * strictmx lint sts-record: would a sender find a policy with these TXT
 * records at _mta-sts.DOMAIN (RFC 8461 3.1)? The engine's own answer.
 *
 * Each record comes in the form of a zone file. One that cannot be read so is
 * no record that a server could serve; it counts by how it begins.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "filter/tool.h"
#include "filter/tool_input.h"
#include "filter/tool_options.h"
#include "filter/tool_report.h"
#include "proto/sts_record.h"
#include "proto/zone_text.h"

static const char usage[] =
    "usage: strictmx lint sts-record [--json] [RECORD...]\n"
    "  -j, --json  one line of JSON\n"
    "Each RECORD is one TXT record at _mta-sts.DOMAIN, as in a zone file:\n"
    "'\"v=STSv1; \" \"id=1;\"', or without quotes. \"-\" reads records from "
    "the\n"
    "standard input, one a line, as dig +short prints them.\n"
    "exit status: 0 usable, 1 not, 2 wrong call or unreadable input\n";

/* A record as it was given. */
struct given {
	char *octets;	   /* its strings, joined; owned */
	const char *fault; /* of the form, NULL: none */
};

struct records {
	size_t n, room;
	struct given *given;
	struct span *txts; /* the octets of each */
};

static void
records_cleanup(struct records *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->given[i].octets);
	free(r->given);
	free(r->txts);
}

static void
records_add(struct records *r, struct span text)
{
	char *octets = malloc(text.len + 1);

	if (r->n == r->room) {
		r->room = r->room == 0 ? 16 : r->room * 2;
		r->given = realloc(r->given, r->room * sizeof(*r->given));
		r->txts = realloc(r->txts, r->room * sizeof(*r->txts));
	}
	if (octets == NULL || r->given == NULL || r->txts == NULL)
		fatal("out of memory");
	r->given[r->n].octets = octets;
	r->txts[r->n].p = octets;
	r->given[r->n].fault = zone_text_join(text, octets, &r->txts[r->n].len);
	r->n++;
}

/* What dig +short prints; empty lines are none of it. */
static bool
records_add_lines(struct records *r, bool *is_too_large)
{
	struct tool_input input;
	struct span rest, line;

	if (!tool_input_read("-", &input))
		return false;
	rest = input.bytes;
	while (rest.len > 0 && span_cut(&rest, '\n', &line)) {
		if (line.len > 0 && line.p[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			records_add(r, line);
	}
	*is_too_large = *is_too_large || input.is_too_large;
	tool_input_cleanup(&input);
	return true;
}

static void
tell_one(struct tool_report *report, unsigned at, const char *fault,
    enum sts_record_result result, const char *why)
{
	if (result == STS_RECORD_NONE)
		tool_report_add(report, TOOL_ERROR, at,
		    "does not begin with \"v=STSv1\" and \";\": ignored");
	else if (fault != NULL)
		tool_report_add(report, TOOL_ERROR, at, "%s", fault);
	else if (result == STS_RECORD_BROKEN)
		tool_report_add(report, TOOL_ERROR, at, "%s", why);
}

/*
 * The result for all, as the engine chooses. With exactly one candidate a
 * fault of its form makes it broken.
 */
static enum sts_record_result
records_judge(const struct records *r, struct sts_record *record,
    struct tool_report *report)
{
	const char *why;
	enum sts_record_result all =
	    sts_record_choose(r->txts, r->n, record, &why);

	for (size_t i = 0; i < r->n && all == STS_RECORD_OK; i++) {
		struct sts_record one;

		if (r->given[i].fault != NULL &&
		    sts_record_choose(&r->txts[i], 1, &one, &why) !=
			STS_RECORD_NONE)
			all = STS_RECORD_BROKEN;
	}
	if (all == STS_RECORD_OK)
		return all;
	for (size_t i = 0; i < r->n; i++) {
		struct sts_record one;
		enum sts_record_result result =
		    sts_record_choose(&r->txts[i], 1, &one, &why);

		tell_one(report, (unsigned)i + 1, r->given[i].fault, result,
		    why);
	}
	if (all == STS_RECORD_SEVERAL)
		tool_report_add(report, TOOL_ERROR, 0,
		    "more than one MTA-STS record: as good as none");
	if (all == STS_RECORD_NONE)
		tool_report_add(report, TOOL_ERROR, 0, "no MTA-STS record");
	return all;
}

/* RFC 8461 3.1: several are as good as none. */
static const char *
result_name(enum sts_record_result result)
{
	static const char *const names[] = {
		[STS_RECORD_OK] = "valid",
		[STS_RECORD_NONE] = "none",
		[STS_RECORD_SEVERAL] = "none",
		[STS_RECORD_BROKEN] = "invalid",
	};

	return names[result];
}

static void
print_result(struct tool_report *report, enum sts_record_result result,
    const char *id)
{
	bool usable = result == STS_RECORD_OK;

	if (report->json)
		tool_report_json(
		    json_pack("{s:b, s:s?, s:s, s:o}", "usable", (int)usable,
			"id", usable ? id : NULL, "result", result_name(result),
			"errors", tool_report_take(report, TOOL_ERROR)));
	else if (usable)
		tool_report_verdict(true, "usable: id %s", id);
	else
		tool_report_verdict(false, "not usable: %s",
		    result_name(result));
}

static bool
records_read(struct records *r, char *const *texts, bool *is_too_large)
{
	for (; *texts != NULL; texts++) {
		if (strcmp(*texts, "-") != 0)
			records_add(r, span_of(*texts));
		else if (!records_add_lines(r, is_too_large))
			return false;
	}
	return true;
}

int
tool_lint_record(int argc, char **argv)
{
	bool json = false, is_too_large = false;
	const struct tool_option options[] = {
		{ .name = "json", .letter = 'j', .flag = &json },
	};
	struct records records = { .n = 0 };
	struct sts_record record;
	struct tool_report report;
	enum sts_record_result result;
	int status =
	    tool_options_read("lint sts-record", usage, options, 1, argc, argv);

	if (status != -1)
		return status;
	tool_report_init(&report, json, "record");
	if (!records_read(&records, argv + optind, &is_too_large)) {
		status = TOOL_USAGE;
		goto out;
	}
	if (is_too_large) {
		tool_report_add(&report, TOOL_ERROR, 0,
		    "larger than 64 KiB: no DNS answer");
		result = STS_RECORD_BROKEN;
	} else {
		result = records_judge(&records, &record, &report);
	}
	print_result(&report, result, record.id);
	status = result == STS_RECORD_OK ? TOOL_FINE : TOOL_BAD;
out:
	tool_report_cleanup(&report);
	records_cleanup(&records);
	return status;
}
