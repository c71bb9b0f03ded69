/* SPDX-License-Identifier: ISC */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/policy_store.h"
#include "tests/unit/allocation.h"
#include "tests/unit/log_capture.h"
#include "tests/unit/scratch.h"

/* Each test has a directory of its own in the scratch directory. */
static char directory[512];

static int
make_directory(void **state)
{
	static unsigned n;
	char name[32];

	(void)state;
	snprintf(name, sizeof(name), "store%u", n++);
	snprintf(directory, sizeof(directory), "%s", scratch_path(name));
	return mkdir(directory, 0700);
}

static const char *
in_directory(const char *name)
{
	static char path[768];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static struct policy_store *
open_store(void)
{
	struct policy_store *store = policy_store_open(directory, 0);

	assert_non_null(store);
	return store;
}

/* Exactly one line that says why and what follows. */
static void
expect_no_store(const char *dir, const char *why)
{
	const char *log;

	log_capture_start();
	assert_null(policy_store_open(dir, 0));
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 1);
	assert_non_null(strstr(log, dir));
	if (strstr(log, why) == NULL)
		fail_msg("'%s' is not in: %s", why, log);
	assert_non_null(strstr(log, "policies are kept in memory only"));
}

static struct policy_row
row_of(const char *domain, const char *id, const char *body)
{
	struct policy_row row = { .fetched_at_s = 1000,
		.record_seen_at_s = 2000,
		.body = span_of(body) };

	assert_true(span_copy(span_of(domain), row.domain, DOMAIN_SIZE));
	assert_true(span_copy(span_of(id), row.id, STS_ID_SIZE));
	return row;
}

static void
put(struct policy_store *store, const char *domain, const char *body)
{
	struct policy_row row = row_of(domain, "id1", body);

	assert_true(policy_store_put(store, &row));
}

/* Runs SQL on the file as an administrator could. */
static void
run_sql(const char *sql)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(in_directory("policies.sqlite"), &db),
	    SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
what_was_put_is_there_after_a_restart(void **state)
{
	struct policy_store *store = open_store();
	struct policy_row row;

	(void)state;
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	put(store, "a.example", "one");
	put(store, "b.example", "two");
	policy_store_close(store);
	store = open_store();
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_string_equal(row.domain, "a.example");
	assert_string_equal(row.id, "id1");
	assert_int_equal(row.fetched_at_s, 1000);
	assert_int_equal(row.record_seen_at_s, 2000);
	assert_true(span_is(row.body, "one"));
	assert_int_equal(policy_store_get(store, "b.example", &row),
	    POLICY_ROW_FOUND);
	assert_true(span_is(row.body, "two"));
	assert_int_equal(policy_store_get(store, "c.example", &row),
	    POLICY_ROW_NONE);
	policy_store_close(store);
	policy_store_close(NULL);
}

static void
a_second_put_replaces_and_touch_changes_one_time_only(void **state)
{
	struct policy_store *store = open_store();
	struct policy_row row = row_of("a.example", "id2", "");

	(void)state;
	put(store, "a.example", "one");
	assert_true(policy_store_put(store, &row));
	assert_true(policy_store_touch(store, "a.example", 3000));
	assert_true(policy_store_touch(store, "b.example", 3000));
	assert_int_equal(policy_store_get(store, "b.example", &row),
	    POLICY_ROW_NONE);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_string_equal(row.id, "id2");
	assert_int_equal(row.body.len, 0);
	assert_int_equal(row.fetched_at_s, 1000);
	assert_int_equal(row.record_seen_at_s, 3000);
	assert_true(policy_store_drop(store, "a.example"));
	assert_true(policy_store_drop(store, "a.example"));
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	policy_store_close(store);
}

static void
bodies_of_64_kib_of_any_bytes_are_kept_and_larger_ones_are_not(void **state)
{
	static char body[LIMIT_FETCH_BODY + 1];
	struct policy_store *store = open_store();
	struct policy_row row = row_of("a.example", "id", "");

	(void)state;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 7);
	row.body = (struct span){ body, LIMIT_FETCH_BODY };
	assert_true(policy_store_put(store, &row));
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_int_equal(row.body.len, LIMIT_FETCH_BODY);
	assert_memory_equal(row.body.p, body, LIMIT_FETCH_BODY);
	row.body = (struct span){ body, LIMIT_FETCH_BODY + 1 };
	log_capture_start();
	assert_false(policy_store_put(store, &row));
	assert_int_equal(log_capture_lines(log_capture_end()), 1);
	policy_store_close(store);
}

