/* SPDX-License-Identifier: ISC */
/* Whole inputs on an event loop: see loop.h. */
#include "tests/fuzz/loop.h"

#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARD_STEP 65536
/* A socket holds only so many small writes that the other end does not read. */
#define CHUNKS_MAX 128
#define TURNS 4 /* of the loop, for what one turn leads to in the next */

/* The input */

bool
fuzz_input_begin(struct fuzz_input *input, const uint8_t *bytes, size_t len)
{
	if (len < FUZZ_STEERING)
		return false;
	input->steering = bytes;
	input->at = input->chunks = 0;
	input->text.p = (const char *)bytes + FUZZ_STEERING;
	input->text.len = len - FUZZ_STEERING;
	return true;
}

unsigned
fuzz_choose(struct fuzz_input *input, unsigned n)
{
	return input->steering[input->at++ % FUZZ_STEERING] % n;
}

bool
fuzz_chunk(struct fuzz_input *input, struct span *chunk)
{
	size_t len = fuzz_choose(input, 256) + 1;

	if (input->text.len == 0)
		return false;
	if (len > 200 || len > input->text.len || ++input->chunks > CHUNKS_MAX)
		len = input->text.len;
	*chunk = (struct span){ input->text.p, len };
	input->text.p += len;
	input->text.len -= len;
	return true;
}

/* The connection */

struct event_base *
fuzz_base(void)
{
	static struct event_base *base;

	if (base == NULL) {
		signal(SIGPIPE, SIG_IGN);
		base = event_base_new();
		assert(base != NULL);
	}
	return base;
}

int
fuzz_peer_open(struct fuzz_peer *peer)
{
	int fds[2];

	*peer = (struct fuzz_peer){ .base = fuzz_base() };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1)
		abort();
	peer->fd = fds[0];
	return fds[1];
}

/* Whether anything came. */
static bool
peer_hear(struct fuzz_peer *peer)
{
	ssize_t n;

	if (peer->fd == -1)
		return false;
	if (peer->heard_size - peer->heard_len < HEARD_STEP) {
		peer->heard_size += 2 * (size_t)HEARD_STEP;
		peer->heard = realloc(peer->heard, peer->heard_size);
		assert(peer->heard != NULL);
	}
	n = read(peer->fd, peer->heard + peer->heard_len, HEARD_STEP);
	if (n > 0)
		peer->heard_len += (size_t)n;
	/* Reset: it did not read all that was said. */
	peer->ended = n == 0 || (n == -1 && errno == ECONNRESET);
	return n > 0;
}

void
fuzz_peer_settle(struct fuzz_peer *peer)
{
	do
		for (int i = 0; i < TURNS; i++)
			event_base_loop(peer->base, EVLOOP_NONBLOCK);
	while (peer_hear(peer));
}

void
fuzz_peer_say(struct fuzz_peer *peer, struct span bytes)
{
	while (peer->fd != -1 && bytes.len > 0) {
		ssize_t n = write(peer->fd, bytes.p, bytes.len);

		if (n > 0) {
			bytes.p += n;
			bytes.len -= (size_t)n;
		} else if (errno != EAGAIN) {
			break; /* the other end is closed */
		}
		fuzz_peer_settle(peer);
	}
	fuzz_peer_settle(peer);
}

bool
fuzz_peer_line(struct fuzz_peer *peer, size_t *at, struct span *line)
{
	const char *p, *end;

	if (*at >= peer->heard_len)
		return false;
	p = peer->heard + *at;
	end = memchr(p, '\n', peer->heard_len - *at);
	if (end == NULL)
		return false;
	*line = (struct span){ p, (size_t)(end - p) };
	*at += line->len + 1;
	return true;
}

/* Someone who looks into /proc can hold a socket open for a moment longer. */
static void
peer_close(struct fuzz_peer *peer)
{
	if (peer->fd == -1)
		return;
	shutdown(peer->fd, SHUT_RDWR);
	close(peer->fd);
	peer->fd = -1;
}

void
fuzz_peer_half_close(struct fuzz_peer *peer)
{
	if (peer->fd != -1)
		shutdown(peer->fd, SHUT_WR);
	fuzz_peer_settle(peer);
}

void
fuzz_peer_hang_up(struct fuzz_peer *peer)
{
	peer_close(peer);
	peer->heard_len = 0;
	fuzz_peer_settle(peer);
}

void
fuzz_peer_cleanup(struct fuzz_peer *peer)
{
	peer_close(peer);
	free(peer->heard);
	*peer = (struct fuzz_peer){ .fd = -1 };
}

bool
fuzz_is_printable(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return true;
}
