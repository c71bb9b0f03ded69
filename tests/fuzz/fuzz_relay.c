/* SPDX-License-Identifier: ISC */
/*
 * The relay between any mail server and any server behind it. The text of an
 * input is what the mail server says; behind the first NUL stand the lines that
 * the server behind answers with, one for each command, and behind their end
 * it is well-mannered. What may be:
 *
 *	- the mail server hears whole lines with a code, never 421;
 *	- a message counts as delivered only when a server that has heard the
 *end of one has said 2xx to it;
 *	- what a server hears as a message holds no bare CR or LF.
 */
#include "tests/fuzz/fuzz.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/engine.h"
#include "common/log.h"
#include "common/policy_cache.h"
#include "common/relay_counts.h"
#include "common/smtp_client.h"
#include "filter/relay.h"
#include "tests/fake/fake_net.h"
#include "tests/fuzz/loop.h"

#define TEXT_MAX 4096
#define NOW_S 1700000000
#define PEERS 8

/* The server behind, at one end of one connection. */
struct server {
	struct fuzz_peer peer;
	size_t at; /* of what was heard */
	bool has_greeted, in_message;
};

static struct {
	struct clock *clock;
	struct fake_net *net;
	struct ports ports;
	struct config config;
	struct policy_cache *cache;
	struct engine *engine;
	struct smtp_dialer *dialer;
	struct relay *relay;
	size_t users;
	struct fuzz_peer mta;
	struct server servers[PEERS];
	size_t n_servers;
	struct span script; /* that is left */
	struct fuzz_input input;
	unsigned delivered; /* 2xx to the end of a message */
} w;

int __wrap_bufferevent_socket_connect(struct bufferevent *bev,
    const struct sockaddr *address, int len);

static void
server_say(struct server *s, const char *text)
{
	fuzz_peer_say(&s->peer, span_of(text));
}

int
__wrap_bufferevent_socket_connect(struct bufferevent *bev,
    const struct sockaddr *address, int len)
{
	struct server *s;

	(void)address;
	(void)len;
	if (w.n_servers == PEERS)
		return -1;
	s = &w.servers[w.n_servers++];
	*s = (struct server){ .at = 0 };
	bufferevent_setfd(bev, fuzz_peer_open(&s->peer));
	bufferevent_trigger_event(bev, BEV_EVENT_CONNECTED,
	    BEV_OPT_DEFER_CALLBACKS);
	return 0;
}

/* What a good server says to a command, to the end of a message, or at first.
 */
static const char *
good_answer(struct span line, bool is_end)
{
	if (line.len == 0 && !is_end)
		return "220 mx.clear.test";
	if (is_end)
		return "250 2.0.0 mine";
	if (span_starts(line, "EHLO"))
		return "250-mx.clear.test\r\n250-SMTPUTF8\r\n250 SIZE";
	return span_starts(line, "DATA") ? "354 go on" : "250 2.0.0 yes";
}

/* Its next answer, from the script as long as there is some. */
static void
server_answer(struct server *s, struct span line, bool is_end)
{
	char text[TEXT_MAX + 3];
	struct span answer;

	if (!span_cut(&w.script, '\n', &answer))
		answer = span_of(good_answer(line, is_end));
	else if (answer.len > 0 && answer.p[0] == '!') {
		fuzz_peer_hang_up(&s->peer);
		return;
	}
	snprintf(text, sizeof(text), "%.*s\r\n", (int)answer.len,
	    answer.p == NULL ? "" : answer.p);
	for (char *c = text; (c = strstr(c, "\r\r")) != NULL; c += 2)
		c[1] = '\n'; /* two replies at once */
	if (is_end && text[0] == '2')
		w.delivered++;
	if (span_starts(line, "DATA") && strncmp(text, "354", 3) == 0)
		s->in_message = true;
	server_say(s, text);
}

/* Takes what one server has heard, line by line. */
static bool
server_turn(struct server *s)
{
	struct span line;
	bool is_end;

	if (s->peer.fd == -1)
		return false;
	if (!s->has_greeted) {
		s->has_greeted = true;
		server_answer(s, (struct span){ NULL, 0 }, false);
		return true;
	}
	if (!fuzz_peer_line(&s->peer, &s->at, &line))
		return false;
	assert(line.len > 0 && line.p[line.len - 1] == '\r');
	line.len--;
	assert(memchr(line.p, '\r', line.len) == NULL);
	is_end = s->in_message && span_is(line, ".");
	if (is_end)
		s->in_message = false;
	if (!s->in_message)
		server_answer(s, line, is_end);
	return true;
}

