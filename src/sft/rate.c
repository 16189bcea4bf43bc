/* SPDX-License-Identifier: MIT */
#include "sft/rate.h"

static void
push(struct rate *r, int64_t now_ms, uint64_t total)
{
	r->samples[r->next].at_ms = now_ms;
	r->samples[r->next].total = total;
	r->next = (r->next + 1) % RATE_SAMPLES;
	if (r->count < RATE_SAMPLES)
		r->count++;
}

void
rate_init(struct rate *r, int64_t now_ms)
{
	r->next = 0;
	r->count = 0;
	push(r, now_ms, 0);
}

void
rate_note(struct rate *r, int64_t now_ms, uint64_t total)
{
	size_t last = (r->next + RATE_SAMPLES - 1) % RATE_SAMPLES;

	if (now_ms - r->samples[last].at_ms >= RATE_STEP_MS)
		push(r, now_ms, total);
}

uint64_t
rate_bps(const struct rate *r, int64_t now_ms, uint64_t total)
{
	size_t oldest = r->count < RATE_SAMPLES ? 0 : r->next;
	int64_t ms = now_ms - r->samples[oldest].at_ms;
	uint64_t moved = total - r->samples[oldest].total;

	if (ms <= 0)
		return 0;
	return (uint64_t)((double)moved * 1000 / (double)ms);
}
