/* SPDX-License-Identifier: ISC */
/*
 * strictmx-exim(8): for those who would rather have Exim run a program than
 * speak to the engine's socket itself. Exim waits 60 s for a program and then
 * fails in ways that differ from place to place, so this one always ends before
 * ANSWER_MS, and says "not now" on any doubt. No DNS, HTTP or TLS code.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "filter/unix_connect.h"
#include "proto/ascii.h"
#include "proto/exim_line.h"

#define IDENT "strictmx-exim"
#define DEFAULT_SOCKET STRICTMX_RUNSTATEDIR "/strictmx/exim.sock"
#define DEFAULT_TRANSPORT "strictmx_smtp"
#define AGAIN_MS 10 /* between tries to connect to a socket that is full */

static const char usage_text[] =
    "usage: " IDENT " [-s socket] policy domain\n"
    "       " IDENT " [-s socket] [-t transport] route domain\n"
    "       " IDENT " guard verdict\n"
    "       " IDENT " --help | --version\n"
    "  policy  what to require of the hosts of a domain, for ${run}\n"
    "  route   the answer of a queryprogram router\n"
    "  guard   a transport_filter that passes a message only to \"ok\"\n"
    "exit status: 0 answered or passed, 64 wrong call, 75 try again later\n";

struct options {
	const char *socket, *transport;
	const char *verb, *argument;
};

static void __attribute__((noreturn)) usage(void)
{
	fputs(usage_text, stderr);
	exit(EX_USAGE);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "transport", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*o = (struct options){ .socket = DEFAULT_SOCKET,
		.transport = DEFAULT_TRANSPORT };
	while (
	    (option = getopt_long(argc, argv, "+s:t:hV", longs, NULL)) != -1) {
		if (option == 's')
			o->socket = optarg;
		else if (option == 't')
			o->transport = optarg;
		else if (option == 'h' || option == 'V') {
			fputs(option == 'h' ? usage_text
					    : IDENT " " PACKAGE_VERSION "\n",
			    stdout);
			exit(0);
		} else
			usage();
	}
	if (argc - optind != 2)
		usage();
	o->verb = argv[optind];
	o->argument = argv[optind + 1];
}

/* Asking the engine. */

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for events on fd, none with fd -1. False when the time is over. */
static bool
wait_for(int fd, short events, int64_t ends_ms)
{
	struct pollfd fds = { .fd = fd, .events = events };
	int64_t left_ms = ends_ms - now_ms();

	if (left_ms <= 0)
		return false;
	if (fd == -1 && left_ms > AGAIN_MS)
		left_ms = AGAIN_MS;
	return poll(&fds, 1, (int)left_ms) != 0 || fd == -1;
}

static int
connect_until(const char *path, int64_t ends_ms)
{
	int fd;

	while ((fd = unix_connect(path)) == -1 && errno == EAGAIN)
		if (!wait_for(-1, 0, ends_ms))
			break;
	return fd;
}

static bool
may_go_on(int fd, short events, int64_t ends_ms)
{
	if (errno == EINTR)
		return true;
	return errno == EAGAIN && wait_for(fd, events, ends_ms);
}

static bool
write_until(int fd, const char *p, size_t len, int64_t ends_ms)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n == -1 && !may_go_on(fd, POLLOUT, ends_ms))
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* The line that the engine says before it closes, without its LF. */
static bool
read_until(int fd, char *line, size_t size, int64_t ends_ms)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, line + len, size - len);
		char *end;

		if (n == 0)
			return false; /* it ended within its line */
		if (n == -1 && !may_go_on(fd, POLLIN, ends_ms))
			return false;
		if (n <= 0)
			continue;
		end = memchr(line + len, '\n', (size_t)n);
		len += (size_t)n;
		if (end != NULL) {
			*end = '\0';
			return strlen(line) == (size_t)(end - line);
		}
	}
	return false;
}

/*
 * False without an answer, with the reason in line. It is not for standard
 * error here: Exim reads that as a part of the answer of a queryprogram.
 */