/* Puts one policy, says so, and waits for its end. */
static void
child_that_puts(int said)
{
	struct policy_store *store = policy_store_open(directory, 0);
	struct policy_row row = row_of("a.example", "id1", "survives");

	if (store == NULL || !policy_store_put(store, &row) ||
	    write(said, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
what_was_put_survives_kill_9_right_after_it(void **state)
{
	struct policy_store *store;
	struct policy_row row;
	int fds[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_that_puts(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	expect_no_store(directory, "another process owns it");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fds[0]);
	store = open_store();
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_true(span_is(row.body, "survives"));
	policy_store_close(store);
}

static void
a_second_owner_is_refused_until_the_first_closes(void **state)
{
	struct policy_store *store = open_store();

	(void)state;
	expect_no_store(directory, "another process owns it");
	put(store, "a.example", "still works");
	policy_store_close(store);
	policy_store_close(open_store());
}

static void
nobody_else_can_read_the_files(void **state)
{
	static const char *const names[] = { "lock", "policies.sqlite",
		"policies.sqlite-wal", "policies.sqlite-shm" };
	struct policy_store *store;
	struct stat st;
	mode_t mask = umask(0);

	(void)state;
	close(open(in_directory("policies.sqlite"), O_CREAT | O_WRONLY, 0666));
	store = open_store();
	put(store, "a.example", "x");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(stat(in_directory(names[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	policy_store_close(store);
	umask(mask);
}

static size_t n_damaged;

static int
count_damaged(const char *path, const struct stat *st, int type)
{
	(void)st;
	(void)type;
	n_damaged += strstr(path, "policies.sqlite.damaged-") != NULL;
	return 0;
}

/* Moved aside, named in one line, and a new store works. */
static void
expect_damaged(size_t files)
{
	struct policy_store *store;
	struct policy_row row;
	const char *log;

	log_capture_start();
	store = policy_store_open(directory, 0);
	log = log_capture_end();
	assert_non_null(store);
	assert_int_equal(log_capture_lines(log), 1);
	assert_non_null(strstr(log, "policies.sqlite.damaged-"));
	n_damaged = 0;
	assert_int_equal(ftw(directory, count_damaged, 8), 0);
	assert_true(n_damaged >= files);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	put(store, "a.example", "new");
	policy_store_close(store);
	store = open_store();
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	policy_store_close(store);
}

static void
a_file_of_noise_is_moved_aside_with_what_belongs_to_it(void **state)
{
	FILE *file = fopen(in_directory("policies.sqlite"), "w");

	(void)state;
	assert_non_null(file);
	for (unsigned i = 0; i < 8192; i++)
		fputc((int)(i * 31 + 7) & 0xff, file);
	fclose(file);
	file = fopen(in_directory("policies.sqlite-wal"), "w");
	assert_non_null(file);
	fputs("noise too", file);
	fclose(file);
	expect_damaged(2);
}

static void
damaged_pages_are_found_when_the_store_is_opened(void **state)
{
	struct policy_store *store = open_store();
	char noise[4096], domain[32];
	int fd;

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		put(store, domain, "a body that fills some pages");
	}
	policy_store_close(store);
	memset(noise, 0x5a, sizeof(noise));
	fd = open(in_directory("policies.sqlite"), O_WRONLY);
	assert_int_not_equal(fd, -1);
	for (off_t page = 1; page < 5; page++)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), page * 4096),
		    sizeof(noise));
	close(fd);
	expect_damaged(1);
}

/* Its damage shows in a page that was not read yet. */
static void
damage_that_shows_while_in_use_is_unread_and_then_a_new_store(void **state)
{
	struct policy_store *store = open_store();
	struct policy_row row;
	char noise[4096], domain[32];
	const char *log;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(domain, sizeof(domain), "d%u.example", i);
		put(store, domain, "a body that fills more than the cache");
	}
	policy_store_close(store);
	store = open_store();
	memset(noise, 0x5a, sizeof(noise));
	fd = open(in_directory("policies.sqlite"), O_WRONLY);
	assert_int_not_equal(fd, -1);
	for (off_t page = 1; page < 100; page++)
		assert_int_equal(pwrite(fd, noise, sizeof(noise), page * 4096),
		    sizeof(noise));
	close(fd);
	log_capture_start();
	assert_int_equal(policy_store_get(store, "d0.example", &row),
	    POLICY_ROW_UNREAD);
	assert_int_equal(policy_store_get(store, "d0.example", &row),
	    POLICY_ROW_NONE);
	put(store, "a.example", "x");
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	log = log_capture_end();
	assert_int_equal(log_capture_count(log, "moved aside"), 1);
	n_damaged = 0;
	assert_int_equal(ftw(directory, count_damaged, 8), 0);
	assert_true(n_damaged >= 1);
	policy_store_close(store);
}

static void
what_cannot_be_read_is_unread_and_not_none(void **state)
{
	struct policy_store *store = open_store();
	struct policy_row row;

	(void)state;
	put(store, "a.example", "x");
	run_sql("ALTER TABLE policy RENAME TO policies");
	log_capture_start();
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_UNREAD);
	assert_int_equal(policy_store_get(store, "b.example", &row),
	    POLICY_ROW_UNREAD);
	assert_int_equal(log_capture_lines(log_capture_end()), 1);
	run_sql("ALTER TABLE policies RENAME TO policy");
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_FOUND);
	assert_int_equal(policy_store_get(store, "b.example", &row),
	    POLICY_ROW_NONE);
	policy_store_close(store);
}

static void
a_store_that_was_cut_off_is_damaged(void **state)
{
	struct policy_store *store = open_store();

	(void)state;
	put(store, "a.example", "x");
	policy_store_close(store);
	assert_int_equal(truncate(in_directory("policies.sqlite"), 6000), 0);
	expect_damaged(1);
}

static void
a_store_without_its_table_is_damaged(void **state)
{
	(void)state;
	policy_store_close(open_store());
	run_sql("DROP TABLE policy");
	expect_damaged(1);
}

/* A file that belongs to somebody else stays as it is, byte by byte. */
static void
expect_untouched(const char *why)
{
	const char *path = in_directory("policies.sqlite");
	char before[65536], after[65536];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(before, 1, sizeof(before), file);
	fclose(file);
	expect_no_store(directory, why);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(after, 1, sizeof(after), file), len);
	fclose(file);
	assert_memory_equal(before, after, len);
	n_damaged = 0;
	assert_int_equal(ftw(directory, count_damaged, 8), 0);
	assert_int_equal(n_damaged, 0);
}

