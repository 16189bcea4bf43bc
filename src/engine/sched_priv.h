/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_SCHED_PRIV_H
#define ENGINE_SCHED_PRIV_H

/* For src/engine/sched*.c. */

#include <pthread.h>

#include "engine/sched.h"

#define PRIORITIES (LIMIT_PRIORITY + 1)

enum lane_state {
	LANE_IDLE,
	LANE_WAITS,
	LANE_HOLDS, /* a place */
	LANE_ASIDE  /* it gave its place up and moves without */
};

struct sched {
	const struct clock *clock;
	struct rate *rate; /* NULL: no limit */
	unsigned places;
	pthread_mutex_t lock; /* over all below, and what lanes say is its */
	unsigned held;
	unsigned waiting;
	uint64_t orders;
	struct list queues[PRIORITIES]; /* lanes that wait, by order */
};

struct lane {
	struct sched *sched;
	_Atomic unsigned refs;
	_Atomic int state; /* changes under the lock */
	/* The scheduler's lock: */
	struct list link; /* in its queue */
	int priority;
	int64_t since_ms; /* it has waited since then */
	uint64_t order;   /* it came as so-manieth */
	unsigned number;  /* its position when that was last looked at */
	struct list tickets;
	unsigned asked;        /* so many */
	unsigned movers;       /* of these, that are in ... */
	unsigned slow;         /* ... and slow */
	struct rate_flow flow; /* the rate's lock */
};

/* Under the lock: a place if there is one, else a turn. */
void sched_want_place(struct lane *l);
/* Under the lock: whether it goes on with a place may have changed. */
void sched_review(struct lane *l);

#endif