static bool
ask(const struct options *o, const char *verb, char *line, size_t size)
{
	int64_t ends_ms = now_ms() + LIMIT_EXIM_PROGRAM_MS;
	char request[EXIM_WORD_MAX + 16];
	int fd = -1, n;
	bool ok = false;

	n = snprintf(request, sizeof(request), "%s %s\n", verb, o->argument);
	if (n < 0 || (size_t)n >= sizeof(request) ||
	    exim_request_parse((struct span){ request, (size_t)n - 1 }).verb ==
		EXIM_BAD) {
		snprintf(line, size, "not a domain");
		return false;
	}
	errno = 0;
	fd = connect_until(o->socket, ends_ms);
	if (fd != -1)
		ok = write_until(fd, request, (size_t)n, ends_ms) &&
		    read_until(fd, line, size, ends_ms);
	if (!ok)
		snprintf(line, size, "%s: no answer: %s", o->socket,
		    errno == 0 || errno == EAGAIN ? "out of time"
						  : strerror(errno));
	if (fd != -1)
		close(fd);
	return ok;
}

/* Verbs. */

/* What was said must reach Exim whole, or not at all as far as it can tell. */
static int
said(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : EX_TEMPFAIL;
}

static int
verb_policy(const struct options *o)
{
	static char line[LIMIT_EXIM_ANSWER];

	if (!ask(o, "POLICY", line, sizeof(line))) {
		fprintf(stderr, IDENT ": %s\n", line);
		return EX_TEMPFAIL;
	}
	if (!span_starts(span_of(line), "mode=")) {
		fprintf(stderr, IDENT ": %s: answer not understood\n",
		    o->socket);
		return EX_TEMPFAIL;
	}
	puts(line);
	return said();
}

/* Nothing that could end the quotes of HOSTS="...". */
static bool
are_hosts(struct span hosts)
{
	for (size_t i = 0; i < hosts.len; i++)
		if (!ascii_is_alnum(hosts.p[i]) &&
		    memchr(".-_:", hosts.p[i], 4) == NULL)
			return false;
	return hosts.len > 0;
}

static void
say_not_now(const char *word, struct span text, const char *otherwise)
{
	if (text.len == 0)
		text = span_of(otherwise);
	printf("%s strictmx: %.*s\n", word, (int)text.len, text.p);
}

/* A DECLINE goes on to the next router, so it is never said in doubt. */
static int
verb_route(const struct options *o)
{
	static char line[LIMIT_EXIM_ANSWER];
	struct exim_answer answer = { .mode = EXIM_TEMPFAIL };

	if (ask(o, "ROUTE", line, sizeof(line)))
		answer = exim_answer_parse(span_of(line));
	else
		answer.text = span_of(line);
	switch (answer.mode) {
	case EXIM_NONE:
	case EXIM_TESTING:
		puts("DECLINE");
		break;
	case EXIM_ENFORCE:
		if (are_hosts(answer.hosts))
			printf("ACCEPT TRANSPORT=%s HOSTS=\"%.*s\" "
			       "LOOKUP=bydns\n",
			    o->transport, (int)answer.hosts.len,
			    answer.hosts.p);
		else
			say_not_now("DEFER", answer.text,
			    "no MX host is in the MTA-STS policy");
		break;
	case EXIM_FAIL:
		say_not_now("FAIL", answer.text, "accepts no mail");
		break;
	case EXIM_TEMPFAIL:
		say_not_now("DEFER", answer.text, "answer not understood");
		break;
	}
	return said();
}

/* The message, from one end of the filter to the other. */
static bool
copy_through(void)
{
	static char buf[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) != 0) {
		if (n == -1 && errno != EINTR)
			return false;
		for (ssize_t done = 0, m; done<n; done += m> 0 ? m : 0) {
			m = write(STDOUT_FILENO, buf + done,
			    (size_t)(n - done));
			if (m == -1 && errno != EINTR)
				return false;
		}
	}
	return true;
}

static int
verb_guard(const struct options *o)
{
	if (strcmp(o->argument, "ok") != 0) {
		fprintf(stderr, IDENT ": refused: %s\n", o->argument);
		return EX_TEMPFAIL;
	}
	return copy_through() ? 0 : EX_TEMPFAIL;
}

int
main(int argc, char **argv)
{
	struct options o;

	parse_options(&o, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(o.verb, "policy") == 0)
		return verb_policy(&o);
	if (strcmp(o.verb, "route") == 0)
		return verb_route(&o);
	if (strcmp(o.verb, "guard") == 0)
		return verb_guard(&o);
	usage();
}
