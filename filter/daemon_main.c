/* SPDX-License-Identifier: ISC */
/*
 * strictmxd: the engine as a process. As a daemon it serves the query socket;
 * with -F it serves one descriptor, that of the filter which started it, and
 * ends when the filter does.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <malloc.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/hostname.h"
#include "common/engine.h"
#include "common/event_loop.h"
#include "common/failures.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/loop_meter.h"
#include "common/overrides.h"
#include "common/policy_cache.h"
#include "common/policy_store.h"
#include "common/staging.h"
#include "common/staging_store.h"
#include "proto/span.h"
#include "filter/detach.h"
#include "filter/environment.h"
#include "filter/front_ends.h"
#include "filter/query_server.h"
#include "filter/relay.h"
#include "filter/service.h"

#define RELOAD_LATER_MS 1000

struct options {
	const char *config_path;
	bool config_given;
	bool foreground;
	bool check_only;
	bool memory_only;
	bool verbose;
	int fd; /* -1: daemon */
};

struct daemon {
	struct options options;
	char hostname[DOMAIN_SIZE]; /* of this host, as found at the start */
	struct event_base *base;
	struct clock *clock;
	struct policy_store *store;
	struct policy_cache *cache;
	struct overrides *overrides;
	struct staging *staging;
	struct staging_store *staging_store;
	struct service *service;
	struct service *retired[LIMIT_RETIRED]; /* by reloads; NULL: a place */
	bool reload_waits;			/* which was said */
	struct front_ends *front;
	struct loop_meter *meter;
	struct clock_timer *reload_later;
	struct event *sighup, *sigterm, *sigint;
};

static const char usage_text[] =
    "usage: strictmxd [-dmnv] [-f file] [-F descriptor]\n"
    "  -d, --foreground        stay in the foreground, log to stderr\n"
    "  -f, --config FILE       configuration (" CONFIG_DEFAULT_PATH ")\n"
    "  -F, --descriptor N      serve the connected descriptor N only, end\n"
    "                          with it (how a filter runs its own engine)\n"
    "  -m, --memory-only       keep policies in memory only\n"
    "  -n, --check             check the configuration and exit\n"
    "  -v, --verbose           log each step\n"
    "  -h, --help              this text\n"
    "  -V, --version           the version\n";

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static int
parse_descriptor(const char *text)
{
	unsigned long n;

	if (!span_number(span_of(text), 1023, &n) ||
	    fcntl((int)n, F_GETFD) == -1) {
		fprintf(stderr, "strictmxd: -F %s: not an open descriptor\n",
		    text);
		exit(2);
	}
	return (int)n;
}

/*
 * A reload comes when the working directory is another. Links stay links: they
 * may lead elsewhere by then.
 */
static const char *
absolute(const char *path)
{
	static char whole[PATH_MAX + PATH_MAX];
	char directory[PATH_MAX];

	if (path[0] == '/' || getcwd(directory, sizeof(directory)) == NULL)
		return path;
	snprintf(whole, sizeof(whole), "%s/%s", directory, path);
	return whole;
}

