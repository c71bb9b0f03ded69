/* SPDX-License-Identifier: ISC */
/* The process of a filter's own engine: see private_engine.h. */
#include "filter/private_engine.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"

#define ENGINE_FD 3
#define ENGINE_FD_TEXT "3"
#define POLL_MS 10

/* Signals that we ignore or handle would stay ignored in the new program. */
static void
reset_signals(void)
{
	static const int ours[] = { SIGCHLD, SIGHUP, SIGPIPE, SIGTERM };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Leaves 0 and 1 on /dev/null, 2 as it is, and fd as ENGINE_FD; no other. */
static int
arrange_fds(int fd)
{
	int null;

	if (fd == ENGINE_FD) {
		if (fcntl(fd, F_SETFD, 0) == -1)
			return -1;
	} else if (dup2(fd, ENGINE_FD) == -1) {
		return -1;
	}
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return -1;
	closefrom(ENGINE_FD + 1);
	return 0;
}

static void __attribute__((noreturn)) become_engine(int fd, const char *program,
    const char *config_file, bool memory_only)
{
	const char *args[] = { program, "-F", ENGINE_FD_TEXT, NULL, NULL, NULL,
		NULL };
	size_t n = 3;

	if (memory_only)
		args[n++] = "-m";
	if (config_file != NULL) {
		args[n++] = "-f";
		args[n++] = config_file;
	}
	reset_signals();
	if (arrange_fds(fd) == 0)
		/* execv() does not write to the strings; C cannot say so. */
		execv(program, (char *const *)(uintptr_t)args);
	log_error("cannot run %s: %s", program, strerror(errno));
	_exit(127);
}

int
private_engine_start(struct private_engine *engine, const char *program,
    const char *config_file, bool memory_only)
{
	sigset_t all, before;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		return -1;
	/*
	 * A signal that reached the child before it is another program would
	 * be told to our own loop, whose descriptors it still shares.
	 */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	engine->pid = fork();
	if (engine->pid == 0)
		become_engine(fds[1], program, config_file, memory_only);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fds[1]);
	if (engine->pid == -1) {
		engine->pid = 0;
		close(fds[0]);
		return -1;
	}
	return fds[0];
}

static void
log_end(int status)
{
	if (WIFSIGNALED(status))
		log_warning("the policy engine was ended by signal %d",
		    WTERMSIG(status));
	else if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		log_warning("the policy engine ended with status %d",
		    WEXITSTATUS(status));
}

bool
private_engine_reap(struct private_engine *engine)
{
	int status = 0;
	pid_t pid;

	if (engine->pid == 0)
		return true;
	pid = waitpid(engine->pid, &status, WNOHANG);
	if (pid == 0 || (pid == -1 && errno == EINTR))
		return false;
	if (pid == engine->pid)
		log_end(status);
	engine->pid = 0;
	return true;
}

void
private_engine_kill(struct private_engine *engine, int signal_number)
{
	if (engine->pid != 0)
		kill(engine->pid, signal_number);
}

static bool
wait_ms(struct private_engine *engine, int ms)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	for (; ms > 0; ms -= POLL_MS) {
		if (private_engine_reap(engine))
			return true;
		nanosleep(&pause, NULL);
	}
	return private_engine_reap(engine);
}

void
private_engine_finish(struct private_engine *engine)
{
	if (wait_ms(engine, LIMIT_ENGINE_END_MS))
		return;
	private_engine_kill(engine, SIGTERM);
	if (wait_ms(engine, LIMIT_ENGINE_TERM_MS))
		return;
	private_engine_kill(engine, SIGKILL);
	wait_ms(engine, LIMIT_ENGINE_TERM_MS);
}
