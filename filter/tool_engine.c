/* SPDX-License-Identifier: ISC */
/* The running daemon, asked one question after the other: tool_engine.h. */
#include "filter/tool_engine.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
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
#include "filter/tool.h"
#include "filter/tool_json.h"
#include "filter/tool_progress.h"
#include "filter/unix_connect.h"

struct tool_engine {
	struct config *config;
	struct event_base *base;
	struct clock *clock;
	struct engine_link *link;
	struct tool_progress *progress;
	json_t *answer; /* to the question that waits */
};

static const char *
remedy(int error)
{
	if (error == EACCES)
		return "be root, or join the group of the socket";
	return "start the daemon (systemctl start strictmxd, or strictmxd), or "
	       "name its socket with --socket; an engine that a filter runs "
	       "for itself has none";
}

static bool
can_be_asked(const char *path)
{
	int fd = unix_connect(path);

	if (fd == -1) {
		log_error("no engine can be asked on %s: %s; %s", path,
		    strerror(errno), remedy(errno));
		return false;
	}
	close(fd);
	return true;
}

struct tool_engine *
tool_engine_open(const struct tool_engine_options *options, int *status)
{
	struct tool_engine *e = calloc(1, sizeof(*e));
	struct engine_link_opts opts = { 0 };
	const char *file = options->config_file;
	char error[CONFIG_ERROR_SIZE];

	if (e == NULL)
		fatal("out of memory");
	*status = TOOL_USAGE;
	e->config = config_load(file == NULL ? CONFIG_DEFAULT_PATH : file,
	    file != NULL, error);
	if (e->config == NULL) {
		log_error("%s", error);
		goto fail;
	}
	*status = TOOL_UNKNOWN;
	opts.socket =
	    options->socket == NULL ? e->config->socket : options->socket;
	opts.answer_ms = (int64_t)e->config->deadline_s * 1000 +
	    LIMIT_QUERY_JOB_SLACK_MS + LIMIT_FILTER_DEADLINE_SLACK_MS;
	if (!can_be_asked(opts.socket))
		goto fail;
	if ((e->base = event_base_new()) == NULL ||
	    (e->clock = clock_new(e->base)) == NULL ||
	    (e->link = engine_link_new(e->base, e->clock, &opts)) == NULL)
		fatal("out of memory");
	e->progress = tool_progress_new(e->clock);
	return e;
fail:
	tool_engine_close(e);
	return NULL;
}

void
tool_engine_close(struct tool_engine *engine)
{
	if (engine == NULL)
		return;
	tool_progress_free(engine->progress);
	if (engine->link != NULL)
		engine_link_free(engine->link);
	clock_free(engine->clock);
	event_loop_free(engine->base);
	config_free(engine->config);
	free(engine);
	libevent_global_shutdown();
}

static void
answer_done(const struct link_answer *answer, void *arg)
{
	struct tool_engine *e = arg;

	tool_progress_clear(e->progress);
	if (answer->away)
		log_error("the engine has not answered");
	else if (answer->word != QUERY_FACTS)
		log_error("the engine says: %.*s", (int)answer->text.len,
		    answer->text.p);
	else if ((e->answer = json_loadb(answer->text.p, answer->text.len, 0,
		      NULL)) == NULL)
		log_error("the engine's answer is not understood");
	else
		tool_json_make_printable(e->answer);
	event_base_loopbreak(e->base);
}

json_t *
tool_engine_ask(struct tool_engine *engine, enum query_verb verb,
    const char *argument)
{
	struct link_ask *ask = engine_link_ask(engine->link, verb,
	    span_of(argument), answer_done, engine);

	engine->answer = NULL;
	if (ask == NULL) {
		log_error("the engine cannot be asked");
		return NULL;
	}
	tool_progress_say(engine->progress, "waiting for the engine");
	event_base_dispatch(engine->base);
	return engine->answer;
}

int
tool_engine_domain(const char *verb, const char *usage, int argc, char **argv,
    char domain[DOMAIN_SIZE])
{
	if (argc - optind != 1)
		return tool_options_wrong(verb, usage, "one DOMAIN is wanted");
	switch (domain_fold(span_of(argv[optind]), domain)) {
	case DOMAIN_OK:
		return -1;
	case DOMAIN_NO_MEMORY:
		fatal("out of memory");
	case DOMAIN_ABSENT:
	case DOMAIN_LITERAL:
	case DOMAIN_INVALID:
		break;
	}
	return tool_options_wrong(verb, usage, "DOMAIN is no domain name");
}
