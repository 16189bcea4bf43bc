/* SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * Time, injected: parts that decide by time take a const struct clock *, so
 * that a test sets it.  Safe from any thread.
 */

#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*mono_ns)(const struct clock *c); /* never goes back */
	int64_t (*wall_ms)(const struct clock *c); /* unix time, ms */
};

/* The system's clocks. */
const struct clock *clock_system(void);
int64_t clock_mono_ns(const struct clock *c);
int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c);

/* A clock that stands until it is told to move (atomic). */
struct clock_manual {
	struct clock clock;
	_Atomic int64_t mono;
	_Atomic int64_t wall;
};
void clock_manual_init(struct clock_manual *m, int64_t wall_ms);
void clock_manual_advance(struct clock_manual *m, int64_t ms);

#define CLOCK_RFC3339_SIZE 32
/* The first and the last millisecond that RFC 3339 can say: of the years 0000
 * and 9999. */
#define CLOCK_RFC3339_MIN (-62167219200000)
#define CLOCK_RFC3339_MAX 253402300799999
/* "2026-11-24T07:30:00.000Z" (RFC 3339, UTC, milliseconds); a time beyond
 * what can be said is the first or the last that can. */
void clock_rfc3339(int64_t wall_ms, char ret[CLOCK_RFC3339_SIZE]);

#endif
