/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_DAY_H
#define DB_REC_DAY_H

/*
 * How many transfers on record each day (UTC) has, by direction and state, so
 * that days are counted and skipped without looking at them.  A transfer's day
 * is that of its id.  Kept as counters (rec_counter.h) of the names
 * "day.<100000 + days since 1970>.<direction><state>".
 */

#include "db/rec_transfer.h"

#define REC_DAY "day."
#define REC_DAY_MS (24LL * 3600 * 1000)

/* In a job of the writer: ${t} is on record (${sign} 1), or no longer (-1). */
void rec_day_add(struct db_tx *tx, const struct rec_transfer *t, int sign);

struct rec_day_query {
	int status;        /* enum rec_status; -1: any */
	int direction;     /* enum rec_direction; -1: any */
	int64_t from_ms;   /* the beginning of a day */
	int64_t before_ms; /* of another; INT64_MAX: no end */
};
int rec_day_count(struct db_tx *tx, const struct rec_day_query *q,
    uint64_t *ret, struct err *err);
/*
 * Skips whole days from the newest on that have no more than *${offset}, and
 * takes what it skipped from *${offset}; *${before_ms} is where they begin.
 */
int rec_day_skip(struct db_tx *tx, const struct rec_day_query *q,
    uint64_t *offset, int64_t *before_ms, struct err *err);

#endif
