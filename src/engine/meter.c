/* SPDX-License-Identifier: MIT */
#include "engine/meter.h"

#include <string.h>

void
meter_init(struct meter *m, int64_t now_ms)
{
	memset(m, 0, sizeof(*m));
	m->began_ms = now_ms;
}

/* Forgets what is older than the window. */
static void
advance(struct meter *m, int64_t now_ms)
{
	int64_t step = (now_ms - m->began_ms) / METER_STEP_MS;

	if (step - m->step >= METER_STEPS) {
		memset(m->bytes, 0, sizeof(m->bytes));
		m->sum = 0;
		m->step = step;
	}
	while (m->step < step) {
		m->step++;
		m->sum -= m->bytes[m->step % METER_STEPS];
		m->bytes[m->step % METER_STEPS] = 0;
	}
}

void
meter_add(struct meter *m, int64_t now_ms, uint64_t bytes)
{
	advance(m, now_ms);
	m->bytes[m->step % METER_STEPS] += bytes;
	m->sum += bytes;
}

static bool
is_full(const struct meter *m, int64_t now_ms)
{
	return now_ms - m->began_ms >= METER_WINDOW_MS;
}

bool
meter_is_below(struct meter *m, int64_t now_ms, uint64_t bps)
{
	advance(m, now_ms);
	return is_full(m, now_ms) && m->sum < bps * METER_WINDOW_MS / 1000;
}

bool
meter_is_at(struct meter *m, int64_t now_ms, uint64_t bps)
{
	advance(m, now_ms);
	return is_full(m, now_ms) && m->sum >= bps * METER_WINDOW_MS / 1000;
}
