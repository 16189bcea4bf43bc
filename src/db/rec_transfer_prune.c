/* SPDX-License-Identifier: MIT */

/* What is too old leaves the records; the sums keep it (rec_counter.h). */

#include <stdlib.h>

#include "base/mem.h"
#include "db/db_priv.h"
#include "db/rec_counter.h"
#include "db/rec_transfer_priv.h"

/* When it was first asked for; set once, by the first who asks. */
#define BEGAN "pruned.since"

/* An upload that can be gone on with keeps its transfer. */
static const char SQL_OLD[] =
    "SELECT " REC_TRANSFER_COLUMNS " FROM transfers t "
    "WHERE t.ended_ms IS NOT NULL AND t.ended_ms < $1 AND NOT EXISTS "
    "(SELECT 1 FROM sessions s WHERE s.id = t.id AND s.state = 0) "
    "ORDER BY t.ended_ms LIMIT $2";
/* Only what was seen: it may have been resumed since. */
static const char SQL_REMOVE[] =
    "DELETE FROM transfers WHERE id = $1 AND status = $2 AND updated_ms = $3";

/* A step's rows, since none may change under the statement that finds them. */
struct old {
	struct rec_transfer *rows;
	unsigned count;
};

static int
find_old(struct db_tx *tx, int64_t before_ms, unsigned limit, struct old *ret,
    struct err *err)
{
	struct sql q;
	int rc;

	if (sql_open(&q, tx, SQL_OLD, err) < 0)
		return -1;
	sql_put_int(&q, before_ms);
	sql_put_int(&q, limit);
	while ((rc = sql_step(&q, err)) > 0)
		rec_transfer_take_row(&q, &ret->rows[ret->count++]);
	sql_close(&q);
	return rc;
}

static int
remove_one(struct db_tx *tx, const struct rec_transfer *t, struct err *err)
{
	int64_t changes;
	struct sql q;

	if (sql_open(&q, tx, SQL_REMOVE, err) < 0)
		return -1;
	sql_put_text(&q, t->id);
	sql_put_int(&q, t->status);
	sql_put_int(&q, t->updated_ms);
	if (sql_run(&q, &changes, err) < 0)
		return -1;
	if (changes == 0)
		return 0;
	rec_transfer_sum_pruned(tx, t);
	return rec_transfer_find_newest(tx, t, err);
}

/* 1: by now something may be old. */
static int
has_begun(
    struct db_tx *tx, const struct rec_transfer_pruning *p, struct err *err)
{
	int64_t began_ms;

	if (rec_counter_get(tx, BEGAN, &began_ms, err) < 0)
		return -1;
	if (began_ms == 0)
		rec_counter_add(tx, BEGAN, p->now_ms);
	return began_ms != 0 && p->now_ms - began_ms > p->keep_ms;
}

int
rec_transfer_prune(
    struct db_tx *tx, struct rec_transfer_pruning *p, struct err *err)
{
	struct old old = { NULL, 0 };
	int rc = has_begun(tx, p, err);

	p->count = 0;
	if (rc <= 0)
		return rc;
	old.rows = mem_calloc(p->limit, sizeof(*old.rows));
	rc = find_old(tx, p->now_ms - p->keep_ms, p->limit, &old, err);
	for (unsigned i = 0; i < old.count; i++) {
		if (rc == 0)
			rc = remove_one(tx, &old.rows[i], err);
		rec_transfer_fini(&old.rows[i]);
	}
	free(old.rows);
	if (rc == 0)
		p->count = old.count;
	return rc;
}
