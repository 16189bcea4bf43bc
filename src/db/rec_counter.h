/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_COUNTER_H
#define DB_REC_COUNTER_H

/*
 * Sums that are kept with each change, so that no answer scans history.
 * A writer adds to rows of its own node; a reader sums over the nodes.
 *
 *	rows                  transfers that ever were
 *	upload.completed ...  transfers in that direction and state; likewise
 *	                      download.queued and so on
 *	pruned.rows, pruned.upload.completed ...
 *	                      of these, that are no longer on record
 *	day. ...              see rec_day.h
 *	bytes.upload, bytes.download      that completed ones moved
 *	us.upload, us.download            microseconds they took for it
 *	clients               of which there is a record
 *	encrypted             uploads that asked for it
 *	type..txt             uploads by extension, lower case; "type." without
 *	                      one, "type.*" beyond REC_COUNTER_TYPES of them
 *
 * rec_counter_on_record() knows what is left of the first two.
 *
 * What a job adds is gathered in memory and written once for the whole
 * group of jobs, just before its commit; rec_counter_get() on the
 * writer's connection includes what is not written yet.
 */

#include <stdint.h>

#include "base/err.h"

struct db_tx;

#define REC_COUNTER_NAME 32 /* with the NUL */
#define REC_COUNTER_PRUNED "pruned."
#define REC_COUNTER_TYPES 1000
#define REC_COUNTER_TYPE "type."
#define REC_COUNTER_TYPE_OTHER "type.*"

/* In a job of the writer. */
void rec_counter_add(struct db_tx *tx, const char *name, int64_t delta);

int rec_counter_get(
    struct db_tx *tx, const char *name, int64_t *ret, struct err *err);

/* The same for "rows", "upload.completed" and their like: without those that
 * are no longer on record. */
int rec_counter_on_record(
    struct db_tx *tx, const char *name, uint64_t *ret, struct err *err);

typedef int (*rec_counter_fn)(
    void *arg, const char *name, int64_t value, struct err *err);
/* Those whose name begins with ${prefix}, in the order of their names; not
 * what is only gathered yet. */
int rec_counter_each(struct db_tx *tx, const char *prefix, rec_counter_fn fn,
    void *arg, struct err *err);
/* The same of those in a range. */
struct rec_counter_range {
	const char *from;
	const char *end; /* the first behind it */
};
int rec_counter_between(struct db_tx *tx, const struct rec_counter_range *range,
    rec_counter_fn fn, void *arg, struct err *err);

#endif
