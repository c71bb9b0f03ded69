/* SPDX-License-Identifier: ISC */
/*
 * An engine for tests of those who start one: "fake_engine -F FD [-f FILE]"
 * speaks strictmx-query(7) on FD, and the recipient's domain says what it does.
 *
 *	good.test defer.test reject.test error.test	answers so
 *	silent.test	does not answer
 *	held.test	answers proceed after the next request for free.test
 *	die.test	ends
 *	pid.test fds.test hangups.test	tells in a defer text: its process,
 *			its open descriptors, how many SIGHUP it got
 *	config.test	the same with the last part of FILE's name
 *
 * FILE's name may be "mute" (does not greet), "wrong" (greets wrongly),
 * "stubborn" (ends neither at end of file nor by SIGTERM) or "trace" (writes
 * "ended" into FILE when it ends at end of file).
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fd = -1;
static const char *config_path = "", *config = "";
static volatile sig_atomic_t hangups;
static char held[64][32];
static size_t n_held;

static void
count_hangup(int number)
{
	(void)number;
	hangups++;
}

static bool
config_is(const char *name)
{
	return strcmp(config, name) == 0;
}

/* "0,1,2,3": the descriptor of the directory itself is left out. */
static void
list_fds(char *out, size_t size)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	size_t n = 0;

	out[0] = '\0';
	for (int number = 0; dir != NULL && number < 1024; number++) {
		rewinddir(dir);
		while ((entry = readdir(dir)) != NULL)
			if (entry->d_name[0] != '.' && n < size &&
			    atol(entry->d_name) == number &&
			    number != dirfd(dir))
				n += (size_t)snprintf(out + n, size - n, "%s%d",
				    n == 0 ? "" : ",", number);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
free_held(void)
{
	for (size_t i = 0; i < n_held; i++)
		dprintf(fd, "%s proceed held\n", held[i]);
	n_held = 0;
}

static void
tell(const char *id, const char *domain)
{
	char fds[256];

	if (strcmp(domain, "pid.test") == 0)
		dprintf(fd, "%s defer 451 pid %ld\n", id, (long)getpid());
	else if (strcmp(domain, "hangups.test") == 0)
		dprintf(fd, "%s defer 451 hangups %d\n", id, (int)hangups);
	else if (strcmp(domain, "config.test") == 0)
		dprintf(fd, "%s defer 451 config %s\n", id, config);
	else if (strcmp(domain, "fds.test") == 0) {
		list_fds(fds, sizeof(fds));
		dprintf(fd, "%s defer 451 fds %s\n", id, fds);
	} else
		dprintf(fd, "%s error what is %s\n", id, domain);
}

static void
answer(const char *id, const char *domain)
{
	if (strcmp(domain, "good.test") == 0 ||
	    strcmp(domain, "free.test") == 0)
		dprintf(fd, "%s proceed fine\n", id);
	else if (strcmp(domain, "defer.test") == 0)
		dprintf(fd, "%s defer 451 4.7.5 policy of defer.test\n", id);
	else if (strcmp(domain, "reject.test") == 0)
		dprintf(fd, "%s reject 550 5.7.5 policy of reject.test\n", id);
	else if (strcmp(domain, "error.test") == 0)
		dprintf(fd, "%s error try again\n", id);
	else if (strcmp(domain, "die.test") == 0)
		_exit(3);
	else if (strcmp(domain, "held.test") == 0 && n_held < 64)
		snprintf(held[n_held++], sizeof(held[0]), "%.20s", id);
	else if (strcmp(domain, "silent.test") != 0)
		tell(id, domain);
	if (strcmp(domain, "free.test") == 0)
		free_held();
}

static void
leave_trace(void)
{
	FILE *file = fopen(config_path, "w");

	if (file != NULL) {
		fputs("ended", file);
		fclose(file);
	}
}

static void
serve(void)
{
	FILE *in = fdopen(fd, "r");
	char line[2048], *space, *at;

	while (in != NULL && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		space = strchr(line, ' ');
		if (space == NULL)
			continue;
		*space = '\0';
		at = strrchr(space + 1, '@');
		if (strcmp(space + 1, "ping") == 0)
			dprintf(fd, "%s pong\n", line);
		else if (at != NULL)
			answer(line, at + 1);
	}
}

static void
options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "F:f:")) != -1) {
		if (option == 'F')
			fd = atoi(optarg);
		else if (option == 'f') {
			config_path = optarg;
			config = strrchr(optarg, '/') == NULL
			    ? optarg
			    : strrchr(optarg, '/') + 1;
		} else
			exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = count_hangup,
		.sa_flags = SA_RESTART };

	options(argc, argv);
	sigaction(SIGHUP, &action, NULL);
	fcntl(fd, F_SETFL, 0); /* blocking */
	if (config_is("stubborn"))
		signal(SIGTERM, SIG_IGN);
	if (config_is("wrong"))
		dprintf(fd, "220 mail.example ESMTP\n");
	else if (!config_is("mute"))
		dprintf(fd, "strictmx-query 1\n");
	serve();
	if (config_is("trace"))
		leave_trace();
	while (config_is("stubborn"))
		pause();
	return 0;
}
