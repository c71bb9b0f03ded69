/* SPDX-License-Identifier: ISC */
/*
 * The query server's Unix socket: what may lie at its path before, who gets
 * in, and what is left behind.
 */
#include "tests/unit/unit.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/limits.h"
#include "filter/query_server.h"
#include "filter/unix_connect.h"
#include "proto/query_line.h"
#include "tests/unit/asker.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"

static struct served *s;
static char path[512];

static int
setup(void **state)
{
	if (scratch_make(state) == -1 || served_setup(state) == -1)
		return -1;
	s = *state;
	snprintf(path, sizeof(path), "%s", scratch_path("q"));
	return 0;
}

static int
teardown(void **state)
{
	served_teardown(state);
	return scratch_remove(state);
}

static bool
listens(struct query_server *server, const char *at)
{
	return query_server_listen(server, at, (uid_t)-1, (gid_t)-1);
}

/* A server beside the one that runs. */
static struct query_server *
another(void)
{
	struct query_server *server = query_server_new(s->base, s->world->clock,
	    s->world->engine, &s->world->config);

	assert_non_null(server);
	return server;
}

static void
assert_refused(const char *at, const char *why)
{
	struct query_server *server = another();
	const char *text;
	bool listening;

	log_capture_start();
	listening = listens(server, at);
	text = log_capture_end();
	assert_false(listening);
	assert_int_equal(log_capture_lines(text), 1);
	assert_int_equal(log_capture_count(text, why), 1);
	query_server_free(server);
}

static void
assert_serves(void)
{
	struct asker *a = asker_connect(s, path);

	assert_non_null(a);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	asker_say(a, "1 ping\n");
	assert_string_equal(asker_hear(a), "1 pong");
	asker_free(a);
}