static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "foreground", no_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'f' },
		{ "descriptor", required_argument, NULL, 'F' },
		{ "memory-only", no_argument, NULL, 'm' },
		{ "check", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .config_path = CONFIG_DEFAULT_PATH, .fd = -1 };
	while ((c = getopt_long(argc, argv, "df:F:mnvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'd':
			o->foreground = true;
			break;
		case 'f':
			o->config_path = absolute(optarg);
			o->config_given = true;
			break;
		case 'F':
			o->fd = parse_descriptor(optarg);
			break;
		case 'm':
			o->memory_only = true;
			break;
		case 'n':
			o->check_only = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		case 'V':
			puts("strictmxd " PACKAGE_VERSION);
			exit(0);
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

static struct config *
load_config(const struct daemon *d)
{
	const struct options *o = &d->options;
	char error[CONFIG_ERROR_SIZE];
	struct config *config =
	    config_load(o->config_path, o->config_given, error);

	if (config == NULL) {
		log_error("%s", error);
		return NULL;
	}
	if (config->hostname[0] == '\0')
		memcpy(config->hostname, d->hostname, sizeof(d->hostname));
	log_set_level(o->verbose ? LOG_LEVEL_DEBUG : config->log_level);
	return config;
}

/*
 * Started without them, the next files to be opened would take their numbers:
 * the log would be written into the query socket.
 */
static void
fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= STDIN_FILENO && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void
limit_process(void)
{
	struct rlimit files, no_core = { 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	umask(077);
	setrlimit(RLIMIT_CORE, &no_core);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur < LIMIT_DESCRIPTORS) {
		files.rlim_cur = files.rlim_max < LIMIT_DESCRIPTORS
		    ? files.rlim_max
		    : LIMIT_DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* The buffers of TLS sessions are not to lie between what is kept for
	 * long: they go back to the system when a session ends. */
	mallopt(M_MMAP_THRESHOLD, LIMIT_HEAP_BLOCK);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	tzset();
}

/* Makes DIR for the user; one that is there is left as it is. */
static void
make_dir(const char *dir, const struct passwd *pw, mode_t mode)
{
	int fd;

	if (mkdir(dir, mode) == 0) {
		/* The one above may be the user's, who could put a link here
		 * meanwhile: not followed. */
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1 || fchmod(fd, mode) == -1 ||
		    fchown(fd, pw->pw_uid, pw->pw_gid) == -1)
			fatal("%s: %s", dir, strerror(errno));
		close(fd);
	} else if (errno != EEXIST) {
		/* Without it policies stay in memory, or the socket says so. */
		log_warning("cannot make %s: %s", dir, strerror(errno));
	}
}

static void
make_socket_dir(const char *socket_path, const struct passwd *pw)
{
	char *dir = strdup(socket_path), *slash;

	if (dir == NULL)
		fatal("out of memory");
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		make_dir(dir, pw, 0755);
	}
	free(dir);
}

/* Root is only needed to make the directories and the socket. */
static void
become(const struct passwd *pw)
{
	if (setgroups(1, &pw->pw_gid) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal("cannot become user %s: %s", pw->pw_name,
		    strerror(errno));
}

static void
listen_all(struct daemon *d, uid_t uid, gid_t gid)
{
	if (front_ends_listen(d->front, uid, gid))
		return;
	front_ends_free(d->front); /* with the sockets that it made */
	exit(1);
}

static void
listen_as_user(struct daemon *d, const struct config *config)
{
	const struct passwd *pw;

	if (geteuid() != 0) {
		listen_all(d, (uid_t)-1, (gid_t)-1);
		return;
	}
	pw = getpwnam(config->user);
	if (pw == NULL)
		fatal("no user %s (configure 'user', or add it: "
		      "useradd --system --home-dir %s --shell "
		      "/usr/sbin/nologin "
		      "%s)",
		    config->user, config->state_dir, config->user);
	make_socket_dir(config->socket, pw);
	if (config->exim_socket != NULL)
		make_socket_dir(config->exim_socket, pw);
	make_dir(config->state_dir, pw, 0700);
	listen_all(d, pw->pw_uid, pw->pw_gid);
	become(pw);
}

/* Signals and the end. */

/* NULL is as good as "". */
static void
warn_of_restart(const char *key, const char *old, const char *new)
{
	old = old == NULL ? "" : old;
	new = new == NULL ? "" : new;
	if (strcmp(old, new) != 0)
		log_warning("%s changed to %s: takes effect at the next start",
		    key, new);
}

static void
warn_of_restarts(const struct config *old, const struct config *config)
{
	char was[24], is[24];

	warn_of_restart("socket", old->socket, config->socket);
	warn_of_restart("state-dir", old->state_dir, config->state_dir);
	warn_of_restart("user", old->user, config->user);
	warn_of_restart("socket-group", old->socket_group,
	    config->socket_group);
	warn_of_restart("socket of exim", old->exim_socket,
	    config->exim_socket);
	warn_of_restart("socket-group of exim", old->exim_socket_group,
	    config->exim_socket_group);
	snprintf(was, sizeof(was), "%zu", old->max_policies);
	snprintf(is, sizeof(is), "%zu", config->max_policies);
	warn_of_restart("max-policies", was, is);
	if (!relay_settings_same_endpoints(&old->relay, &config->relay))
		log_warning("where the relay listens has changed: takes effect "
			    "at the next start");
	if (!config_same_socketmap(&old->socketmap, &config->socketmap))
		log_warning("listen of section socketmap changed: takes effect "
			    "at the next start");
}

static void
log_overrides(const struct daemon *d)
{
	overrides_log(d->overrides, service_config(d->service),
	    d->options.config_path, clock_wall_s(d->clock));
}

/* For one more that has mails or lookups of its own left; NULL: none is free.
 */
static struct service **
retired_place(struct daemon *d)
{
	for (size_t i = 0; i < LIMIT_RETIRED; i++)
		if (d->retired[i] == NULL)
			return &d->retired[i];
	return NULL;
}

static void reload(void *arg);

/* What the reloads before this one retired has not ended. */
static void
reload_put_off(struct daemon *d)
{
	if (!d->reload_waits)
		log_notice("reload waits: mails or lookups that began before "
			   "the last %d reloads are still on their way",
		    LIMIT_RETIRED);
	d->reload_waits = true;
	d->reload_later =
	    clock_timer_start(d->clock, RELOAD_LATER_MS, reload, d);
}

static void
reload(void *arg)
{
	struct daemon *d = arg;
	const struct config *old = service_config(d->service);
	struct config *config;
	struct service *service, **place = retired_place(d);
	const char *why;

	d->reload_later = NULL;
	if (place == NULL) {
		reload_put_off(d);
		return;
	}
	d->reload_waits = false;
	if ((config = load_config(d)) == NULL) {
		log_error("reload refused: the old configuration stays");
		return;
	}
	warn_of_restarts(old, config);
	service = service_new(d->base, d->clock, d->cache, d->overrides,
	    d->staging, config, &why);
	if (service == NULL) {
		log_error("reload refused: %s: the old configuration stays",
		    why);
		return;
	}
	engine_inherit(service_engine(service), service_engine(d->service));
	front_ends_use(d->front, service);
	*place = d->service;
	d->service = service;
	service_retire(place);
	log_overrides(d);
	log_notice("configuration reloaded from %s", d->options.config_path);
}

static void
on_sighup(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	if (d->reload_later == NULL)
		reload(d);
}

static void
on_sigterm(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(d->base);
}

static void
filter_gone(void *arg)
{
	struct daemon *d = arg;

	event_base_loopbreak(d->base);
}

static struct event *catch (struct daemon *d, int signal_number,
    event_callback_fn fn)
{
	struct event *event = evsignal_new(d->base, signal_number, fn, d);

	if (event == NULL || event_add(event, NULL) == -1)
		fatal("cannot catch signal %d", signal_number);
	return event;
}

/* Life. */

/*
 * What many lookups at once have used lies in pieces between what is kept, and
 * glibc returns by itself only what is at the end of the heap.
 */
static void
give_memory_back(void *arg)
{
	(void)arg;
	malloc_trim(0);
}

static bool
is_busy(void *arg)
{
	const struct daemon *d = arg;

	return !engine_is_idle(service_engine(d->service));
}

static void
daemon_open(struct daemon *d, struct config *config)
{
	const char *why;

	if ((d->base = event_base_new()) == NULL ||
	    (d->clock = clock_new(d->base)) == NULL)
		fatal("out of memory");
	failures_begin(d->clock);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		fatal("libcurl could not be set up");
	/* These first: they need root's right to make their sockets. */
	if ((d->front = front_ends_new(d->base, d->clock, config)) == NULL)
		fatal("out of memory");
	if (d->options.fd == -1)
		listen_as_user(d, config);
	else if (!front_ends_serve(d->front, d->options.fd, filter_gone, d))
		fatal("cannot serve descriptor %d", d->options.fd);
	if (!d->options.memory_only)
		d->store =
		    policy_store_open(config->state_dir, config->max_policies);
	if ((d->cache = policy_cache_new(d->store, config->max_policies)) ==
	    NULL)
		fatal("out of memory");
	d->overrides = overrides_new(d->store, clock_wall_s(d->clock));
	d->staging = staging_new(LIMIT_STAGED, clock_wall_s(d->clock));
	if (d->overrides == NULL || d->staging == NULL ||
	    (d->staging_store =
		    staging_store_new(d->clock, d->store, d->staging)) == NULL)
		fatal("out of memory");
	d->service = service_new(d->base, d->clock, d->cache, d->overrides,
	    d->staging, config, &why);
	if (d->service == NULL) {
		front_ends_free(d->front); /* with its sockets */
		fatal("%s", why);
	}
	front_ends_use(d->front, d->service);
	log_overrides(d);
	if ((d->meter = loop_meter_new(d->base, is_busy, d)) == NULL)
		fatal("out of memory");
	loop_meter_at_rest(d->meter, give_memory_back, NULL);
	front_ends_set_meter(d->front, d->meter);
	d->sighup = catch (d, SIGHUP, on_sighup);
	d->sigterm = catch (d, SIGTERM, on_sigterm);
	d->sigint = catch (d, SIGINT, on_sigterm);
}

static void
daemon_close(struct daemon *d)
{
	event_free(d->sighup);
	event_free(d->sigterm);
	event_free(d->sigint);
	clock_timer_cancel(&d->reload_later);
	front_ends_free(d->front);
	loop_meter_free(d->meter);
	for (size_t i = 0; i < LIMIT_RETIRED; i++)
		service_free(d->retired[i]);
	service_free(d->service);
	staging_store_free(d->staging_store);
	staging_free(d->staging);
	overrides_free(d->overrides);
	policy_cache_free(d->cache);
	policy_store_close(d->store);
	failures_end();
	clock_free(d->clock);
	event_loop_free(d->base);
	libevent_global_shutdown();
	curl_global_cleanup();
}

int
main(int argc, char **argv)
{
	struct daemon d = { 0 };
	struct config *config;
	bool detach;

	log_init("strictmxd", false, LOG_LEVEL_INFO);
	parse_options(argc, argv, &d.options);
	detach = !d.options.foreground && d.options.fd == -1;
	environment_clean();
	if (!d.options.check_only)
		hostname_find(d.hostname);
	if ((config = load_config(&d)) == NULL)
		return 1;
	if (d.options.check_only) {
		printf("%s: configuration OK\n", d.options.config_path);
		config_free(config);
		return 0;
	}
	fill_standard_descriptors();
	limit_process();
	/* libevent and curl do not survive a fork: before they begin. */
	if (detach && !detach_begin())
		fatal("cannot go into the background: %s", strerror(errno));
	daemon_open(&d, config);
	if (detach) {
		log_init("strictmxd", true, log_get_level());
		detach_done();
	}
	log_notice("strictmxd " PACKAGE_VERSION " serves %s",
	    d.options.fd == -1 ? service_config(d.service)->socket
			       : "its filter");
	event_base_dispatch(d.base);
	log_notice("strictmxd ends; its loop was late by %lld ms at most",
	    (long long)(loop_meter_longest_us(d.meter) / 1000));
	daemon_close(&d);
	return 0;
}
