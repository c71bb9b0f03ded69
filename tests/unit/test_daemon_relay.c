/* SPDX-License-Identifier: ISC */
/*
 * The program strictmxd as a relay: where it listens, and that a filter's own
 * engine has none. Nothing here needs a network. Run by root it becomes nobody.
 */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/program.h"
#include "tests/unit/scratch.h"

#define END_MS 5000

static struct program daemon_, other;
static char conf[512];
static unsigned port; /* that was free a moment ago */

static int
socket_at(const char *address, unsigned number, struct sockaddr_in *sin)
{
	*sin = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)number) };
	assert_int_equal(inet_pton(AF_INET, address, &sin->sin_addr), 1);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static unsigned
free_port(void)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);
	int fd = socket_at("127.0.0.1", 0, &sin);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	close(fd);
	return ntohs(sin.sin_port);
}

static int
connect_to(const char *address)
{
	struct sockaddr_in sin;
	int fd = socket_at(address, port, &sin);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	return fd;
}

static void
configure(const char *more)
{
	char text[4096];

	snprintf(text, sizeof(text),
	    "socket = \"%s\"\nstate-dir = \"%s\"\nuser = nobody\n"
	    "hostname = me.test\nresolver = {\"127.0.0.1:9\"}\n"
	    "relay {\n\tport = %u\n\tlisten = {%s}\n}\n",
	    scratch_path("q"), scratch_path("state"), port, more);
	snprintf(conf, sizeof(conf), "%s", scratch_write("conf", text));
	assert_int_equal(chmod(conf, 0644), 0);
}

static int
setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	if (scratch_make(state) == -1)
		return -1;
	if (chmod(scratch_path("."), 0777) == -1 ||
	    (geteuid() != 0 && mkdir(scratch_path("state"), 0700) == -1))
		return -1;
	port = free_port();
	configure("\"127.8.0.1-3\"");
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
	return scratch_remove(state);
}

static void
start(struct program *p)
{
	p->args[0] = "-d";
	p->args[1] = "-f";
	p->args[2] = conf;
	program_start(p);
}

static void
assert_said(const char *part)
{
	if (strstr(program_complained(), part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, program_complained());
}

static void
it_serves_smtp_on_all_its_addresses(void **state)
{
	static const char *const addresses[] = { "127.8.0.1", "127.8.0.3" };

	(void)state;
	start(&daemon_);
	program_wait_for("serves");
	for (size_t i = 0; i < 2; i++) {
		int fd = connect_to(addresses[i]);

		assert_string_equal(program_hear(fd),
		    "220 me.test ESMTP strictmx\r");
		program_tell(fd,
		    "HELO mta.test\r\nMAIL FROM:<>\r\n"
		    "RCPT TO:<x@[127.0.0.1]>\r\nQUIT\r\n");
		assert_string_equal(program_hear(fd), "250 me.test\r");
		assert_string_equal(program_hear(fd), "250 2.1.0 go on\r");
		assert_string_equal(program_hear(fd),
		    "554 5.4.6 mail for 127.0.0.1 loops back to this host\r");
		assert_string_equal(program_hear(fd), "221 2.0.0 bye\r");
		assert_string_equal(program_hear(fd), "");
		close(fd);
	}
	kill(daemon_.pid, SIGTERM);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	assert_said("outcome=undeliverable");
}

static void
an_address_that_is_taken_is_an_error_at_the_start(void **state)
{
	struct sockaddr_in sin;
	int fd = socket_at("127.8.0.2", port, &sin);

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	start(&daemon_);
	assert_int_equal(program_end(&daemon_, END_MS), 1);
	assert_said("relay: cannot listen on 127.8.0.2 port ");
	assert_said("Address already in use");
	close(fd);
}

static void
beyond_loopback_it_does_not_begin(void **state)
{
	(void)state;
	configure("\"192.0.2.1\"");
	start(&daemon_);
	assert_int_equal(program_end(&daemon_, END_MS), 1);
	assert_said("beyond loopback only with 'allow'");
}

static void
an_engine_of_a_filter_has_no_relay(void **state)
{
	int pair[2];

	(void)state;
	start(&daemon_);
	program_wait_for("serves");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
			     pair),
	    0);
	other.args[0] = "-mf";
	other.args[1] = conf;
	other.args[2] = "-F";
	other.args[3] = "3";
	other.fd = pair[1];
	program_start(&other); /* the addresses are taken */
	close(pair[1]);
	program_tell(pair[0], "1 rcpt x@[192.0.2.1]\n");
	program_hear(pair[0]);
	assert_string_equal(program_hear(pair[0]),
	    "1 proceed address literal: no policy applies");
	close(pair[0]);
	assert_int_equal(program_end(&other, END_MS), 0);
}