/* A socket of the given type at the path; not listening yet. */
static int
bound_socket(int type)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_true(strlen(path) < sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static ino_t
inode_at(const char *at)
{
	struct stat st;

	assert_int_equal(lstat(at, &st), 0);
	return st.st_ino;
}

static void
it_serves_with_mode_0660_and_leaves_nothing(void **state)
{
	struct stat st;

	(void)state;
	assert_true(listens(s->server, path));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_serves();
	query_server_free(s->server);
	s->server = NULL;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static void
the_mask_of_the_process_does_not_matter(void **state)
{
	mode_t before = umask(0);
	struct stat st;

	(void)state;
	assert_true(listens(s->server, path));
	assert_int_equal(umask(before), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void
it_belongs_to_the_user_that_is_given(void **state)
{
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true(query_server_listen(s->server, path, 12345, 54321));
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
}

static void
a_stale_socket_is_taken_over(void **state)
{
	(void)state;
	close(bound_socket(SOCK_STREAM));
	assert_int_equal(access(path, F_OK), 0);
	assert_true(listens(s->server, path));
	assert_serves();
}

static void
a_socket_in_use_is_left_to_its_server(void **state)
{
	(void)state;
	assert_true(listens(s->server, path));
	assert_refused(path, "in use");
	assert_serves();
}

/* Its server is alive, and too busy to take another caller. */
static void
a_socket_with_a_full_queue_is_in_use(void **state)
{
	int fd = bound_socket(SOCK_STREAM), callers[8], n = 0;
	ino_t before = inode_at(path);

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	while ((callers[n] = unix_connect(path)) != -1)
		n++;
	assert_int_equal(errno, EAGAIN);
	assert_refused(path, "in use");
	assert_int_equal(inode_at(path), before);
	while (n > 0)
		close(callers[--n]);
	close(fd);
}

static void
a_socket_of_another_kind_is_left_alone(void **state)
{
	int fd = bound_socket(SOCK_DGRAM);
	ino_t before = inode_at(path);

	(void)state;
	assert_refused(path, path);
	assert_int_equal(inode_at(path), before);
	close(fd);
}

static void
what_is_no_socket_is_left_alone(void **state)
{
	char text[8] = "";
	FILE *file;

	(void)state;
	scratch_write("q", "precious");
	assert_refused(path, "non-socket");
	file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text), file), sizeof(text));
	assert_memory_equal(text, "precious", sizeof(text));
	fclose(file);
	assert_int_equal(remove(path), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_refused(path, "non-socket");
	assert_int_equal(remove(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(path, "non-socket");
}

static void
a_path_that_is_no_path_is_refused(void **state)
{
	char at[200];

	(void)state;
	assert_refused(scratch_path("missing/q"), "No such file");
	memset(at, 'x', sizeof(at));
	at[0] = '/';
	at[sizeof(at) - 1] = '\0';
	assert_refused(at, "too long");
	at[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = '\0';
	assert_refused(at, "too long");
}

static void
a_failure_leaves_no_socket_behind(void **state)
{
	bool is_root = geteuid() == 0, listening;

	(void)state;
	/* Who is not root may not give a socket away. */
	assert_int_equal(chmod(scratch_path("."), 0777), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	log_capture_start();
	listening = query_server_listen(s->server, path, 0, 0);
	log_capture_end();
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_false(listening);
	assert_int_equal(access(path, F_OK), -1);
}

/* Somebody has taken our socket away and another server has made one. */
static void
the_socket_of_another_server_is_not_removed(void **state)
{
	struct query_server *old = another();

	(void)state;
	assert_true(listens(old, path));
	assert_int_equal(unlink(path), 0);
	assert_true(listens(s->server, path));
	query_server_free(old);
	assert_serves();
}

/* As "printf ... | socat - UNIX-CONNECT:..." does. */
static void
a_client_that_says_no_more_gets_its_answers(void **state)
{
	struct asker *a;

	(void)state;
	world_enforce(s->world, "good.test", true);
	assert_true(listens(s->server, path));
	a = asker_connect(s, path);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	asker_say(a, "1 rcpt u@good.test\n2 ping\n3 rcpt u@none.test\n");
	asker_says_no_more(a);
	assert_string_equal(asker_hear(a), "2 pong");
	assert_true(asker_hears_nothing(a));
	clock_advance(s->world->clock, 1000);
	assert_non_null(strstr(asker_hear(a), " proceed "));
	assert_non_null(strstr(asker_hear(a), " proceed "));
	assert_true(asker_hears_end(a));
	asker_free(a);
}

static void
a_client_that_says_no_more_gets_what_waits_for_its_turn(void **state)
{
	struct asker *a;
	char line[32];

	(void)state;
	assert_true(listens(s->server, path));
	a = asker_connect(s, path);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof(line), "%d explain u@d%d.test\n", i, i);
		asker_say(a, line);
	}
	asker_says_no_more(a);
	for (int i = 0; i < 50; i++) {
		clock_advance(s->world->clock, 1000);
		assert_non_null(strstr(asker_hear(a), " facts {"));
	}
	assert_true(asker_hears_end(a));
	asker_free(a);
}

/* More than the socket takes: the end comes behind the last of them. */
static void
a_client_that_says_no_more_and_reads_late_gets_all(void **state)
{
	size_t n = 0, said = 0;
	struct asker *a;
	char line[32];

	(void)state;
	assert_true(listens(s->server, path));
	a = asker_connect(s, path);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	do {
		size_t len = (size_t)snprintf(line, sizeof(line),
		    "%zu rcpt u@[192.0.2.1]\n", n++);

		said = asker_stuff(a, line, len);
		assert_in_range(said, len, len);
	} while (n < 20000);
	asker_says_no_more(a);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(strtoul(asker_hear(a), NULL, 10), i);
	assert_true(asker_hears_end(a));
	asker_free(a);
}

static void
a_client_without_a_question_ends_with_its_side(void **state)
{
	struct asker *a;

	(void)state;
	assert_true(listens(s->server, path));
	a = asker_connect(s, path);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	asker_says_no_more(a);
	assert_true(asker_hears_end(a));
	asker_free(a);
}

/* Clients. */

#define CLIENTS (LIMIT_QUERY_CLIENTS + 8)

static struct asker *askers[CLIENTS];

static bool
enough_descriptors(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return false;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) == 0 &&
	    files.rlim_cur > 2 * CLIENTS + 64;
}

static void
connect_all(void)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		askers[i] = asker_connect(s, path);
		assert_non_null(askers[i]);
		served_turn(s);
	}
}

static void
a_thousand_clients_are_served_at_once(void **state)
{
	char text[64];

	(void)state;
	if (!enough_descriptors())
		skip();
	world_enforce(s->world, "good.test", true);
	assert_true(listens(s->server, path));
	connect_all();
	for (int i = 0; i < 1000; i++) {
		assert_string_equal(asker_hear(askers[i]), QUERY_GREETING);
		snprintf(text, sizeof(text), "c%d rcpt u@good.test\n", i);
		asker_say(askers[i], text);
	}
	clock_advance(s->world->clock, 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "c%d proceed ", i);
		assert_memory_equal(asker_hear(askers[i]), text, strlen(text));
	}
	for (int i = 0; i < CLIENTS; i++)
		asker_free(askers[i]);
	assert_serves();
}

