/* SPDX-License-Identifier: ISC */
/*
 * The program strictmxd as a process: how it is called, how it comes up, in
 * the foreground and behind, how it reads its configuration again, how it
 * ends. Nothing here needs a network. Run by root it becomes nobody.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter/unix_connect.h"
#include "proto/query_line.h"
#include "tests/unit/program.h"
#include "tests/unit/scratch.h"

#define END_MS 1000 /* after SIGTERM, or the end of its filter */
#define LITERAL "proceed address literal: no policy applies"

static struct program daemon_, other;
static char socket_path[512], conf[512];
static pid_t background; /* is not our child */

static void
configure(const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "socket = \"%s\"\nstate-dir = \"%s\"\nuser = nobody\n"
	    "hostname = me.test\nresolver = {\"127.0.0.1:9\"}\n%s",
	    socket_path, scratch_path("state"), more);
	snprintf(conf, sizeof(conf), "%s", scratch_write("conf", text));
	assert_int_equal(chmod(conf, 0644), 0);
}

static int
setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	if (scratch_make(state) == -1)
		return -1;
	/* For nobody. Root makes the directory of the state by itself. */
	if (chmod(scratch_path("."), 0777) == -1 ||
	    (geteuid() != 0 && mkdir(scratch_path("state"), 0700) == -1))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s", scratch_path("q"));
	configure("");
	memset(&daemon_, 0, sizeof(daemon_));
	daemon_.name = "filter/strictmxd";
	other = daemon_;
	return 0;
}

static int
teardown(void **state)
{
	program_kill(&daemon_);
	program_kill(&other);
	if (background > 0)
		kill(background, SIGKILL);
	background = 0;
	return scratch_remove(state);
}

static int
run(const char *a, const char *b, const char *c)
{
	daemon_.args[0] = a;
	daemon_.args[1] = b;
	daemon_.args[2] = c;
	return program_run(&daemon_);
}

