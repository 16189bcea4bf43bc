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

/* ${n} digits of ${v}, and ${after} behind them. */
static char *
put_digits(char *at, int64_t v, int n, char after)
{
	for (int i = n - 1; i >= 0; i--) {
		at[i] = (char)('0' + v % 10);
		v /= 10;
	}
	at[n] = after;
	return at + n + 1;
}

/* By hand: every answer and every line of the log has a time, and strftime()
 * takes ten times as long. */
void
clock_rfc3339(int64_t wall_ms, char ret[CLOCK_RFC3339_SIZE])
{
	char *at = ret;
	time_t seconds;
	struct tm tm;

	if (wall_ms < CLOCK_RFC3339_MIN)
		wall_ms = CLOCK_RFC3339_MIN;
	if (wall_ms > CLOCK_RFC3339_MAX)
		wall_ms = CLOCK_RFC3339_MAX;
	/* Rounded down, also before 1970. */
	seconds =
	    (wall_ms - CLOCK_RFC3339_MIN) / 1000 + CLOCK_RFC3339_MIN / 1000;
	(void)gmtime_r(&seconds, &tm);
	at = put_digits(at, tm.tm_year + 1900, 4, '-');
	at = put_digits(at, tm.tm_mon + 1, 2, '-');
	at = put_digits(at, tm.tm_mday, 2, 'T');
	at = put_digits(at, tm.tm_hour, 2, ':');
	at = put_digits(at, tm.tm_min, 2, ':');
	at = put_digits(at, tm.tm_sec, 2, '.');
	at = put_digits(at, wall_ms - (int64_t)seconds * 1000, 3, 'Z');
	*at = '\0';
}
