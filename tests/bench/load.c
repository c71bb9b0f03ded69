/* SPDX-License-Identifier: ISC */
/* smtpd, played: see load.h. */
#include "tests/bench/load.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/process.h"

#define TOKEN "5e1f0a7b3c2d4e6f"
#define RECIPIENTS 3		/* of one SMTP session */
#define ANSWER_MAX 2047		/* smtpd copies a line into 2 KiB */
#define SAMPLES_MAX (1u << 23)	/* of one run */
#define DRAIN_NS 40000000000u	/* for answers that are still missing */
#define START_NS 20000000000u	/* for the registration */
#define INDEX_BITS 16		/* of a session id */
#define OUTPUT_ROOM 8192	/* more than what one session says at once */
#define OUTPUT_SIZE (16u << 20) /* more than what all of them say */
#define END_TRIES 500		/* of 10 ms, for the filter to end */

struct session {
	uint64_t id;
	uint64_t sent_ns;
	unsigned recipients;
	bool waiting, slow;
};

struct load {
	pid_t pid;
	int fd;
	const char *version;
	bool wants_connect, wants_disconnect, wants_mail, wants_rcpt, ready;

	char input[65536];
	size_t input_len;
	char *output;
	size_t output_len, output_sent;

	/* The run. */
	const struct load_plan *plan;
	struct load_result *result;
	struct session *sessions;
	unsigned active;
	uint64_t session_counter, asked, slow_counter;
	uint64_t now_ns;
	bool ending, gone;
	char stamp[32];	   /* wall clock, as smtpd writes it */
	uint32_t *samples; /* in 100 ns */
	size_t n_samples;
};

/* Output */

static void
flush_output(struct load *load)
{
	while (load->output_sent < load->output_len) {
		ssize_t n = send(load->fd, load->output + load->output_sent,
		    load->output_len - load->output_sent, MSG_NOSIGNAL);

		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1) {
			load->gone = true;
			return;
		}
		load->output_sent += (size_t)n;
	}
	load->output_len = load->output_sent = 0;
}

static void __attribute__((format(printf, 2, 3)))
say(struct load *load, const char *format, ...)
{
	va_list ap;
	int n;

	if (OUTPUT_SIZE - load->output_len < OUTPUT_ROOM)
		die("the filter does not read");
	va_start(ap, format);
	n = vsnprintf(load->output + load->output_len, OUTPUT_ROOM, format, ap);
	va_end(ap);
	if (n < 0 || n >= OUTPUT_ROOM)
		die("a line is too long");
	load->output_len += (size_t)n;
}

static void
report(struct load *load, const struct session *s, const char *what)
{
	say(load, "report|%s|%s|smtp-in|%s|%016" PRIx64 "%s\n", load->version,
	    load->stamp, what, s->id,
	    what[0] == 't'
		? "|5b2e9f10|ok|sender@here.bench"
		: (strcmp(what, "link-connect") == 0
			  ? "|localhost|pass|127.0.0.1:2021|127.0.0.1:25"
			  : ""));
}

static void
take_time(struct load *load)
{
	struct timespec wall;

	load->now_ns = monotonic_ns();
	clock_gettime(CLOCK_REALTIME, &wall);
	snprintf(load->stamp, sizeof(load->stamp), "%lld.%06ld",
	    (long long)wall.tv_sec, wall.tv_nsec / 1000);
}

/* Sessions */

static bool
is_over(const struct load *load)
{
	return load->ending ||
	    (load->plan->seconds == 0 && load->asked >= load->plan->n_domains);
}

static void
ask(struct load *load, struct session *s)
{
	const struct load_plan *plan = load->plan;
	uint64_t n = load->asked++;

	s->slow = plan->slow_every != 0 && n % plan->slow_every == 0;
	say(load, "filter|%s|%s|smtp-in|rcpt-to|%016" PRIx64 "|" TOKEN "|user@",
	    load->version, load->stamp, s->id);
	if (s->slow)
		say(load, "%d-%" PRIu64 ".slow\n", (int)load->pid,
		    load->slow_counter++);
	else
		say(load, "%s\n", plan->domains[n % plan->n_domains]);
	s->sent_ns = load->now_ns;
	s->waiting = true;
}

static void
session_begin(struct load *load, struct session *s)
{
	s->id = ++load->session_counter << INDEX_BITS |
	    (uint64_t)(s - load->sessions);
	s->recipients = 0;
	if (load->wants_connect)
		report(load, s, "link-connect");
	if (load->wants_mail)
		report(load, s, "tx-mail");
}

/* The next recipient, in a session of its own when this one has had enough. */
static void
session_go_on(struct load *load, struct session *s)
{
	if (s->id != 0 && (s->recipients == RECIPIENTS || is_over(load))) {
		if (load->wants_disconnect)
			report(load, s, "link-disconnect");
		s->id = 0;
	}
	if (is_over(load)) {
		load->active--;
		return;
	}
	if (s->id == 0)
		session_begin(load, s);
	s->recipients++;
	ask(load, s);
}

