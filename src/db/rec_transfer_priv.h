/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_TRANSFER_PRIV_H
#define DB_REC_TRANSFER_PRIV_H

/* What the files of the transfer's record share. */

#include "db/rec_transfer.h"
#include "db/sql.h"

/* In the order in which rec_transfer_take_row() takes them; t is the table's
 * name in the statement. */
#define REC_TRANSFER_COLUMNS                                                   \
	"t.id, t.direction, t.status, t.filename, t.sha256, t.encryption, "    \
	"t.priority, t.transferred, t.total, t.speed_bps, t.client_ip, "       \
	"t.client_id, t.user_agent, t.retry_count, t.created_ms, "             \
	"t.updated_ms, t.error, t.error_code"

void rec_transfer_take_row(struct sql *q, struct rec_transfer *ret);

/* Adds (${sign} 1) or takes back (-1) what a row counts for. */
void rec_transfer_sum(struct db_tx *tx, const struct rec_transfer *t, int sign);

/* It left the records, and still counts in the sums. */
void rec_transfer_sum_pruned(struct db_tx *tx, const struct rec_transfer *t);

/* Keeps the table of newest transfers: ${t} is new on record; or no longer
 * what it was. */
int rec_transfer_note_newest(
    struct db_tx *tx, const struct rec_transfer *t, struct err *err);
int rec_transfer_find_newest(
    struct db_tx *tx, const struct rec_transfer *old, struct err *err);

#endif
