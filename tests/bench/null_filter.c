/* SPDX-License-Identifier: ISC */
/*
 * The floor: a filter of the shape of filter-strictmx that knows nothing. The
 * front passes each domain to a second process, which looks it up in a table
 * and says yes; the front then says proceed. No state of sessions, no memory
 * limits, no time limits.
 *
 *	front -> engine	"NUMBER DOMAIN"		engine -> front	"NUMBER y"
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/uthash_quiet.h"
#include "tests/bench/process.h"

#define REQUESTS 65536 /* numbers go around; smtpd never has so many */

struct known {
	char domain[64];
	UT_hash_handle hh;
};

static struct event_base *base;
static struct bufferevent *smtpd, *engine;
static struct known *table;
static char requests[REQUESTS][48]; /* "SESSION|TOKEN" */
static unsigned n_requests;

static const char registration[] = "register|report|smtp-in|link-connect\n"
				   "register|report|smtp-in|link-disconnect\n"
				   "register|report|smtp-in|tx-mail\n"
				   "register|filter|smtp-in|rcpt-to\n"
				   "register|ready\n";

/* The engine */

static void
read_questions(struct bufferevent *bev, void *arg)
{
	struct evbuffer *output = bufferevent_get_output(bev);
	struct known *known;
	char *line, *domain;
	size_t len;

	(void)arg;
	while ((line = evbuffer_readln(bufferevent_get_input(bev), &len,
		    EVBUFFER_EOL_LF)) != NULL) {
		domain = strchr(line, ' ');
		if (domain == NULL)
			die("a bad question");
		HASH_FIND_STR(table, domain + 1, known);
		evbuffer_add(output, line, (size_t)(domain - line));
		evbuffer_add(output, known == NULL ? " n\n" : " y\n", 3);
		free(line);
	}
}

/* The same names as in the benchmark's world; that some differ is no matter. */
static void
fill_table(unsigned n)
{
	struct known *known;

	for (unsigned i = 0; i < n; i++) {
		known = calloc(1, sizeof(*known));
		if (known == NULL)
			die("out of memory");
		snprintf(known->domain, sizeof(known->domain), "d%u.bench", i);
		HASH_ADD_STR(table, domain, known);
	}
}

/* The front */

/* filter|version|time|smtp-in|rcpt-to|SESSION|TOKEN|MAILBOX */
static void
pass_on(char *line)
{
	unsigned number = n_requests++ % REQUESTS;
	char *ids = line, *token, *mailbox, *at;

	for (int i = 0; i < 5; i++)
		if ((ids = strchr(ids, '|')) == NULL || *ids++ == '\0')
			return;
	if ((token = strchr(ids, '|')) == NULL ||
	    (mailbox = strchr(token + 1, '|')) == NULL ||
	    (at = strrchr(mailbox, '@')) == NULL)
		return;
	*mailbox = '\0';
	snprintf(requests[number], sizeof(requests[number]), "%s", ids);
	evbuffer_add_printf(bufferevent_get_output(engine), "%u %s\n", number,
	    at + 1);
}

static void
read_smtpd(struct bufferevent *bev, void *arg)
{
	char *line;

	(void)arg;
	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL,
		    EVBUFFER_EOL_LF)) != NULL) {
		if (strncmp(line, "filter|", 7) == 0)
			pass_on(line);
		else if (strcmp(line, "config|ready") == 0)
			bufferevent_write(bev, registration,
			    sizeof(registration) - 1);
		free(line);
	}
}

static void
read_answers(struct bufferevent *bev, void *arg)
{
	struct evbuffer *output = bufferevent_get_output(smtpd);
	char *line, *ids;

	(void)arg;
	while ((line = evbuffer_readln(bufferevent_get_input(bev), NULL,
		    EVBUFFER_EOL_LF)) != NULL) {
		ids = requests[strtoul(line, NULL, 10) % REQUESTS];
		evbuffer_add(output, "filter-result|", 14);
		evbuffer_add(output, ids, strlen(ids));
		evbuffer_add(output, "|proceed\n", 9);
		free(line);
	}
}

static void
ended(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)arg;
	if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
		event_base_loopexit(base, NULL);
}

static struct bufferevent *
open_side(int fd, bufferevent_data_cb readable)
{
	struct bufferevent *bev;

	evutil_make_socket_nonblocking(fd);
	bev = bufferevent_socket_new(base, fd, 0);
	if (bev == NULL)
		die("out of memory");
	bufferevent_setcb(bev, readable, NULL, ended, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	return bev;
}

int
main(int argc, char **argv)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == -1 ||
	    (pid = fork()) == -1 || (base = event_base_new()) == NULL)
		die("cannot begin");
	if (pid == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(fds[0]);
		fill_table(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1);
		open_side(fds[1], read_questions);
	} else {
		close(fds[1]);
		engine = open_side(fds[0], read_answers);
		smtpd = open_side(STDIN_FILENO, read_smtpd);
	}
	event_base_dispatch(base);
	if (pid != 0) {
		close(fds[0]);
		waitpid(pid, NULL, 0);
	}
	return 0;
}
