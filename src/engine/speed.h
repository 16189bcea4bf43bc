/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SPEED_H
#define ENGINE_SPEED_H

/*
 * How fast something moves: bytes over the last SPEED_WINDOW_MS, from a ring
 * of samples.  Pure; whoever owns it locks it.
 */

#include <stdint.h>

#define SPEED_STEP_MS 200
#define SPEED_WINDOW_MS 3000
#define SPEED_SAMPLES (SPEED_WINDOW_MS / SPEED_STEP_MS + 1)

struct speed {
	struct {
		int64_t at_ms;
		uint64_t bytes;
	} ring[SPEED_SAMPLES];
	unsigned count;
	unsigned next;
};

void speed_init(struct speed *s, int64_t now_ms);
/* ${bytes} in all by now; calls closer than SPEED_STEP_MS are ignored. */
void speed_add(struct speed *s, int64_t now_ms, uint64_t bytes);
/* Bytes per second up to now, ${bytes} in all having moved. */
uint64_t speed_now(const struct speed *s, int64_t now_ms, uint64_t bytes);

#endif
