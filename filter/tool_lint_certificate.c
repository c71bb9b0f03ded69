/* SPDX-License-Identifier: ISC */
/*
 * strictmx lint certificate: would a sender accept this chain from this MX
 * host (RFC 8461 4.2)? The engine's own answer, common/tls_verify.
 */
#include <getopt.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "common/log.h"
#include "common/ports.h"
#include "common/tls_verify.h"
#include "filter/tool.h"
#include "filter/tool_chain.h"
#include "filter/tool_input.h"
#include "filter/tool_options.h"
#include "filter/tool_report.h"
#include "proto/domain.h"
#include "proto/rfc3339.h"

static const char usage[] =
    "usage: strictmx lint certificate [--json] --host HOST [--ca FILE]\n"
    "                                 [--at TIME] [CHAIN.pem]\n"
    "      --at TIME    as 2026-12-01T00:00:00Z; now\n"
    "      --ca FILE    trusted roots in PEM; those of the system\n"
    "      --host HOST  name of the MX host\n"
    "  -j, --json       one line of JSON\n"
    "CHAIN.pem holds the certificates that the host shows, its own first;\n"
    "\"-\" or none is standard input.\n"
    "exit status: 0 valid, 1 not, 2 wrong call or unreadable file\n";

struct lint {
	bool json;
	const char *host_text, *ca_file, *at_text;
	char host[DOMAIN_SIZE]; /* folded */
	int64_t at_s;
	struct tls_verify *verify;
};

/* What is no chain is judged as a host that shows none. */
static void
judge(const struct lint *lint, const struct tool_input *input,
    struct tls_judgement *judgement, const char **why)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	const int64_t *at_s = lint->at_text == NULL ? NULL : &lint->at_s;
	bool readable;

	if (chain == NULL)
		fatal("out of memory");
	readable = !input->is_too_large && tool_chain_read(chain, input->bytes);
	if (!readable)
		while (sk_X509_num(chain) > 0)
			X509_free(sk_X509_pop(chain));
	if (!tls_verify_chain(lint->verify, lint->host, chain, at_s, judgement))
		fatal("out of memory");
	*why = judgement->result == RESULT_NONE ? "is good" : judgement->why;
	if (input->is_too_large)
		*why = "is not there: the file is larger than 64 KiB";
	else if (!readable)
		*why = "is not there: the file has a block that is no "
		       "certificate";
	sk_X509_pop_free(chain, X509_free);
}

static void
print_result(const struct lint *lint, const struct tls_judgement *judgement,
    const char *why)
{
	bool valid = judgement->result == RESULT_NONE;
	const char *type = valid ? NULL : result_type_name(judgement->result);
	char detail[DOMAIN_SIZE + 256];

	snprintf(detail, sizeof(detail), "certificate of %s %s", lint->host,
	    why);
	if (lint->json)
		tool_report_json(json_pack("{s:b, s:s?, s:s}", "valid",
		    (int)valid, "result_type", type, "detail", detail));
	else if (valid)
		tool_report_verdict(true, "valid: %s", detail);
	else
		tool_report_verdict(false, "%s: %s", type, detail);
}

/* NULL, or what is wrong with the call. */
static const char *
arguments_read(struct lint *lint, int n)
{
	if (lint->host_text == NULL)
		return "--host is wanted";
	if (domain_fold(span_of(lint->host_text), lint->host) != DOMAIN_OK)
		return "HOST is no host name";
	if (lint->at_text != NULL &&
	    !rfc3339_read(span_of(lint->at_text), &lint->at_s))
		return "TIME is not of the form 2026-12-01T00:00:00Z";
	return n > 1 ? "one CHAIN.pem at most" : NULL;
}

/* -1, or the exit status. */
static int
set_up(struct lint *lint, int argc, char **argv)
{
	const struct tool_option options[] = {
		{ .name = "at", .value = &lint->at_text },
		{ .name = "ca", .value = &lint->ca_file },
		{ .name = "host", .value = &lint->host_text },
		{ .name = "json", .letter = 'j', .flag = &lint->json },
	};
	const char *why;
	int status = tool_options_read("lint certificate", usage, options, 4,
	    argc, argv);

	if (status != -1)
		return status;
	why = arguments_read(lint, argc - optind);
	if (why != NULL)
		return tool_options_wrong("lint certificate", usage, why);
	lint->verify = tls_verify_new(lint->ca_file, &why);
	if (lint->verify != NULL)
		return -1;
	log_error("%s: %s",
	    lint->ca_file == NULL ? "the system's roots" : lint->ca_file, why);
	return TOOL_USAGE;
}

int
tool_lint_certificate(int argc, char **argv)
{
	struct lint lint = { .json = false };
	struct tls_judgement judgement;
	struct tool_input input;
	const char *why;
	int status = set_up(&lint, argc, argv);

	if (status != -1)
		return status;
	status = TOOL_USAGE;
	if (tool_input_read(argv[optind], &input)) {
		judge(&lint, &input, &judgement, &why);
		print_result(&lint, &judgement, why);
		status = judgement.result == RESULT_NONE ? TOOL_FINE : TOOL_BAD;
		tool_input_cleanup(&input);
	}
	tls_verify_free(lint.verify);
	return status;
}
