/* SPDX-License-Identifier: ISC */
/*
 * strictmx check: a live look at domains, one after the other, with the parts
 * of the engine in this process. It knows nothing before and keeps nothing.
 */
#include <curl/curl.h>
#include <event2/event.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/event_loop.h"
#include "common/hostname.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "filter/environment.h"
#include "filter/service.h"
#include "filter/tool.h"
#include "filter/tool_check_judge.h"
#include "filter/tool_check_look.h"
#include "filter/tool_check_print.h"
#include "filter/tool_options.h"
#include "filter/tool_progress.h"

static const char usage[] =
    "usage: strictmx check [--json] [-f FILE] [-v] DOMAIN...\n"
    "  -f, --config FILE  configuration (" CONFIG_DEFAULT_PATH ")\n"
    "  -j, --json         one line of JSON for each domain\n"
    "  -v, --verbose      say what is done\n"
    "Looks at the record, the policy, and every MX host on every address.\n"
    "No mail is sent.\n"
    "exit status: 0 fine, 1 something would fail, 2 wrong call or\n"
    "configuration, 3 could not tell\n";

struct checking {
	bool json, verbose;
	const char *config_file;
	struct config *config; /* until the service has it */
	struct event_base *base;
	struct clock *clock;
	struct policy_cache *cache;
	struct service *service;
	struct check_parts parts; /* of the service */
	char *const *domains;	  /* those still to be looked at, up to NULL */
	int exit;
};

static void look_at_next(struct checking *c);

static void
look_done(const struct check *check, void *arg)
{
	struct checking *c = arg;
	char fix[CHECK_FIX_SIZE];
	enum tool_exit result = check_judge(check, fix);

	if (c->json)
		check_print_json(check, result, fix);
	else
		check_print(check, result, fix);
	fflush(stdout);
	/* One that could not be told about hides none that is bad. */
	if (result != TOOL_FINE && c->exit != TOOL_BAD)
		c->exit = (int)result;
	look_at_next(c);
}

static void
look_at_next(struct checking *c)
{
	char domain[DOMAIN_SIZE];

	if (*c->domains == NULL) {
		event_base_loopbreak(c->base);
		return;
	}
	domain_fold(span_of(*c->domains++), domain);
	check_look_start(&c->parts, domain, look_done, c);
}

/* -1, or the exit status. */
static int
set_up(struct checking *c, int argc, char **argv)
{
	const struct tool_option rows[] = {
		{ .name = "config", .letter = 'f', .value = &c->config_file },
		{ .name = "json", .letter = 'j', .flag = &c->json },
		{ .name = "verbose", .letter = 'v', .flag = &c->verbose },
	};
	char error[CONFIG_ERROR_SIZE], domain[DOMAIN_SIZE];
	const char *file;
	int status = tool_options_read("check", usage, rows, 3, argc, argv);

	if (status != -1)
		return status;
	if (optind == argc)
		return tool_options_wrong("check", usage, "a DOMAIN is wanted");
	for (int i = optind; i < argc; i++)
		if (domain_fold(span_of(argv[i]), domain) != DOMAIN_OK)
			return tool_options_wrong("check", usage,
			    "one DOMAIN is no domain name");
	c->domains = argv + optind;
	file = c->config_file;
	c->config = config_load(file == NULL ? CONFIG_DEFAULT_PATH : file,
	    file != NULL, error);
	if (c->config != NULL)
		return -1;
	log_error("%s", error);
	return TOOL_USAGE;
}

/* False, the reason being said, when the configuration does not work out. */
static bool
parts_open(struct checking *c)
{
	const char *why;

	if (c->config->hostname[0] == '\0')
		hostname_find(c->config->hostname);
	if (c->verbose)
		log_set_level(LOG_LEVEL_DEBUG);
	environment_clean();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
	    (c->base = event_base_new()) == NULL ||
	    (c->clock = clock_new(c->base)) == NULL ||
	    (c->cache = policy_cache_new(NULL, 1)) == NULL)
		fatal("out of memory");
	c->service = service_new(c->base, c->clock, c->cache, NULL, NULL,
	    c->config, &why);
	if (c->service == NULL) {
		log_error("%s", why);
		return false;
	}
	c->parts = (struct check_parts){
		.ports = service_ports(c->service),
		.config = service_config(c->service),
		.engine = service_engine(c->service),
		.progress = tool_progress_new(c->clock),
	};
	return true;
}

static void
parts_close(struct checking *c)
{
	tool_progress_free(c->parts.progress);
	service_free(c->service);
	policy_cache_free(c->cache);
	clock_free(c->clock);
	event_loop_free(c->base);
	libevent_global_shutdown();
	curl_global_cleanup();
}

int
tool_check(int argc, char **argv)
{
	struct checking c = { .exit = TOOL_FINE };
	int status = set_up(&c, argc, argv);

	if (status != -1)
		return status;
	if (parts_open(&c)) {
		look_at_next(&c);
		event_base_dispatch(c.base);
	} else {
		c.exit = TOOL_USAGE;
	}
	parts_close(&c);
	return c.exit;
}