static void
assert_in(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void
start_in_foreground(struct program *p)
{
	p->args[0] = "-d";
	p->args[1] = "-f";
	p->args[2] = conf;
	program_start(p);
}

static void
assert_answers(int fd, const char *request, const char *answer)
{
	program_tell(fd, request);
	assert_string_equal(program_hear(fd), answer);
}

/* A new client is greeted and answered. */
static void
assert_serves(void)
{
	int fd = program_connect(socket_path);

	assert_string_equal(program_hear(fd), QUERY_GREETING);
	assert_answers(fd, "1 ping\n", "1 pong");
	assert_answers(fd, "2 rcpt u@[192.0.2.1]\n", "2 " LITERAL);
	close(fd);
}

static void
assert_ends_well(void)
{
	assert_int_equal(kill(daemon_.pid, SIGTERM), 0);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	assert_int_equal(access(socket_path, F_OK), -1);
}

/* The call. */

static void
check_says_that_the_configuration_is_right(void **state)
{
	char line[600];

	(void)state;
	assert_int_equal(run("-n", "-f", conf), 0);
	snprintf(line, sizeof(line), "%s: configuration OK\n", conf);
	assert_string_equal(program_said(), line);
	assert_string_equal(program_complained(), "");
	assert_int_equal(access(socket_path, F_OK), -1);
}

static void
a_wrong_configuration_is_told_with_file_and_line(void **state)
{
	char line[600];

	(void)state;
	configure("\n# a comment\nsokcet = \"/q\"\n");
	snprintf(line, sizeof(line), "%s:8: unknown key 'sokcet'", conf);
	assert_int_equal(run("-n", "-f", conf), 1);
	assert_in(program_complained(), line);
	assert_string_equal(program_said(), "");
	assert_int_equal(run("-d", "-f", conf), 1);
	assert_in(program_complained(), line);
	assert_int_equal(run("-f", conf, NULL), 1);
	assert_in(program_complained(), line);
	assert_int_equal(access(socket_path, F_OK), -1);
}

static void
a_file_that_is_named_must_exist(void **state)
{
	(void)state;
	assert_int_equal(unlink(conf), 0);
	assert_int_equal(run("-n", "-f", conf), 1);
	assert_in(program_complained(), "conf: No such file");
}

static void
help_and_version_are_told_on_standard_output(void **state)
{
	static const char *const calls[][2] = {
		{ "-h", "usage: strictmxd" },
		{ "--help", "usage: strictmxd" },
		{ "-V", "strictmxd " },
		{ "--version", "strictmxd " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assert_int_equal(run(calls[i][0], NULL, NULL), 0);
		assert_memory_equal(program_said(), calls[i][1],
		    strlen(calls[i][1]));
		assert_string_equal(program_complained(), "");
	}
}

static void
a_wrong_call_is_2_with_usage(void **state)
{
	static const char *const calls[][3] = {
		{ "-x" },
		{ "--no-such" },
		{ "extra" },
		{ "-n", "extra" },
		{ "-f" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assert_int_equal(run(calls[i][0], calls[i][1], calls[i][2]), 2);
		assert_string_equal(program_said(), "");
		assert_in(program_complained(), "usage: strictmxd");
	}
}

static void
a_descriptor_that_cannot_be_served_is_refused(void **state)
{
	static const char *const bad[] = { "9", "x", "-1", "", "99999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(run("-F", bad[i], NULL), 2);
		assert_in(program_complained(), "not an open descriptor");
	}
	daemon_.fd = open(conf, O_RDONLY | O_CLOEXEC);
	daemon_.args[0] = "-f";
	daemon_.args[1] = conf;
	daemon_.args[2] = "-F";
	daemon_.args[3] = "3";
	assert_int_equal(program_run(&daemon_), 1);
	assert_in(program_complained(), "descriptor 3");
	close(daemon_.fd);
}

/* For Postfix. */

static void
assert_maps(const char *path)
{
	const char *question = "18:policy [192.0.2.1],",
		   *answer = "9:NOTFOUND ,";
	const struct timeval limit = { .tv_sec = PROGRAM_SAFETY_MS / 1000 };
	char heard[16] = "";
	int fd = program_connect(path);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
			     sizeof(limit)),
	    0);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	program_tell(fd, question);
	assert_int_equal(recv(fd, heard, strlen(answer), MSG_WAITALL),
	    strlen(answer));
	assert_string_equal(heard, answer);
	close(fd);
}

static void
postfix_is_served_where_the_section_says(void **state)
{
	char text[640], map_path[512];
	struct stat st;

	(void)state;
	snprintf(map_path, sizeof(map_path), "%s", scratch_path("map"));
	snprintf(text, sizeof(text),
	    "socketmap { listen = \"%s\"  group = root }\n", map_path);
	if (geteuid() != 0)
		skip();
	configure(text);
	start_in_foreground(&daemon_);
	assert_maps(map_path);
	assert_int_equal(stat(map_path, &st), 0);
	assert_int_equal(st.st_gid, 0);
	assert_int_not_equal(st.st_uid, 0);
	/* Another place holds from the next start on. */
	configure("socketmap { listen = \"/nowhere\" }\n");
	assert_int_equal(kill(daemon_.pid, SIGHUP), 0);
	program_wait_for("listen of section socketmap changed");
	program_wait_for("configuration reloaded");
	assert_maps(map_path);
	assert_ends_well();
	assert_int_equal(access(map_path, F_OK), -1);
}

static void
a_place_that_cannot_be_had_ends_the_start(void **state)
{
	(void)state;
	configure("socketmap { listen = \"/none/such\" }\n");
	assert_int_equal(run("-d", "-f", conf), 1);
	assert_in(program_complained(),
	    "socketmap /none/such: No such file or directory");
	assert_int_equal(access(socket_path, F_OK), -1);
}

/* For a filter. */

static int
start_for_a_filter(void)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     fds),
	    0);
	daemon_.fd = fds[1];
	daemon_.args[0] = "-F";
	daemon_.args[1] = "3";
	daemon_.args[2] = "-m";
	daemon_.args[3] = "-f";
	daemon_.args[4] = conf;
	program_start(&daemon_);
	close(fds[1]);
	assert_string_equal(program_hear(fds[0]), QUERY_GREETING);
	assert_answers(fds[0], "a rcpt u@[192.0.2.1]\n", "a " LITERAL);
	return fds[0];
}

static void
it_ends_with_its_filter_and_leaves_no_trace(void **state)
{
	int fd = start_for_a_filter();

	(void)state;
	close(fd);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	assert_int_equal(access(socket_path, F_OK), -1);
	assert_int_equal(access(scratch_path("state/policies.sqlite"), F_OK),
	    -1);
}

static void
it_ends_with_its_filter_while_a_lookup_runs(void **state)
{
	int fd = start_for_a_filter();

	(void)state;
	program_tell(fd, "1 rcpt u@example.test\n2 ping\n");
	assert_string_equal(program_hear(fd), "2 pong");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	close(fd);
}

