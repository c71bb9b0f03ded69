/* SPDX-License-Identifier: ISC */
/* Jumps of the wall clock: see clock_jump.h. */
#include "common/clock_jump.h"

#include "common/clock.h"
#include "common/limits.h"
#include "common/log.h"

static bool
is_far(int64_t a_s, int64_t b_s)
{
	return a_s - b_s > LIMIT_CLOCK_JUMP_S || b_s - a_s > LIMIT_CLOCK_JUMP_S;
}

/*
 * A second jump while one is waited for: the oldest time is the trusted one,
 * and the wait does not become longer, so that a clock that never comes to
 * rest holds no policy for ever. Back where it was, nothing is waited for.
 */
static void
jump_begin(struct clock_jump *jump, int64_t offset_s, int64_t mono_ms)
{
	log_warning("the wall clock has jumped by %+lld s: what ends by it "
		    "waits for a refresh, %d h at most",
	    (long long)(offset_s - jump->offset_s), LIMIT_CLOCK_WAIT_S / 3600);
	jump->n++;
	if (!jump->waiting) {
		jump->before_s = jump->offset_s;
		jump->ends_ms = mono_ms + LIMIT_CLOCK_WAIT_S * INT64_C(1000);
	}
	jump->waiting = is_far(jump->before_s, offset_s);
}

void
clock_jump_look(struct clock_jump *jump, const struct clock *clock)
{
	int64_t mono_ms = clock_mono_ms(clock);
	int64_t offset_s = clock_wall_s(clock) - mono_ms / 1000;

	if (jump->begun && is_far(jump->offset_s, offset_s))
		jump_begin(jump, offset_s, mono_ms);
	if (mono_ms >= jump->ends_ms)
		jump->waiting = false;
	jump->offset_s = offset_s;
	jump->begun = true;
}

int64_t
clock_jump_old_s(const struct clock_jump *jump, const struct clock *clock,
    int64_t now_s)
{
	int64_t old_s = jump->before_s + clock_mono_ms(clock) / 1000;

	return jump->waiting && old_s < now_s ? old_s : now_s;
}
