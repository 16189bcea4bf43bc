/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_TRANSFER_PRIV_H
#define ENGINE_TRANSFER_PRIV_H

/* For src/engine/transfer*.c. */

#include <pthread.h>
#include <stdatomic.h>

#include "engine/speed.h"
#include "engine/transfer.h"

/*
 * Whoever moves bytes writes `moved` (atomic) and the meter (under the lock, a
 * few times a second); everything else in rec changes under the lock.
 */
struct transfer {
	struct list link; /* in ts->live, under ts->lock */
	struct transfers *ts;
	struct rec_transfer rec; /* under ts->lock */
	_Atomic uint64_t moved;
	_Atomic int64_t next_sample_ms; /* monotonic */
	struct speed speed;             /* under ts->lock */
	int64_t began_ms;               /* monotonic; the owner's */
	struct lane *lane;              /* NULL: none; under ts->lock */
	uint64_t base; /* bytes moved before it was resumed; constant */
	/*
	 * It has ended, and rec says how.  It stays in the registry until that
	 * is recorded, so that nobody who looks in between sees its past.
	 * Under ts->lock; then nobody's but the database's callback.
	 */
	bool ended;
	struct list movers;  /* under ts->lock */
	bool is_cancelled;   /* under ts->lock */
	bool is_prioritised; /* by hand; under ts->lock */
	bool is_final;       /* its end is being recorded; under ts->lock */
	bool is_provisional; /* constant */
	struct transfer_cancel *cancel; /* who waits for the end; ts->lock */
};

/* Somebody who cancelled some transfers and waits.  Under ts->lock. */
struct transfer_cancel {
	pthread_cond_t ended;
	unsigned pending;
	unsigned cancelled;
};

struct transfers {
	struct db *db;
	const struct clock *clock;
	pthread_mutex_t lock;
	struct list live;  /* oldest first; also the ended, until recorded */
	size_t listed;     /* in the list */
	size_t live_count; /* of those, not ended */
	uint64_t changes;
	int64_t last_change_ms;
	struct transfer_observer observer; /* under lock; wants NULL: none */
};

/* Something that is worth writing down changed.  Under ts->lock. */
void transfer_changed(struct transfers *ts, int64_t now_ms);
/* Its row, without waiting. */
void transfer_record(struct transfers *ts, const struct rec_transfer *t);

/* The observer hears of it.  Under the lock. */
void transfer_tell(struct transfer *t, bool is_progress);

/* It has ended as ${status}: nobody moves it any more, who waits is told.
 * Under ts->lock. */
void transfer_settle(struct transfer *t, enum rec_status status);

#endif