static void
sigterm_ends_it_before_its_filter(void **state)
{
	int fd = start_for_a_filter();

	(void)state;
	kill(daemon_.pid, SIGTERM);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	assert_string_equal(program_hear(fd), "");
	close(fd);
}

/* As a daemon. */

static void
the_foreground_serves_and_ends_by_sigterm(void **state)
{
	struct stat st;

	(void)state;
	start_in_foreground(&daemon_);
	assert_serves();
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	program_wait_for(" serves ");
	assert_int_equal(stat(scratch_path("state/policies.sqlite"), &st), 0);
	assert_ends_well();
	assert_in(program_complained(), "strictmxd ends");
}

static void
sigint_ends_it_too(void **state)
{
	(void)state;
	start_in_foreground(&daemon_);
	assert_serves();
	kill(daemon_.pid, SIGINT);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
}

static void
root_becomes_the_user(void **state)
{
	char path[64], text[4096] = "";
	struct stat st;
	FILE *file;

	(void)state;
	if (geteuid() != 0)
		skip();
	start_in_foreground(&daemon_);
	assert_serves();
	program_wait_for(" serves ");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)daemon_.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_in(text, "\nUid:\t65534\t65534\t65534\t65534\n");
	assert_in(text, "\nGid:\t65534\t65534\t65534\t65534\n");
	assert_in(text, "\nGroups:\t65534 \n");
	assert_in(text, "\nNoNewPrivs:\t1\n");
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(stat(scratch_path("state"), &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_ends_well();
}

static void
a_second_daemon_leaves_the_socket_to_the_first(void **state)
{
	(void)state;
	start_in_foreground(&daemon_);
	assert_serves();
	start_in_foreground(&other);
	assert_int_equal(program_end(&other, PROGRAM_SAFETY_MS), 1);
	assert_in(program_complained(), "in use");
	assert_serves();
	assert_ends_well();
}

static void
a_socket_of_a_killed_daemon_is_taken_over(void **state)
{
	(void)state;
	start_in_foreground(&daemon_);
	assert_serves();
	program_kill(&daemon_);
	assert_int_equal(access(socket_path, F_OK), 0);
	start_in_foreground(&daemon_);
	assert_serves();
	assert_ends_well();
}

static void
without_a_state_directory_it_says_memory_only_and_serves(void **state)
{
	char more[600];

	(void)state;
	assert_int_equal(unlink(conf), 0);
	snprintf(more, sizeof(more),
	    "socket = \"%s\"\nstate-dir = \"%s\"\nuser = nobody\n", socket_path,
	    scratch_path("no/where"));
	scratch_write("conf", more);
	start_in_foreground(&daemon_);
	assert_serves();
	program_wait_for("policies are kept in memory only");
	assert_ends_well();
}

static void
assert_staging_has(const char *part)
{
	int fd = program_connect(socket_path);

	assert_string_equal(program_hear(fd), QUERY_GREETING);
	program_tell(fd, "1 staging\n");
	assert_in(program_hear(fd), part);
	close(fd);
}

static void
what_was_staged_is_there_after_a_restart(void **state)
{
	sqlite3 *db;

	(void)state;
	start_in_foreground(&daemon_);
	assert_staging_has("\"staged\":[]");
	assert_ends_well();
	assert_int_equal(sqlite3_open(scratch_path("state/policies.sqlite"),
			     &db),
	    SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "UPDATE staging SET since_s = 1700000000;"
			     "INSERT INTO staged VALUES ('our-mode', "
			     "'a.example', 'sts',"
			     " 'certificate-expired', 'because', 1700000000,"
			     " unixepoch(), 0, 77)",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	start_in_foreground(&daemon_);
	assert_staging_has("\"since\":1700000000,");
	assert_staging_has("\"times\":77,");
	assert_ends_well();
}

static void
memory_only_makes_no_state(void **state)
{
	(void)state;
	daemon_.args[3] = "-m";
	start_in_foreground(&daemon_);
	assert_serves();
	assert_int_equal(access(scratch_path("state/policies.sqlite"), F_OK),
	    -1);
	assert_ends_well();
	assert_null(strstr(program_complained(), "warning"));
}

/* Reloads. */

static void
hang_up_and_wait_for(const char *text)
{
	assert_int_equal(kill(daemon_.pid, SIGHUP), 0);
	program_wait_for(text);
}

static void
sighup_reads_a_good_file_and_keeps_the_old_for_a_broken(void **state)
{
	int fd;

	(void)state;
	configure("local-domains = {\"old.test\"}\n");
	start_in_foreground(&daemon_);
	fd = program_connect(socket_path);
	assert_string_equal(program_hear(fd), QUERY_GREETING);
	assert_answers(fd, "1 rcpt u@old.test\n", "1 proceed local domain");
	configure("local-domains = {\"new.test\"}\n");
	hang_up_and_wait_for("configuration reloaded from");
	assert_answers(fd, "2 rcpt u@new.test\n", "2 proceed local domain");
	configure("local-domains = {\"newer.test\"}\nbogus = 1\n");
	hang_up_and_wait_for("reload refused");
	assert_in(program_complained(), "conf:7: unknown key 'bogus'");
	assert_answers(fd, "3 rcpt u@new.test\n", "3 proceed local domain");
	assert_int_equal(unlink(conf), 0);
	hang_up_and_wait_for("No such file");
	assert_answers(fd, "4 rcpt u@new.test\n", "4 proceed local domain");
	configure("ca-file = \"/dev/null\"\n");
	hang_up_and_wait_for("CA certificates cannot be read");
	assert_answers(fd, "5 rcpt u@new.test\n", "5 proceed local domain");
	close(fd);
	assert_ends_well();
}

/* One line on a connection of its own. */
static void
assert_exim_is_told(const char *path, const char *line, const char *answer)
{
	int fd = program_connect(path);

	program_tell(fd, line);
	assert_string_equal(program_hear(fd), answer);
	assert_string_equal(program_hear(fd), ""); /* the end */
	close(fd);
}

static void
exim_is_served_on_a_socket_of_its_own_and_by_what_is_reloaded(void **state)
{
	char path[512], more[1024];

	(void)state;
	snprintf(path, sizeof(path), "%s", scratch_path("exim"));
	snprintf(more, sizeof(more), "exim {\nsocket = \"%s\"\n}\n", path);
	configure(more);
	start_in_foreground(&daemon_);
	assert_exim_is_told(path, "POLICY [192.0.2.1]\n",
	    "mode=none why=\"address literal: no policy applies\"");
	assert_exim_is_told(path, "x\n", "mode=tempfail why=\"unknown verb\"");
	snprintf(more, sizeof(more),
	    "mode = testing\nexim {\nsocket = \"/elsewhere\"\n}\n");
	configure(more);
	hang_up_and_wait_for("configuration reloaded from");
	assert_in(program_complained(), "socket of exim changed to /elsewhere");
	assert_exim_is_told(path, "x\n", "mode=testing why=\"unknown verb\"");
	assert_ends_well();
	assert_int_equal(access(path, F_OK), -1);
}

/* Many in a row, while an old question is still open. */
static void
sighup_again_and_again_ends_with_the_last_file(void **state)
{
	int fd;

	(void)state;
	configure("deadline = 2\n");
	start_in_foreground(&daemon_);
	fd = program_connect(socket_path);
	assert_string_equal(program_hear(fd), QUERY_GREETING);
	program_tell(fd, "old rcpt u@example.test\n");
	assert_answers(fd, "1 ping\n", "1 pong");
	hang_up_and_wait_for("configuration reloaded from");
	configure("deadline = 2\nlocal-domains = {\"last.test\"}\n");
	for (int i = 0; i < 20; i++)
		kill(daemon_.pid, SIGHUP);
	assert_memory_equal(program_hear(fd), "old proceed ", 12);
	while (
	    strcmp((program_tell(fd, "2 rcpt u@last.test\n"), program_hear(fd)),
		"2 proceed local domain") != 0)
		;
	close(fd);
	assert_ends_well();
}

static void
sighup_warns_of_what_needs_a_restart(void **state)
{
	(void)state;
	start_in_foreground(&daemon_);
	assert_serves();
	scratch_write("conf",
	    "socket = \"/elsewhere\"\nstate-dir = \"/away\"\n"
	    "user = other\nsocket-group = others\nmax-policies = 7\n");
	hang_up_and_wait_for("configuration reloaded from");
	assert_in(program_complained(), "socket changed to /elsewhere");
	assert_in(program_complained(), "state-dir changed to /away");
	assert_in(program_complained(), "user changed to other");
	assert_in(program_complained(), "socket-group changed to others");
	assert_in(program_complained(), "max-policies changed to 7");
	assert_serves();
	assert_ends_well();
}

/* Configurations are often put into place by changing a link. */
static void
sighup_follows_a_link_to_where_it_leads_now(void **state)
{
	char link[512];

	(void)state;
	snprintf(link, sizeof(link), "%s", scratch_path("link"));
	assert_int_equal(symlink("conf", link), 0);
	daemon_.args[0] = "-d";
	daemon_.args[1] = "-f";
	daemon_.args[2] = link;
	program_start(&daemon_);
	assert_serves();
	scratch_write("conf2", "bogus = 2\n");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("conf2", link), 0);
	hang_up_and_wait_for("link:1: unknown key 'bogus'");
	assert_ends_well();
}

/* In the background. */

static void
assert_background_ends(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len),
	    0);
	background = peer.pid;
	assert_int_equal(kill(background, SIGTERM), 0);
	assert_string_equal(program_hear(fd), "");
	program_wait_for_no(socket_path);
	background = 0;
}