/* All that follows from what was said. */
static void
settle(void)
{
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < 8; i++) {
			fuzz_peer_settle(&w.mta);
			clock_advance(w.clock, 1);
		}
		for (size_t i = 0; i < w.n_servers; i++) {
			if (w.servers[i].peer.fd != -1)
				fuzz_peer_settle(&w.servers[i].peer);
			more |= server_turn(&w.servers[i]);
		}
	}
}

/* What the mail server has heard. */
static void
check_replies(void)
{
	struct span line;
	size_t at = 0;

	while (fuzz_peer_line(&w.mta, &at, &line)) {
		assert(line.len >= 5 && line.len <= 512);
		assert(line.p[0] >= '2' && line.p[0] <= '5');
		assert(line.p[3] == ' ' || line.p[3] == '-');
		assert(memcmp(line.p, "421", 3) != 0);
		assert(line.p[line.len - 1] == '\r');
	}
	assert(relay_counts_get()->mails[RELAY_DELIVERED] <= w.delivered);
}

static void
world_open(void)
{
	struct relay_backend backend = { .users = &w.users };
	struct address loopback;

	w.clock = clock_new_fake(NOW_S);
	w.net = fake_net_new(w.clock);
	fake_net_dns(w.net, "clear.test", DNS_MX, DNS_FOUND,
	    "10 mx1.clear.test", "20 mx2.clear.test", NULL);
	fake_net_dns(w.net, "mx1.clear.test", DNS_A, DNS_FOUND, "192.0.2.1",
	    NULL);
	fake_net_dns(w.net, "mx2.clear.test", DNS_A, DNS_FOUND, "192.0.2.2",
	    NULL);
	fake_net_delay(w.net, 0, 0, 0);
	w.ports = fake_net_ports(w.net);
	w.dialer = smtp_dialer_new(fuzz_base(), NULL);
	w.ports.smtp = smtp_dialer_port(w.dialer);
	w.config.deadline_s = 30;
	w.config.addresses.allow_internal = true;
	snprintf(w.config.hostname, sizeof(w.config.hostname), "me.test");
	relay_settings_init(&w.config.relay);
	w.cache = policy_cache_new(NULL, 100);
	w.engine = engine_new(&w.config, &w.ports, w.cache);
	backend.engine = w.engine;
	backend.ports = &w.ports;
	backend.config = &w.config;
	w.relay = relay_new(fuzz_base(), w.clock, &backend);
	address_parse("127.0.0.1", &loopback);
	relay_serve(w.relay, fuzz_peer_open(&w.mta), &loopback);
}

static void
world_close(void)
{
	relay_free(w.relay);
	assert(w.users == 0);
	engine_free(w.engine);
	smtp_dialer_free(w.dialer);
	policy_cache_free(w.cache);
	fake_net_free(w.net);
	clock_free(w.clock);
	fuzz_peer_cleanup(&w.mta);
	for (size_t i = 0; i < w.n_servers; i++)
		fuzz_peer_cleanup(&w.servers[i].peer);
	event_base_loop(fuzz_base(), EVLOOP_NONBLOCK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_input input;
	struct span chunk, all;

	memset(&w, 0, sizeof(w));
	if (!fuzz_input_begin(&input, bytes, len) || input.text.len > TEXT_MAX)
		return 0;
	log_set_level(LOG_LEVEL_ERROR);
	all = input.text;
	span_cut(&all, '\0', &input.text);
	w.script = all;
	world_open();
	settle();
	while (fuzz_chunk(&input, &chunk)) {
		if (w.mta.fd == -1)
			break;
		fuzz_peer_say(&w.mta, chunk);
		settle();
		check_replies();
		if (fuzz_choose(&input, 64) == 63)
			fuzz_peer_hang_up(&w.mta);
		if (fuzz_choose(&input, 32) == 31)
			clock_advance(w.clock, 300000);
	}
	settle();
	check_replies();
	world_close();
	return 0;
}
