/* SPDX-License-Identifier: ISC */
/*
 * Jumps of the wall clock, seen by the monotonic one (CLOCK_BOOTTIME, which
 * counts through sleep). A wall clock that is wrong for an hour must not drop
 * every policy at once: after a jump of more than LIMIT_CLOCK_JUMP_S what ends
 * by the new time waits for a while; see policy_cache.h.
 */
#ifndef STRICTMX_COMMON_CLOCK_JUMP_H
#define STRICTMX_COMMON_CLOCK_JUMP_H

#include <stdbool.h>
#include <stdint.h>

struct clock;

/* All zero: no clock was looked at. */
struct clock_jump {
	bool begun;
	bool waiting;	  /* for LIMIT_CLOCK_WAIT_S after a jump */
	int64_t offset_s; /* wall less monotonic time, when last looked at */
	int64_t before_s; /* the same, before the jump */
	int64_t ends_ms;  /* monotonic: of the wait */
	unsigned n;	  /* jumps so far: which one it is */
};

/* Looks at both times; a jump is logged. */
void clock_jump_look(struct clock_jump *jump, const struct clock *clock);

/*
 * The wall time as if there had been no jump, while that is waited for, but
 * never later than now; else now.
 */
int64_t clock_jump_old_s(const struct clock_jump *jump,
    const struct clock *clock, int64_t now_s);

#endif
