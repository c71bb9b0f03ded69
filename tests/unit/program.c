/* SPDX-License-Identifier: ISC */
/* Programs as processes: see program.h. */
#include "tests/unit/program.h"

#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "filter/unix_connect.h"
#include "tests/unit/scratch.h"

#define POLL_MS 10

const char *
program_path(const char *name)
{
	static char paths[4][512];
	static unsigned n;
	const char *dir = getenv("builddir");
	char *path = paths[n++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir == NULL ? "." : dir,
	    name);
	return path;
}

static bool
redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags, 0600);

	if (fd == -1 || (fd != to && dup2(fd, to) == -1))
		return false;
	if (fd != to)
		close(fd);
	return true;
}

static void __attribute__((noreturn))
become(const struct program *p, const char *path)
{
	const int append = O_WRONLY | O_CREAT | O_APPEND;
	const char *out = p->out == NULL ? scratch_path("out") : p->out;
	const char *argv[sizeof(p->args) / sizeof(p->args[0]) + 2] = { path };

	for (size_t i = 0; i < sizeof(p->args) / sizeof(p->args[0]); i++)
		argv[i + 1] = p->args[i];
	if (p->fd > 0 && (dup2(p->fd, 3) == -1 || fcntl(3, F_SETFD, 0) == -1))
		_exit(126);
	closefrom(p->fd > 0 ? 4 : 3);
	if (p->closed) {
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	} else if (!redirect("/dev/null", O_RDONLY, STDIN_FILENO) ||
	    !redirect(out, append, STDOUT_FILENO) ||
	    !redirect(scratch_path("err"), append, STDERR_FILENO)) {
		_exit(126);
	}
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(126);
}

void
program_start(struct program *p)
{
	const char *path = program_path(p->name);

	scratch_write("out", "");
	scratch_write("err", "");
	p->pid = fork();
	assert_int_not_equal(p->pid, -1);
	if (p->pid == 0)
		become(p, path);
}

/* Waits a bit; asserts that there is time left for that. */
static void
pause_until(int *left_ms)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };

	assert_true(*left_ms > 0);
	*left_ms -= POLL_MS;
	nanosleep(&pause, NULL);
}

int
program_end(struct program *p, int limit_ms)
{
	int status = 0;

	while (waitpid(p->pid, &status, WNOHANG) == 0)
		pause_until(&limit_ms);
	p->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int
program_run(struct program *p)
{
	program_start(p);
	return program_end(p, PROGRAM_SAFETY_MS);
}

static const char *
read_file(const char *name)
{
	static char texts[2][65536];
	static unsigned n;
	char *text = texts[n++ % 2];
	FILE *file = fopen(scratch_path(name), "re");

	assert_non_null(file);
	text[fread(text, 1, sizeof(texts[0]) - 1, file)] = '\0';
	fclose(file);
	return text;
}

const char *
program_said(void)
{
	return read_file("out");
}

const char *
program_complained(void)
{
	return read_file("err");
}

void
program_wait_for(const char *text)
{
	int left_ms = PROGRAM_SAFETY_MS;

	while (strstr(program_complained(), text) == NULL)
		pause_until(&left_ms);
}

void
program_kill(struct program *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
}

int
program_connect(const char *path)
{
	int left_ms = PROGRAM_SAFETY_MS, fd;

	while ((fd = unix_connect(path)) == -1)
		pause_until(&left_ms);
	return fd;
}

void
program_wait_for_no(const char *path)
{
	int left_ms = PROGRAM_SAFETY_MS;

	while (access(path, F_OK) == 0)
		pause_until(&left_ms);
}

void
program_tell(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

const char *
program_hear(int fd)
{
	static char line[65536];
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t len = 0;

	for (;;) {
		assert_int_equal(poll(&wait, 1, PROGRAM_SAFETY_MS), 1);
		assert_true(len < sizeof(line));
		if (read(fd, line + len, 1) != 1 || line[len] == '\n')
			break;
		len++;
	}
	line[len] = '\0';
	return line;
}
