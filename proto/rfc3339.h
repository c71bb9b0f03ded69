/* SPDX-License-Identifier: ISC */
/*
 * Points of time as people write them for programs: "2026-12-01T00:00:00Z"
 * (RFC 3339 5.6).
 */
#ifndef STRICTMX_PROTO_RFC3339_H
#define STRICTMX_PROTO_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

/*
 * Seconds since 1970, UTC, of a date-time: "T" and "Z" in either case, a
 * fraction of a second is dropped, an offset as "+01:00" is applied; the day
 * must be in the calendar. A leap second is the one before it. False, with
 * *seconds untouched, for anything else.
 */
bool rfc3339_read(struct span text, int64_t *seconds);

#define RFC3339_SIZE sizeof("9999-12-31T23:59:59Z")

/*
 * The same the other way, in UTC, as in the example. What does not fit into
 * four digits of a year is written as the first or last second that does.
 */
void rfc3339_write(int64_t seconds, char out[RFC3339_SIZE]);

#endif
