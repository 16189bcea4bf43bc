/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SCHED_H
#define ENGINE_SCHED_H

/*
 * Who may move, and in which order ("Scheduling" of the contract).
 *
 * There are so many places.  A lane is what holds one: a transfer, or a
 * session, whose chunks share it.  A ticket is a request that wants to move
 * bytes on a lane.  A lane without a place waits; a free place goes to the lane
 * with the highest priority, one step more for every SCHED_STEP_MS that it has
 * waited, then to the one that came first.
 *
 *	ticket_ask ── true ───────────▶ moves: ticket_next, ticket_moved
 *	           └─ false ─ granted ─┘      │ slow: its lane gives the place
 *up ▼ and goes on beside the others ticket_leave
 *
 * A lane is slow when all that move on it are; one that is fast again queues
 * again, and until its turn ticket_next() lets nothing move.
 *
 * The scheduler locks itself; a ticket is its owner's, but for what is marked.
 * The lock is the last in the order: granted() must not take another but a
 * loop's.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "engine/meter.h"
#include "engine/rate.h"
#include "proto/limits.h"

/* One step of priority for so long a wait. */
#define SCHED_STEP_MS 30000
/* Who lets nothing move for so long is slow at once. */
#define SCHED_STALL_MS 1000

struct sched;
struct lane;

struct sched_config {
	const struct clock *clock;
	unsigned places;
	uint64_t bytes_per_s; /* 0: no limit */
};
struct sched *sched_new(const struct sched_config *cf);
/* After the last ticket left. */
void sched_free(struct sched *s);
/* Lanes that wait, and that hold a place. */
void sched_counts(struct sched *s, unsigned *ret_waiting, unsigned *ret_held);

bool sched_is_limited(const struct sched *s);

/* A new one with a reference. */
struct lane *lane_new(struct sched *s, int priority);
struct lane *lane_ref(struct lane *l);
void lane_unref(struct lane *l); /* NULL is fine */
void lane_set_priority(struct lane *l, int priority);
bool lane_waits(const struct lane *l);
/* Its turn among those that wait, from 1; 0: it does not. */
unsigned lane_position(struct lane *l);
/* The same for many: lane_number() says what each lane's position was at the
 * last lane_number_all(), which looks at all of ${any}'s scheduler at once. */
void lane_number_all(struct lane *any);
unsigned lane_number(struct lane *l);

enum ticket_state { TICKET_OUT, TICKET_WAITS, TICKET_IN };

struct ticket {
	struct list link;        /* in the lane's; the scheduler's lock */
	struct lane *lane;       /* NULL unless asked; holds a reference */
	enum ticket_state state; /* the scheduler's lock */
	/* Its turn has come: ticket_ask() said false.  Under the scheduler's
	 * lock; must not block. */
	void (*granted)(void *arg);
	void *arg;
	/* Of the owner's. */
	struct meter meter;
	struct rate_ask ask;
	bool has_begun;
	int64_t moved_ms; /* monotonic; while it is slow */
	bool is_slow;     /* the scheduler's lock */
};
/* Asks for whoever has a ticket: true, it may move now. */
struct ticket_asker {
	bool (*ask)(void *arg, struct lane *lane);
	void *arg;
};

void ticket_init(struct ticket *t, void (*granted)(void *arg), void *arg);
/* True: it may move, now.  One that is in already may. */
bool ticket_ask(struct ticket *t, struct lane *l);
/* Gives back what it has or waits for; no-op when that is nothing. */
void ticket_leave(struct ticket *t);
bool ticket_is_in(const struct ticket *t); /* by its owner */

/*
 * It would move *n bytes now.  0: it may move *n, lowered to what it may;
 * else milliseconds to sleep before it asks again: its lane waits for a place,
 * or there is a limit.
 */
unsigned ticket_next(struct ticket *t, uint64_t *n);
/* It moved ${n}, having waited for its client for ${waited_ms} in all.  True:
 * it is fast again, and wants to be told of waiting. */
bool ticket_moved(struct ticket *t, uint64_t n, int64_t waited_ms);
/* Its client is waited for: for ${waited_ms} in all, and ${still_ms} since it
 * last let anything move.  False: there is nothing more to be told. */
bool ticket_waited(struct ticket *t, int64_t waited_ms, int64_t still_ms);

#endif