/* Answers */

static void
protocol_error(struct load *load, const char *why, const char *line)
{
	if (load->result->errors++ < 10)
		fprintf(stderr, "bench: %s: %.200s\n", why, line);
}

/* LOAD_ANY: smtpd would not understand it. */
static enum load_answer
directive_parse(const char *s)
{
	static const char reject[] = "reject|";

	if (strcmp(s, "proceed") == 0)
		return LOAD_PROCEED;
	if (strncmp(s, reject, sizeof(reject) - 1) != 0)
		return LOAD_ANY;
	s += sizeof(reject) - 1;
	if (strspn(s, "0123456789") != 3 || s[3] != ' ' ||
	    strncmp(s, "421", 3) == 0)
		return LOAD_ANY;
	if (s[0] == '4')
		return LOAD_TEMPFAIL;
	return s[0] == '5' ? LOAD_PERMFAIL : LOAD_ANY;
}

static struct session *
session_find(struct load *load, uint64_t id)
{
	uint64_t i = id & ((1u << INDEX_BITS) - 1);

	if (id == 0 || i >= load->plan->sessions || load->sessions[i].id != id)
		return NULL;
	return &load->sessions[i];
}

static void
answer_count(struct load *load, const struct session *s,
    enum load_answer answer)
{
	uint64_t took = (load->now_ns - s->sent_ns) / 100;

	if (s->slow) {
		load->result->slow_answers++;
		return;
	}
	load->result->answers++;
	if (load->plan->want != LOAD_ANY && load->plan->want != answer)
		load->result->unexpected++;
	if (load->n_samples < SAMPLES_MAX)
		load->samples[load->n_samples++] =
		    took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
}

/* filter-result|session|token|directive */
static void
take_answer(struct load *load, char *line)
{
	static const char head[] = "filter-result|";
	static const char token[] = "|" TOKEN "|";
	struct session *s;
	enum load_answer answer;
	uint64_t id;
	char *end;

	if (strncmp(line, head, sizeof(head) - 1) != 0) {
		protocol_error(load, "not an answer", line);
		return;
	}
	id = strtoull(line + sizeof(head) - 1, &end, 16);
	s = session_find(load, id);
	if (s == NULL) {
		protocol_error(load, "answer to no session", line);
	} else if (!s->waiting) {
		protocol_error(load, "answer to no request", line);
	} else if (strncmp(end, token, sizeof(token) - 1) != 0) {
		protocol_error(load, "wrong token", line);
	} else if ((answer = directive_parse(end + sizeof(token) - 1)) ==
	    LOAD_ANY) {
		protocol_error(load, "bad directive", line);
	} else {
		s->waiting = false;
		answer_count(load, s, answer);
		session_go_on(load, s);
	}
}

static void
take_registration(struct load *load, const char *line)
{
	if (load->ready)
		die("a line after register|ready: %.200s", line);
	if (strcmp(line, "register|ready") == 0)
		load->ready = true;
	else if (strcmp(line, "register|report|smtp-in|link-connect") == 0)
		load->wants_connect = true;
	else if (strcmp(line, "register|report|smtp-in|link-disconnect") == 0)
		load->wants_disconnect = true;
	else if (strcmp(line, "register|report|smtp-in|tx-mail") == 0)
		load->wants_mail = true;
	else if (strcmp(line, "register|filter|smtp-in|rcpt-to") == 0)
		load->wants_rcpt = true;
	else
		die("the filter registers what is not played: %.200s", line);
}

/* Input */

static void
take_line(struct load *load, char *line, size_t len)
{
	if (load->result == NULL)
		take_registration(load, line);
	else if (len > ANSWER_MAX)
		protocol_error(load, "a long line", line);
	else
		take_answer(load, line);
}

static void
read_input(struct load *load)
{
	ssize_t n = recv(load->fd, load->input + load->input_len,
	    sizeof(load->input) - load->input_len, 0);
	char *line = load->input, *end;
	size_t left;

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		load->gone = true;
		return;
	}
	load->input_len += (size_t)n;
	take_time(load);
	for (left = load->input_len; (end = memchr(line, '\n', left)) != NULL;
	     line = end + 1) {
		*end = '\0';
		take_line(load, line, (size_t)(end - line));
		left -= (size_t)(end + 1 - line);
	}
	memmove(load->input, line, left);
	load->input_len = left;
	if (left == sizeof(load->input))
		die("the filter sends a line without an end");
}

/* One turn: writes what there is, waits for input at most ms. */
static void
turn(struct load *load, int ms)
{
	struct pollfd pfd = { .fd = load->fd, .events = POLLIN };

	flush_output(load);
	if (load->output_len > 0)
		pfd.events |= POLLOUT;
	if (!load->gone && poll(&pfd, 1, ms) > 0 &&
	    (pfd.revents & ~POLLOUT) != 0)
		read_input(load);
}

/* The run */