static size_t
count_greeted(size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < CLIENTS; i++)
		if (!asker_hears_nothing(askers[i])) {
			assert_string_equal(asker_hear(askers[i]),
			    QUERY_GREETING);
			n++;
		}
	return n;
}

static void
one_too_many_waits_until_another_leaves(void **state)
{
	(void)state;
	if (!enough_descriptors())
		skip();
	assert_true(listens(s->server, path));
	connect_all();
	assert_int_equal(count_greeted(0), LIMIT_QUERY_CLIENTS);
	assert_int_equal(count_greeted(LIMIT_QUERY_CLIENTS), 0);
	asker_free(askers[0]);
	askers[0] = NULL;
	assert_int_equal(count_greeted(LIMIT_QUERY_CLIENTS), 1);
	asker_free(askers[1]);
	asker_free(askers[2]);
	assert_int_equal(count_greeted(LIMIT_QUERY_CLIENTS), 2);
	for (size_t i = 3; i < CLIENTS; i++)
		asker_free(askers[i]);
}

/* Out of descriptors the server says so, waits, and goes on. */
static void
without_descriptors_it_pauses_and_goes_on(void **state)
{
	struct rlimit before, few;
	struct asker *a;
	const char *text;

	(void)state;
	assert_true(listens(s->server, path));
	a = asker_connect(s, path);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 3;
	log_set_level(LOG_LEVEL_WARNING);
	log_capture_start();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	served_turn(s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	text = log_capture_end();
	assert_int_equal(log_capture_lines(text), 1);
	assert_int_equal(log_capture_count(text, "Too many open files"), 1);
	assert_true(asker_hears_nothing(a));
	clock_advance(s->world->clock, 1000);
	assert_string_equal(asker_hear(a), QUERY_GREETING);
	asker_free(a);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_serves_with_mode_0660_and_leaves_nothing),
		T(the_mask_of_the_process_does_not_matter),
		T(it_belongs_to_the_user_that_is_given),
		T(a_stale_socket_is_taken_over),
		T(a_socket_in_use_is_left_to_its_server),
		T(a_socket_with_a_full_queue_is_in_use),
		T(a_socket_of_another_kind_is_left_alone),
		T(what_is_no_socket_is_left_alone),
		T(a_path_that_is_no_path_is_refused),
		T(a_failure_leaves_no_socket_behind),
		T(the_socket_of_another_server_is_not_removed),
		T(a_client_that_says_no_more_gets_its_answers),
		T(a_client_that_says_no_more_gets_what_waits_for_its_turn),
		T(a_client_that_says_no_more_and_reads_late_gets_all),
		T(a_client_without_a_question_ends_with_its_side),
		T(a_thousand_clients_are_served_at_once),
		T(one_too_many_waits_until_another_leaves),
		T(without_descriptors_it_pauses_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
