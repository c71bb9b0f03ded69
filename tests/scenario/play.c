/* SPDX-License-Identifier: ISC */
/*
 * Plays scenario files on the real engine: play [--check] FILE...
 *
 * One line of JSON for each case. With --check each is compared with what it
 * expects, and the last line is "N passed, N failed". Each case has a process
 * of its own, so that a crash is the failure of that case only.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scenario/expect.h"
#include "tests/scenario/player.h"
#include "tests/scenario/scenario.h"

#define CASE_SECONDS_MAX 60
#define USAGE "usage: play [--check] FILE...\n"

static struct {
	bool check;
	unsigned passed, failed;
} play;

static void
print_line(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	puts(text == NULL ? "{}" : text);
	fflush(stdout);
	free(text);
	json_decref(line);
}

/* The scratch directory of a case, for its store. */

static bool
scratch_make(char path[256])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(path, 256, "%s/strictmx-play-XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	return mkdtemp(path) != NULL;
}

static void
scratch_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

/* In the process of a case: the results go into the pipe. */
static void
case_run(json_t *scenario, const char *scratch, int fd)
{
	json_t *results;
	FILE *out = fdopen(fd, "w");

	alarm(CASE_SECONDS_MAX);
	results = player_play(scenario, scratch);
	if (out == NULL || json_dumpf(results, out, JSON_COMPACT) == -1 ||
	    fclose(out) == EOF)
		_exit(1);
	json_decref(results);
}

/* NULL, with the reason in error, when the case did not come to its end. */
static json_t *
case_results(pid_t pid, int fd, char error[SCENARIO_ERROR_SIZE])
{
	FILE *in = fdopen(fd, "r");
	json_t *results = in == NULL ? NULL : json_loadf(in, 0, NULL);
	int status = 0;

	if (in != NULL)
		fclose(in);
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && results != NULL)
		return results;
	json_decref(results);
	snprintf(error, SCENARIO_ERROR_SIZE, "crashed: %s %d",
	    WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit status",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return NULL;
}

static json_t *
case_fork(json_t *scenario, char error[SCENARIO_ERROR_SIZE])
{
	char scratch[256];
	json_t *results;
	int fds[2];
	pid_t pid;

	snprintf(error, SCENARIO_ERROR_SIZE, "no process for it");
	if (!scratch_make(scratch) || pipe(fds) == -1)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		case_run(scenario, scratch, fds[1]);
		exit(0);
	}
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		results = NULL;
	} else {
		results = case_results(pid, fds[0], error);
	}
	scratch_remove(scratch);
	return results;
}

static void
case_play(json_t *scenario)
{
	const char *id = scenario_word(scenario, "id", "?");
	char error[SCENARIO_ERROR_SIZE];
	json_t *results = NULL;

	if (scenario_check(scenario, error))
		results = case_fork(scenario, error);
	if (results == NULL) {
		fprintf(stderr, "%s: %s\n", id, error);
		play.failed++;
		print_line(json_pack("{s:s, s:s}", "id", id, "error", error));
		return;
	}
	if (play.check && !expect_met(scenario, results))
		play.failed++;
	else
		play.passed++;
	print_line(json_pack("{s:s, s:o}", "id", id, "steps", results));
}

static bool
file_play(const char *path)
{
	json_error_t error;
	json_t *file = json_load_file(path, JSON_ALLOW_NUL, &error), *scenario;
	const char *key;
	json_t *value;
	size_t i;

	if (file == NULL) {
		fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
		return false;
	}
	json_object_foreach(file, key, value) if (strcmp(key, "cases") != 0)
	{
		fprintf(stderr, "%s: unknown member '%s'\n", path, key);
		json_decref(file);
		return false;
	}
	if (!json_is_array(json_object_get(file, "cases"))) {
		fprintf(stderr, "%s: no cases\n", path);
		json_decref(file);
		return false;
	}
	json_array_foreach(json_object_get(file, "cases"), i, scenario)
	    case_play(scenario);
	json_decref(file);
	return true;
}

int
main(int argc, char **argv)
{
	bool readable = true;
	int first = 1;

	if (argc > 1 && strcmp(argv[1], "--check") == 0) {
		play.check = true;
		first = 2;
	}
	if (first >= argc || argv[first][0] == '-') {
		fputs(USAGE, stderr);
		return 2;
	}
	for (int i = first; i < argc; i++)
		readable &= file_play(argv[i]);
	if (play.check)
		printf("%u passed, %u failed\n", play.passed, play.failed);
	if (!readable)
		return 2;
	return play.check && play.failed > 0 ? 1 : 0;
}
