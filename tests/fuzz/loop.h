/* SPDX-License-Identifier: ISC */
/*
 * What the targets share that give a whole input to code on an event loop: the
 * steering that goes before the bytes, and the other end of its connection.
 * Nothing waits for time: the loop is turned until nothing more happens.
 */
#ifndef STRICTMX_TESTS_FUZZ_LOOP_H
#define STRICTMX_TESTS_FUZZ_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/span.h"

struct event_base;

/*
 * An input is FUZZ_STEERING octets, used over and over, that say what happens
 * when, and then the octets that the code under test reads.
 */
#define FUZZ_STEERING 16

struct fuzz_input {
	const uint8_t *steering;
	size_t at;
	unsigned chunks; /* so far */
	struct span text;
};

/* False when there is not even the steering. */
bool fuzz_input_begin(struct fuzz_input *input, const uint8_t *bytes,
    size_t len);

/* The next choice, below n. */
unsigned fuzz_choose(struct fuzz_input *input, unsigned n);

/* Cuts a chunk off the text, from one octet to all; false at the end. */
bool fuzz_chunk(struct fuzz_input *input, struct span *chunk);

/* Our end of a connection to the code under test. */
struct fuzz_peer {
	struct event_base *base;
	int fd;	    /* -1 when hung up */
	bool ended; /* the other end has closed */
	char *heard;
	size_t heard_len, heard_size;
};

/* The one loop of the process. */
struct event_base *fuzz_base(void);

/* Returns the other end, which does not block. */
int fuzz_peer_open(struct fuzz_peer *peer);

/* Both turn the loop until nothing more is heard; a cut is no error. */
void fuzz_peer_say(struct fuzz_peer *peer, struct span bytes);
void fuzz_peer_settle(struct fuzz_peer *peer);

/* The next whole line of what was heard, without LF; false: none yet. */
bool fuzz_peer_line(struct fuzz_peer *peer, size_t *at, struct span *line);

/* Says no more, but listens. */
void fuzz_peer_half_close(struct fuzz_peer *peer);

/* Closes our end and lets that be seen. */
void fuzz_peer_hang_up(struct fuzz_peer *peer);

/* Closes our end if it is open; turns no loop. */
void fuzz_peer_cleanup(struct fuzz_peer *peer);

/* The text is printable ASCII only. */
bool fuzz_is_printable(struct span text);

#endif
