/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_HISTORY_H
#define DB_REC_HISTORY_H

/*
 * Looking back over transfers, with filters.  Each way of asking has a
 * statement that walks an index of its own, newest first; what else is asked is
 * looked at row by row.  Days, states and directions are counted and skipped by
 * their sums (rec_day.h).
 */

#include <stdint.h>

#include "base/err.h"
#include "db/db.h"
#include "db/rec_transfer.h"

struct rec_history_query {
	const char *prefix;   /* "" for all */
	const char *filename; /* NULL: any, as the next two */
	const char *client_ip;
	const char *client_id;
	int status;        /* enum rec_status; -1: any */
	int direction;     /* enum rec_direction; -1: any */
	int64_t from_ms;   /* by their ids made then or later; 0: any */
	int64_t before_ms; /* made before; INT64_MAX: any */
	/* A page of them. */
	uint64_t offset;
	unsigned limit;
};

/* Does it look at rows that an index does not lead to? */
bool rec_history_is_long(const struct rec_history_query *q);

/* *${ret}: how many there are on all pages, exactly.  By sums for days, states
 * and directions. */
int rec_history_count(struct db_tx *tx, const struct rec_history_query *q,
    uint64_t *ret, struct err *err);
int rec_history_each(struct db_tx *tx, const struct rec_history_query *q,
    rec_transfer_fn fn, void *arg, struct err *err);

#endif
