/* SPDX-License-Identifier: ISC */
/* The relay with all that is behind it, for tests: see relay_fixture.h. */
#include "tests/unit/unit.h"

#include "tests/unit/relay_fixture.h"

#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/engine.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/policy_cache.h"

#define PATIENCE_S 20 /* then a test has failed */
#define SAYINGS 8

static const char *const sink_address[RELAY_SINKS] = { "127.0.1.1",
	"127.0.1.2" };

static struct test_certificate *leaf, *unsigned_leaf;
static SSL_CTX *ctx, *unsigned_ctx;

static struct {
	const char *command, *answer;
	bool once;
} sayings[SAYINGS];
static size_t n_sayings;

int
relay_fixture_group_set_up(void **state)
{
	const struct test_certificate_opts mx = {
		.alt_names = "DNS:mx1.example.com,DNS:mx2.example.com"
	};

	if (smtp_fixture_group_set_up(state) != 0)
		return -1;
	leaf = test_certificate_make(&mx, smtp_fixture_root());
	ctx = test_certificate_server(leaf, NULL);
	unsigned_leaf = test_certificate_make(&mx, NULL);
	unsigned_ctx = test_certificate_server(unsigned_leaf, NULL);
	return 0;
}

int
relay_fixture_group_tear_down(void **state)
{
	SSL_CTX_free(ctx);
	SSL_CTX_free(unsigned_ctx);
	test_certificate_free(leaf);
	test_certificate_free(unsigned_leaf);
	return smtp_fixture_group_tear_down(state);
}

/* Sessions with a sink go to the port that it got from the system. */
static struct smtp_session *
dial(void *self, const struct smtp_target *target, smtp_ready_fn *ready,
    void *arg)
{
	struct relay_fixture *f = self;
	struct smtp_target there = *target;
	struct address address;

	for (size_t i = 0; i < RELAY_SINKS; i++)
		if (address_parse(sink_address[i], &address) &&
		    address_equal(&address, &target->address) &&
		    f->sinks[i] != NULL)
			there.port = smtp_sink_port(f->sinks[i]);
	f->n_dialled++;
	return f->dialer.start(f->dialer.self, &there, ready, arg);
}

static void
hang_up(void *self, struct smtp_session **session)
{
	struct relay_fixture *f = self;

	f->dialer.quit(f->dialer.self, session);
}

static void
cut(void *self, struct smtp_session **session)
{
	struct relay_fixture *f = self;

	f->dialer.cancel(f->dialer.self, session);
}

static void
keep_line(enum log_level level, const char *line, void *arg)
{
	struct relay_fixture *f = arg;
	size_t len = strlen(f->log);

	if (level <= LOG_LEVEL_INFO)
		snprintf(f->log + len, sizeof(f->log) - len, "%s\n", line);
}

void
relay_fixture_domain(struct relay_fixture *f, const char *domain)
{
	fake_net_dns(f->net, domain, DNS_MX, DNS_FOUND, "10 mx1.example.com",
	    "20 mx2.example.com", NULL);
}

void
relay_fixture_policy(struct relay_fixture *f, const char *mode)
{
	char body[256];

	snprintf(body, sizeof(body),
	    "version: STSv1\nmode: %s\nmx: *.example.com\nmax_age: 604800\n",
	    mode);
	if (mode[0] == '\0') {
		fake_net_dns(f->net, "_mta-sts.example.com", DNS_TXT,
		    DNS_NO_NAME, NULL);
		return;
	}
	fake_net_dns(f->net, "_mta-sts.example.com", DNS_TXT, DNS_FOUND,
	    "v=STSv1; id=1;", NULL);
	fake_net_dns(f->net, "mta-sts.example.com", DNS_A, DNS_FOUND,
	    "192.0.2.80", NULL);
	fake_net_policy(f->net, "example.com", body, RESULT_NONE, NULL);
}

