/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_METER_H
#define ENGINE_METER_H

/*
 * Whether a client keeps up, by what it let move lately ("Scheduling" of the
 * contract, rule 20).  Its clock is the caller's: time spent waiting for the
 * client tells who is slow, whatever else there was to wait for; the time on
 * the wall tells who is fast again.
 *
 * Owned by one thread.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

/* Slow is who lets less move than so many bytes per second, over so long. */
#define METER_SLOW_BPS ((uint64_t)64 * 1024)
#define METER_WINDOW_MS 5000
#define METER_STEP_MS 250
#define METER_STEPS (METER_WINDOW_MS / METER_STEP_MS)

struct meter {
	int64_t began_ms;
	int64_t step;                /* the newest, counted from began_ms */
	uint64_t bytes[METER_STEPS]; /* a ring of steps */
	uint64_t sum;
};

void meter_init(struct meter *m, int64_t now_ms);
void meter_add(struct meter *m, int64_t now_ms, uint64_t bytes);
/* Less than ${bps} over the last METER_WINDOW_MS, all of which it has seen. */
bool meter_is_below(struct meter *m, int64_t now_ms, uint64_t bps);
/* At least ${bps} over them. */
bool meter_is_at(struct meter *m, int64_t now_ms, uint64_t bps);

#endif