static void
a_newer_store_is_not_touched(void **state)
{
	(void)state;
	policy_store_close(open_store());
	run_sql("PRAGMA user_version = 99");
	expect_untouched("a newer version of strictmx wrote it");
}

static void
the_database_of_another_program_is_not_touched(void **state)
{
	(void)state;
	run_sql("CREATE TABLE t (x)");
	expect_untouched("the database is not one of strictmx");
}

/* Root may write everywhere, so root becomes nobody for a moment. */
static void
a_directory_without_write_permission_is_said_once(void **state)
{
	const uid_t nobody = 65534;

	(void)state;
	assert_int_equal(chmod(scratch_path("."), 0755), 0);
	assert_int_equal(chmod(directory, 0555), 0);
	if (getuid() == 0)
		assert_int_equal(seteuid(nobody), 0);
	expect_no_store(directory, "Permission denied");
	assert_int_equal(seteuid(getuid()), 0);
}

static void
a_directory_that_cannot_be_used_is_said_once(void **state)
{
	char longest[5000];

	(void)state;
	expect_no_store("/nowhere/at/all", "No such file or directory");
	expect_no_store(scratch_write("file", ""), "Not a directory");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	log_capture_start();
	assert_null(policy_store_open(longest, 0));
	assert_int_equal(log_capture_lines(log_capture_end()), 1);
	assert_int_equal(mkdir(in_directory("policies.sqlite"), 0700), 0);
	expect_no_store(directory, "Is a directory");
}

static void
a_symbolic_link_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink(scratch_write("target", ""),
			     in_directory("policies.sqlite")),
	    0);
	expect_no_store(directory, "symbolic links");
}