static void
make_engine(struct relay_fixture *f)
{
	f->clock = clock_new(f->smtp->base);
	f->net = fake_net_new(f->clock);
	fake_net_delay(f->net, 0, 0, 0);
	f->ports = fake_net_ports(f->net);
	f->dialer = f->smtp->port;
	f->ports.smtp = (struct smtp_port){ .self = f,
		.start = dial,
		.quit = hang_up,
		.cancel = cut };
	f->config.deadline_s = 30;
	f->config.unreachable = CHOICE_DEFER;
	f->config.addresses.allow_internal = true;
	snprintf(f->config.hostname, sizeof(f->config.hostname),
	    "mta.example.net");
	relay_settings_init(&f->config.relay);
	f->config.relay.on = true;
	f->cache = policy_cache_new(NULL, 100);
	f->engine = engine_new(&f->config, &f->ports, f->cache);
	assert_non_null(f->engine);
	relay_fixture_domain(f, "example.com");
	for (size_t i = 0; i < RELAY_SINKS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "mx%zu.example.com", i + 1);
		fake_net_dns(f->net, name, DNS_A, DNS_FOUND, sink_address[i],
		    NULL);
	}
}

static const char *
speak(const char *line, void *arg)
{
	(void)arg;
	for (size_t i = n_sayings; i > 0; i--)
		if (strncmp(line, sayings[i - 1].command,
			strlen(sayings[i - 1].command)) == 0) {
			const char *answer = sayings[i - 1].answer;

			if (sayings[i - 1].once)
				sayings[i - 1].command = "(said)";
			return answer;
		}
	return NULL;
}

void
relay_fixture_say(const char *command, const char *answer)
{
	assert_true(n_sayings < SAYINGS);
	sayings[n_sayings].command = command;
	sayings[n_sayings].once = false;
	sayings[n_sayings++].answer = answer;
}

void
relay_fixture_say_once(const char *command, const char *answer)
{
	relay_fixture_say(command, answer);
	sayings[n_sayings - 1].once = true;
}

static void
serve(struct relay_fixture *f, size_t i, const struct smtp_sink_script *script,
    SSL_CTX *tls)
{
	struct smtp_sink_script good = *script;

	good.ctx = tls;
	good.speaks = speak;
	smtp_sink_free(f->sinks[i]);
	f->sinks[i] = smtp_sink_new(f->smtp->base, sink_address[i], &good);
	assert_non_null(f->sinks[i]);
}

void
relay_fixture_serve(struct relay_fixture *f, size_t i,
    const struct smtp_sink_script *script)
{
	serve(f, i, script, ctx);
}

void
relay_fixture_bad_certificate(struct relay_fixture *f, size_t i)
{
	const struct smtp_sink_script good = smtp_fixture_good_script();

	serve(f, i, &good, unsigned_ctx);
}

static void
use(struct relay_fixture *f, struct engine *engine)
{
	const struct relay_backend backend = { engine, &f->ports, &f->config,
		&f->users };

	relay_use(f->relay, &backend);
}

void
relay_fixture_reconfigure(struct relay_fixture *f)
{
	use(f, f->engine);
}

void
relay_fixture_other_engine(struct relay_fixture *f)
{
	f->other = engine_new(&f->config, &f->ports, f->cache);
	assert_non_null(f->other);
	use(f, f->other);
}

static void
begin(struct relay_fixture *f)
{
	const struct smtp_sink_script good = smtp_fixture_good_script();
	struct relay_backend backend = { .users = &f->users };

	n_sayings = 0;
	f->log[0] = '\0';
	make_engine(f);
	for (size_t i = 0; i < RELAY_SINKS; i++)
		relay_fixture_serve(f, i, &good);
	backend.engine = f->engine;
	backend.ports = &f->ports;
	backend.config = &f->config;
	f->relay = relay_new(f->smtp->base, f->clock, &backend);
	assert_non_null(f->relay);
	relay_set_times(f->relay, &f->times);
	relay_fixture_connect(f);
}

