/* SPDX-License-Identifier: MIT */
#ifndef BASE_THROTTLE_H
#define BASE_THROTTLE_H

/*
 * How often each of many may do something, per minute, in memory that does not
 * grow with their number: a table of THROTTLE_SLOTS, in sets of
 * THROTTLE_WAYS.  Where a set is full, the one that would be forgotten first
 * anyway gives its place up.  Who lands in which set depends on a random key,
 * so nobody can choose whom to displace.
 *
 * Locked by itself; any thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/slice.h"

#define THROTTLE_SLOTS 65536u
#define THROTTLE_WAYS 8u
#define THROTTLE_PERIOD_MS 60000

enum throttle_kind {
	/* So many from the first one on, then none until a minute has gone by
	 * since that. */
	THROTTLE_WINDOW,
	/* A token bucket that holds a minute's worth, and fills evenly. */
	THROTTLE_BUCKET,
};

struct throttle;

/* ${per_minute}: at least 1, at most 10^9.  ${clock} is borrowed. */
struct throttle *throttle_new(
    enum throttle_kind kind, uint64_t per_minute, const struct clock *clock);
void throttle_free(struct throttle *t); /* NULL is fine */

/* ${who} does it once more.  0: it may; else the milliseconds until it might,
 * and nothing is counted. */
int64_t throttle_take(struct throttle *t, struct slice who);

#endif
