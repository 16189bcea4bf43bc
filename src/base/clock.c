/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/list.h"

static int64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: both clocks exist on Linux and ts is ours. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t
system_mono_ns(const struct clock *c)
{
	(void)c;
	return read_ns(CLOCK_MONOTONIC);
}

static int64_t
system_wall_ms(const struct clock *c)
{
	(void)c;
	return read_ns(CLOCK_REALTIME) / 1000000;
}

const struct clock *
clock_system(void)
{
	static const struct clock clock = { system_mono_ns, system_wall_ms };

	return &clock;
}

int64_t
clock_mono_ns(const struct clock *c)
{
	return c->mono_ns(c);
}

int64_t
clock_mono_ms(const struct clock *c)
{
	return c->mono_ns(c) / 1000000;
}

int64_t
clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c);
}

static int64_t
manual_mono_ns(const struct clock *c)
{
	return atomic_load(&CONTAINER_OF(c, struct clock_manual, clock)->mono);
}

static int64_t
manual_wall_ms(const struct clock *c)
{
	return atomic_load(&CONTAINER_OF(c, struct clock_manual, clock)->wall);
}

void
clock_manual_init(struct clock_manual *m, int64_t wall_ms)
{
	m->clock = (struct clock){ manual_mono_ns, manual_wall_ms };
	/* Not 0, which code under test may take for "never". */
	atomic_init(&m->mono, 1000000000);
	atomic_init(&m->wall, wall_ms);
}

void
clock_manual_advance(struct clock_manual *m, int64_t ms)
{
	atomic_fetch_add(&m->mono, ms * 1000000);
	atomic_fetch_add(&m->wall, ms);
}

void
clock_rfc3339(int64_t wall_ms, char ret[CLOCK_RFC3339_SIZE])
{
	int64_t ms = wall_ms % 1000;
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t n;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	/* Any int64_t of milliseconds is a year that fits. */
	(void)gmtime_r(&seconds, &tm);
	n = strftime(ret, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + n, CLOCK_RFC3339_SIZE - n, ".%03dZ", (int)ms);
}