static void
the_background_serves_when_its_starter_returns(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(run("-f", conf, NULL), 0);
	assert_string_equal(program_complained(), "");
	assert_string_equal(program_said(), "");
	fd = unix_connect(socket_path);
	assert_int_not_equal(fd, -1);
	assert_string_equal(program_hear(fd), QUERY_GREETING);
	assert_answers(fd, "1 ping\n", "1 pong");
	assert_background_ends(fd);
	close(fd);
}

static void
it_needs_no_standard_descriptors(void **state)
{
	int fd;

	(void)state;
	daemon_.closed = true;
	assert_int_equal(run("-f", conf, NULL), 0);
	fd = unix_connect(socket_path);
	assert_int_not_equal(fd, -1);
	assert_string_equal(program_hear(fd), QUERY_GREETING);
	assert_answers(fd, "1 ping\n", "1 pong");
	assert_background_ends(fd);
	close(fd);
}

static void
a_background_that_cannot_come_up_says_why(void **state)
{
	(void)state;
	scratch_write("conf", "socket = \"/no/such/directory/q\"\n");
	if (geteuid() == 0)
		scratch_write("conf",
		    "user = nobody\nsocket = \"/proc/no/q\"\n");
	assert_int_equal(run("-f", conf, NULL), 1);
	assert_in(program_complained(), "query socket /");
	assert_in(program_complained(), "No such file");
}