static void
end(struct relay_fixture *f)
{
	bufferevent_free(f->mta);
	f->mta = NULL;
	relay_free(f->relay);
	assert_int_equal(f->users, 0);
	for (size_t i = 0; i < RELAY_SINKS; i++) {
		smtp_sink_free(f->sinks[i]);
		f->sinks[i] = NULL;
	}
	engine_free(f->engine);
	engine_free(f->other);
	f->other = NULL;
	policy_cache_free(f->cache);
	relay_settings_cleanup(&f->config.relay);
	fake_net_free(f->net);
	clock_free(f->clock);
}

void
relay_fixture_restart(struct relay_fixture *f)
{
	end(f);
	begin(f);
}

int
relay_fixture_set_up(void **state)
{
	struct relay_fixture *f = calloc(1, sizeof(*f));
	void *smtp;

	assert_non_null(f);
	assert_int_equal(smtp_fixture_set_up(&smtp), 0);
	f->smtp = smtp;
	f->times = (struct relay_times){ .setup_ms = 10000,
		.command_ms = 5000,
		.room_ms = 5000,
		.dot_ms = 5000,
		.late_ms = 10000,
		.mta_ms = 10000 };
	log_init("test", false, LOG_LEVEL_INFO);
	log_set_sink(keep_line, f);
	begin(f);
	*state = f;
	return 0;
}

int
relay_fixture_tear_down(void **state)
{
	struct relay_fixture *f = *state;
	void *smtp = f->smtp;

	end(f);
	log_set_sink(NULL, NULL);
	free(f);
	return smtp_fixture_tear_down(&smtp);
}

/* The mail server. */

static void
mta_happened(struct bufferevent *bev, short what, void *arg)
{
	struct relay_fixture *f = arg;

	(void)bev;
	(void)what;
	f->mta_is_cut = true;
}

void
relay_fixture_connect(struct relay_fixture *f)
{
	struct bufferevent *last = relay_fixture_another(f);

	if (last != NULL)
		bufferevent_free(last);
}

struct bufferevent *
relay_fixture_another(struct relay_fixture *f)
{
	struct bufferevent *last = f->mta;
	struct address loopback;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
			     pair),
	    0);
	f->mta_is_cut = false;
	f->mta = bufferevent_socket_new(f->smtp->base, pair[0],
	    BEV_OPT_CLOSE_ON_FREE);
	assert_non_null(f->mta);
	bufferevent_setcb(f->mta, NULL, NULL, mta_happened, f);
	bufferevent_enable(f->mta, EV_READ | EV_WRITE);
	address_parse("127.0.0.1", &loopback);
	relay_serve(f->relay, pair[1], &loopback);
	assert_string_equal(relay_fixture_reply(f),
	    "220 mta.example.net ESMTP strictmx\r\n");
	return last;
}

void
relay_fixture_send(struct relay_fixture *f, const char *text)
{
	bufferevent_write(f->mta, text, strlen(text));
}

static void
lose_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

static void
run_until(struct relay_fixture *f,
    bool (*is_so)(struct relay_fixture *, void *), void *arg)
{
	const struct timeval patience = { PATIENCE_S, 0 };
	bool late = false;
	struct event *timer = evtimer_new(f->smtp->base, lose_patience, &late);

	assert_non_null(timer);
	evtimer_add(timer, &patience);
	while (!is_so(f, arg) && !late)
		event_base_loop(f->smtp->base, EVLOOP_ONCE);
	event_free(timer);
	if (late)
		fail_msg("waited in vain; mx1 heard \"%s\", mx2 \"%s\"; the "
			 "last reply was %s",
		    smtp_sink_log(f->sinks[0]), smtp_sink_log(f->sinks[1]),
		    f->reply);
}

