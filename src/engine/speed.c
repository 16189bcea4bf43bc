/* SPDX-License-Identifier: MIT */
#include "engine/speed.h"

#include <string.h>

void
speed_init(struct speed *s, int64_t now_ms)
{
	memset(s, 0, sizeof(*s));
	s->ring[0].at_ms = now_ms;
	s->count = s->next = 1;
}

static unsigned
newest(const struct speed *s)
{
	return (s->next + SPEED_SAMPLES - 1) % SPEED_SAMPLES;
}

void
speed_add(struct speed *s, int64_t now_ms, uint64_t bytes)
{
	if (now_ms - s->ring[newest(s)].at_ms < SPEED_STEP_MS)
		return;
	s->ring[s->next].at_ms = now_ms;
	s->ring[s->next].bytes = bytes;
	s->next = (s->next + 1) % SPEED_SAMPLES;
	if (s->count < SPEED_SAMPLES)
		s->count++;
}

uint64_t
speed_now(const struct speed *s, int64_t now_ms, uint64_t bytes)
{
	unsigned base = newest(s);
	int64_t ms;

	/* The oldest sample that is still within the window, or else the
	 * newest there is: who stood still for long shows it. */
	for (unsigned i = 0; i < s->count; i++) {
		unsigned at =
		    (s->next + SPEED_SAMPLES - s->count + i) % SPEED_SAMPLES;

		if (now_ms - s->ring[at].at_ms <= SPEED_WINDOW_MS) {
			base = at;
			break;
		}
	}
	ms = now_ms - s->ring[base].at_ms;
	if (ms <= 0 || bytes < s->ring[base].bytes)
		return 0;
	return (bytes - s->ring[base].bytes) * 1000 / (uint64_t)ms;
}