static void
a_failure_after_the_socket_was_made_leaves_none(void **state)
{
	(void)state;
	configure("ca-file = \"/dev/null\"\n");
	assert_int_equal(run("-f", conf, NULL), 1);
	assert_in(program_complained(), "CA certificates cannot be read");
	assert_int_equal(access(socket_path, F_OK), -1);
}

static void
a_user_or_group_that_is_not_there_is_told(void **state)
{
	(void)state;
	configure("socket-group = \"no-such-group\"\n");
	assert_int_equal(run("-d", "-f", conf), 1);
	assert_in(program_complained(), "no group no-such-group");
	if (geteuid() != 0)
		return;
	scratch_write("conf", "user = \"no-such-user\"\n");
	assert_int_equal(run("-d", "-f", conf), 1);
	assert_in(program_complained(), "no user no-such-user");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(check_says_that_the_configuration_is_right),
		T(a_wrong_configuration_is_told_with_file_and_line),
		T(a_file_that_is_named_must_exist),
		T(help_and_version_are_told_on_standard_output),
		T(a_wrong_call_is_2_with_usage),
		T(a_descriptor_that_cannot_be_served_is_refused),
		T(postfix_is_served_where_the_section_says),
		T(a_place_that_cannot_be_had_ends_the_start),
		T(it_ends_with_its_filter_and_leaves_no_trace),
		T(it_ends_with_its_filter_while_a_lookup_runs),
		T(sigterm_ends_it_before_its_filter),
		T(the_foreground_serves_and_ends_by_sigterm),
		T(sigint_ends_it_too),
		T(root_becomes_the_user),
		T(a_second_daemon_leaves_the_socket_to_the_first),
		T(a_socket_of_a_killed_daemon_is_taken_over),
		T(without_a_state_directory_it_says_memory_only_and_serves),
		T(what_was_staged_is_there_after_a_restart),
		T(memory_only_makes_no_state),
		T(sighup_reads_a_good_file_and_keeps_the_old_for_a_broken),
		T(exim_is_served_on_a_socket_of_its_own_and_by_what_is_reloaded),
		T(sighup_again_and_again_ends_with_the_last_file),
		T(sighup_warns_of_what_needs_a_restart),
		T(sighup_follows_a_link_to_where_it_leads_now),
		T(the_background_serves_when_its_starter_returns),
		T(it_needs_no_standard_descriptors),
		T(a_background_that_cannot_come_up_says_why),
		T(a_failure_after_the_socket_was_made_leaves_none),
		T(a_user_or_group_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
