/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_COUNTER_PRIV_H
#define DB_REC_COUNTER_PRIV_H

/* What the writer does with the sums that its jobs gather. */

#include <stddef.h>

#include "base/map.h"
#include "db/rec_counter.h"

struct rec_counter_delta {
	char name[REC_COUNTER_NAME];
	int64_t job;   /* of the job that runs */
	int64_t group; /* of those before it in its group */
};

struct rec_counter_deltas {
	struct rec_counter_delta *at;
	size_t count;
	size_t cap;
	struct map *index; /* name: its place + 1; NULL while they are few */
};

struct rec_counter_deltas *rec_counter_deltas_new(void);
void rec_counter_deltas_free(struct rec_counter_deltas *d); /* NULL is fine */

/* The job's become the group's; or are forgotten. */
void rec_counter_keep(struct rec_counter_deltas *d);
void rec_counter_drop(struct rec_counter_deltas *d);
/* Writes the group's, in its transaction. */
int rec_counter_write(struct db_tx *tx, struct err *err);
/* The group is over. */
void rec_counter_clear(struct rec_counter_deltas *d);

#endif
