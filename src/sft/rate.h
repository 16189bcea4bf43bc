/* SPDX-License-Identifier: MIT */
#ifndef SFT_RATE_H
#define SFT_RATE_H

/* How fast bytes move: over the last few seconds, so that it follows what
 * the line does now and does not jump. */

#include <stddef.h>
#include <stdint.h>

#define RATE_SAMPLES 16
#define RATE_STEP_MS 300 /* between samples: 4.8 s in all */

struct rate {
	struct {
		int64_t at_ms;
		uint64_t total;
	} samples[RATE_SAMPLES]; /* a ring */
	size_t next;
	size_t count;
};

void rate_init(struct rate *r, int64_t now_ms);
/* ${total} bytes have moved since rate_init(). */
void rate_note(struct rate *r, int64_t now_ms, uint64_t total);
/* Bytes a second; 0 while nothing can be said. */
uint64_t rate_bps(const struct rate *r, int64_t now_ms, uint64_t total);

#endif