static int
sample_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
percentile_us(const struct load *load, unsigned percent)
{
	return load->n_samples == 0
	    ? 0
	    : load->samples[(load->n_samples - 1) * percent / 100] / 10.0;
}

static uint64_t
cpu_ns(const struct load *load)
{
	pid_t engine = process_child(load->pid);

	return process_cpu_ns(load->pid) +
	    (engine == 0 ? 0 : process_cpu_ns(engine));
}

static void
run_sessions(struct load *load)
{
	uint64_t end_ns, begin_ns = monotonic_ns();

	end_ns = begin_ns +
	    (load->plan->seconds == 0 ? UINT64_MAX / 2
				      : (uint64_t)(load->plan->seconds * 1e9));
	take_time(load);
	load->active = load->plan->sessions;
	for (unsigned i = 0; i < load->plan->sessions; i++)
		session_go_on(load, &load->sessions[i]);
	while (load->active > 0 && !load->gone) {
		turn(load, 100);
		load->now_ns = monotonic_ns();
		if (load->now_ns > end_ns)
			load->ending = true;
		if (load->ending && load->now_ns > end_ns + DRAIN_NS)
			break;
	}
	turn(load, 0);
	/* An answer that comes when all are there is one too many. */
	turn(load, 20);
	for (unsigned i = 0; i < load->plan->sessions; i++)
		if (load->sessions[i].waiting)
			protocol_error(load, "no answer", "");
	if (load->gone)
		protocol_error(load, "the filter is gone", "");
}

void
load_run(struct load *load, const struct load_plan *plan,
    struct load_result *out)
{
	uint64_t begin_ns, begin_cpu;
	double answers, seconds;

	memset(out, 0, sizeof(*out));
	load->plan = plan;
	load->result = out;
	load->ending = false;
	load->asked = 0;
	load->n_samples = 0;
	load->sessions = calloc(plan->sessions, sizeof(*load->sessions));
	if (load->sessions == NULL || plan->sessions > LOAD_SESSIONS_MAX)
		die("too many sessions");
	begin_cpu = cpu_ns(load);
	begin_ns = monotonic_ns();
	run_sessions(load);
	seconds = (double)(monotonic_ns() - begin_ns) / 1e9;
	answers = (double)(out->answers + out->slow_answers);
	out->cpu_us = (double)(cpu_ns(load) - begin_cpu) / 1e3 / answers;
	out->answers_per_s = answers / seconds;
	qsort(load->samples, load->n_samples, sizeof(*load->samples),
	    sample_compare);
	out->p50_us = percentile_us(load, 50);
	out->p99_us = percentile_us(load, 99);
	free(load->sessions);
	load->sessions = NULL;
}

/* Life */

static void __attribute__((noreturn))
become_filter(int fd, char *const *argv, const char *log_path)
{
	int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (log == -1 || dup2(log, STDERR_FILENO) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1)
		_exit(126);
	close(log);
	execvp(argv[0], argv);
	_exit(127);
}

static void
handshake(struct load *load)
{
	uint64_t end_ns = monotonic_ns() + START_NS;
	bool newer = strcmp(load->version, "0.6") != 0;

	say(load, "config|smtpd-version|%s\n", newer ? "7.6.0" : "6.8.0p2");
	if (newer)
		say(load, "config|protocol|%s\n", load->version);
	say(load,
	    "config|smtp-session-timeout|300\n"
	    "config|subsystem|smtp-in\nconfig|ready\n");
	while (!load->ready && !load->gone && monotonic_ns() < end_ns)
		turn(load, 100);
	if (!load->ready || !load->wants_rcpt)
		die("the filter does not register for rcpt-to");
}

struct load *
load_start(char *const *argv, const char *version, const char *log_path)
{
	struct load *load = calloc(1, sizeof(*load));
	int fds[2];

	if (load == NULL || (load->output = malloc(OUTPUT_SIZE)) == NULL ||
	    (load->samples = malloc(SAMPLES_MAX * sizeof(uint32_t))) == NULL)
		die("out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
		die("socketpair: %s", strerror(errno));
	load->version = version;
	load->fd = fds[1];
	load->pid = fork();
	if (load->pid == -1)
		die("fork: %s", strerror(errno));
	if (load->pid == 0)
		become_filter(fds[0], argv, log_path);
	close(fds[0]);
	fcntl(load->fd, F_SETFL, O_NONBLOCK);
	handshake(load);
	return load;
}

pid_t
load_pid(const struct load *load)
{
	return load->pid;
}

int
load_stop(struct load *load)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	pid_t ended = 0;
	int status = -1;

	close(load->fd);
	for (int i = 0; i < END_TRIES && ended == 0; i++) {
		ended = waitpid(load->pid, &status, WNOHANG);
		if (ended == 0)
			nanosleep(&pause, NULL);
	}
	if (ended == 0) {
		kill(load->pid, SIGKILL);
		waitpid(load->pid, NULL, 0);
	}
	free(load->samples);
	free(load->output);
	free(load);
	return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
