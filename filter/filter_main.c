/* SPDX-License-Identifier: ISC */
/*
 * filter-strictmx(8), the filter that smtpd starts: asks the engine about each
 * recipient while the sender is still connected. smtpd ends, and takes all
 * mail with it, when a filter of its ends, so after the start only smtpd's own
 * end (end of file on standard input) ends this one.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/event_loop.h"
#include "common/limits.h"
#include "common/log.h"
#include "filter/engine_link.h"
#include "filter/osmtpd_front.h"

#define IDENT "filter-strictmx"

struct filter {
	const char *config_file; /* NULL: the default, which may be missing */
	const char *socket;
	const char *program;
	unsigned verbose;

	struct event_base *base;
	struct clock *clock;
	struct event *hangup;
	struct engine_link *link;
	struct osmtpd_front *front;
	struct osmtpd_rules rules;
	int64_t answer_ms;
};

static const char usage_text[] =
    "usage: " IDENT " [-v] [-e program | -s socket] [-f file]\n"
    "       " IDENT " --help | --version\n";

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static void
parse_options(struct filter *filter, int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "e:f:s:v", options, NULL)) !=
	    -1) {
		if (option == 'e')
			filter->program = optarg;
		else if (option == 'f')
			filter->config_file = optarg;
		else if (option == 's')
			filter->socket = optarg;
		else if (option == 'v')
			filter->verbose++;
		else if (option == 'V' || option == 'h') {
			fputs(option == 'h' ? usage_text
					    : IDENT " " PACKAGE_VERSION "\n",
			    stdout);
			exit(0);
		} else
			usage();
	}
	if (optind != argc) {
		fprintf(stderr, IDENT ": unexpected argument '%s'\n",
		    argv[optind]);
		usage();
	}
	if (filter->socket != NULL && filter->program != NULL) {
		fputs(IDENT ": -e and -s exclude each other\n", stderr);
		usage();
	}
}

/* False, with the reason logged, leaves all as it was. */
static bool
read_config(struct filter *filter)
{
	char error[CONFIG_ERROR_SIZE];
	bool named = filter->config_file != NULL;
	struct config *config =
	    config_load(named ? filter->config_file : CONFIG_DEFAULT_PATH,
		named, error);
	unsigned level;

	if (config == NULL) {
		log_error("%s", error);
		return false;
	}
	level = (unsigned)config->log_level + filter->verbose;
	log_set_level(
	    level < LOG_LEVEL_DEBUG ? (enum log_level)level : LOG_LEVEL_DEBUG);
	filter->rules.judge_local_submission = config->judge_local_submission;
	/* A mode that refuses nothing does not begin to when we know less. */
	filter->rules.engine_away =
	    config->testing ? CHOICE_PROCEED : config->engine_away;
	filter->answer_ms =
	    (int64_t)config->deadline_s * 1000 + LIMIT_FILTER_DEADLINE_SLACK_MS;
	config_free(config);
	return true;
}

/* What can be known to be wrong before anything is served. */
static void
check_engine(struct filter *filter)
{
	if (filter->socket != NULL) {
		if (strlen(filter->socket) >=
		    sizeof(((struct sockaddr_un *)NULL)->sun_path))
			fatal("%s: %s", filter->socket, strerror(ENAMETOOLONG));
		return;
	}
	if (filter->program == NULL)
		filter->program = STRICTMX_SBINDIR "/strictmxd";
	if (access(filter->program, X_OK) == -1)
		fatal("%s: %s", filter->program, strerror(errno));
}

/*
 * SIGTERM is ignored: it may be meant for smtpd, or for all processes of a
 * service at once, but it is smtpd's end that tells when mail is over. SIGHUP
 * waits until there is somebody to take it.
 */
static void
hold_signals(sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, before);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_DFL); /* ignored, our engine could not be reaped */
}

/* A descriptor opened later must not become the engine's standard error. */
static void
need_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			fatal("descriptor %d is closed", fd);
}

static void
smtpd_gone(void *arg)
{
	struct filter *filter = arg;

	log_debug("smtpd is gone");
	event_base_loopexit(filter->base, NULL);
}

static void
hangup(evutil_socket_t number, short what, void *arg)
{
	struct filter *filter = arg;

	(void)number;
	(void)what;
	if (!read_config(filter)) {
		log_error("the configuration stays as it was");
		return;
	}
	osmtpd_front_set_rules(filter->front, &filter->rules);
	engine_link_reload(filter->link, filter->answer_ms);
	log_notice("configuration read");
}

static void
filter_start(struct filter *filter)
{
	struct engine_link_opts opts = { .socket = filter->socket,
		.program = filter->program,
		.config_file = filter->config_file,
		.answer_ms = filter->answer_ms };

	filter->base = event_base_new();
	if (filter->base == NULL ||
	    (filter->clock = clock_new(filter->base)) == NULL ||
	    (filter->hangup = evsignal_new(filter->base, SIGHUP, hangup,
		 filter)) == NULL ||
	    event_add(filter->hangup, NULL) == -1 ||
	    (filter->link = engine_link_new(filter->base, filter->clock,
		 &opts)) == NULL)
		fatal("%s", strerror(ENOMEM));
	filter->front = osmtpd_front_new(filter->base, STDIN_FILENO,
	    STDOUT_FILENO, filter->link, &filter->rules, smtpd_gone, filter);
	if (filter->front == NULL)
		fatal("standard input and output are no sockets or pipes; this "
		      "program is started by smtpd");
}

static void
filter_end(struct filter *filter)
{
	osmtpd_front_free(filter->front);
	engine_link_free(filter->link);
	event_free(filter->hangup);
	clock_free(filter->clock);
	event_loop_free(filter->base);
}

int
main(int argc, char **argv)
{
	struct filter filter = { 0 };
	sigset_t signals;
	int ended;

	hold_signals(&signals);
	log_init(IDENT, false, LOG_LEVEL_INFO);
	need_standard_descriptors();
	parse_options(&filter, argc, argv);
	if (!read_config(&filter))
		return 1;
	check_engine(&filter);
	filter_start(&filter);
	sigdelset(&signals, SIGHUP);
	sigprocmask(SIG_SETMASK, &signals, NULL);
	ended = event_base_dispatch(filter.base);
	if (ended == -1)
		log_error("cannot wait for events: %s", strerror(errno));
	filter_end(&filter);
	return ended == -1 ? 1 : 0;
}