static void
limit_file_size(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size == RLIM_INFINITY ? limit.rlim_max : size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the size of files stands in for a full disk. */
static void
a_full_disk_is_said_once_and_so_is_its_end(void **state)
{
	static char body[60000];
	struct policy_store *store = open_store();
	struct policy_row row = row_of("a.example", "id", "");
	unsigned failed = 0;
	const char *log;

	(void)state;
	memset(body, 'x', sizeof(body));
	put(store, "z.example", "readable all the time");
	signal(SIGXFSZ, SIG_IGN);
	limit_file_size(200000);
	log_capture_start();
	row.body = (struct span){ body, sizeof(body) };
	for (unsigned i = 0; i < 8; i++)
		failed += !policy_store_put(store, &row);
	assert_int_not_equal(failed, 0);
	assert_false(policy_store_put(store, &row));
	assert_int_equal(policy_store_get(store, "z.example", &row),
	    POLICY_ROW_FOUND);
	limit_file_size(RLIM_INFINITY);
	put(store, "b.example", "room again");
	put(store, "c.example", "room again");
	log = log_capture_end();
	assert_int_equal(log_capture_lines(log), 2);
	assert_int_equal(log_capture_count(log, "writing fails"), 1);
	assert_int_equal(log_capture_count(log, "writing works again"), 1);
	policy_store_close(store);
}

static void
a_full_disk_at_the_start_leaves_memory_only(void **state)
{
	struct policy_store *store;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	limit_file_size(1000);
	expect_no_store(directory, "");
	limit_file_size(RLIM_INFINITY);
	store = open_store();
	put(store, "a.example", "x");
	policy_store_close(store);
}

static void
without_memory_there_is_no_store(void **state)
{
	(void)state;
	/* The capture of the log allocates nothing of ours. */
	allocation_fail(1);
	expect_no_store(directory, "out of memory");
	assert_true(allocation_has_failed());
}

static void
a_row_that_was_tampered_with_is_dropped_and_said_once(void **state)
{
	struct policy_store *store = open_store();
	struct policy_row row;

	(void)state;
	put(store, "a.example", "x");
	policy_store_close(store);
	run_sql("UPDATE policy SET id = '012345678901234567890123456789012'");
	store = open_store();
	log_capture_start();
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	assert_int_equal(policy_store_get(store, "a.example", &row),
	    POLICY_ROW_NONE);
	assert_int_equal(log_capture_lines(log_capture_end()), 1);
	policy_store_close(store);
}

/* Of the domains d1.example and so on, each fetched a second later. */
static void
fill(unsigned n)
{
	char sql[512];

	policy_store_close(open_store());
	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < %u) INSERT INTO policy SELECT"
	    " 'd' || i || '.example', 'id', i, i, x'', i FROM n",
	    n);
	run_sql(sql);
}

/* So many that they are counted again. */
static void
write_some(struct policy_store *store)
{
	struct policy_row row = { .id = "id", .fetched_at_s = 1000000 };

	for (unsigned i = 0; i < LIMIT_STORE_TRIM_EVERY; i++) {
		snprintf(row.domain, sizeof(row.domain), "e%u.example", i);
		assert_true(policy_store_put(store, &row));
	}
}

static void
expect_oldest(struct policy_store *store, unsigned oldest)
{
	char domain[DOMAIN_SIZE];
	struct policy_row row;

	snprintf(domain, sizeof(domain), "d%u.example", oldest - 1);
	assert_int_equal(policy_store_get(store, domain, &row),
	    POLICY_ROW_NONE);
	snprintf(domain, sizeof(domain), "d%u.example", oldest);
	assert_int_equal(policy_store_get(store, domain, &row),
	    POLICY_ROW_FOUND);
}

static void
rows_are_bounded_in_number_and_the_oldest_go_first(void **state)
{
	struct policy_store *store;

	(void)state;
	fill(LIMIT_STORE_POLICIES + 10);
	store = open_store();
	expect_oldest(store, 11);
	write_some(store);
	expect_oldest(store, 1011);
	policy_store_close(store);
}

static void
there_is_room_for_as_many_as_in_memory(void **state)
{
	const size_t max = LIMIT_STORE_POLICIES * 3 / 2;
	struct policy_store *store;

	(void)state;
	fill(LIMIT_STORE_POLICIES * 3 / 2);
	store = policy_store_open(directory, max);
	assert_int_equal(policy_store_count(store), max);
	write_some(store);
	assert_int_equal(policy_store_count(store), max);
	expect_oldest(store, 1001);
	policy_store_close(store);
}