/* Takes lines up to the one that ends a reply. */
static bool
has_reply(struct relay_fixture *f, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(f->mta);
	size_t *len = arg;
	char *line;
	bool last = false;

	while (!last &&
	    (line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF_STRICT)) !=
		NULL) {
		assert_true(strlen(line) <= 510);
		*len += (size_t)snprintf(f->reply + *len,
		    sizeof(f->reply) - *len, "%s\r\n", line);
		last = strlen(line) > 3 && line[3] == ' ';
		free(line);
	}
	return last || f->mta_is_cut;
}

const char *
relay_fixture_reply(struct relay_fixture *f)
{
	size_t len = 0;

	f->reply[0] = '\0';
	run_until(f, has_reply, &len);
	assert_false(f->mta_is_cut);
	assert_int_not_equal(strncmp(f->reply, "421", 3), 0);
	return f->reply;
}

static void
expect(struct relay_fixture *f, const char *line, const char *reply)
{
	relay_fixture_reply(f);
	if (strncmp(f->reply, reply, strlen(reply)) != 0)
		fail_msg("%s: %s and not %s", line, f->reply, reply);
}

void
relay_fixture_ask(struct relay_fixture *f, const char *line, const char *reply)
{
	relay_fixture_send(f, line);
	relay_fixture_send(f, "\r\n");
	expect(f, line, reply);
}

void
relay_fixture_begin(struct relay_fixture *f, const char *to)
{
	char line[600];

	relay_fixture_ask(f, "EHLO mail.example.net", "250-");
	relay_fixture_ask(f, "MAIL FROM:<me@example.net>", "250 2.1.0");
	snprintf(line, sizeof(line), "RCPT TO:<%s>", to);
	relay_fixture_ask(f, line, "250 2.1.5");
}

void
relay_fixture_finish(struct relay_fixture *f, const char *reply)
{
	relay_fixture_ask(f, "DATA", "354 ");
	relay_fixture_ask(f, "Subject: x\r\n\r\nhello\r\n.", reply);
}

static bool
sink_has(struct relay_fixture *f, void *arg)
{
	const char *const *want = arg;

	for (size_t i = 0; i < RELAY_SINKS; i++)
		if (want[i] != NULL &&
		    strlen(smtp_sink_log(f->sinks[i])) < strlen(want[i]))
			return false;
	return true;
}

void
relay_fixture_until_sink(struct relay_fixture *f, size_t i, const char *log)
{
	const char *want[RELAY_SINKS] = { NULL, NULL };

	want[i] = log;
	run_until(f, sink_has, want);
	assert_string_equal(smtp_sink_log(f->sinks[i]), log);
}

static bool
log_has(struct relay_fixture *f, void *arg)
{
	const char *const *text = arg;

	return strstr(f->log, *text) != NULL;
}

void
relay_fixture_until_log(struct relay_fixture *f, const char *text)
{
	run_until(f, log_has, &text);
}

static bool
is_closed(struct relay_fixture *f, void *arg)
{
	(void)arg;
	return f->mta_is_cut;
}

void
relay_fixture_until_closed(struct relay_fixture *f)
{
	run_until(f, is_closed, NULL);
}

void
relay_fixture_settle(struct relay_fixture *f)
{
	for (int i = 0; i < 50; i++)
		event_base_loop(f->smtp->base, EVLOOP_NONBLOCK);
	/* Nothing turns round and round. */
	assert_int_equal(event_base_get_num_events(f->smtp->base,
			     EVENT_BASE_COUNT_ACTIVE),
	    0);
}

void
relay_fixture_assert_silent(struct relay_fixture *f)
{
	relay_fixture_settle(f);
	assert_int_equal(evbuffer_get_length(bufferevent_get_input(f->mta)), 0);
}

static bool
has_ended(struct relay_fixture *f, void *arg)
{
	const char *log = smtp_sink_log(f->sinks[*(size_t *)arg]);
	size_t len = strlen(log);

	return len > 0 && (log[len - 1] == '.' || log[len - 1] == '!');
}

const char *
relay_fixture_end_of(struct relay_fixture *f, size_t i)
{
	run_until(f, has_ended, &i);
	return smtp_sink_log(f->sinks[i]);
}