static void
a_reload_keeps_the_relay_and_what_is_on_its_way(void **state)
{
	int fd;

	(void)state;
	start(&daemon_);
	program_wait_for("serves");
	fd = connect_to("127.8.0.1");
	program_hear(fd);
	program_tell(fd, "HELO mta.test\r\nMAIL FROM:<>\r\n");
	program_hear(fd);
	program_hear(fd);
	configure("\"127.8.0.1-2\"");
	kill(daemon_.pid, SIGHUP);
	program_wait_for("configuration reloaded");
	assert_said("where the relay listens has changed");
	program_tell(fd, "RCPT TO:<x@[127.0.0.1]>\r\n");
	assert_string_equal(program_hear(fd),
	    "554 5.4.6 mail for 127.0.0.1 loops back to this host\r");
	close(fd);
	fd = connect_to("127.8.0.3");
	assert_string_equal(program_hear(fd), "220 me.test ESMTP strictmx\r");
	close(fd);
	kill(daemon_.pid, SIGTERM);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void
reload_as(const char *user)
{
	FILE *f = fopen(conf, "w");

	assert_non_null(f);
	fprintf(f,
	    "socket = \"%s\"\nstate-dir = \"%s\"\nuser = %s\n"
	    "hostname = me.test\nresolver = {\"127.0.0.1:9\"}\n"
	    "relay {\n\tport = %u\n\tlisten = \"127.8.0.1-3\"\n}\n",
	    scratch_path("q"), scratch_path("state"), user, port);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(kill(daemon_.pid, SIGHUP), 0);
}

static void
wait_for_reload_as(const char *user)
{
	char said[64];

	snprintf(said, sizeof(said), "user changed to %s:", user);
	program_wait_for(said);
}

static void
mails_from_before_do_not_keep_further_reloads_waiting(void **state)
{
	static const char *const users[] = { "a", "b", "c", "d" };
	int fds[4];

	(void)state;
	start(&daemon_);
	program_wait_for("serves");
	for (size_t i = 0; i < 4; i++) {
		fds[i] = connect_to("127.8.0.1");
		program_hear(fds[i]);
		program_tell(fds[i], "HELO mta.test\r\nMAIL FROM:<>\r\n");
		program_hear(fds[i]);
		assert_string_equal(program_hear(fds[i]), "250 2.1.0 go on\r");
		reload_as(users[i]);
		wait_for_reload_as(users[i]);
	}
	/* One more waits until the first has ended, and says so. */
	reload_as("e");
	program_wait_for("reload waits");
	close(fds[0]);
	wait_for_reload_as("e");
	kill(daemon_.pid, SIGTERM);
	assert_int_equal(program_end(&daemon_, END_MS), 0);
	for (size_t i = 1; i < 4; i++)
		close(fds[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_serves_smtp_on_all_its_addresses),
		TEST(an_address_that_is_taken_is_an_error_at_the_start),
		TEST(beyond_loopback_it_does_not_begin),
		TEST(an_engine_of_a_filter_has_no_relay),
		TEST(a_reload_keeps_the_relay_and_what_is_on_its_way),
		TEST(mails_from_before_do_not_keep_further_reloads_waiting),
	};

	return cmocka_run_group_tests_name("daemon_relay", tests, NULL, NULL);
}