/* As after max-policies was made smaller: neither a start nor mail waits. */
static void
what_is_far_too_much_goes_bit_by_bit(void **state)
{
	struct policy_store *store;

	(void)state;
	fill(LIMIT_STORE_POLICIES + 3 * LIMIT_STORE_TRIM);
	store = open_store();
	expect_oldest(store, LIMIT_STORE_TRIM + 1);
	write_some(store);
	expect_oldest(store, 2 * LIMIT_STORE_TRIM + 1);
	policy_store_close(store);
}

#define TEST(name) cmocka_unit_test_setup(name, make_directory)

static void
a_store_of_version_1_is_taken_over(void **state)
{
	struct policy_store *store;
	struct policy_row row;
	char due[2][DOMAIN_SIZE];

	(void)state;
	policy_store_close(open_store());
	run_sql("DROP INDEX policy_by_refresh;"
		"ALTER TABLE policy DROP COLUMN refresh_at_s;"
		"INSERT INTO policy VALUES ('old.example', 'id', 7, 8, "
		"x'626f6479');"
		"DROP TABLE override;"
		"DROP TABLE staged;"
		"DROP TABLE staging;"
		"PRAGMA user_version = 1");
	store = open_store();
	assert_int_equal(policy_store_get(store, "old.example", &row),
	    POLICY_ROW_FOUND);
	assert_int_equal(row.fetched_at_s, 7);
	assert_int_equal(row.record_seen_at_s, 8);
	assert_int_equal(row.refresh_at_s, 0);
	assert_true(span_is(row.body, "body"));
	assert_int_equal(policy_store_due(store, 1, due, 2), 1);
	assert_string_equal(due[0], "old.example");
	policy_store_close(store);
}

static void
what_is_due_comes_in_order_and_can_be_put_off(void **state)
{
	static const char *const domains[] = { "c.example", "a.example",
		"b.example" };
	struct policy_store *store = open_store();
	struct policy_row row = { .id = "id", .body = { "x", 1 } };
	char due[2][DOMAIN_SIZE];

	(void)state;
	for (int i = 0; i < 3; i++) {
		strcpy(row.domain, domains[i]);
		row.refresh_at_s = 30 - 10 * i;
		assert_true(policy_store_put(store, &row));
	}
	assert_int_equal(policy_store_due(store, 9, due, 2), 0);
	assert_int_equal(policy_store_due(store, 20, due, 2), 2);
	assert_string_equal(due[0], "b.example");
	assert_string_equal(due[1], "a.example");
	assert_true(policy_store_postpone(store, "b.example", 100));
	assert_int_equal(policy_store_due(store, 99, due, 2), 2);
	assert_string_equal(due[0], "a.example");
	assert_string_equal(due[1], "c.example");
	policy_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_there_after_a_restart),
		TEST(a_second_put_replaces_and_touch_changes_one_time_only),
		TEST(
		    bodies_of_64_kib_of_any_bytes_are_kept_and_larger_ones_are_not),
		TEST(what_was_put_survives_kill_9_right_after_it),
		TEST(a_second_owner_is_refused_until_the_first_closes),
		TEST(nobody_else_can_read_the_files),
		TEST(a_file_of_noise_is_moved_aside_with_what_belongs_to_it),
		TEST(damaged_pages_are_found_when_the_store_is_opened),
		TEST(
		    damage_that_shows_while_in_use_is_unread_and_then_a_new_store),
		TEST(what_cannot_be_read_is_unread_and_not_none),
		TEST(a_store_that_was_cut_off_is_damaged),
		TEST(a_store_without_its_table_is_damaged),
		TEST(a_newer_store_is_not_touched),
		TEST(a_store_of_version_1_is_taken_over),
		TEST(what_is_due_comes_in_order_and_can_be_put_off),
		TEST(the_database_of_another_program_is_not_touched),
		TEST(a_directory_that_cannot_be_used_is_said_once),
		TEST(a_directory_without_write_permission_is_said_once),
		TEST(a_symbolic_link_is_not_followed),
		TEST(a_full_disk_is_said_once_and_so_is_its_end),
		TEST(a_full_disk_at_the_start_leaves_memory_only),
		TEST(without_memory_there_is_no_store),
		TEST(a_row_that_was_tampered_with_is_dropped_and_said_once),
		TEST(rows_are_bounded_in_number_and_the_oldest_go_first),
		TEST(there_is_room_for_as_many_as_in_memory),
		TEST(what_is_far_too_much_goes_bit_by_bit),
	};

	return cmocka_run_group_tests_name("policy_store", tests, scratch_make,
	    scratch_remove);
}
